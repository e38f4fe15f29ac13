// What a run has uploaded to an endpoint, as far as that has answered.
#pragma once

#include "mailstore/types/ids.h"

#include <unordered_map>

namespace mailbraid::sync::exec {

/// The endpoint said that it has taken it, there.
struct SentMessage {
  mailstore::EndpointMailboxId mailbox;
  mailstore::UidValidity uidValidity;
  bool gotUid = false;
};
using SentMessages = std::unordered_map<mailstore::EntryId, SentMessage>;

}  // namespace mailbraid::sync::exec
