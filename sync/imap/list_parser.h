// LIST, LSUB, STATUS and NAMESPACE: the responses about mailboxes by name. Internal to sync/imap.
#pragma once

#include "sync/imap/response_parser.h"

namespace mailbraid::sync::imap {

/// The cursor is behind the response's name; see parseUntaggedData().
void parseList(Cursor& cursor, const ResponseContext& context);
void parseLsub(Cursor& cursor, const ResponseContext& context);
void parseStatus(Cursor& cursor, const ResponseContext& context);
void parseNamespace(Cursor& cursor, const ResponseContext& context);

}  // namespace mailbraid::sync::imap
