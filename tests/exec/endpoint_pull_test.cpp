#include "tests/exec/pull_fixture.h"
#include "tests/support/catch.h"

#include <numeric>

using namespace mailbraid;
using namespace mailbraid::tests;
using mailstore::RemoteKey;
using mailstore::Uid;
using mailstore::Uidl;
using mailstore::UidSet;

namespace {

RemoteKey uid(std::uint32_t value) {
  return Uid{value};
}

std::uint64_t live(mailstore::Store& store, const std::string& mailbox) {
  for (const auto& summary : store.mailboxes().list()) {
    if (summary.mailbox.name == mailbox) return summary.messages;
  }
  return 0;
}

std::vector<mailstore::EntryRow> rows(mailstore::Store& store, const std::string& mailbox) {
  std::vector<mailstore::EntryRow> out;
  for (const auto& summary : store.mailboxes().list()) {
    if (summary.mailbox.name != mailbox) continue;
    store.entries().list(summary.mailbox.id, [&](const mailstore::EntryRow& row) { out.push_back(row); });
  }
  return out;
}

/// An endpoint with `count` messages m1..mN in INBOX, pulled to the end.
void pullInbox(mailstore::Store& store, const std::string& name, const std::string& braid, std::uint32_t count,
               const std::string& route = "mx1", std::uint32_t validity = 1) {
  HandRun run(store, name, braid, {remoteMailbox("INBOX", validity, count + 1, 10, count)});
  run.begin(0);
  for (std::uint32_t i = 1; i <= count; ++i) run.deliver(0, uid(i), mailText("m" + std::to_string(i), route));
  run.finish();
}

endpoint::Delta vanished(std::uint32_t first, std::uint32_t last) {
  endpoint::Delta delta;
  delta.vanished = UidSet::of(Uid{first}, Uid{last});
  delta.fresh = UidSet{};
  return delta;
}

}  // namespace

TEST_CASE("P5: the same mail in three accounts of a braid is one entry and its body is stored once", "[exec][P5]") {
  TemporaryStore store;
  pullInbox(*store, "a", "home", 3);
  HandRun second(*store, "b", "home", {remoteMailbox("INBOX", 9, 4, 5, 3)});
  second.begin(0);
  for (std::uint32_t i = 1; i <= 3; ++i) CHECK(second.recognised(0, uid(i), mailText("m" + std::to_string(i))));
  second.finish();
  // The third got it over another route: other Received lines, so only the content tells.
  HandRun third(*store, "c", "home", {remoteMailbox("INBOX", 3, 4, 5, 3)});
  third.begin(0);
  for (std::uint32_t i = 1; i <= 3; ++i) {
    const std::string text = mailText("m" + std::to_string(i), "another-route");
    CHECK_FALSE(third.recognised(0, uid(i), text));
    third.deliver(0, uid(i), text);
  }
  third.finish();
  CHECK(live(*store, "INBOX") == 3);
  CHECK(second.pull->counts().adopted == 3);
  CHECK(third.pull->counts().adopted == 3);
  CHECK(third.pull->counts().fresh == 0);
}

TEST_CASE("P5: an endpoint that waited for its turn while the braid was filled recognises what is there",
          "[exec][P5]") {
  TemporaryStore store;
  HandRun waiting(*store, "b", "home", {remoteMailbox("INBOX", 9, 2, 5, 1)});
  pullInbox(*store, "a", "home", 1);
  waiting.begin(0);
  waiting.deliver(0, uid(1), mailText("m1", "another-route"));
  waiting.finish();
  CHECK(live(*store, "INBOX") == 1);
}

TEST_CASE("P1: two equal copies in one mailbox stay two, also in the second account", "[exec][P1]") {
  TemporaryStore store;
  HandRun first(*store, "a", "home", {remoteMailbox("INBOX", 1, 3, 1, 2)});
  first.begin(0);
  first.deliver(0, uid(1), mailText("twin"));
  first.deliver(0, uid(2), mailText("twin"));
  first.finish();
  HandRun second(*store, "b", "home", {remoteMailbox("INBOX", 1, 4, 1, 3)});
  second.begin(0);
  CHECK(second.recognised(0, uid(1), mailText("twin")));
  CHECK(second.recognised(0, uid(2), mailText("twin")));
  CHECK(second.recognised(0, uid(3), mailText("twin")));  // a third copy: known octets, but an entry of its own
  second.finish();
  CHECK(live(*store, "INBOX") == 3);
}

