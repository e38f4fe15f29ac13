#include "sync/plan/push_decision.h"

#include <array>

namespace mailbraid::sync::plan {

using mailstore::Flags;

namespace {

struct Row {
  Placed placed;
  Local local;
  PushAction action;
};

constexpr std::array<Row, 10> kRows{{
    {Placed::Nowhere, Local::Live, PushAction::Upload},
    {Placed::Nowhere, Local::Tombstone, PushAction::Nothing},
    {Placed::Here, Local::Live, PushAction::StoreFlags},
    {Placed::Here, Local::Tombstone, PushAction::Remove},
    {Placed::Elsewhere, Local::Live, PushAction::Move},
    {Placed::Elsewhere, Local::Tombstone, PushAction::Remove},
    {Placed::InTrash, Local::Live, PushAction::Move},  // restored in the store
    {Placed::InTrash, Local::Tombstone, PushAction::Nothing},
    {Placed::Gone, Local::Live, PushAction::Nothing},
    {Placed::Gone, Local::Tombstone, PushAction::Nothing},
}};

/// Flags that both have.
Flags both(const Flags& left, const Flags& right) {
  return left.without(left.without(right));
}

}  // namespace

PushAction decidePush(const PushSides& sides) {
  PushAction action = PushAction::Nothing;
  for (const Row& row : kRows) {
    if (row.placed == sides.placed && row.local == sides.local) action = row.action;
  }
  if (action == PushAction::StoreFlags && flagDelta(sides.base, sides.entry).empty()) return PushAction::Nothing;
  return action;
}

Permission permissionFor(PushAction action, const PushPolicy& policy) {
  const auto permission = [](bool can, bool may) {
    if (!can) return Permission::Never;
    return may ? Permission::Granted : Permission::Withheld;
  };
  switch (action) {
    case PushAction::Nothing:
      return Permission::Granted;
    case PushAction::Upload:
      return permission(policy.canAppend, policy.fresh);
    case PushAction::StoreFlags:
      return permission(policy.canStoreFlags, policy.flags);
    case PushAction::Move:
      return permission(policy.canTransfer, policy.fresh && policy.removals);
    case PushAction::Remove:
      return permission(policy.canRemove, policy.removals);
  }
  return Permission::Never;
}

FlagDelta flagDelta(const Flags& base, const Flags& entry) {
  return {entry.without(base), base.without(entry)};
}

Flags agreedFlags(const Flags& base, const FlagDelta& delta, const Flags& told) {
  return base.unitedWith(both(delta.add, told)).without(delta.remove.without(told));
}

std::string_view pushActionName(PushAction action) {
  switch (action) {
    case PushAction::Nothing:
      return "nothing";
    case PushAction::Upload:
      return "upload";
    case PushAction::StoreFlags:
      return "store flags";
    case PushAction::Move:
      return "move there";
    case PushAction::Remove:
      return "remove there";
  }
  return "";
}

}  // namespace mailbraid::sync::plan
