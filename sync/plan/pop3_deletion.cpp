#include "sync/plan/pop3_deletion.h"

namespace mailbraid::sync::plan {

namespace {

/// Whether, and why, the rules let it go, if nothing speaks against it.
Deletion wanted(const ListedMessage& message, const KeepRules& rules) {
  using Kind = endpoint::LeaveOnServer::Kind;
  if (rules.newest && message.newer >= *rules.newest) return Deletion::Expired;
  switch (rules.leave.kind) {
    case Kind::Forever:
      return Deletion::Leave;
    case Kind::ForTime:
      if (message.firstSeen == 0) return Deletion::Leave;
      return rules.now - message.firstSeen >= rules.leave.time.count() ? Deletion::Expired : Deletion::Leave;
    case Kind::UntilRemoved:
      return message.local == Local::Tombstone ? Deletion::Removed : Deletion::Leave;
    case Kind::No:
      return Deletion::Expired;
  }
  return Deletion::Leave;
}

}  // namespace

Deletion decideDeletion(const ListedMessage& message, const KeepRules& rules) {
  if (message.copy != ListedMessage::Copy::Sound) return Deletion::Leave;
  if (rules.maxSize && message.size > *rules.maxSize) return Deletion::Leave;
  using Sharing = ListedMessage::Sharing;
  const Deletion deletion = wanted(message, rules);
  if (deletion == Deletion::Leave) return deletion;
  if (!message.isNamed) return Deletion::Unnamed;
  // What was removed elsewhere goes everywhere, but not where the configuration has it stay.
  if (message.sharing == Sharing::Kept) return Deletion::Shared;
  if (message.sharing == Sharing::Followed && deletion == Deletion::Expired) return Deletion::Shared;
  return message.isConfirmed ? deletion : Deletion::Unconfirmed;
}

}  // namespace mailbraid::sync::plan
