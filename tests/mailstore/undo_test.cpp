// Taking a run back.
#include "mailstore/undo.h"

#include "tests/mailstore/store_fixture.h"
#include "tests/support/catch.h"

#include <string>
#include <vector>

using namespace mailbraid::mailstore;
using mailbraid::tests::StoreFixture;

namespace {

constexpr std::int64_t kNow = 1'700'000'000;

struct UndoFixture : StoreFixture {
  template <class Action>
  RunId run(const std::string& command, const Action& action) {
    Store::Transaction transaction(*store);
    const RunId id = store->runs().begin(command, kNow);
    action(store->entries());
    store->runs().finish(id, kNow, 0, "{}");
    transaction.commit();
    return id;
  }
  UndoReport undo(RunId run) {
    Store::Transaction transaction(*store);
    const RunId own = store->runs().begin("undo", kNow);
    const UndoReport report = undoRun(*store, run, kNow);
    store->runs().finish(own, kNow, 0, "{}");
    transaction.commit();
    lastRun = own;
    return report;
  }
  Entry entry(EntryId id) const { return *store->entries().find(id); }
  RunId lastRun;
};

Flags flagsOf(const std::vector<std::string>& names) {
  return Flags::parse(names);
}

}  // namespace

TEST_CASE("undo gives back what a run removed, moved and flagged", "[undo][P1]") {
  UndoFixture fixture;
  const MailboxId work = fixture.store->mailboxes().ensure(fixture.braid, "Work", Role::None);
  const EntryId removed = fixture.addEntry("1");
  const EntryId moved = fixture.addEntry("2");
  const EntryId flagged = fixture.addEntry("3");
  fixture.store->entries().setFlags(flagged, flagsOf({"\\Flagged", "old"}));
  const RunId run = fixture.run("sync", [&](Entries& entries) {
    entries.setFlags(removed, flagsOf({"\\Deleted"}));
    entries.remove(removed, kNow);
    entries.move(moved, work);
    entries.setFlags(flagged, flagsOf({"\\Flagged", "\\Seen"}));
  });
  const UndoReport report = fixture.undo(run);
  CHECK(report.restored == 1);
  CHECK(report.moved == 1);
  CHECK(report.flags == 2);
  CHECK(report.overtaken == 0);
  CHECK(fixture.entry(removed).removedAt == 0);
  CHECK(fixture.entry(removed).flags.empty());
  CHECK(fixture.entry(moved).mailbox == fixture.inbox);
  CHECK(fixture.entry(flagged).flags == flagsOf({"\\Flagged", "old"}));

  SECTION("and can be taken back itself") {
    fixture.undo(fixture.lastRun);
    CHECK(fixture.entry(removed).removedAt != 0);
    CHECK(fixture.entry(moved).mailbox == work);
    CHECK(fixture.entry(flagged).flags == flagsOf({"\\Flagged", "\\Seen"}));
  }
}

TEST_CASE("what changed again after a run stays as it is when that run is undone", "[undo]") {
  UndoFixture fixture;
  const MailboxId work = fixture.store->mailboxes().ensure(fixture.braid, "Work", Role::None);
  const MailboxId other = fixture.store->mailboxes().ensure(fixture.braid, "Other", Role::None);
  const EntryId moved = fixture.addEntry("1");
  const EntryId flagged = fixture.addEntry("2");
  const RunId run = fixture.run("sync", [&](Entries& entries) {
    entries.move(moved, work);
    entries.setFlags(flagged, flagsOf({"\\Seen", "\\Flagged"}));
  });
  fixture.run("sync", [&](Entries& entries) {
    entries.move(moved, other);
    entries.setFlags(flagged, flagsOf({"\\Flagged", "\\Answered"}));
  });
  const UndoReport report = fixture.undo(run);
  CHECK(report.overtaken == 2);
  CHECK(fixture.entry(moved).mailbox == other);
  CHECK(fixture.entry(flagged).flags == flagsOf({"\\Answered"}));
}

TEST_CASE("mail that arrived stays when the run is undone; what was imported is removed", "[undo][P1]") {
  UndoFixture fixture;
  const MessageId message = fixture.addMessage("1");
  EntryId made;
  const auto arrive = [&](Entries& entries) { made = entries.add(fixture.inbox, message, {}, {1000, 0}); };
  SECTION("from an endpoint") {
    const RunId run = fixture.run("sync", arrive);
    CHECK(fixture.undo(run).kept == 1);
    CHECK(fixture.entry(made).removedAt == 0);
  }
  SECTION("imported") {
    const RunId run = fixture.run("import", arrive);
    CHECK(fixture.undo(run).removed == 1);
    CHECK(fixture.entry(made).removedAt != 0);
  }
  SECTION("of another run") {
    const RunId run = fixture.run("import", [](Entries&) {});
    fixture.run("import", arrive);
    CHECK(fixture.undo(run).removed == 0);
    CHECK(fixture.entry(made).removedAt == 0);
  }
}

TEST_CASE("P1: what was imported stays when an endpoint has it by itself, or somebody changed it since", "[undo][P1]") {
  UndoFixture fixture;
  const MessageId message = fixture.addMessage("1");
  EntryId made;
  const RunId run = fixture.run("import", [&](Entries& entries) {
    made = entries.add(fixture.inbox, message, {}, {1000, 0});
  });
  SECTION("an endpoint has it") {
    fixture.run("sync", [&](Entries& entries) { entries.isShared(made); });
  }
  SECTION("it was flagged") {
    fixture.run("flag", [&](Entries& entries) { entries.setFlags(made, flagsOf({"\\Flagged"})); });
  }
  const UndoReport report = fixture.undo(run);
  CHECK(report.removed == 0);
  CHECK(report.overtaken == 1);
  CHECK(fixture.entry(made).removedAt == 0);
}

TEST_CASE("a mailbox that is gone comes back with what undo puts into it", "[undo]") {
  UndoFixture fixture;
  const MailboxId old = fixture.store->mailboxes().ensure(fixture.braid, "Old", Role::None);
  const EntryId entry = fixture.store->entries().add(old, fixture.addMessage("1"), {}, {1000, 0});
  const RunId run = fixture.run("sync", [&](Entries& entries) { entries.move(entry, fixture.inbox); });
  REQUIRE(fixture.store->mailboxes().removeIfUnused(old));
  CHECK(fixture.undo(run).moved == 1);
  CHECK(fixture.store->mailboxes().findByName(fixture.braid, "Old")->id == fixture.entry(entry).mailbox);
}

TEST_CASE("a run that is not there is not undone, and why is told", "[undo]") {
  const UndoFixture fixture;
  CHECK(whyNotUndone(*fixture.store, RunId{7}) == "there is no run 7; `mailbraid log` lists them");
}
