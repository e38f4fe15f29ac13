// Messages that were damaged in the store: noticed, fetched again, healed.
#include "mailstore/types/error.h"
#include "tests/mailstore/store_fixture.h"
#include "tests/mailstore/tamper.h"
#include "tests/support/catch.h"

#include <string>
#include <utility>
#include <vector>

using namespace mailbraid::mailstore;
using mailbraid::tests::flipBit;
using mailbraid::tests::prepared;
using mailbraid::tests::StoreFixture;
using mailbraid::tests::tamper;

namespace {

const std::string kMail = "Message-ID: <1@x>\r\nFrom: a@example.org\r\n\r\nbody of the message to be damaged\r\n";
const std::string kSameContent = "Received: from elsewhere\r\n" + kMail;
constexpr std::int64_t kNow = 5000;

void damage(StoreFixture& fixture, MessageId id) {
  fixture.close();
  flipBit(fixture.file(), id.value() << 20, 30, 3);
  fixture.reopen();
  REQUIRE_THROWS_AS(fixture.read(id), Error);
}

std::size_t count(StoreFixture& fixture) {
  std::size_t out = 0;
  fixture.store->messages().forEach([&](MessageId) { ++out; });
  return out;
}

void heal(StoreFixture& fixture, EntryId entry, const std::string& octets) {
  Store::Transaction transaction(*fixture.store);
  fixture.store->messages().heal(entry, prepared(octets));
  transaction.commit();
}

}  // namespace

TEST_CASE("P1: a damaged message is healed when it is delivered again", "[store][damage][P1]") {
  StoreFixture fixture;
  const MessageId id = fixture.addMessage(kMail);
  SECTION("after a flipped bit") {
    damage(fixture, id);
  }
  SECTION("after a lost part") {
    fixture.close();
    tamper(fixture.file(), "DELETE FROM body");
    fixture.reopen();
  }
  SECTION("after a wrong size in its row") {
    fixture.close();
    tamper(fixture.file(), "UPDATE message SET size = 7");
    fixture.reopen();
  }
  CHECK(fixture.addMessage(kMail) == id);
  CHECK(fixture.read(id) == kMail);
  CHECK(count(fixture) == 1);
  CHECK(fixture.store->checkStructure().empty());
}

TEST_CASE("healing a large message leaves no part of the damaged one and hurts no other", "[store][damage][P1]") {
  StoreFixture fixture;
  const std::string large = "Subject: large\r\n\r\n" + std::string(3'000'000, 'x');
  const MessageId before = fixture.addMessage("before");
  const MessageId id = fixture.addMessage(large);
  const MessageId after = fixture.addMessage("after");
  fixture.close();
  tamper(fixture.file(), "UPDATE body SET octets = x'00' WHERE id & 1048575 = 1");
  fixture.reopen();
  CHECK(fixture.addMessage(large) == id);
  CHECK((fixture.read(id) == large));
  CHECK(fixture.read(before) == "before");
  CHECK(fixture.read(after) == "after");
}

TEST_CASE("a damaged message's pairs are due again, in one transaction, whatever their key", "[store][damage][P1]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry(kMail);
  const MessageId id = fixture.store->entries().find(entry)->message;
  const EntryId other = fixture.addEntry("another");
  fixture.store->pairs().add(fixture.remote, Uid{7}, entry, {}, "");
  fixture.store->pairs().add(fixture.remote, Uidl{"x"}, entry, {}, "");
  fixture.store->pairs().add(fixture.remote, Uid{8}, other, {}, "");
  const PairId held = fixture.store->pairs().add(fixture.remote, Uid{9}, entry, {}, "");
  fixture.store->pairs().setHeld(held, true);
  fixture.store->messages().markDamaged(id, kNow);
  fixture.store->messages().markDamaged(id, kNow);
  // A held pair's message is gone at the endpoint; its removal still waits for the user.
  REQUIRE(fixture.store->pairs().ofEntry(entry).size() == 1);
  CHECK(fixture.store->pairs().ofEntry(entry).front().id == held);
  CHECK(fixture.store->pairs().find(fixture.remote, Uid{8}).has_value());
  const auto rows = fixture.store->quarantine().of(fixture.remote);
  REQUIRE(rows.size() == 2);
  for (const QuarantineRow& row : rows) {
    CHECK(row.nextTry == 0);
    CHECK(row.firstTry == kNow);
    CHECK(row.size == kMail.size());
    CHECK(row.reason == "its stored copy was damaged");
  }
  CHECK(fixture.store->checkStructure().empty());
}

