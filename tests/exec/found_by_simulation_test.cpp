// What random worlds (tests/simulation) came upon in pulling, each as the smallest case of it.
#include "tests/exec/pull_fixture.h"
#include "tests/support/catch.h"

using namespace mailbraid;
using namespace mailbraid::tests;
using mailstore::EntryId;
using mailstore::Flags;
using mailstore::Role;
using mailstore::SystemFlag;
using mailstore::Uid;
using mailstore::Uidl;
using mailstore::UidSet;

namespace {

/// Endpoint "a" of braid "home" with one message in INBOX, and the store that knows it.
class OneMessage {
 public:
  OneMessage() {
    HandRun run(*store, "a", "home", {remoteMailbox("INBOX", 1, 2, 10, 1)});
    run.begin(0);
    run.deliver(0, Uid{1}, mailText("m1"));
    run.finish();
    entry = rows().front().entry.id;
  }
  [[nodiscard]] std::vector<mailstore::EntryRow> rows() {
    std::vector<mailstore::EntryRow> out;
    for (const auto& mailbox : store->mailboxes().list()) {
      store->entries().list(mailbox.mailbox.id, [&](const mailstore::EntryRow& row) { out.push_back(row); });
    }
    return out;
  }
  [[nodiscard]] mailstore::MailboxId mailbox(const std::string& name, Role role = Role::None) {
    return store->mailboxes().ensure(store->mailboxes().ensureBraid("home"), name, role);
  }
  template <class Action>
  void change(Action action) {
    mailstore::Store::Transaction transaction(*store);
    action();
    transaction.commit();
  }
  TemporaryStore store;
  EntryId entry;
};

mailstore::EndpointMailboxId inboxOf(mailstore::Store& store, mailstore::EndpointId endpoint) {
  for (const auto& mailbox : store.endpoints().mailboxes(endpoint)) {
    if (mailbox.name == "INBOX") return mailbox.id;
  }
  throw std::logic_error("there is no INBOX");
}

endpoint::Delta gone(std::uint32_t uid) {
  endpoint::Delta delta;
  delta.vanished = UidSet::of(Uid{uid}, Uid{uid});
  delta.fresh = UidSet{};
  return delta;
}

endpoint::Delta flagsOf(std::uint32_t uid, const std::vector<std::string>& flags) {
  endpoint::Delta delta;
  delta.flags = {{Uid{uid}, Flags::parse(flags)}};
  delta.fresh = UidSet{};
  return delta;
}

}  // namespace

TEST_CASE("P4: an upload whose UID nobody told is recognised at a server with object ids, too", "[exec][P4][copy]") {
  TemporaryStore store;
  endpoint::RemoteMessage message;
  message.objectId = "M1";
  HandRun run(*store, "a", "home", {remoteMailbox("INBOX", 1, 2, 10, 1)});
  run.begin(0);
  std::vector<exec::ArrivedMessage> arrived;
  message.key = Uid{1};
  arrived.push_back({message, prepared(*store, mailText("m1"))});
  run.within([&] { run.pull->messages(*store, 0, arrived); });
  run.finish();
  const auto inbox = store->mailboxes().list().front().mailbox.id;
  run.within([&] {  // the second copy, which came from elsewhere and was uploaded
    std::optional<mailstore::EntryRow> first;
    store->entries().list(inbox, [&](const mailstore::EntryRow& row) { first = row; });
    store->entries().add(inbox, first->entry.message, {}, {});
  });
  HandRun next(*store, "a", "home", {remoteMailbox("INBOX", 1, 3, 11, 2)});
  message.key = Uid{2};
  next.within([&] { CHECK(endpoint::isEmpty(next.pull->identities(*store, 0, {message}))); });
  CHECK(store->mailboxes().list().front().messages == 2);
}

TEST_CASE("what is kept when a held removal is allowed is carried back there", "[exec][removal]") {
  OneMessage trial;
  trial.change([&] {
    const auto pair = trial.store->pairs().ofEntry(trial.entry).front();
    trial.store->pairs().setHeld(pair.id, true);
    trial.store->entries().setFlags(trial.entry, Flags::of(SystemFlag::Flagged));
  });
  const mailstore::ChangeNumber pushed = trial.store->entries().lastChange();
  HandRun run(*trial.store, "a", "home", {remoteMailbox("INBOX", 1, 2, 11, 0)});
  run.allowed = true;
  run.finish();
  REQUIRE(trial.rows().size() == 1);
  CHECK(trial.store->pairs().ofEntry(trial.entry).empty());
  CHECK(trial.rows().front().entry.change > pushed);
}

