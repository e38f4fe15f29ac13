// Stores of older versions: migrated, after a backup of everything they have.
#include "mailstore/migrations.h"
#include "mailstore/store_file.h"
#include "tests/mailstore/file_support.h"
#include "tests/mailstore/store_fixture.h"
#include "tests/mailstore/tamper.h"

#include <array>
#include <span>

using namespace mailbraid::mailstore;
using mailbraid::tests::errorOf;
using mailbraid::tests::modeOf;
using mailbraid::tests::prepared;
using mailbraid::tests::runIntoLog;
using mailbraid::tests::Scratch;
using mailbraid::tests::tamper;
namespace fs = std::filesystem;

namespace {

constexpr std::array<const char*, 2> kThing{"CREATE TABLE thing(id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT",
                                            "INSERT INTO thing(name) VALUES('kept')"};
constexpr std::array<const char*, 1> kThingSize{"ALTER TABLE thing ADD COLUMN size INTEGER NOT NULL DEFAULT 7"};
constexpr std::array<Migration, 2> kThings{Migration{1, kThing}, Migration{2, kThingSize}};

/// Column `column` of the rows that `sql` gives, each followed by a space.
std::string answerOf(const fs::path& file, const std::string& sql, int column = 0) {
  sqlite3* handle = nullptr;
  sqlite3_stmt* statement = nullptr;
  std::string out;
  REQUIRE(sqlite3_open(file.c_str(), &handle) == SQLITE_OK);
  REQUIRE(sqlite3_prepare_v2(handle, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
  while (sqlite3_step(statement) == SQLITE_ROW) {
    out += std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement, column))) + " ";
  }
  sqlite3_finalize(statement);
  sqlite3_close(handle);
  return out;
}

/// The names in `thing`, joined by one space.
std::string thingsIn(const fs::path& file) {
  std::string out = answerOf(file, "SELECT name FROM thing");
  if (!out.empty()) out.pop_back();
  return out;
}

}  // namespace

TEST_CASE("an older store is migrated after a backup of its file", "[store]") {
  const Scratch scratch;
  const fs::path file = scratch.path() / "store.db";
  const fs::path backup = scratch.path() / "store.db.v1.backup";
  createStoreFile(file, std::span(kThings).first(1));
  REQUIRE(inspectStoreFile(file, 2, Access::ReadWrite).version == 1);
  upgradeStoreFile(file, 1, kThings);
  CHECK(inspectStoreFile(file, 2, Access::ReadWrite).version == 2);
  CHECK(modeOf(backup) == 0600);
  CHECK(inspectStoreFile(backup, 2, Access::ReadWrite).version == 1);
  CHECK(thingsIn(backup) == "kept");
}

TEST_CASE("P1: the backup of a store that was killed has what stood in its log only", "[store][P1]") {
  const Scratch scratch;
  const fs::path file = scratch.path() / "store.db";
  createStoreFile(file, std::span(kThings).first(1));
  runIntoLog(file, "INSERT INTO thing(name) VALUES('logged')");
  upgradeStoreFile(file, 1, kThings);
  CHECK(thingsIn(scratch.path() / "store.db.v1.backup") == "kept logged");
  CHECK(thingsIn(file) == "kept logged");
}

TEST_CASE("a store that is being read is not migrated, and says so", "[store][P1]") {
  const Scratch scratch;
  const fs::path file = scratch.path() / "store.db";
  createStoreFile(file, std::span(kThings).first(1));
  runIntoLog(file, "INSERT INTO thing(name) VALUES('logged')");
  sqlite3* reader = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &reader) == SQLITE_OK);
  REQUIRE(sqlite3_exec(reader, "BEGIN; SELECT * FROM thing", nullptr, nullptr, nullptr) == SQLITE_OK);
  const auto error = errorOf([&] { upgradeStoreFile(file, 1, kThings); });
  REQUIRE(error.has_value());
  CHECK(error->kind() == ErrorKind::TemporaryFailure);
  CHECK_FALSE(fs::exists(scratch.path() / "store.db.v1.backup"));
  CHECK(inspectStoreFile(file, 2, Access::ReadWrite).version == 1);
  sqlite3_close(reader);
  upgradeStoreFile(file, 1, kThings);
  CHECK(thingsIn(scratch.path() / "store.db.v1.backup") == "kept logged");
}

