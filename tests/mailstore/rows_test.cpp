// Mailboxes, entries, pairs, quarantine, runs.
#include "mailstore/types/error.h"
#include "tests/mailstore/store_fixture.h"
#include "tests/support/catch.h"

#include <string>
#include <vector>

using namespace mailbraid::mailstore;
using mailbraid::tests::prepared;
using mailbraid::tests::StoreFixture;

namespace {

Flags flagsOf(std::vector<std::string> names) {
  return Flags::parse(names);
}

std::vector<std::int64_t> listed(StoreFixture& fixture, MailboxId mailbox) {
  std::vector<std::int64_t> out;
  fixture.store->entries().list(mailbox, [&](const EntryRow& row) { out.push_back(row.entry.id.value()); });
  return out;
}

std::vector<std::string> keysOf(StoreFixture& fixture) {
  std::vector<std::string> out;
  fixture.store->pairs().forMailbox(fixture.remote, [&](const Pair& pair) {
    const Uid* uid = std::get_if<Uid>(&pair.key);
    out.push_back(uid != nullptr ? std::to_string(uid->value()) : std::get<Uidl>(pair.key).value());
  });
  return out;
}

}  // namespace

TEST_CASE("a mailbox is found by its role before its name", "[mailboxes]") {
  StoreFixture fixture;
  Mailboxes& mailboxes = fixture.store->mailboxes();
  const MailboxId sent = mailboxes.ensure(fixture.braid, "Gesendet", Role::Sent);
  CHECK(mailboxes.ensure(fixture.braid, "Sent Items", Role::Sent) == sent);
  CHECK(mailboxes.ensure(fixture.braid, "Gesendet", Role::None) == sent);
  CHECK_FALSE(mailboxes.ensure(fixture.braid, "Sent Items", Role::None) == sent);
  CHECK(mailboxes.find(sent)->name == "Gesendet");
  CHECK(mailboxes.find(sent)->braidName == "home");
}

TEST_CASE("a mailbox that exists under the name is given the role", "[mailboxes]") {
  StoreFixture fixture;
  Mailboxes& mailboxes = fixture.store->mailboxes();
  const MailboxId drafts = mailboxes.ensure(fixture.braid, "Drafts", Role::None);
  CHECK(mailboxes.ensure(fixture.braid, "Drafts", Role::Drafts) == drafts);
  CHECK(mailboxes.findByRole(fixture.braid, Role::Drafts)->id == drafts);
}

TEST_CASE("mailboxes of two braids never meet", "[mailboxes]") {
  StoreFixture fixture;
  Mailboxes& mailboxes = fixture.store->mailboxes();
  const BraidId other = mailboxes.ensureBraid("other");
  CHECK_FALSE(other == fixture.braid);
  CHECK(mailboxes.ensureBraid("other") == other);
  CHECK_FALSE(mailboxes.ensure(other, "INBOX", Role::Inbox) == fixture.inbox);
  fixture.addEntry("mail");
  CHECK(mailboxes.liveEntries(fixture.braid) == 1);
  CHECK(mailboxes.liveEntries(other) == 0);
  CHECK(mailboxes.isEmpty(other));
  CHECK_FALSE(mailboxes.isEmpty(fixture.braid));
}

TEST_CASE("only INBOX is without regard to case", "[mailboxes]") {
  StoreFixture fixture;
  CHECK(fixture.store->mailboxes().findByName(fixture.braid, "inbox")->id == fixture.inbox);
  const MailboxId lists = fixture.store->mailboxes().ensure(fixture.braid, "Lists", Role::None);
  CHECK_FALSE(fixture.store->mailboxes().ensure(fixture.braid, "lists", Role::None) == lists);
}

TEST_CASE("a mailbox named like a number stays a name", "[mailboxes]") {
  StoreFixture fixture;
  CHECK(fixture.store->mailboxes().find(fixture.store->mailboxes().ensure(fixture.braid, "007", Role::None))->name ==
        "007");
}

