// Flag lists (RFC 9051 section 9, flag-list and flag-perm). Internal to sync/imap.
#pragma once

#include "mailstore/types/flags.h"
#include "sync/imap/cursor.h"
#include "sync/imap/events.h"

#include <cstddef>
#include <optional>

namespace mailbraid::sync::imap {

struct FlagList {
  mailstore::Flags flags;
  NewKeywords newKeywords = NewKeywords::Refused;
};

/// A list in parentheses with at most `maximum` flags.
std::optional<FlagList> takeFlagList(Cursor& cursor, std::size_t maximum);

}  // namespace mailbraid::sync::imap
