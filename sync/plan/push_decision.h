// What to carry to an endpoint for one entry of the store: the table of presence rows while pushing.
#pragma once

#include "mailstore/types/flags.h"
#include "sync/plan/decision.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace mailbraid::sync::plan {

/// Where the endpoint has the entry's message, as its pairs say.
enum class Placed : std::uint8_t {
  Nowhere,
  Here,       ///< in the mailbox that the entry's mailbox syncs with
  Elsewhere,  ///< in another of its mailboxes
  InTrash,    ///< in its trash, because a removal put it there
  Gone,  ///< it is gone there, and that waits: a removal held back, or one that this endpoint's policy does not tell
};

enum class PushAction : std::uint8_t {
  Nothing,
  Upload,
  StoreFlags,
  Move,    ///< and its flags
  Remove,  ///< by the endpoint's style
};

struct PushSides {
  Placed placed = Placed::Nowhere;
  Local local = Local::Live;  ///< of the entry: Live or Tombstone
  mailstore::Flags base;      ///< of the pair
  mailstore::Flags entry;
};

/// Pure; every row stands in tests/plan/push_decision_test.cpp.
PushAction decidePush(const PushSides& sides);

/// What the configuration lets be carried to an endpoint, and what its kind can take.
struct PushPolicy {
  bool fresh = true;
  bool flags = true;
  bool removals = true;
  bool canAppend = true;
  bool canStoreFlags = true;
  bool canTransfer = true;
  bool canRemove = true;
};

enum class Permission : std::uint8_t {
  Granted,
  Withheld,  ///< by the configuration: it waits until that changes
  Never      ///< this kind of endpoint has no such thing: it is remembered in the store, and that is all
};
Permission permissionFor(PushAction action, const PushPolicy& policy);

/// The flags to add and to take away so that the endpoint agrees with the entry.
struct FlagDelta {
  mailstore::Flags add;
  mailstore::Flags remove;
  [[nodiscard]] bool empty() const { return add.empty() && remove.empty(); }
  friend bool operator==(const FlagDelta&, const FlagDelta&) = default;
};
FlagDelta flagDelta(const mailstore::Flags& base, const mailstore::Flags& entry);

/// The new base after `delta` was asked for and the endpoint told that the message has `told` now. What it did not take
/// stays out of the base, so that its absence there is never read as a removal; what others changed meanwhile stays
/// out, too, so that it is still seen as their change.
mailstore::Flags agreedFlags(const mailstore::Flags& base, const FlagDelta& delta, const mailstore::Flags& told);

std::string_view pushActionName(PushAction action);

}  // namespace mailbraid::sync::plan