TEST_CASE("a mailbox with live entries or an endpoint is not removed", "[mailboxes][P1]") {
  StoreFixture fixture;
  Mailboxes& mailboxes = fixture.store->mailboxes();
  CHECK_FALSE(mailboxes.removeIfUnused(fixture.inbox));
  fixture.store->endpoints().removeMailbox(fixture.remote);
  const EntryId entry = fixture.addEntry("mail");
  CHECK_FALSE(mailboxes.removeIfUnused(fixture.inbox));
  fixture.store->entries().remove(entry, 5000);
  CHECK(mailboxes.removeIfUnused(fixture.inbox));
  CHECK_FALSE(mailboxes.findByName(fixture.braid, "INBOX").has_value());
  CHECK(mailboxes.list().empty());
}

TEST_CASE("an entry restored from a removed mailbox brings the mailbox back", "[mailboxes][P1]") {
  StoreFixture fixture;
  fixture.store->endpoints().removeMailbox(fixture.remote);
  const EntryId entry = fixture.addEntry("mail");
  fixture.store->entries().remove(entry, 5000);
  REQUIRE(fixture.store->mailboxes().removeIfUnused(fixture.inbox));
  SECTION("under its name") {
    fixture.store->entries().revive(entry);
    CHECK(fixture.store->mailboxes().findByRole(fixture.braid, Role::Inbox)->id == fixture.inbox);
    CHECK(listed(fixture, fixture.inbox).size() == 1);
  }
  SECTION("or goes where the name is used now") {
    const MailboxId fresh = fixture.store->mailboxes().ensure(fixture.braid, "INBOX", Role::Inbox);
    fixture.store->entries().revive(entry);
    CHECK(listed(fixture, fresh).size() == 1);
  }
}

TEST_CASE("every change of an entry takes the next change number", "[entries]") {
  StoreFixture fixture;
  Entries& entries = fixture.store->entries();
  const EntryId entry = fixture.addEntry("mail");
  const MailboxId other = fixture.store->mailboxes().ensure(fixture.braid, "Other", Role::None);
  std::int64_t last = entries.find(entry)->change.value();
  const auto changed = [&] {
    const std::int64_t now = entries.find(entry)->change.value();
    const bool next = now == last + 1 && entries.lastChange().value() == now;
    last = now;
    return next;
  };
  entries.setFlags(entry, flagsOf({"\\Seen", "work"}));
  CHECK(changed());
  CHECK(entries.find(entry)->flags == flagsOf({"\\Seen", "work"}));
  entries.move(entry, other);
  CHECK(changed());
  CHECK(entries.find(entry)->mailbox == other);
  entries.remove(entry, 5000);
  CHECK(changed());
  entries.revive(entry);
  CHECK(changed());
}

TEST_CASE("change numbers go on after closing, and after a rollback none is used twice", "[entries]") {
  StoreFixture fixture;
  fixture.addEntry("one");
  {
    Store::Transaction transaction(*fixture.store);
    fixture.addEntry("two, taken back");
  }
  const ChangeNumber before = fixture.store->entries().lastChange();
  const EntryId three = fixture.addEntry("three");
  CHECK(three.value() > before.value());
  fixture.reopen();
  CHECK(fixture.store->entries().lastChange().value() == three.value());
  CHECK(fixture.addEntry("four").value() > three.value());
}

TEST_CASE("a tombstone keeps its entry and is in no list", "[entries][P1]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry("mail");
  fixture.store->entries().remove(entry, 5000);
  CHECK(listed(fixture, fixture.inbox).empty());
  CHECK_FALSE(fixture.store->entries().row(entry).has_value());
  CHECK(fixture.store->entries().find(entry)->removedAt == 5000);
  CHECK(fixture.read(fixture.store->entries().find(entry)->message) == "mail");
  fixture.store->entries().revive(entry);
  CHECK(listed(fixture, fixture.inbox).size() == 1);
}