TEST_CASE("nothing passes from one braid to another", "[exec][braid]") {
  TemporaryStore store;
  pullInbox(*store, "a", "home", 2);
  HandRun other(*store, "b", "work", {remoteMailbox("INBOX", 1, 3, 1, 2)});
  other.begin(0);
  CHECK_FALSE(other.recognised(0, uid(1), mailText("m1")));
  other.deliver(0, uid(1), mailText("m1"));
  other.finish();
  std::uint64_t total = 0;
  for (const auto& summary : store->mailboxes().list()) total += summary.messages;
  CHECK(total == 3);
}

TEST_CASE("P1: a header and a size without a Message-ID never pair", "[exec][P1]") {
  TemporaryStore store;
  const std::string one = "Subject: note\r\n\r\nAAAA\r\n";
  const std::string two = "Subject: note\r\n\r\nBBBB\r\n";
  HandRun first(*store, "a", "home", {remoteMailbox("INBOX", 1, 2, 1, 1)});
  first.begin(0);
  first.deliver(0, uid(1), one);
  first.finish();
  HandRun second(*store, "b", "home", {remoteMailbox("INBOX", 1, 2, 1, 1)});
  second.begin(0);
  CHECK_FALSE(second.recognised(0, uid(1), two));
  second.deliver(0, uid(1), two);
  second.finish();
  CHECK(live(*store, "INBOX") == 2);
}

TEST_CASE("P5: a changed UIDVALIDITY duplicates nothing and deletes nothing", "[exec][P5]") {
  TemporaryStore store;
  pullInbox(*store, "a", "a", 30);
  HandRun again(*store, "a", "a", {remoteMailbox("INBOX", 2, 21, 3, 20)});
  REQUIRE(again.pull->works()[0].continuity == sync::plan::Continuity::ValidityChanged);
  again.begin(0);
  for (std::uint32_t i = 1; i <= 20; ++i) CHECK(again.recognised(0, uid(i), mailText("m" + std::to_string(i + 10))));
  again.finish();
  CHECK(live(*store, "INBOX") == 30);
  CHECK(again.pull->counts().removed == 0);
  CHECK_FALSE(again.pull->notes().empty());
}

TEST_CASE("a message that moved at the endpoint moves in the store without its body", "[exec][move]") {
  TemporaryStore store;
  pullInbox(*store, "a", "a", 2);
  HandRun run(*store, "a", "a", {remoteMailbox("INBOX", 1, 3, 20, 1), remoteMailbox("Archive", 4, 2, 5, 1)});
  run.tell(0, vanished(1, 1));
  run.begin(1);
  CHECK(run.recognised(1, uid(1), mailText("m1"), {"\\Seen"}));
  run.finish();
  CHECK(live(*store, "INBOX") == 1);
  REQUIRE(rows(*store, "Archive").size() == 1);
  CHECK(rows(*store, "Archive")[0].entry.flags.has(mailstore::SystemFlag::Seen));
  CHECK(run.pull->counts().moved == 1);
  CHECK(run.pull->counts().removed == 0);
}

TEST_CASE("a copy that the server names by the same object id is not fetched", "[exec][copy]") {
  TemporaryStore store;
  const auto object = [](std::uint32_t key) {
    endpoint::RemoteMessage message;
    message.key = uid(key);
    message.objectId = "M1";
    return message;
  };
  HandRun run(*store, "a", "a", {remoteMailbox("INBOX", 1, 2, 5, 1), remoteMailbox("Archive", 2, 2, 5, 1)});
  run.begin(0);
  std::vector<exec::ArrivedMessage> arrived;
  arrived.push_back({object(1), prepared(*store, mailText("m1"))});
  run.within([&] { run.pull->messages(*store, 0, arrived); });
  run.begin(1);
  run.within([&] { CHECK(endpoint::isEmpty(run.pull->identities(*store, 1, {object(1)}))); });
  run.finish();
  CHECK(live(*store, "INBOX") == 1);
  CHECK(live(*store, "Archive") == 1);
}

