#include "sync/plan/push_decision.h"

#include "tests/support/catch.h"

#include <vector>

using namespace mailbraid::sync::plan;
using mailbraid::mailstore::Flags;

namespace {

Flags flags(const std::vector<std::string>& names) {
  return Flags::parse(names);
}

PushAction decided(Placed placed, Local local, const Flags& base = {}, const Flags& entry = {}) {
  return decidePush({placed, local, base, entry});
}

}  // namespace

TEST_CASE("every row of presence has its action while pushing", "[plan][push]") {
  const Flags seen = flags({"\\Seen"});
  CHECK(decided(Placed::Nowhere, Local::Live) == PushAction::Upload);
  CHECK(decided(Placed::Nowhere, Local::Tombstone) == PushAction::Nothing);
  CHECK(decided(Placed::Here, Local::Live) == PushAction::Nothing);
  CHECK(decided(Placed::Here, Local::Live, {}, seen) == PushAction::StoreFlags);
  CHECK(decided(Placed::Here, Local::Live, seen, {}) == PushAction::StoreFlags);
  CHECK(decided(Placed::Here, Local::Live, seen, seen) == PushAction::Nothing);
  CHECK(decided(Placed::Here, Local::Tombstone) == PushAction::Remove);
  CHECK(decided(Placed::Elsewhere, Local::Live) == PushAction::Move);
  CHECK(decided(Placed::Elsewhere, Local::Tombstone) == PushAction::Remove);
  CHECK(decided(Placed::InTrash, Local::Live) == PushAction::Move);
  CHECK(decided(Placed::InTrash, Local::Tombstone) == PushAction::Nothing);
}

TEST_CASE("P6: what is gone at an endpoint and waits is neither uploaded again nor removed", "[plan][push]") {
  CHECK(decided(Placed::Gone, Local::Live, {}, flags({"\\Flagged"})) == PushAction::Nothing);
  CHECK(decided(Placed::Gone, Local::Tombstone) == PushAction::Nothing);
}

TEST_CASE("the configuration withholds, a kind of endpoint that cannot never does", "[plan][push]") {
  PushPolicy policy;
  for (const PushAction action : {PushAction::Upload, PushAction::StoreFlags, PushAction::Move, PushAction::Remove}) {
    CHECK(permissionFor(action, policy) == Permission::Granted);
  }
  policy.fresh = policy.flags = policy.removals = false;
  for (const PushAction action : {PushAction::Upload, PushAction::StoreFlags, PushAction::Move, PushAction::Remove}) {
    CHECK(permissionFor(action, policy) == Permission::Withheld);
  }
  policy.canAppend = policy.canStoreFlags = policy.canTransfer = policy.canRemove = false;
  for (const PushAction action : {PushAction::Upload, PushAction::StoreFlags, PushAction::Move, PushAction::Remove}) {
    CHECK(permissionFor(action, policy) == Permission::Never);
  }
}

TEST_CASE("a move needs both what it takes and what it adds to be allowed", "[plan][push]") {
  PushPolicy onlyNew;
  onlyNew.removals = false;
  CHECK(permissionFor(PushAction::Move, onlyNew) == Permission::Withheld);
  PushPolicy onlyRemovals;
  onlyRemovals.fresh = false;
  CHECK(permissionFor(PushAction::Move, onlyRemovals) == Permission::Withheld);
}

TEST_CASE("a flag that the endpoint dropped stays out of the base, so it is not read as removed there",
          "[plan][push]") {
  const FlagDelta delta = flagDelta({}, flags({"\\Seen", "work"}));
  CHECK(agreedFlags({}, delta, flags({"\\Seen"})) == flags({"\\Seen"}));
  CHECK(agreedFlags({}, delta, flags({"\\Seen", "WORK"})) == flags({"\\Seen", "work"}));
}

TEST_CASE("what another program changed while flags were stored is still its change afterwards", "[plan][push]") {
  const Flags base = flags({"\\Flagged"});
  const FlagDelta delta = flagDelta(base, flags({"\\Flagged", "\\Seen"}));
  const Flags told = flags({"\\Seen", "\\Answered"});  // \Flagged taken away and \Answered set by somebody else
  const Flags agreed = agreedFlags(base, delta, told);
  CHECK(agreed == flags({"\\Flagged", "\\Seen"}));
  CHECK(merged({agreed, told, flags({"\\Flagged", "\\Seen"})}) == told);
}

TEST_CASE("a flag that the endpoint would not take away stays in the base", "[plan][push]") {
  const Flags base = flags({"\\Draft", "\\Seen"});
  const FlagDelta delta = flagDelta(base, {});
  CHECK(agreedFlags(base, delta, flags({"\\Draft"})) == flags({"\\Draft"}));
}