TEST_CASE("entries are listed by internal date, whatever their number", "[entries]") {
  StoreFixture fixture;
  const MessageId message = fixture.addMessage("mail");
  std::vector<std::int64_t> expected;
  {
    Store::Transaction transaction(*fixture.store);
    for (int i = 0; i < 700; ++i) {
      // Two entries share each date, so that pages end between equal dates.
      const auto id = fixture.store->entries().add(fixture.inbox, message, {}, {-(i / 2), 0});
      expected.push_back(id.value());
    }
    transaction.commit();
  }
  const std::vector<std::int64_t> order = listed(fixture, fixture.inbox);
  CHECK(order.size() == expected.size());
  CHECK(order.front() == expected[698]);
  CHECK(order[1] == expected[699]);
  CHECK(order.back() == expected[1]);
}

TEST_CASE("counts tell live and unseen messages", "[mailboxes]") {
  StoreFixture fixture;
  const EntryId seen = fixture.addEntry("one");
  fixture.addEntry("two");
  const EntryId removed = fixture.addEntry("three");
  fixture.store->entries().setFlags(seen, flagsOf({"\\Seen"}));
  fixture.store->entries().remove(removed, 5000);
  const auto list = fixture.store->mailboxes().list();
  REQUIRE(list.size() == 1);
  CHECK(list.front().messages == 2);
  CHECK(list.front().unseen == 1);
}

TEST_CASE("P5: unpaired entries are found one to one", "[entries][P5]") {
  StoreFixture fixture;
  Entries& entries = fixture.store->entries();
  const PreparedMessage mail = prepared("Message-ID: <1@x>\r\n\r\nmail");
  const EntryId first = fixture.addEntry("Message-ID: <1@x>\r\n\r\nmail");
  const EntryId second = fixture.addEntry("Message-ID: <1@x>\r\n\r\nmail");
  CHECK(entries.findUnpaired(fixture.inbox, fixture.remote, mail.digest) == first);
  const PairId pair = fixture.store->pairs().add(fixture.remote, Uid{1}, first, {}, "");
  CHECK(entries.findUnpaired(fixture.inbox, fixture.remote, mail.digest) == second);
  CHECK(entries.findUnpaired(fixture.inbox, fixture.remote, mail.headerDigest, mail.size) == second);
  CHECK(entries.findUnpaired(fixture.inbox, fixture.remote, mail.contentKey) == second);
  fixture.store->pairs().add(fixture.remote, Uid{2}, second, {}, "");
  CHECK_FALSE(entries.findUnpaired(fixture.inbox, fixture.remote, mail.digest).has_value());
  // A held pair waits for the user; meanwhile the message may come back under another UID.
  fixture.store->pairs().setHeld(pair, true);
  CHECK(entries.findUnpaired(fixture.inbox, fixture.remote, mail.digest) == first);
}

TEST_CASE("P5: an unpaired entry is live, in that mailbox, and of that size", "[entries][P5]") {
  StoreFixture fixture;
  Entries& entries = fixture.store->entries();
  const PreparedMessage mail = prepared("Message-ID: <1@x>\r\n\r\nmail");
  const EntryId entry = fixture.addEntry("Message-ID: <1@x>\r\n\r\nmail");
  const MailboxId other = fixture.store->mailboxes().ensure(fixture.braid, "Other", Role::None);
  CHECK_FALSE(entries.findUnpaired(other, fixture.remote, mail.digest).has_value());
  CHECK_FALSE(entries.findUnpaired(fixture.inbox, fixture.remote, mail.headerDigest, mail.size + 1).has_value());
  entries.remove(entry, 5000);
  CHECK_FALSE(entries.findUnpaired(fixture.inbox, fixture.remote, mail.digest).has_value());
}

TEST_CASE("a message of the braid is found by header digest and size, a tombstone's is not", "[entries]") {
  StoreFixture fixture;
  const PreparedMessage mail = prepared("Message-ID: <1@x>\r\n\r\nmail");
  const EntryId entry = fixture.addEntry("Message-ID: <1@x>\r\n\r\nmail");
  const auto find = [&](BraidId braid) {
    return fixture.store->entries().findMessage(braid, mail.headerDigest, mail.size);
  };
  CHECK(find(fixture.braid) == fixture.store->entries().find(entry)->message);
  CHECK_FALSE(find(fixture.store->mailboxes().ensureBraid("other")).has_value());
  fixture.store->entries().remove(entry, 5000);
  CHECK_FALSE(find(fixture.braid).has_value());
}

