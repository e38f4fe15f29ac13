// INTERNALDATE (RFC 9051 section 9, date-time). Internal to sync/imap.
#pragma once

#include "mailstore/types/ids.h"

#include <optional>
#include <string_view>

namespace mailbraid::sync::imap {

/// "17-Jul-1996 02:44:25 -0700" without its quotes; empty optional when it is no date.
std::optional<mailstore::InternalDate> parseInternalDate(std::string_view text);

}  // namespace mailbraid::sync::imap
