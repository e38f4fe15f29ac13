// What a POP3 server need not keep any more: `leave_on_server` and `newest`.
#pragma once

#include "sync/endpoint/settings.h"
#include "sync/plan/decision.h"

#include <cstdint>
#include <optional>

namespace mailbraid::sync::plan {

/// What the configuration says.
struct KeepRules {
  endpoint::LeaveOnServer leave;
  std::optional<std::uint64_t> newest;   ///< at most so many stay there
  std::optional<std::uint64_t> maxSize;  ///< octets: what is larger has no part in the sync, and stays
  std::int64_t now = 0;                  ///< seconds since 1970

  /// False: nothing is ever deleted.
  [[nodiscard]] bool deletes() const {
    return leave.kind != endpoint::LeaveOnServer::Kind::Forever || newest.has_value();
  }
};

/// What is known of a message that the server lists.
struct ListedMessage {
  /// Whether the store has its octets: no while it is in quarantine, left out by the configuration, or not taken yet.
  enum class Copy : std::uint8_t { None, Damaged, Sound };
  Copy copy = Copy::None;
  /// Named by a unique-id of the server's. A name made of its header is not certain enough to delete by.
  bool isNamed = true;
  Local local = Local::Live;   ///< of the entry: Live or Tombstone
  std::int64_t firstSeen = 0;  ///< when it was first stored from here, in seconds since 1970; 0: not known
  std::uint64_t size = 0;      ///< octets
  std::uint64_t newer = 0;     ///< how many newer messages stay there
  bool isConfirmed = true;     ///< the other endpoint that must hold it first does, or there is none
  /// Whether an IMAP server of the braid had it, and not from mailbraid: the two may be one account, and the message
  /// one.
  enum class Sharing : std::uint8_t {  // the more there is to lose, the greater
    None,
    Followed,  ///< and what was removed elsewhere is removed there
    Kept,      ///< and what was removed elsewhere stays there
  };
  Sharing sharing = Sharing::None;
};

enum class Deletion : std::uint8_t {
  Leave,
  Unnamed,      ///< it could go, if the server named it
  Shared,       ///< it stays: deleting it might take it from an IMAP server, too
  Unconfirmed,  ///< it goes when the other endpoint has it
  Expired,      ///< it goes: the server has kept it for long enough, and the store keeps it
  Removed,      ///< it goes because it was removed elsewhere: the brake has its say
};

/// Pure; every row stands in tests/plan/pop3_deletion_test.cpp.
Deletion decideDeletion(const ListedMessage& message, const KeepRules& rules);

}  // namespace mailbraid::sync::plan