TEST_CASE("entries of the braid are found by what their message is like, tombstones, too", "[entries]") {
  StoreFixture fixture;
  Entries& entries = fixture.store->entries();
  const PreparedMessage mail = prepared("Message-ID: <1@x>\r\n\r\nmail");
  const EntryId first = fixture.addEntry("Message-ID: <1@x>\r\n\r\nmail");
  const EntryId other = fixture.addEntry("Received: from a\r\nMessage-ID: <1@x>\r\n\r\nmail");
  entries.remove(first, 5000);
  const auto ids = [](const std::vector<Entry>& found) {
    std::vector<EntryId> out;
    for (const Entry& entry : found) out.push_back(entry.id);
    return out;
  };
  CHECK(ids(entries.like(fixture.braid, mail.headerDigest, mail.size)) == std::vector{first});
  CHECK(entries.like(fixture.braid, mail.headerDigest, mail.size + 1).empty());
  CHECK(ids(entries.like(fixture.braid, mail.contentKey)) == std::vector{first, other});
  CHECK(entries.like(fixture.store->mailboxes().ensureBraid("other"), mail.contentKey).empty());
}

TEST_CASE("pairs are found and listed by UID and by UIDL", "[pairs]") {
  StoreFixture fixture;
  Pairs& pairs = fixture.store->pairs();
  const EntryId entry = fixture.addEntry("mail");
  const std::string odd("a\0b\xFF", 4);
  pairs.add(fixture.remote, Uid{4294967295}, entry, flagsOf({"\\Seen", "work"}), "E1");
  pairs.add(fixture.remote, Uidl{odd}, entry, {}, "");
  CHECK(pairs.find(fixture.remote, Uid{4294967295})->flags == flagsOf({"\\Seen", "work"}));
  CHECK(pairs.find(fixture.remote, Uid{4294967295})->objectId == "E1");
  CHECK(std::get<Uidl>(pairs.find(fixture.remote, Uidl{odd})->key).value() == odd);
  CHECK_FALSE(pairs.find(fixture.remote, Uidl{"a"}).has_value());
  CHECK(keysOf(fixture) == std::vector<std::string>{"4294967295", odd});
  CHECK(pairs.ofEntry(entry).size() == 2);
  CHECK(pairs.count(fixture.remote) == 2);
}

TEST_CASE("a UID or UIDL has at most one pair in a mailbox", "[pairs]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry("mail");
  fixture.store->pairs().add(fixture.remote, Uid{7}, entry, {}, "");
  CHECK_THROWS_AS(fixture.store->pairs().add(fixture.remote, Uid{7}, entry, {}, ""), Error);
  fixture.store->pairs().add(fixture.remote, Uidl{"x"}, entry, {}, "");
  CHECK_THROWS_AS(fixture.store->pairs().add(fixture.remote, Uidl{"x"}, entry, {}, ""), Error);
}

TEST_CASE("pairs of a UID set come in order and may be changed while they are shown", "[pairs]") {
  StoreFixture fixture;
  Pairs& pairs = fixture.store->pairs();
  {
    Store::Transaction transaction(*fixture.store);
    const EntryId entry = fixture.addEntry("mail");
    for (std::uint32_t uid = 1; uid <= 2500; ++uid) pairs.add(fixture.remote, Uid{uid}, entry, {}, "");
    transaction.commit();
  }
  std::uint32_t expected = 3;
  pairs.forUids(fixture.remote, UidSet::parse("3:2400").value(), [&](const Pair& pair) {
    CHECK(std::get<Uid>(pair.key).value() == expected);
    ++expected;
    pairs.remove(pair.id);
  });
  CHECK(expected == 2401);
  CHECK(pairs.uids(fixture.remote).text() == "1:2,2401:2500");
  CHECK(pairs.count(fixture.remote) == 102);
}