TEST_CASE("a tombstone of a damaged message keeps its pairs", "[store][damage][P1]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry(kMail);
  fixture.store->pairs().add(fixture.remote, Uid{7}, entry, {}, "");
  fixture.store->entries().remove(entry, kNow);
  fixture.store->messages().markDamaged(fixture.store->entries().find(entry)->message, kNow);
  CHECK(fixture.store->pairs().ofEntry(entry).size() == 1);
  CHECK(fixture.store->quarantine().all().empty());
}

TEST_CASE("a damaged message is not recognised by its header, only by what was fetched", "[store][damage][P5]") {
  StoreFixture fixture;
  Entries& entries = fixture.store->entries();
  const PreparedMessage mail = prepared(kMail);
  const EntryId entry = fixture.addEntry(kMail);
  const MessageId id = entries.find(entry)->message;
  fixture.store->pairs().add(fixture.remote, Uid{7}, entry, {}, "");
  damage(fixture, id);
  fixture.store->messages().markDamaged(id, kNow);
  Entries& now = fixture.store->entries();
  CHECK_FALSE(now.findUnpaired(fixture.inbox, fixture.remote, mail.headerDigest, mail.size).has_value());
  CHECK_FALSE(now.findMessage(fixture.braid, mail.headerDigest, mail.size).has_value());
  CHECK(now.like(fixture.braid, mail.contentKey).empty());
  CHECK(now.findUnpaired(fixture.inbox, fixture.remote, mail.digest) == entry);
  CHECK(now.findUnpaired(fixture.inbox, fixture.remote, mail.contentKey) == entry);
  SECTION("until it is added again") {
    CHECK(fixture.addMessage(kMail) == id);
    CHECK(fixture.read(id) == kMail);
  }
  SECTION("until its entry is healed by its own octets") {
    heal(fixture, entry, kMail);
    CHECK(fixture.read(id) == kMail);
  }
  CHECK(now.findUnpaired(fixture.inbox, fixture.remote, mail.headerDigest, mail.size) == entry);
  CHECK(now.findMessage(fixture.braid, mail.headerDigest, mail.size) == id);
}

TEST_CASE("a marked message that turns out to be sound loses its mark when it is added again", "[store][damage]") {
  StoreFixture fixture;
  const PreparedMessage mail = prepared(kMail);
  const EntryId entry = fixture.addEntry(kMail);
  fixture.store->messages().markDamaged(fixture.store->entries().find(entry)->message, kNow);
  fixture.addMessage(kMail);
  CHECK(fixture.store->entries().findUnpaired(fixture.inbox, fixture.remote, mail.headerDigest, mail.size) == entry);
}

TEST_CASE("where the lost octets are nowhere any more, the same content takes their place", "[store][damage][P1]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry(kMail);
  const EntryId copy = fixture.addEntry(kMail);
  const MessageId id = fixture.store->entries().find(entry)->message;
  damage(fixture, id);
  fixture.store->messages().markDamaged(id, kNow);
  heal(fixture, entry, kSameContent);
  for (const EntryId one : {entry, copy}) {
    CHECK(fixture.read(fixture.store->entries().find(one)->message) == kSameContent);
  }
  CHECK(count(fixture) == 1);
  CHECK(fixture.store->checkStructure().empty());
}

TEST_CASE("the octets of a message that is not damaged are never replaced", "[store][damage][P2]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry(kMail);
  heal(fixture, entry, kSameContent);
  CHECK(fixture.read(fixture.store->entries().find(entry)->message) == kMail);
  CHECK(count(fixture) == 1);
}
