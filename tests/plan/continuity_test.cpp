#include "sync/plan/continuity.h"
#include "sync/plan/brake.h"

#include "tests/support/catch.h"

using namespace mailbraid::sync::plan;
using mailbraid::mailstore::Anchor;
using mailbraid::mailstore::ModSeq;
using mailbraid::mailstore::Uid;
using mailbraid::mailstore::UidValidity;

namespace {

const Anchor kAnchor{UidValidity{7}, Uid{100}, ModSeq{50}, 90, true};

SeenStatus same() {
  return {UidValidity{7}, Uid{100}, ModSeq{50}, 90};
}

}  // namespace

TEST_CASE("a mailbox of which nothing is known is met for the first time", "[plan][continuity]") {
  CHECK(continuityOf({}, same()) == Continuity::FirstContact);
}

TEST_CASE("P8: a mailbox is unchanged only when all four values agree", "[plan][continuity][P8]") {
  CHECK(continuityOf(kAnchor, same()) == Continuity::Unchanged);
  SeenStatus seen = same();
  seen.highestModSeq = ModSeq{51};
  CHECK(continuityOf(kAnchor, seen) == Continuity::Changed);
  seen = same();
  seen.uidNext = Uid{101};
  CHECK(continuityOf(kAnchor, seen) == Continuity::Changed);
  seen = same();
  seen.messages = 89;
  CHECK(continuityOf(kAnchor, seen) == Continuity::Changed);
}

TEST_CASE("without HIGHESTMODSEQ a mailbox is never taken for unchanged", "[plan][continuity]") {
  SeenStatus seen = same();
  seen.highestModSeq = ModSeq{};
  CHECK(continuityOf(kAnchor, seen) == Continuity::Changed);
  Anchor anchor = kAnchor;
  anchor.highestModSeq = ModSeq{};
  CHECK(continuityOf(anchor, same()) == Continuity::Changed);
  CHECK(continuityOf(kAnchor, std::nullopt) == Continuity::Changed);
}

TEST_CASE("P5: another UIDVALIDITY pairs by content again", "[plan][continuity][P5]") {
  SeenStatus seen = same();
  seen.uidValidity = UidValidity{8};
  CHECK(continuityOf(kAnchor, seen) == Continuity::ValidityChanged);
  CHECK(pairsByContent(continuityOf(kAnchor, seen)));
}

TEST_CASE("P5: UIDNEXT or HIGHESTMODSEQ below the anchor is a server that went back in time",
          "[plan][continuity][P5]") {
  SeenStatus seen = same();
  seen.uidNext = Uid{99};
  CHECK(continuityOf(kAnchor, seen) == Continuity::WentBack);
  seen = same();
  seen.highestModSeq = ModSeq{49};
  CHECK(continuityOf(kAnchor, seen) == Continuity::WentBack);
}

TEST_CASE("a missing UIDNEXT is no step back", "[plan][continuity]") {
  SeenStatus seen = same();
  seen.uidNext = Uid{};
  CHECK(continuityOf(kAnchor, seen) == Continuity::Changed);
}

TEST_CASE("P4: a first contact that was cut short goes on even when the server's values agree",
          "[plan][continuity][P4]") {
  Anchor anchor = kAnchor;
  anchor.complete = false;
  CHECK(continuityOf(anchor, same()) == Continuity::Unfinished);
}

TEST_CASE("P7: the brake holds more than 20 removals that are more than a quarter", "[plan][brake][P7]") {
  CHECK_FALSE(brakes(20, 20));
  CHECK(brakes(21, 21));
  CHECK(brakes(21, 83));
  CHECK_FALSE(brakes(21, 84));
  CHECK_FALSE(brakes(250, 1000));
  CHECK(brakes(251, 1000));
  for (const std::uint64_t removals : {21U, 22U, 250U}) {
    CHECK_FALSE(brakes(removals, neverBrakedFrom(removals)));
    CHECK(brakes(removals, neverBrakedFrom(removals) - 1));
  }
}
