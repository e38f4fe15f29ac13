// INTERNALDATE (RFC 9051 section 9, date-time). Internal to sync/imap.
#pragma once

#include "mailstore/types/ids.h"

#include <optional>
#include <string>
#include <string_view>

namespace mailbraid::sync::imap {

/// "17-Jul-1996 02:44:25 -0700" without its quotes; empty optional when it is no date.
std::optional<mailstore::InternalDate> parseInternalDate(std::string_view text);

/// The same the other way, without quotes. Years outside 0 to 9999 are held at the ends.
std::string dateTime(const mailstore::InternalDate& date);

}  // namespace mailbraid::sync::imap