TEST_CASE("a held pair counts neither in the UIDs nor in the count", "[pairs]") {
  StoreFixture fixture;
  Pairs& pairs = fixture.store->pairs();
  const EntryId entry = fixture.addEntry("mail");
  pairs.add(fixture.remote, Uid{1}, entry, {}, "");
  const PairId held = pairs.add(fixture.remote, Uid{2}, entry, {}, "");
  pairs.setHeld(held, true);
  CHECK(pairs.uids(fixture.remote).text() == "1");
  CHECK(pairs.count(fixture.remote) == 1);
  REQUIRE(pairs.held(fixture.remote).size() == 1);
  CHECK(pairs.held(fixture.remote).front().id == held);
}

TEST_CASE("a moved message's pair is rekeyed", "[pairs]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry("mail");
  const auto other = fixture.store->endpoints().addMailbox(fixture.endpoint, "Other", fixture.inbox, "F7");
  CHECK(other.objectId == "F7");
  const PairId pair = fixture.store->pairs().add(fixture.remote, Uid{1}, entry, {}, "E1");
  fixture.store->pairs().rekey(pair, other.id, Uid{9});
  CHECK_FALSE(fixture.store->pairs().find(fixture.remote, Uid{1}).has_value());
  CHECK(fixture.store->pairs().find(other.id, Uid{9})->entry == entry);
}

TEST_CASE("an endpoint's object id leads to a live entry, another endpoint's does not", "[pairs]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry("mail");
  fixture.store->pairs().add(fixture.remote, Uid{1}, entry, {}, "E1");
  const EndpointId other = fixture.store->endpoints().ensure("other", "imap", fixture.braid).id;
  const auto find = [&](EndpointId endpoint, const char* objectId) {
    return fixture.store->pairs().findEntryByObjectId(endpoint, objectId);
  };
  CHECK(find(fixture.endpoint, "E1") == entry);
  CHECK_FALSE(find(fixture.endpoint, "").has_value());
  CHECK_FALSE(find(other, "E1").has_value());
  fixture.store->entries().remove(entry, 5000);
  CHECK_FALSE(find(fixture.endpoint, "E1").has_value());
}

TEST_CASE("anchors are kept whole", "[endpoints]") {
  StoreFixture fixture;
  Anchor anchor;
  anchor.uidValidity = UidValidity{4294967295};
  anchor.uidNext = Uid{4294967295};
  anchor.highestModSeq = ModSeq{9223372036854775807ULL};
  anchor.messages = 4294967295;
  anchor.complete = true;
  fixture.store->endpoints().setAnchor(fixture.remote, anchor);
  fixture.reopen();
  CHECK(fixture.store->endpoints().mailboxes(fixture.endpoint).front().anchor == anchor);
}

TEST_CASE("P5: an endpoint that joins another braid begins anew, its mail stays where it is", "[endpoints][P5]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry("mail");
  fixture.store->pairs().add(fixture.remote, Uid{1}, entry, {}, "");
  const BraidId other = fixture.store->mailboxes().ensureBraid("other");
  const EndpointRecord moved = fixture.store->endpoints().ensure("work", "imap", other);
  CHECK(moved.id == fixture.endpoint);
  CHECK(moved.braid == other);
  CHECK(fixture.store->endpoints().mailboxes(fixture.endpoint).empty());
  CHECK(fixture.store->pairs().ofEntry(entry).empty());
  CHECK(listed(fixture, fixture.inbox).size() == 1);
}

TEST_CASE("a removed endpoint mailbox takes its pairs and quarantine along", "[endpoints]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry("mail");
  fixture.store->pairs().add(fixture.remote, Uid{1}, entry, {}, "");
  fixture.store->quarantine().add(fixture.remote, Uid{2}, 10, "too large", 100, 50);
  fixture.store->endpoints().removeMailbox(fixture.remote);
  CHECK(fixture.store->pairs().ofEntry(entry).empty());
  CHECK(fixture.store->quarantine().all().empty());
}

