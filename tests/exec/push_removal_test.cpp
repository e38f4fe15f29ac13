// Removals at an endpoint, and what waits.
#include "tests/exec/push_trial.h"

using namespace mailbraid;
using namespace mailbraid::tests;

TEST_CASE("a removal is carried out by the endpoint's style", "[exec][push]") {
  PushTrial trial;
  trial.pullA(2);
  trial.push({"INBOX", "Trash"});
  trial.change([&](mailstore::Store& store) { store.entries().remove(trial.entries().front(), 1); });
  SECTION("expunge") {
    CHECK(trial.push({"INBOX", "Trash"}) == Asked{"expunge INBOX 1000"});
  }
  SECTION("mark, once") {
    trial.settings.removals = endpoint::RemovalStyle::Mark;
    CHECK(trial.push({"INBOX", "Trash"}) == Asked{"mark INBOX 1000"});
  }
  SECTION("expunge where the server could take others along: it is only marked, once") {
    trial.endpoint.expunges = false;
    CHECK(trial.push({"INBOX", "Trash"}) == Asked{"mark INBOX 1000"});
    CHECK(trial.notes == std::vector<std::string>{"INBOX: 1 message is marked as deleted, not expunged: the server "
                                                  "cannot expunge single messages (no UIDPLUS)"});
  }
  SECTION("never: it waits, and is carried out when that changes") {
    trial.settings.removals = endpoint::RemovalStyle::Never;
    CHECK(trial.push({"INBOX", "Trash"}).empty());
    CHECK(trial.waiting().size() == 1);
    trial.settings.removals = endpoint::RemovalStyle::Expunge;
    CHECK(trial.push({"INBOX", "Trash"}) == Asked{"expunge INBOX 1000"});
    CHECK(trial.waiting().empty());
  }
  CHECK(trial.counts.removed == 1);
  CHECK(trial.push({"INBOX", "Trash"}).empty());
}

TEST_CASE("P7: more than 20 removals and a quarter of a mailbox wait for the user, the rest is done",
          "[exec][push][P7]") {
  PushTrial trial;
  trial.pullA(60);
  trial.push();
  trial.change([&](mailstore::Store& store) {
    const std::vector<EntryId> all = trial.entries();
    for (std::size_t i = 0; i < 30; ++i) store.entries().remove(all[i], 1);
    store.entries().setFlags(all[40], Flags::parse({"\\Flagged"}));
  });
  CHECK(trial.push() == Asked{"flags INBOX 1040 +4 -0"});
  CHECK(trial.counts.held == 30);
  CHECK(trial.notes.size() == 1);
  CHECK(trial.push().empty());
  CHECK(trial.counts.held == 30);
  trial.allowed = true;
  CHECK(trial.push() == Asked{"expunge INBOX 1000:1029"});
  CHECK(trial.push().empty());
}

TEST_CASE("P7: what the user has allowed when it was pulled is not held again", "[exec][push][P7]") {
  PushTrial trial;
  trial.pullA(60);
  trial.push();
  trial.change([&](mailstore::Store& store) {
    for (const EntryId entry : trial.entries()) {
      store.entries().remove(entry, 1);
      trial.settings.allowedEntries.insert(entry);
    }
  });
  CHECK(trial.push() == Asked{"expunge INBOX 1000:1059"});
}

TEST_CASE("what the configuration does not carry is neither undone nor forgotten", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.settings.policy.fresh = false;
  CHECK(trial.push().empty());
  CHECK(trial.push().empty());
  trial.settings.policy.fresh = true;
  CHECK(trial.push() == Asked{"append to INBOX"});
}

TEST_CASE("without create_mailboxes mail of a mailbox that is not there waits, and that is told", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push();
  trial.settings.createMailboxes = false;
  trial.change([&](mailstore::Store& store) {
    const auto braid = store.mailboxes().ensureBraid("home");
    store.entries().move(trial.entries().front(), store.mailboxes().ensure(braid, "Work", mailstore::Role::None));
  });
  CHECK(trial.push().empty());
  CHECK(trial.failures == 1);
  trial.settings.createMailboxes = true;
  CHECK(trial.push() == Asked{"create Work", "move INBOX 1000 to Work"});
}

