// Untagged data other than status responses and FETCH (RFC 9051 sections 7.2 to 7.4). Internal to sync/imap.
#pragma once

#include "sync/imap/cursor.h"
#include "sync/imap/events.h"
#include "sync/imap/limits.h"
#include "sync/imap/mailbox_name.h"

#include <string_view>
#include <vector>

namespace mailbraid::sync::imap {

struct ResponseContext {
  const Limits& limits;
  NameEncoding names = NameEncoding::ModifiedUtf7;
  std::vector<Event>& events;  ///< what is understood is added here
};

/// `cursor` is behind "* ". Unknown responses are no failure, and give no event. On failure, in the cursor, there is
/// none either. CAPABILITY is not parsed here: see Session.
void parseUntaggedData(Cursor& cursor, const ResponseContext& context);

}  // namespace mailbraid::sync::imap
