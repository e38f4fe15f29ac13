// Dates as mail writes them (RFC 5322 sections 3.3 and 4.3, and what real mail has), and when a message arrived.
#pragma once

#include "mailstore/types/ids.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace mailbraid::mailstore {

/// "Mon, 2 Dec 2002 03:04:05 +0100 (CET)" and its like; nothing when it is no date. The rules:
/// - Order: day month year time, or as asctime() has it, month day time year with a zone before or behind the year, or
///   month day year time; parted by spaces, commas or, day month year, by hyphens. ISO 8601: 2002-12-02T03:04:05Z, a
///   space for the T, slashes for the hyphens. Where two digits are parted by slashes nobody knows what is the month.
/// - Week day: may be missing, and is not believed. Comments count as spaces.
/// - Month: an English name of which three letters or more are there, in any case.
/// - Year: two digits are 2000 to 2049 and 1950 to 1999, three are years since 1900 (RFC 5322 section 4.3).
/// - Time: colons or dots; seconds may be missing, a fraction is left out, second 60 is the next minute; AM and PM.
/// - Zone: +0100, +01:00, +1, alone or behind GMT, UTC or UT; 0530, which is east; the names of RFC 5322 and some that
/// mail is full of.
///   -0000, military letters, a name that is not known, and no zone at all are UTC. A number that is no zone (+2400,
///   +0199) makes all of it no date.
std::optional<InternalDate> parseMailDate(std::string_view text);

/// Of a Received field's body (RFC 5321 section 4.4): what stands behind its last semicolon; where there is none, or no
/// date behind it, the last date in it.
std::optional<InternalDate> parseReceivedDate(std::string_view body);

/// Rule "no mail before mail": 1971. What is older comes from a clock that nobody has set, or from somebody who lies.
inline constexpr std::int64_t kFirstMail = 31'536'000;
/// Rule "no mail from tomorrow": a day is allowed for clocks and zones that are wrong. Where this machine's own clock
/// is not set, nothing is from tomorrow.
constexpr std::int64_t latestDateAt(std::int64_t now) {
  return now < kFirstMail ? INT64_MAX : now + 86'400;
}
/// False: the next best date is taken. `latest` as of latestDateAt().
constexpr bool isBelievable(InternalDate date, std::int64_t latest) {
  return date.seconds >= kFirstMail && date.seconds <= latest;
}

}  // namespace mailbraid::mailstore
