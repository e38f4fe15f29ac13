#include "tests/exec/push_trial.h"

using namespace mailbraid;
using namespace mailbraid::tests;

TEST_CASE("P3: what one endpoint brought is uploaded to the other once", "[exec][push][P3]") {
  PushTrial trial;
  trial.pullA(2, {"\\Seen"});
  CHECK(trial.push() == Asked{"append to INBOX", "append to INBOX"});
  CHECK(trial.counts.uploaded == 2);
  CHECK(trial.push().empty());
  CHECK(trial.waiting().empty());
}

TEST_CASE("P3: what is brought while it uploads goes along, in order, up to what goes to another mailbox",
          "[exec][push][P3]") {
  PushTrial trial;
  const std::vector<std::string> names{"INBOX", "Work"};
  trial.placesOfB(names);
  trial.pullA(1);
  int asked = 0;
  EntryId first;
  const mailstore::ChangeNumber upTo = trial.uploadAhead(names, {}, [&](exec::StoreWriter& writer) {
    if (++asked == 2) return true;  // there is nothing new
    if (asked > 2) return false;
    writer.run([&](mailstore::Store& store) {
      const mailstore::BraidId braid = store.mailboxes().ensureBraid("home");
      const auto add = [&](const std::string& mailbox, const std::string& text) {
        const auto place = store.mailboxes().findByName(braid, mailbox);
        return store.entries().add(place->id, store.messages().add(prepared(store, mailText(text))), {}, {});
      };
      add("INBOX", "along");
      first = add("Work", "another mailbox");
      add("INBOX", "behind it");
    });
    return true;
  });
  CHECK(trial.endpoint.asked == Asked{"append to INBOX", "append to INBOX"});
  CHECK(upTo.value() == first.value() - 1);
  CHECK(trial.push(names) == Asked{"append to INBOX", "append to Work"});
  CHECK(trial.push(names).empty());
}

