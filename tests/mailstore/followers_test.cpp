// Pairs whose flags are the entry's: what is stored once must read as if it stood in both places.
#include "mailstore/migrations.h"
#include "mailstore/store_file.h"
#include "tests/mailstore/store_fixture.h"
#include "tests/support/catch.h"

namespace mailbraid::tests {

using namespace mailstore;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

namespace {

const Flags kSeen = Flags::parse({"\\Seen"});
const Flags kMarked = Flags::parse({"\\Flagged", "work"});

Flags flagsOf(StoreFixture& fixture, Uid uid) {
  return fixture.store->pairs().find(fixture.remote, uid)->flags;
}

bool follows(StoreFixture& fixture, Uid uid) {
  return fixture.store->pairs().find(fixture.remote, uid)->followsEntry;
}

}  // namespace

TEST_CASE("a pair keeps the flags that its endpoint has when the entry gets others", "[pairs][P3]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry("mail");
  fixture.store->entries().setFlags(entry, kSeen);
  fixture.store->pairs().add(fixture.remote, Uid{1}, entry, kSeen, "");
  fixture.store->pairs().addFollower(fixture.remote, Uid{2}, entry, "");
  fixture.store->pairs().addUploaded(fixture.remote, Uid{3}, entry, kSeen);
  fixture.store->pairs().add(fixture.remote, Uid{4}, entry, kMarked, "");
  for (const std::uint32_t uid : {1U, 2U, 3U}) CHECK(follows(fixture, Uid{uid}));
  CHECK_FALSE(follows(fixture, Uid{4}));
  fixture.store->entries().setFlags(entry, kMarked);
  for (const std::uint32_t uid : {1U, 2U, 3U}) CHECK(flagsOf(fixture, Uid{uid}) == kSeen);
  CHECK(flagsOf(fixture, Uid{4}) == kMarked);
  // Told again, they have the entry's once more.
  fixture.store->pairs().setFlags(fixture.store->pairs().find(fixture.remote, Uid{1})->id, kMarked);
  CHECK(follows(fixture, Uid{1}));
  fixture.reopen();
  CHECK(flagsOf(fixture, Uid{1}) == kMarked);
  CHECK(flagsOf(fixture, Uid{2}) == kSeen);
}

TEST_CASE("of the pairs that follow an entry, one that has its new flags as well goes on following", "[pairs][P3]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry("mail");
  const PairId told = fixture.store->pairs().add(fixture.remote, Uid{1}, entry, {}, "");
  fixture.store->pairs().add(fixture.remote, Uid{2}, entry, {}, "");
  fixture.store->entries().setFlags(entry, kMarked, told);
  CHECK(flagsOf(fixture, Uid{1}) == kMarked);
  CHECK(flagsOf(fixture, Uid{2}).empty());
}

TEST_CASE("however pairs are asked for, their flags are the same", "[pairs]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry("mail");
  fixture.store->entries().setFlags(entry, kMarked);
  const PairId pair = fixture.store->pairs().add(fixture.remote, Uidl{"a"}, entry, kMarked, "");
  std::vector<Flags> found;
  fixture.store->pairs().forMailbox(fixture.remote, [&](const Pair& one) { found.push_back(one.flags); });
  for (const Pair& one : fixture.store->pairs().ofEntry(entry)) found.push_back(one.flags);
  found.push_back(fixture.store->pairs().findWithEntry(fixture.remote, Uidl{"a"})->pair.flags);
  fixture.store->pairs().setHeld(pair, true);
  for (const Pair& one : fixture.store->pairs().held(fixture.remote)) found.push_back(one.flags);
  found.push_back(fixture.store->pairs().findHeld(fixture.remote, prepared("mail").digest)->flags);
  REQUIRE(found.size() == 5);
  for (const Flags& flags : found) CHECK(flags == kMarked);
}

TEST_CASE("undoing a run gives an entry its flags back, and leaves its pairs what their endpoints have",
          "[pairs][undo][P3]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry("mail");
  fixture.store->pairs().add(fixture.remote, Uid{1}, entry, {}, "");
  const RunId run = fixture.store->runs().begin("flag", 1000);
  fixture.store->entries().setFlags(entry, kSeen);
  fixture.store->runs().finish(run, 1001, 0, "{}");
  CHECK(flagsOf(fixture, Uid{1}).empty());
  fixture.store->entries().setFlags(entry, {});
  CHECK(flagsOf(fixture, Uid{1}).empty());
}

TEST_CASE("that a message is read at an endpoint is known of a pair that follows its entry, too", "[pairs]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry("mail");
  fixture.store->pairs().add(fixture.remote, Uid{1}, entry, {}, "");
  const MessageId message = fixture.store->entries().find(entry)->message;
  CHECK_FALSE(fixture.store->entries().isSeenAt(fixture.endpoint, message));
  fixture.store->entries().setFlags(entry, kSeen, fixture.store->pairs().find(fixture.remote, Uid{1})->id);
  CHECK(fixture.store->entries().isSeenAt(fixture.endpoint, message));
}

TEST_CASE("P10: a pair whose entry is missing in a damaged store is there all the same", "[pairs][P10]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry("mail");
  const PairId pair = fixture.store->pairs().add(fixture.remote, Uid{1}, entry, {}, "");
  fixture.close();
  tamper(fixture.file(), "DELETE FROM entry");
  fixture.reopen();
  REQUIRE(fixture.store->pairs().find(fixture.remote, Uid{1}).has_value());
  CHECK_FALSE(fixture.store->pairs().findWithEntry(fixture.remote, Uid{1}).has_value());
  fixture.store->pairs().setFlags(pair, kSeen);
  CHECK(flagsOf(fixture, Uid{1}) == kSeen);
}

TEST_CASE("the pairs of a store of version 11 keep their flags", "[store][P3]") {
  const Scratch scratch;
  const fs::path file = scratch.path() / "store.db";
  createStoreFile(file, migrations().first(11));
  tamper(file,
         "INSERT INTO braid(name) VALUES('home'); INSERT INTO mailbox(braid, name, role) VALUES(1, 'INBOX', 'inbox');"
         "INSERT INTO message VALUES(1, x'00', x'00', x'00', 4, 0, '', '', '', '');"
         "INSERT INTO entry VALUES(1, 1, 1, 1, 'work', 0, 0, 1, 0); UPDATE change SET last = 1;"
         "INSERT INTO endpoint(name, type, braid) VALUES('a', 'imap', 1);"
         "INSERT INTO endpoint_mailbox(endpoint, name, mailbox, object_id) VALUES(1, 'INBOX', 1, '');"
         "INSERT INTO pair(endpoint_mailbox, uid, entry, flags, keywords, object_id)"
         " VALUES(1, 1, 1, 1, 'work', ''), (1, 2, 1, 1, '', ''), (1, 3, 1, 0, 'work', '')");
  const auto store = Store::open(scratch.path(), Access::ReadWrite);
  const std::vector<Pair> pairs = store->pairs().ofEntry(EntryId{1});
  REQUIRE(pairs.size() == 3);
  CHECK(pairs[0].flags == Flags::parse({"\\Seen", "work"}));
  CHECK(pairs[0].followsEntry);
  CHECK(pairs[1].flags == kSeen);
  CHECK(pairs[2].flags == Flags::parse({"work"}));
  CHECK(store->checkStructure().empty());
}

}  // namespace mailbraid::tests