TEST_CASE("a removal makes a tombstone and forgets the pair", "[exec][removal]") {
  TemporaryStore store;
  pullInbox(*store, "a", "a", 10);
  HandRun run(*store, "a", "a", {remoteMailbox("INBOX", 1, 11, 20, 7)});
  run.tell(0, vanished(1, 3));
  run.finish();
  CHECK(live(*store, "INBOX") == 7);
  CHECK(run.pull->counts().removed == 3);
  HandRun next(*store, "a", "a", {remoteMailbox("INBOX", 1, 11, 20, 7)});
  CHECK(next.pull->works()[0].continuity == sync::plan::Continuity::Unchanged);
}

TEST_CASE("P7: the brake holds a large removal back until it is allowed", "[exec][P7]") {
  TemporaryStore store;
  pullInbox(*store, "a", "a", 60);
  HandRun run(*store, "a", "a", {remoteMailbox("INBOX", 1, 61, 20, 30)});
  run.tell(0, vanished(1, 30));
  run.finish();
  CHECK(live(*store, "INBOX") == 60);
  CHECK(run.pull->counts().held == 30);
  REQUIRE(run.pull->notes().size() == 1);
  CHECK(run.pull->notes()[0] == "INBOX: 30 of 60 messages are gone there; their removal is held back");
  CHECK(run.pull->heldMailboxes() == std::vector<std::string>{"INBOX"});

  // The anchor has moved on: the server will not tell again, and yet nothing is forgotten.
  HandRun again(*store, "a", "a", {remoteMailbox("INBOX", 1, 61, 20, 30)});
  CHECK(again.pull->works()[0].continuity == sync::plan::Continuity::Unchanged);
  CHECK(again.pull->works()[0].hasHeld);
  again.finish();
  CHECK(live(*store, "INBOX") == 60);
  CHECK(again.pull->counts().held == 30);

  HandRun allowed(*store, "a", "a", {remoteMailbox("INBOX", 1, 61, 20, 30)});
  allowed.allowed = true;
  allowed.finish();
  CHECK(live(*store, "INBOX") == 30);
  CHECK(allowed.pull->counts().removed == 30);
}

TEST_CASE("P7: small removals in many mailboxes that empty an endpoint are held back, too", "[exec][P7]") {
  TemporaryStore store;
  std::vector<endpoint::RemoteMailbox> full;
  std::vector<endpoint::RemoteMailbox> empty;
  for (int m = 0; m < 4; ++m) {
    full.push_back(remoteMailbox("box" + std::to_string(m), 1, 11, 10, 10));
    empty.push_back(remoteMailbox("box" + std::to_string(m), 1, 11, 20, 0));
  }
  HandRun first(*store, "a", "a", full);
  for (std::size_t m = 0; m < 4; ++m) {
    first.begin(m);
    for (std::uint32_t i = 1; i <= 10; ++i) {
      first.deliver(m, uid(i), mailText("b" + std::to_string(m) + "." + std::to_string(i)));
    }
  }
  first.finish();
  HandRun run(*store, "a", "a", empty);
  for (std::size_t m = 0; m < 4; ++m) run.tell(m, vanished(1, 10));
  run.finish();
  CHECK(run.pull->counts().held == 40);
  CHECK(run.pull->counts().removed == 0);
}

