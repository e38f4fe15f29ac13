#include "sync/plan/decision.h"

#include "tests/support/catch.h"

#include <vector>

using namespace mailbraid::sync::plan;
using mailbraid::mailstore::Flags;

namespace {

Flags flags(const std::vector<std::string>& names) {
  return Flags::parse(names);
}

struct Row {
  Base base;
  Remote remote;
  Local local;
  Action action;
};

}  // namespace

TEST_CASE("every presence row has its decision while nothing but presence changed", "[plan][decision]") {
  const Row rows[] = {
      {Base::Absent, Remote::Absent, Local::Absent, Action::Nothing},
      {Base::Absent, Remote::Absent, Local::Live, Action::Nothing},
      {Base::Absent, Remote::Absent, Local::Tombstone, Action::Nothing},
      {Base::Absent, Remote::Present, Local::Absent, Action::TakeNew},
      {Base::Absent, Remote::Present, Local::Live, Action::Adopt},
      {Base::Absent, Remote::Present, Local::Tombstone, Action::TakeNew},
      {Base::Paired, Remote::Absent, Local::Absent, Action::Forget},
      {Base::Paired, Remote::Absent, Local::Live, Action::Remove},
      {Base::Paired, Remote::Absent, Local::Tombstone, Action::Forget},
      {Base::Paired, Remote::Present, Local::Absent, Action::TakeNew},
      {Base::Paired, Remote::Present, Local::Live, Action::Nothing},
      {Base::Paired, Remote::Present, Local::Tombstone, Action::Wait},
  };
  const FlagSides same{flags({"\\Seen"}), flags({"\\Seen"}), flags({"\\Seen"})};
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.base), static_cast<int>(row.remote), static_cast<int>(row.local));
    CHECK(decide(row.base, row.remote, row.local, same) == row.action);
  }
}

TEST_CASE("a flag changed on one side wins for that flag and both sides' changes unite", "[plan][flags]") {
  const FlagSides sides{flags({"\\Seen", "old"}), flags({"\\Flagged", "old"}), flags({"\\Seen", "\\Answered"})};
  // The endpoint took \Seen away and added \Flagged; here \Answered was added and "old" taken away.
  CHECK(merged(sides) == flags({"\\Flagged", "\\Answered"}));
  CHECK(decide(Base::Paired, Remote::Present, Local::Live, sides) == Action::MergeFlags);
}

TEST_CASE("a flag removed on both sides stays removed, one added on both sides is there once", "[plan][flags]") {
  CHECK(merged({flags({"x"}), flags({"y"}), flags({"y"})}) == flags({"y"}));
}

TEST_CASE("a message removed at the endpoint is removed when it was only read here since", "[plan][removal]") {
  const FlagSides sides{flags({}), flags({}), flags({"\\Seen"})};
  CHECK(decide(Base::Paired, Remote::Absent, Local::Live, sides) == Action::Remove);
}

TEST_CASE("a message removed at the endpoint is kept when someone cares for it here since the base",
          "[plan][removal]") {
  for (const char* added : {"\\Flagged", "\\Answered", "$Work"}) {
    CAPTURE(added);
    const FlagSides sides{flags({"\\Seen"}), flags({}), flags({"\\Seen", added})};
    CHECK(decide(Base::Paired, Remote::Absent, Local::Live, sides) == Action::Keep);
  }
  const FlagSides undeleted{flags({"\\Deleted"}), flags({}), flags({})};
  CHECK(decide(Base::Paired, Remote::Absent, Local::Live, undeleted) == Action::Keep);
}

TEST_CASE("a flag that both knew before does not outweigh a removal", "[plan][removal]") {
  const FlagSides sides{flags({"\\Flagged", "$Work"}), flags({}), flags({"\\Flagged", "$Work"})};
  CHECK(decide(Base::Paired, Remote::Absent, Local::Live, sides) == Action::Remove);
}

TEST_CASE("a tombstone lives again when the endpoint cares for the message, and waits when it only read it",
          "[plan][removal]") {
  CHECK(decide(Base::Paired, Remote::Present, Local::Tombstone, {flags({}), flags({"\\Flagged"}), flags({})}) ==
        Action::Revive);
  CHECK(decide(Base::Paired, Remote::Present, Local::Tombstone, {flags({}), flags({"\\Seen"}), flags({})}) ==
        Action::Wait);
}

TEST_CASE("P1: mail that is delivered again is new, whatever tombstone there is", "[plan][P1]") {
  CHECK(decide(Base::Absent, Remote::Present, Local::Tombstone, {}) == Action::TakeNew);
}