TEST_CASE("what the endpoint says it will not take costs nothing of the day's budget", "[exec][push][budget]") {
  PushTrial trial;
  trial.pullA(3);
  trial.settings.uploadBudget = plan::DayBudget{100'000, 0, false};
  const std::uint64_t size = mailText("m1").size();
  SECTION("as large as the budget has room for") {
    trial.settings.uploadBudget->whole = 3 * (size + 500);
  }
  SECTION("larger than a day's") {
    trial.settings.uploadBudget->whole = size;
  }
  trial.appendLimit = size - 1;
  trial.endpoint.refusal =
      mailstore::Error(mailstore::ErrorKind::Protocol, mailstore::Scope::Message, mailstore::Retry::Never, "too large");
  CHECK(trial.push() == Asked{"append to INBOX", "append to INBOX", "append to INBOX"});
}

TEST_CASE(
    "messages that were refused take turns where a day's budget has room for none of them, and keep nobody waiting",
    "[exec][push][budget]") {
  PushTrial trial;
  trial.pullA(2);
  trial.endpoint.refusal =
      mailstore::Error(mailstore::ErrorKind::Protocol, mailstore::Scope::Message, mailstore::Retry::Never, "no");
  CHECK(trial.push().size() == 2);
  trial.settings.uploadBudget = plan::DayBudget{mailText("m1").size() + plan::kMessageOverhead - 1, 0, false};
  std::vector<EntryId> tried;
  for (int day = 0; day < 3; ++day) {
    CAPTURE(day);
    trial.settings.now += 49 * 3600;
    CHECK(trial.push() == Asked{"append to INBOX"});
    for (const mailstore::WaitingRow& row : trial.waiting()) {
      CHECK(row.kind == mailstore::WaitKind::Refused);
      if (row.nextTry > trial.settings.now) tried.push_back(row.entry);
    }
  }
  REQUIRE(tried.size() == 3);
  CHECK(tried[0] != tried[1]);
  CHECK(tried[0] == tried[2]);
  trial.settings.now += 49 * 3600;
  trial.endpoint.refusal.reset();
  trial.change([&](mailstore::Store& store) {
    const auto inbox = store.mailboxes().findByName(store.mailboxes().ensureBraid("home"), "INBOX");
    store.entries().add(inbox->id, store.messages().add(prepared(store, mailText("s"))), {}, {});
  });
  CHECK(trial.push() == Asked{"append to INBOX"});
  CHECK(trial.counts.uploaded == 1);
  CHECK(trial.waiting().size() == 2);
}

TEST_CASE("changed flags are stored as deltas, grouped by what they change", "[exec][push]") {
  PushTrial trial;
  trial.pullA(3);
  trial.push();
  trial.change([&](mailstore::Store& store) {
    for (const EntryId entry : trial.entries()) store.entries().setFlags(entry, Flags::parse({"\\Seen"}));
  });
  CHECK(trial.push() == Asked{"flags INBOX 1000:1002 +1 -0"});
  CHECK(trial.push().empty());
  trial.change([&](mailstore::Store& store) { store.entries().setFlags(trial.entries().front(), {}); });
  CHECK(trial.push() == Asked{"flags INBOX 1000 +0 -1"});
}

TEST_CASE("flags are stored only where nobody changed them since they were read", "[exec][push]") {
  PushTrial trial;
  trial.pullA(2);
  trial.push();
  trial.change(
      [&](mailstore::Store& store) { store.entries().setFlags(trial.entries().front(), Flags::parse({"\\Seen"})); });
  trial.endpoint.changedMeanwhile = true;
  CHECK(trial.push().size() == 1);
  CHECK(trial.endpoint.guards == std::vector<std::uint64_t>{3});  // the HIGHESTMODSEQ that b listed
  CHECK(trial.counts.flags == 0);
  REQUIRE(trial.waiting().size() == 1);
  trial.endpoint.changedMeanwhile = false;
  CHECK(trial.push() == Asked{"flags INBOX 1000 +1 -0"});
  CHECK(trial.waiting().empty());
}

TEST_CASE("a move whose UIDs nobody tells waits until the message was seen there", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push({"INBOX", "Work"});
  trial.change([&](mailstore::Store& store) {
    const auto work = store.mailboxes().findByName(store.mailboxes().ensureBraid("home"), "Work");
    store.entries().move(trial.entries().front(), work->id);
  });
  trial.endpoint.tellsKeys = false;
  CHECK(trial.push({"INBOX", "Work"}) == Asked{"move INBOX 1000 to Work"});
  CHECK(trial.waiting().size() == 1);
  // It had vanished before, and the server did not say so: it is put there.
  CHECK(trial.push({"INBOX", "Work"}) == Asked{"append to Work"});
  CHECK(trial.waiting().empty());
}

TEST_CASE("what is renamed comes before what is made, those above before those below; what stays is put back",
          "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push({"INBOX", "P/C", "P", "P/Stays"});
  trial.change([&](mailstore::Store& store) {
    const auto braid = store.mailboxes().ensureBraid("home");
    store.mailboxes().rename(store.mailboxes().findByName(braid, "P")->id, "Q");
    store.mailboxes().rename(store.mailboxes().findByName(braid, "P/C")->id, "Q/C");
    store.mailboxes().ensure(braid, "Q/New", mailstore::Role::None);
  });
  CHECK(trial.push({"INBOX", "P/C", "P", "P/Stays"}) ==
        Asked{"rename to Q", "rename to Q/C", "rename to P/Stays", "create Q/New"});
}

TEST_CASE("flags of a message that this push moved are stored without a guard: it has changed since", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push({"INBOX", "Work"});
  trial.change([&](mailstore::Store& store) {
    const auto work = store.mailboxes().findByName(store.mailboxes().ensureBraid("home"), "Work");
    const EntryId entry = trial.entries().front();
    store.entries().setFlags(entry, Flags::parse({"\\Flagged"}));
    store.entries().move(entry, work->id);
  });
  CHECK(trial.push({"INBOX", "Work"}) == Asked{"move INBOX 1000 to Work", "flags Work 1001 +4 -0"});
  CHECK(trial.endpoint.guards == std::vector<std::uint64_t>{0});
}

TEST_CASE("P3: a flag that the server silently drops is not sent again and again", "[exec][push][P3]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push();
  trial.endpoint.dropped = Flags::parse({"work"});
  trial.change([&](mailstore::Store& store) {
    store.entries().setFlags(trial.entries().front(), Flags::parse({"\\Seen", "work"}));
  });
  CHECK(trial.push().size() == 1);
  CHECK(trial.push().empty());
  CHECK(trial.store->entries().find(trial.entries().front())->flags.hasKeyword("work"));
}

TEST_CASE("a move in the store is a move at the endpoint, into a mailbox that is made for it", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push();
  trial.change([&](mailstore::Store& store) {
    const auto braid = store.mailboxes().ensureBraid("home");
    store.entries().move(trial.entries().front(), store.mailboxes().ensure(braid, "Work", mailstore::Role::None));
  });
  CHECK(trial.push() == Asked{"create Work", "move INBOX 1000 to Work"});
  CHECK(trial.counts.moved == 1);
  CHECK(trial.push({"INBOX", "Work"}).empty());
}

TEST_CASE("a message that the endpoint has elsewhere is copied there by its server", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push();
  trial.change([&](mailstore::Store& store) {
    const auto braid = store.mailboxes().ensureBraid("home");
    const auto entry = store.entries().find(trial.entries().front());
    store.entries().add(store.mailboxes().ensure(braid, "Copies", mailstore::Role::None), entry->message, entry->flags,
                        entry->internalDate);
  });
  CHECK(trial.push() == Asked{"create Copies", "copy INBOX 1000 to Copies"});
  CHECK(trial.push({"INBOX", "Copies"}).empty());
}

TEST_CASE("a mailbox renamed in the store is renamed at the endpoint", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push({"INBOX", "Old"});
  trial.change([&](mailstore::Store& store) {
    const auto old = store.mailboxes().findByName(store.mailboxes().ensureBraid("home"), "Old");
    store.mailboxes().rename(old->id, "New");
  });
  CHECK(trial.push({"INBOX", "Old"}) == Asked{"rename to New"});
}

TEST_CASE("P5: after a changed UIDVALIDITY what the mailbox lacks is uploaded again", "[exec][push][P5]") {
  PushTrial trial;
  trial.pullA(2);
  trial.push();
  trial.validityOfB = 6;  // made anew, and empty
  CHECK(trial.push() == Asked{"append to INBOX", "append to INBOX"});
  CHECK(trial.entries().size() == 2);
  CHECK(trial.push().empty());
}

TEST_CASE("P4: the old copy of a move that was cut short is removed", "[exec][push][P4]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push({"INBOX", "Work"});
  trial.change([&](mailstore::Store& store) {
    const EntryId entry = trial.entries().front();
    store.entries().move(entry, store.mailboxes().ensure(store.mailboxes().ensureBraid("home"), "Work", {}));
    for (const auto& work : trial.pullOfB->pull->works()) {
      if (work.record.name == "Work") store.pairs().add(work.record.id, Uid{7}, entry, {}, {});
    }
  });
  CHECK(trial.push({"INBOX", "Work"}) == Asked{"expunge INBOX 1000"});
  CHECK(trial.push({"INBOX", "Work"}).empty());
}

TEST_CASE("a mailbox to be made gets a name of its own where another mailbox has it", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push({"INBOX", "Play"});
  trial.change([&](mailstore::Store& store) {  // as after a rename at "b" while others have both names
    const auto braid = store.mailboxes().ensureBraid("home");
    store.mailboxes().rename(store.mailboxes().findByName(braid, "Play")->id, "Old");
    for (const auto& work : trial.pullOfB->pull->works()) store.endpoints().setStoreName(work.record.id, "");
    store.entries().move(trial.entries().front(), store.mailboxes().ensure(braid, "Play", mailstore::Role::None));
  });
  CHECK(trial.push({"INBOX", "Play"}) == Asked{"create Play (2)", "move INBOX 1000 to Play (2)"});
}