TEST_CASE("a message removed in one account and flagged through another is kept", "[exec][merge]") {
  TemporaryStore store;
  pullInbox(*store, "a", "home", 3);
  HandRun b(*store, "b", "home", {remoteMailbox("INBOX", 9, 4, 5, 3)});
  b.begin(0);
  for (std::uint32_t i = 1; i <= 3; ++i) REQUIRE(b.recognised(0, uid(i), mailText("m" + std::to_string(i))));
  b.finish();
  HandRun flagged(*store, "b", "home", {remoteMailbox("INBOX", 9, 4, 6, 3)});
  endpoint::Delta delta;
  delta.fresh = UidSet{};
  delta.flags.push_back({uid(2), mailstore::Flags::parse({"\\Flagged"})});
  flagged.tell(0, delta);
  flagged.finish();
  HandRun removed(*store, "a", "home", {remoteMailbox("INBOX", 1, 4, 20, 1)});
  removed.tell(0, vanished(1, 2));
  removed.finish();
  CHECK(live(*store, "INBOX") == 2);
  CHECK(removed.pull->counts().removed == 1);
  CHECK_FALSE(removed.pull->notes().empty());
}

TEST_CASE("a \\Deleted mark does not spread at first contact", "[exec][merge]") {
  TemporaryStore store;
  pullInbox(*store, "a", "home", 1);
  HandRun b(*store, "b", "home", {remoteMailbox("INBOX", 9, 2, 5, 1)});
  b.begin(0);
  REQUIRE(b.recognised(0, uid(1), mailText("m1"), {"\\Deleted", "\\Seen"}));
  b.finish();
  const auto all = rows(*store, "INBOX");
  REQUIRE(all.size() == 1);
  CHECK(all[0].entry.flags.has(mailstore::SystemFlag::Seen));
  CHECK_FALSE(all[0].entry.flags.has(mailstore::SystemFlag::Deleted));
}

TEST_CASE("P6: a complete listing without a message removes it, an incomplete one does not", "[exec][P6]") {
  TemporaryStore store;
  pullInbox(*store, "a", "a", 10);
  HandRun shortListing(*store, "a", "a", {remoteMailbox("INBOX", 1, 11, 0, 10)});
  endpoint::Delta delta;
  delta.fresh = UidSet{};
  delta.incomplete = "the server listed 4 of 10 messages";
  shortListing.tell(0, delta);
  shortListing.finish();
  CHECK(live(*store, "INBOX") == 10);
  HandRun complete(*store, "a", "a", {remoteMailbox("INBOX", 1, 11, 0, 9)});
  delta.incomplete.clear();
  delta.present = UidSet::of(Uid{2}, Uid{10});
  complete.tell(0, delta);
  complete.finish();
  CHECK(live(*store, "INBOX") == 9);
}

TEST_CASE("P5: a POP3 listing without known messages removes nothing, and UIDLs that all changed fetch nothing again",
          "[exec][pop3][P5][P6]") {
  TemporaryStore store;
  const auto listed = remoteMailbox("INBOX", 1, 0, 0, 3);
  HandRun first(*store, "p", "p", {listed}, "pop3");
  first.begin(0);
  for (int i = 1; i <= 3; ++i) {
    first.deliver(0, Uidl{"old" + std::to_string(i)}, mailText("m" + std::to_string(i)));
  }
  first.finish();
  HandRun changed(*store, "p", "p", {listed}, "pop3");
  endpoint::Delta delta;
  delta.present = std::vector<Uidl>{Uidl{"new1"}, Uidl{"new2"}, Uidl{"new3"}};
  delta.fresh = std::vector<Uidl>{};
  changed.tell(0, delta);
  CHECK(changed.pull->somethingIsMissing());
  for (int i = 1; i <= 3; ++i) {
    CHECK(changed.recognised(0, Uidl{"new" + std::to_string(i)}, mailText("m" + std::to_string(i))));
  }
  changed.finish();
  CHECK(live(*store, "INBOX") == 3);
  CHECK(changed.pull->counts().held == 0);
}

