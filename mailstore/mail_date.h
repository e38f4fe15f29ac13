// Dates as mail writes them (RFC 5322 sections 3.3 and 4.3, and what real mail has; mailstore's own).
#pragma once

#include "mailstore/types/ids.h"

#include <optional>
#include <string_view>

namespace mailbraid::mailstore {

/// "Mon, 2 Dec 2002 03:04:05 +0100 (CET)": week day and seconds optional, years of two or three digits, named zones,
/// comments. Nothing when it is no date. An unknown zone counts as UTC.
std::optional<InternalDate> parseMailDate(std::string_view text);

}  // namespace mailbraid::mailstore
