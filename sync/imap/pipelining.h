// Which commands may be sent while others await their answer (RFC 9051 section 5.5).
#pragma once

#include "sync/imap/commands.h"

#include <cstdint>
#include <span>

namespace mailbraid::sync::imap {

/// What pipelining has to know of a command. EnableUtf8 is an ENABLE that changes how names are written.
enum class CommandKind : std::uint8_t {
  Capability,
  Noop,
  Logout,
  StartTls,
  Login,
  Authenticate,
  Compress,
  Id,
  Enable,
  EnableUtf8,
  Namespace,
  List,
  Lsub,
  Status,
  Select,
  Unselect,
  Close,
  UidFetch,
  UidSearch,
  UidStore,
  UidCopy,
  UidMove,
  UidExpunge,
  Append,
  Create,
  Rename,
  Delete,
  Subscribe,
  Unsubscribe,
};

CommandKind kindOf(const Command& command);

/// True when `next` may be sent while `inFlight` (oldest first) are unanswered. Pure; every rule stands in
/// pipelining_test.cpp. Only UID commands exist here, so that an expunge in between makes nothing ambiguous, and SELECT
/// may follow, and be followed by, commands on messages: the server carries them out in order.
bool mayPipeline(std::span<const CommandKind> inFlight, CommandKind next);

}  // namespace mailbraid::sync::imap
