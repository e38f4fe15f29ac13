// Times, sizes and dates as people write and read them.
#pragma once

#include "mailstore/types/ids.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailbraid::cli {

/// "30s", "5m", "12h", "14d", "2w": a whole number (not 0) and one unit; nothing else.
std::optional<std::chrono::seconds> parseDuration(std::string_view text);
/// The shortest spelling that parseDuration() takes: 1209600 s is "2w".
std::string durationText(std::chrono::seconds time);

/// "500k", "25M", "2G": a whole number (not 0) and one unit, powers of 1000; or octets without a unit.
std::optional<std::uint64_t> parseSize(std::string_view text);
/// "512 B", "1.2 MB": powers of 1000.
std::string sizeText(std::uint64_t octets);
/// "0.4 s", "12 s", "3 min 20 s", "1 h 5 min".
std::string elapsedText(double seconds);
/// "1 message", "2 messages": with an "s".
std::string counted(std::uint64_t count, std::string_view noun);
/// 1234567 -> "1,234,567".
std::string grouped(std::uint64_t count);

/// RFC 3339: "2026-01-31T09:30:00+01:00"; "Z" for UTC. Years outside 0000 to 9999 are held at the ends.
std::string rfc3339(const mailstore::InternalDate& date);
std::string rfc3339(std::int64_t secondsUtc);
/// "2026-01-31 09:30" in the local zone; "never" for 0.
std::string localTime(std::int64_t secondsUtc);

}  // namespace mailbraid::cli
