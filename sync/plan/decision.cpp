#include "sync/plan/decision.h"

#include <array>

namespace mailbraid::sync::plan {

using mailstore::Flags;
using mailstore::SystemFlag;

bool caredForSince(const Flags& base, const Flags& now) {
  const Flags added = now.without(base);
  const bool undeleted = base.has(SystemFlag::Deleted) && !now.has(SystemFlag::Deleted);
  return added.has(SystemFlag::Flagged) || added.has(SystemFlag::Answered) || !added.keywords().empty() || undeleted;
}

Flags merged(const FlagSides& flags) {
  const Flags added = flags.remote.without(flags.base);
  const Flags taken = flags.base.without(flags.remote);
  return flags.local.unitedWith(added).without(taken);
}

namespace {

struct Row {
  Base base;
  Remote remote;
  Local local;
  Action action;
};

// The rows whose outcome does not hang on flags; the three that do are refined in decide().
constexpr std::array<Row, 12> kRows{{
    {Base::Absent, Remote::Absent, Local::Absent, Action::Nothing},
    {Base::Absent, Remote::Absent, Local::Live, Action::Nothing},
    {Base::Absent, Remote::Absent, Local::Tombstone, Action::Nothing},
    {Base::Absent, Remote::Present, Local::Absent, Action::TakeNew},
    {Base::Absent, Remote::Present, Local::Live, Action::Adopt},
    {Base::Absent, Remote::Present, Local::Tombstone, Action::TakeNew},  // delivered again: a tombstone never eats it
    {Base::Paired, Remote::Absent, Local::Absent, Action::Forget},
    {Base::Paired, Remote::Absent, Local::Live, Action::Remove},
    {Base::Paired, Remote::Absent, Local::Tombstone, Action::Forget},
    {Base::Paired, Remote::Present, Local::Absent, Action::TakeNew},  // its entry is gone for good, the mail is not
    {Base::Paired, Remote::Present, Local::Live, Action::MergeFlags},
    {Base::Paired, Remote::Present, Local::Tombstone, Action::Wait},
}};

}  // namespace

Action decide(Base base, Remote remote, Local local, const FlagSides& flags) {
  Action action = Action::Nothing;
  for (const Row& row : kRows) {
    if (row.base == base && row.remote == remote && row.local == local) action = row.action;
  }
  if (action == Action::MergeFlags && flags.remote == flags.base) return Action::Nothing;
  if (action == Action::Wait && caredForSince(flags.base, flags.remote)) return Action::Revive;
  if (action == Action::Remove && caredForSince(flags.base, flags.local)) return Action::Keep;
  return action;
}

std::string_view actionName(Action action) {
  switch (action) {
    case Action::Nothing:
      return "nothing";
    case Action::TakeNew:
      return "new";
    case Action::Adopt:
      return "adopt";
    case Action::MergeFlags:
      return "flags";
    case Action::Revive:
      return "revive";
    case Action::Wait:
      return "wait";
    case Action::Remove:
      return "remove";
    case Action::Keep:
      return "keep";
    case Action::Forget:
      return "forget";
  }
  return "";
}

}  // namespace mailbraid::sync::plan