TEST_CASE("the last outcome of an endpoint is remembered", "[endpoints]") {
  StoreFixture fixture;
  Endpoints& endpoints = fixture.store->endpoints();
  endpoints.recordSuccess(fixture.endpoint, 100);
  endpoints.recordProblem(fixture.endpoint, 200, "the server is away");
  const auto statuses = endpoints.statuses();
  REQUIRE(statuses.size() == 1);
  CHECK(statuses.front().lastSuccess == 100);
  CHECK(statuses.front().lastAttempt == 200);
  CHECK(statuses.front().lastProblem == "the server is away");
  endpoints.recordSuccess(fixture.endpoint, 300);
  CHECK(endpoints.statuses().front().lastProblem.empty());
}

TEST_CASE("P10: a quarantined message counts its tries and says when the next one is due", "[quarantine][P10]") {
  StoreFixture fixture;
  Quarantine& quarantine = fixture.store->quarantine();
  quarantine.add(fixture.remote, Uid{7}, 10, "it was cut short", 100, 50);
  quarantine.add(fixture.remote, Uid{7}, 20, "it was cut short again", 200, 100);
  quarantine.add(fixture.remote, Uidl{"x"}, 0, "too large", 100, 50);
  const auto rows = quarantine.of(fixture.remote);
  REQUIRE(rows.size() == 2);
  const QuarantineRow& row = std::holds_alternative<Uid>(rows[0].key) ? rows[0] : rows[1];
  CHECK(row.tries == 2);
  CHECK(row.firstTry == 100);
  CHECK(row.nextTry == 300);
  CHECK(row.size == 20);
  CHECK(row.reason == "it was cut short again");
  quarantine.remove(fixture.remote, Uid{7});
  CHECK(quarantine.all().size() == 1);
}

TEST_CASE("runs and what they did are kept, newest first", "[runs]") {
  StoreFixture fixture;
  Runs& runs = fixture.store->runs();
  const RunId first = runs.begin("sync", 100);
  runs.add({first, "work", "INBOX", "new", 3, "1:3", ""});
  runs.add({first, "work", "INBOX", "flags", 1, "2", "+\\Seen"});
  runs.finish(first, 110, 75, "{\"new\":3}");
  const RunId second = runs.begin("sync", 200);
  const auto list = runs.list(10);
  REQUIRE(list.size() == 2);
  CHECK(list[0].id == second);
  CHECK(list[0].finished == 0);
  CHECK(list[1].exitCode == 75);
  CHECK(list[1].summary == "{\"new\":3}");
  CHECK(runs.list(1).size() == 1);
  REQUIRE(runs.operations(first).size() == 2);
  CHECK(runs.operations(first)[1].detail == "+\\Seen");
  CHECK(runs.operations(second).empty());
  CHECK_FALSE(runs.find(RunId{99}).has_value());
}

TEST_CASE("an operation's keys are cut after a whole key", "[runs]") {
  StoreFixture fixture;
  const RunId run = fixture.store->runs().begin("sync", 100);
  std::string keys = "1";
  while (keys.size() < 100'000) keys += ",1234567";
  fixture.store->runs().add({run, "work", "INBOX", "new", 3, keys, ""});
  const std::string kept = fixture.store->runs().operations(run).front().keys;
  CHECK(kept.size() <= 64UL * 1024UL);
  CHECK(kept.ends_with(",1234567"));
}

TEST_CASE("a transaction that is not committed leaves nothing", "[store]") {
  StoreFixture fixture;
  EntryId outer;
  {
    Store::Transaction transaction(*fixture.store);
    outer = fixture.addEntry("outer");
    {
      Store::Transaction inner(*fixture.store);
      fixture.addEntry("inner, given up");
    }
    transaction.commit();
  }
  CHECK(listed(fixture, fixture.inbox) == std::vector<std::int64_t>{outer.value()});
  {
    Store::Transaction transaction(*fixture.store);
    fixture.addEntry("given up");
  }
  CHECK(listed(fixture, fixture.inbox).size() == 1);
}
