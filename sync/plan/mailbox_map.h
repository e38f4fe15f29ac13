// Which mailboxes of an endpoint are synced, and with which mailbox of the store.
#pragma once

#include "mailstore/types/role.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::sync::plan {

/// One mailbox as the endpoint lists it. Names are UTF-8 with `/` between the levels.
struct ListedMailbox {
  std::string name;
  mailstore::Role role = mailstore::Role::None;  ///< as the server says (SPECIAL-USE); None where it does not
  bool selectable = true;
  std::string refusal;  ///< the endpoint's own reason why the name cannot be used
};

struct MappingRules {
  std::vector<std::string> patterns;       ///< see EndpointSettings::mailboxes
  std::map<std::string, std::string> map;  ///< endpoint mailbox -> store mailbox
  /// Mailboxes with a role carry the role's English name in the store, whatever each endpoint calls them. For braids of
  /// several endpoints; a mirror keeps the names it has.
  enum class RoleNames : std::uint8_t { Own, Canonical };
  RoleNames roleNames = RoleNames::Own;
};

struct MappedMailbox {
  std::string storeName;  ///< name in the store, without the braid
  mailstore::Role role = mailstore::Role::None;
  bool byMap = false;  ///< the user's `map` gave the name: it counts more than the role
  enum class Fate : std::uint8_t { Sync, LeftOut, Refused };
  Fate fate = Fate::Sync;
  std::string reason;   ///< LeftOut, Refused: one sentence
  bool asView = false;  ///< LeftOut, and not because the user says so
};

/// One result a listed mailbox, in the same order. Pure.
std::vector<MappedMailbox> mapMailboxes(std::span<const ListedMailbox> listed, const MappingRules& rules);

/// What the endpoint calls, or shall call, the store mailbox of this name: the other way round.
std::string endpointNameFor(std::string_view storeName, const MappingRules& rules);

/// Whether a mailbox that the endpoint would call so is one to sync, by the user's patterns.
bool takesMailbox(std::string_view endpointName, mailstore::Role role, const MappingRules& rules);

/// `*` stands for any run of characters, `/` included. INBOX compares without regard to case.
bool matchesPattern(std::string_view pattern, std::string_view name);

/// Why this name cannot be a mailbox of the store; empty when it can. Never cleaned, always refused: no level may be
/// empty,
/// `.` or `..`, no control characters, valid UTF-8, at most 1000 octets.
std::string whyNameIsRefused(std::string_view name);

}  // namespace mailbraid::sync::plan