TEST_CASE("a store of version 1 is brought up to date when it is opened, and its backup can be opened", "[store]") {
  const Scratch scratch;
  const fs::path file = scratch.path() / "store.db";
  createStoreFile(file, migrations().first(1));
  tamper(file,
         "INSERT INTO braid(name) VALUES('home'); INSERT INTO mailbox(braid, name, role) VALUES(1, 'INBOX', 'inbox')");
  {
    const auto store = Store::open(scratch.path(), Access::ReadWrite);
    CHECK(store->mailboxes().list().size() == 1);
    Store::Transaction transaction(*store);
    store->messages().markDamaged(store->messages().add(prepared("mail")), 1000);
    transaction.commit();
    CHECK(store->checkStructure().empty());
  }
  CHECK(inspectStoreFile(file, 99, Access::ReadWrite).version == migrations().back().version);
  for (const char* of : {"store.db", "store.db-wal", "store.db-shm"}) fs::remove(scratch.path() / of);
  fs::rename(scratch.path() / "store.db.v1.backup", file);
  CHECK(Store::open(scratch.path(), Access::ReadWrite)->mailboxes().list().size() == 1);
}

TEST_CASE("what changed since a change number is found by indexes, in a store of version 2 as well", "[store][P8]") {
  const Scratch scratch;
  const fs::path file = scratch.path() / "store.db";
  createStoreFile(file, migrations().first(2));
  tamper(file,
         "INSERT INTO braid(name) VALUES('home'); INSERT INTO mailbox(braid, name, role) VALUES(1, 'INBOX', 'inbox');"
         "INSERT INTO message VALUES(1, x'00', x'00', x'00', 4, 0, '', '', '', '');"
         "INSERT INTO entry VALUES(1, 1, 1, 0, '', 0, 0, 4, 0), (2, 1, 1, 0, '', 0, 0, 2, 0),"
         " (3, 1, 1, 0, '', 0, 0, 3, 0); UPDATE change SET last = 4");
  const auto store = Store::open(scratch.path(), Access::ReadWrite);
  store->entries().setFlags(EntryId{2}, {});
  const std::string question =
      "SELECT id FROM entry WHERE id > 2 UNION SELECT id FROM entry WHERE change > 2 AND change <> id";
  CHECK(answerOf(file, question) == "1 2 3 ");
  CHECK(answerOf(file, "EXPLAIN QUERY PLAN " + question, 3).find("INDEX entry_change (change>?)") != std::string::npos);
  CHECK(answerOf(file, "EXPLAIN QUERY PLAN " + question, 3).find("SCAN entry") == std::string::npos);
}

TEST_CASE("what a POP3 server held before its time was kept counts from the day of the migration", "[store]") {
  const Scratch scratch;
  const fs::path file = scratch.path() / "store.db";
  createStoreFile(file, migrations().first(6));
  tamper(file,
         "INSERT INTO braid(name) VALUES('home'); INSERT INTO mailbox(braid, name, role) VALUES(1, 'INBOX', 'inbox');"
         "INSERT INTO message VALUES(1, x'00', x'00', x'00', 4, 0, '', '', '', '');"
         "INSERT INTO entry VALUES(1, 1, 1, 0, '', 0, 0, 1, 0); UPDATE change SET last = 1;"
         "INSERT INTO endpoint(name, type, braid) VALUES('old', 'pop3', 1), ('new', 'imap', 1);"
         "INSERT INTO endpoint_mailbox(endpoint, name, mailbox, object_id) VALUES(1, 'INBOX', 1, ''),"
         " (2, 'INBOX', 1, ''); INSERT INTO pair(endpoint_mailbox, uid, key, entry, flags, keywords, object_id)"
         " VALUES(1, NULL, 'a', 1, 0, '', ''), (2, 1, NULL, 1, 0, '', '')");
  const auto store = Store::open(scratch.path(), Access::ReadWrite);
  const std::vector<Pair> pairs = store->pairs().ofEntry(EntryId{1});
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[0].firstSeen > 1'700'000'000);
  CHECK(pairs[0].deletedAt == 0);
  CHECK(pairs[1].firstSeen == 0);
}

TEST_CASE("a migration that fails leaves the older store as it was", "[store][P1]") {
  const Scratch scratch;
  const fs::path file = scratch.path() / "store.db";
  constexpr std::array<const char*, 1> kFirst{"CREATE TABLE thing(id INTEGER PRIMARY KEY) STRICT"};
  constexpr std::array<const char*, 2> kSecond{"ALTER TABLE thing ADD COLUMN size INTEGER", "no SQL at all"};
  const std::array<Migration, 2> list{Migration{1, kFirst}, Migration{2, kSecond}};
  createStoreFile(file, std::span(list).first(1));
  CHECK_THROWS_AS(upgradeStoreFile(file, 1, list), Error);
  CHECK(inspectStoreFile(file, 2, Access::ReadWrite).version == 1);
  upgradeStoreFile(file, 1, std::span(list).first(1));
}