TEST_CASE("P10: what the server refuses for good is set aside and tried again a day later", "[exec][push][P10]") {
  PushTrial trial;
  trial.pullA(1);
  trial.endpoint.refusal =
      mailstore::Error(mailstore::ErrorKind::Protocol, mailstore::Scope::Message, mailstore::Retry::Never, "too big");
  CHECK(trial.push().size() == 1);
  CHECK(trial.counts.refused == 1);
  REQUIRE(trial.waiting().size() == 1);
  CHECK(trial.waiting().front().reason == "too big");
  CHECK(trial.push().empty());
  trial.settings.now += 25 * 3600;
  trial.endpoint.refusal.reset();
  CHECK(trial.push() == Asked{"append to INBOX"});
  CHECK(trial.waiting().empty());
}

TEST_CASE("P10: what fails for now is tried again in the next run", "[exec][push][P10]") {
  PushTrial trial;
  trial.pullA(1);
  trial.endpoint.refusal = mailstore::Error(mailstore::ErrorKind::TemporaryFailure, mailstore::Scope::Message,
                                            mailstore::Retry::Later, "try later");
  trial.push();
  REQUIRE(trial.waiting().size() == 1);
  trial.endpoint.refusal.reset();
  CHECK(trial.push() == Asked{"append to INBOX"});
}

TEST_CASE("P6: a mailbox that could not be read is not pushed to, and its changes wait", "[exec][push][P6]") {
  PushTrial trial;
  trial.pullA(1);
  std::vector<exec::PushPlace> places = trial.placesOfB({"INBOX"});
  places.front().known = false;
  exec::EndpointPush push(trial.settings, trial.log);
  trial.change([&](mailstore::Store& store) { push.plan(store, std::move(places)); });
  CHECK(push.isIdle());
  trial.change([&](mailstore::Store& store) { push.finish(store); });
  CHECK(trial.waiting().size() == 1);
  CHECK(trial.push() == Asked{"append to INBOX"});
}

TEST_CASE("mail outside of the endpoint's window is left out of uploads, and is no removal", "[exec][push]") {
  PushTrial trial;
  trial.pullA(5);
  trial.settings.window.maxMessages = 2;
  CHECK(trial.push().size() == 2);
  CHECK(trial.push().empty());
  CHECK(trial.entries().size() == 5);
  trial.settings.window.maxMessages.reset();
  CHECK(trial.push().size() == 3);
}

TEST_CASE("P3: of two copies that a cut-off move left in mailboxes where none belongs, one moves and one goes",
          "[exec][push][P3]") {
  PushTrial trial;
  const std::vector<std::string> names{"INBOX", "Deep", "Work"};
  trial.pullA(1);
  trial.push(names);
  const EntryId entry = trial.entries().front();
  trial.change([&](mailstore::Store& store) {
    const mailstore::BraidId home = store.mailboxes().ensureBraid("home");
    const auto record = store.endpoints().ensure("b", "imap", home);
    for (const mailstore::EndpointMailbox& mailbox : store.endpoints().mailboxes(record.id)) {
      if (mailbox.name == "Deep") store.pairs().add(mailbox.id, Uid{7}, entry, {}, {});
    }
    store.entries().move(entry, store.mailboxes().ensure(home, "Work", mailstore::Role::None));
  });
  const std::vector<std::string> first = trial.push(names);
  const std::vector<std::string> second = trial.push(names);
  CHECK(first.size() == 1);
  CHECK(second.size() == 1);
  CHECK((first == Asked{"move INBOX 1000 to Work"}) == (second == Asked{"expunge Deep 7"}));
  CHECK((first == Asked{"move Deep 7 to Work"}) == (second == Asked{"expunge INBOX 1000"}));
  CHECK(trial.push(names).empty());
  CHECK(trial.waiting().empty());
}