TEST_CASE("P4: a first pull that is told twice, as after a crash, stores every message once", "[exec][P4]") {
  TemporaryStore store;
  {
    HandRun cut(*store, "a", "a", {remoteMailbox("INBOX", 1, 4, 10, 3)});
    cut.begin(0);
    cut.deliver(0, uid(1), mailText("m1"));
    cut.deliver(0, uid(2), mailText("m2"));
  }
  HandRun rest(*store, "a", "a", {remoteMailbox("INBOX", 1, 4, 10, 3)});
  CHECK(rest.pull->works()[0].continuity == sync::plan::Continuity::Unfinished);
  CHECK(std::get<UidSet>(rest.pull->works()[0].skip) == UidSet::of(Uid{1}, Uid{2}));
  rest.begin(0);
  rest.deliver(0, uid(2), mailText("m2"));
  rest.deliver(0, uid(3), mailText("m3"));
  rest.finish();
  CHECK(live(*store, "INBOX") == 3);
}

TEST_CASE("P10: a refused message is in quarantine, due again after a day, and leaves it when it comes",
          "[exec][P10]") {
  TemporaryStore store;
  HandRun run(*store, "a", "a", {remoteMailbox("INBOX", 1, 3, 10, 2)});
  run.begin(0);
  run.deliver(0, uid(1), mailText("m1"));
  endpoint::RemoteMessage bad;
  bad.key = uid(2);
  run.within([&] { run.pull->refused(*store, 0, bad, "the server left it out of its answer"); });
  run.finish();
  CHECK(store->quarantine().all().size() == 1);
  run.within([&] { run.pull->countQuarantine(*store); });
  CHECK(run.pull->counts().quarantined == 1);
  HandRun again(*store, "a", "a", {remoteMailbox("INBOX", 1, 3, 10, 2)});
  again.deliver(0, uid(2), mailText("m2"));
  again.finish();
  CHECK(store->quarantine().all().empty());
  CHECK(live(*store, "INBOX") == 2);
}

TEST_CASE("P1: a message that was damaged in the store is fetched again, and is no second one", "[exec][P1]") {
  TemporaryStore store;
  const std::vector<endpoint::RemoteMailbox> listed{remoteMailbox("INBOX", 1, 3, 10, 2)};
  HandRun run(*store, "a", "a", listed);
  run.begin(0);
  run.deliver(0, uid(1), mailText("m1"));
  run.deliver(0, uid(2), mailText("m2"));
  run.finish();
  run.within([&] {
    store->messages().markDamaged(*store->messages().findByDigest(prepared(*store, mailText("m1")).digest), 1000);
  });
  HandRun again(*store, "a", "a", listed);
  CHECK(again.pull->works()[0].continuity == sync::plan::Continuity::Changed);
  CHECK(std::get<UidSet>(again.pull->works()[0].due) == UidSet::of(Uid{1}, Uid{1}));
  CHECK_FALSE(again.recognised(0, uid(1), mailText("m1")));
  again.deliver(0, uid(1), mailText("m1"));
  again.finish();
  CHECK(live(*store, "INBOX") == 2);
  CHECK(store->quarantine().all().empty());
  HandRun third(*store, "a", "a", listed);
  CHECK(third.pull->works()[0].continuity == sync::plan::Continuity::Unchanged);
}

TEST_CASE("a renamed mailbox keeps its messages when its content agrees", "[exec][mailboxes]") {
  TemporaryStore store;
  HandRun first(*store, "a", "a", {remoteMailbox("Old", 5, 3, 10, 2)});
  first.begin(0);
  first.deliver(0, uid(1), mailText("m1"));
  first.deliver(0, uid(2), mailText("m2"));
  first.finish();
  HandRun renamed(*store, "a", "a", {remoteMailbox("New", 5, 3, 10, 2)});
  REQUIRE(renamed.pull->renameGuesses().size() == 1);
  const auto guess = renamed.pull->renameGuesses()[0];
  endpoint::RemoteMessage told;
  told.key = uid(1);
  mailstore::HeaderDigester digester;
  digester.append(mailText("m1"));
  told.header = digester.finish();
  renamed.within([&] { renamed.pull->confirmRename(*store, guess, {told}); });
  renamed.finish();
  CHECK(live(*store, "New") == 2);
  CHECK(live(*store, "Old") == 0);
}