TEST_CASE("a keyword that an endpoint cannot hold does not keep what is removed there", "[exec][removal]") {
  const bool waits = GENERATE(false, true);
  OneMessage trial;
  trial.change([&] {
    trial.store->entries().setFlags(trial.entry, Flags::parse({"work"}));
    const auto record = trial.store->endpoints().ensure("a", "imap", trial.store->mailboxes().ensureBraid("home"));
    trial.store->backlog().settle(record.id, trial.store->entries().lastChange(), "");
    if (waits) {  // it was never told: then somebody cares for the message
      trial.store->backlog().wait(record.id, {trial.entry, mailstore::WaitKind::Retry, "later", 1, 0});
    }
  });
  HandRun run(*trial.store, "a", "home", {remoteMailbox("INBOX", 1, 2, 11, 0)});
  run.tell(0, gone(1));
  run.finish();
  CHECK(trial.rows().size() == (waits ? 1U : 0U));
}

TEST_CASE("P2: a copy at an endpoint that knows no dates gets the message's own date", "[exec][P2]") {
  OneMessage trial;
  HandRun pop(*trial.store, "p", "home", {remoteMailbox("INBOX", 1, 0, 0, 2)}, "pop3");
  pop.begin(0);
  CHECK(pop.recognised(0, Uidl{"u1"}, mailText("m1")));
  CHECK(pop.recognised(0, Uidl{"u2"}, mailText("m1")));
  pop.finish();
  REQUIRE(trial.rows().size() == 2);
  CHECK(trial.rows().back().entry.internalDate.seconds == 1'704'103'200);
}

TEST_CASE("P4: the mark on the old copy of a move that was cut short says nothing of the message", "[exec][P4]") {
  OneMessage trial;
  trial.change([&] { trial.store->entries().move(trial.entry, trial.mailbox("Work")); });
  HandRun run(*trial.store, "a", "home", {remoteMailbox("INBOX", 1, 2, 11, 1)});
  run.tell(0, flagsOf(1, {"\\Deleted", "\\Seen"}));
  run.finish();
  CHECK(trial.rows().front().entry.flags == Flags::of(SystemFlag::Seen));
  CHECK(trial.store->pairs().ofEntry(trial.entry).front().flags == Flags::parse({"\\Deleted", "\\Seen"}));
}

TEST_CASE("P4: what is removed everywhere and turns up in the trash stays removed", "[exec][P4][removal]") {
  OneMessage trial;
  trial.change([&] {
    static_cast<void>(trial.mailbox("Trash", Role::Trash));
    trial.store->entries().remove(trial.entry, 1);
  });
  HandRun run(*trial.store, "a", "home", {remoteMailbox("INBOX", 1, 2, 11, 0), remoteMailbox("Trash", 2, 2, 5, 1)});
  run.tell(0, gone(1));
  run.begin(1);
  CHECK(run.recognised(1, Uid{1}, mailText("m1")));
  run.finish();
  CHECK(trial.rows().empty());
  CHECK(trial.store->pairs().ofEntry(trial.entry).size() == 1);
}

TEST_CASE("what was moved here and removed elsewhere is kept as one message where it was moved", "[exec][removal]") {
  OneMessage trial;
  trial.change([&] { trial.store->entries().remove(trial.entry, 1); });
  HandRun run(*trial.store, "a", "home", {remoteMailbox("INBOX", 1, 2, 11, 0), remoteMailbox("Work", 2, 2, 5, 1)});
  run.tell(0, gone(1));
  run.begin(1);
  CHECK(run.recognised(1, Uid{1}, mailText("m1")));
  run.finish();
  REQUIRE(trial.rows().size() == 1);
  CHECK(trial.rows().front().entry.id == trial.entry);
  CHECK(trial.rows().front().entry.mailbox == trial.mailbox("Work"));
}

TEST_CASE("P1: an upload that a server restored from a backup does not have is noticed, though the anchor agrees",
          "[exec][P1]") {
  OneMessage trial;
  // A push was told the UID 2 for it, and the run was cut short before the mailbox was read again.
  trial.change([&] {
    auto& store = *trial.store;
    const EntryId uploaded =
        store.entries().add(trial.mailbox("INBOX", Role::Inbox), store.entries().find(trial.entry)->message, {}, {});
    const auto endpoint = store.endpoints().ensure("a", "imap", store.mailboxes().ensureBraid("home"));
    store.pairs().add(store.endpoints().mailboxes(endpoint.id).front().id, Uid{2}, uploaded, {}, {});
  });
  HandRun run(*trial.store, "a", "home", {remoteMailbox("INBOX", 1, 2, 10, 1)});
  CHECK(run.pull->wentBack());
}

TEST_CASE("P6: a mailbox that is missing where another one went back in time was not removed", "[exec][P6]") {
  TemporaryStore store;
  {
    HandRun run(*store, "a", "home", {remoteMailbox("INBOX", 1, 2, 10, 1), remoteMailbox("Work", 2, 2, 10, 1)});
    for (std::size_t i = 0; i < 2; ++i) {
      run.begin(i);
      run.deliver(i, Uid{1}, mailText("m" + std::to_string(i)));
    }
    run.finish();
  }
  HandRun run(*store, "a", "home", {remoteMailbox("INBOX", 7, 2, 10, 1)});
  REQUIRE(run.pull->wentBack());
  run.within([&] { run.pull->mailboxLost(*store, 1); });
  run.begin(0);
  run.finish();
  for (const auto& mailbox : store->mailboxes().list()) CHECK(mailbox.messages == 1);
}

TEST_CASE("P1: while another mailbox cannot be read, what is missing is no removal, and turns up there as a move",
          "[exec][P1][removal]") {
  OneMessage trial;
  {
    HandRun run(*trial.store, "a", "home", {remoteMailbox("INBOX", 1, 2, 11, 0), remoteMailbox("Work", 2, 2, 5, 1)});
    run.tell(0, gone(1));
    run.finish(exec::EndpointPull::Unread::Some);
    REQUIRE(run.pull->notes().size() == 1);
    CHECK(run.pull->notes()[0] ==
          "INBOX: 1 message is gone there; whether by a move or a removal is seen when all mailboxes can be read "
          "(--allow-removals does not wait; leave out those that never can: \"mailboxes\")");
    CHECK(run.pull->counts().held == 0);
  }
  REQUIRE(trial.rows().size() == 1);
  HandRun run(*trial.store, "a", "home", {remoteMailbox("INBOX", 1, 2, 11, 0), remoteMailbox("Work", 2, 2, 5, 1)});
  run.begin(1);
  run.within([&] { run.pull->lookForHeld(*trial.store); });
  CHECK(run.recognised(1, Uid{1}, mailText("m1")));
  run.finish();
  REQUIRE(trial.rows().size() == 1);
  CHECK(trial.rows().front().entry.id == trial.entry);
  CHECK(trial.rows().front().entry.mailbox == trial.mailbox("Work"));
  CHECK(trial.store->pairs().count(run.pull->works()[1].record.id) == 1);
}

TEST_CASE("P1: what was held back and is there again is no removal any more", "[exec][P1][removal]") {
  const bool names = GENERATE(false, true);
  TemporaryStore store;
  const mailstore::RemoteKey key = names ? mailstore::RemoteKey(Uidl{"f1"}) : mailstore::RemoteKey(Uid{1});
  const std::string type = names ? "maildir" : "imap";
  {
    HandRun run(*store, "a", "home", {remoteMailbox("INBOX", 1, names ? 0 : 2, names ? 0 : 10, 1)}, type);
    run.begin(0);
    run.deliver(0, key, mailText("m1"));
    run.finish();
    run.within([&] {
      const auto pair = store->pairs().find(run.pull->works()[0].record.id, key);
      store->pairs().setHeld(pair->id, true);
    });
  }
  HandRun run(*store, "a", "home", {remoteMailbox("INBOX", 1, names ? 0 : 2, names ? 0 : 11, 1)}, type);
  run.allowed = true;
  endpoint::Delta delta;
  if (names) {
    delta.present = std::vector<Uidl>{Uidl{"f1"}};
    delta.fresh = std::vector<Uidl>{};
  } else {
    delta.present = UidSet::of(Uid{1}, Uid{1});
    delta.fresh = UidSet{};
  }
  run.tell(0, delta);
  run.finish();
  CHECK(store->mailboxes().list().front().messages == 1);
  CHECK(store->pairs().held(run.pull->works()[0].record.id).empty());
}

TEST_CASE("P4: an upload whose end was cut off is recognised though the message was moved since", "[exec][P4]") {
  const bool recognisedFirst = GENERATE(false, true);
  // What is there and was removed in the store may be what somebody has put there since: it is kept (P1).
  const bool removed = GENERATE(false, true);
  OneMessage trial;
  {
    HandRun first(*trial.store, "b", "home", {remoteMailbox("INBOX", 4, 1, 3, 0), remoteMailbox("Work", 5, 1, 3, 0)});
    for (std::size_t i = 0; i < 2; ++i) first.begin(i);
    first.finish();
  }
  trial.change([&] {
    auto& store = *trial.store;
    const auto endpoint = store.endpoints().ensure("b", "imap", store.mailboxes().ensureBraid("home"));
    store.backlog().uploadBegins(inboxOf(store, endpoint.id), mailstore::UidValidity{4}, Uid{1});
    if (removed) {
      store.entries().remove(trial.entry, 1);
    } else {
      store.entries().move(trial.entry, trial.mailbox("Work"));
    }
  });
  HandRun run(*trial.store, "b", "home", {remoteMailbox("INBOX", 4, 2, 4, 1), remoteMailbox("Work", 5, 1, 3, 0)});
  run.begin(0);
  if (recognisedFirst) {
    if (!run.recognised(0, Uid{1}, mailText("m1"))) run.deliver(0, Uid{1}, mailText("m1"));
  } else {
    run.deliver(0, Uid{1}, mailText("m1"));
  }
  run.finish();
  REQUIRE(trial.rows().size() == 1);
  CHECK((trial.rows().front().entry.id == trial.entry) == !removed);
  CHECK(trial.store->pairs().ofEntry(trial.entry).size() == (removed ? 1U : 2U));
}

TEST_CASE("P5: under new UIDLs, what was filed elsewhere or removed is what it was", "[exec][P5]") {
  const bool recognisedFirst = GENERATE(false, true);
  const bool removed = GENERATE(false, true);
  TemporaryStore store;
  EntryId entry;
  {
    HandRun run(*store, "p", "home", {remoteMailbox("INBOX", 1, 0, 0, 1)}, "pop3");
    run.begin(0);
    run.deliver(0, Uidl{"old"}, mailText("m1"));
    run.finish();
    const auto inbox = store->mailboxes().list().front().mailbox.id;
    store->entries().list(inbox, [&](const mailstore::EntryRow& row) { entry = row.entry.id; });
    run.within([&] {
      const auto braid = store->mailboxes().ensureBraid("home");
      removed ? store->entries().remove(entry, 1)
              : store->entries().move(entry, store->mailboxes().ensure(braid, "Work", Role::None));
    });
  }
  HandRun run(*store, "p", "home", {remoteMailbox("INBOX", 1, 0, 0, 1)}, "pop3");
  endpoint::Delta delta;
  delta.present = std::vector<Uidl>{Uidl{"new"}};
  delta.fresh = std::vector<Uidl>{Uidl{"new"}};
  run.tell(0, delta);
  if (recognisedFirst) {
    CHECK(run.recognised(0, Uidl{"new"}, mailText("m1")));
  } else {
    run.deliver(0, Uidl{"new"}, mailText("m1"));
  }
  run.finish();
  std::uint64_t live = 0;
  for (const auto& mailbox : store->mailboxes().list()) live += mailbox.messages;
  CHECK(live == (removed ? 0U : 1U));
  REQUIRE(store->pairs().ofEntry(entry).size() == 1);
  CHECK(std::get<Uidl>(store->pairs().ofEntry(entry).front().key).value() == "new");
}

TEST_CASE("P3: of two moves the first holds, and is carried to where the other one was found late", "[exec][P3]") {
  OneMessage trial;
  trial.change([&] {
    trial.store->entries().move(trial.entry, trial.mailbox("Elsewhere"));
    const auto record = trial.store->endpoints().ensure("a", "imap", trial.store->mailboxes().ensureBraid("home"));
    trial.store->backlog().settle(record.id, trial.store->entries().lastChange(), "");  // this was told to a before
  });
  HandRun run(*trial.store, "a", "home", {remoteMailbox("INBOX", 1, 2, 11, 0), remoteMailbox("Work", 2, 2, 5, 1)});
  run.tell(0, gone(1));
  run.begin(1);
  CHECK(run.recognised(1, Uid{1}, mailText("m1")));
  run.finish();
  CHECK(trial.rows().front().entry.mailbox == trial.mailbox("Elsewhere"));
  const auto record = trial.store->endpoints().ensure("a", "imap", trial.store->mailboxes().ensureBraid("home"));
  CHECK(trial.store->backlog().candidates(record, mailstore::Backlog::PolicyRows::LeftOut, 1'800'000'000).size() == 1);
}

TEST_CASE("P1: a held removal does not take along what comes to the same mailbox over another route",
          "[exec][P1][removal]") {
  OneMessage trial;
  HandRun held(*trial.store, "a", "home", {remoteMailbox("INBOX", 1, 2, 11, 0), remoteMailbox("Work", 2, 2, 5, 1)});
  held.tell(0, gone(1));
  held.finish(exec::EndpointPull::Unread::Some);
  HandRun run(*trial.store, "a", "home", {remoteMailbox("INBOX", 1, 3, 12, 1), remoteMailbox("Work", 2, 2, 5, 1)});
  endpoint::Delta nothing;
  nothing.fresh = UidSet::of(Uid{2}, Uid{2});
  run.tell(0, nothing);
  run.within([&] { run.pull->lookForHeld(*trial.store); });
  run.deliver(0, Uid{2}, mailText("m1", "a.list"));
  run.finish();
  CHECK(trial.rows().size() == 1);
  CHECK(trial.store->pairs().find(run.pull->works()[0].record.id, Uid{2}).has_value());
}
