// No statement that runs for each message or mailbox goes through a whole table.
#include "mailstore/database.h"
#include "mailstore/statement.h"
#include "tests/mailstore/store_fixture.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include <sqlite3.h>

using namespace mailbraid::mailstore;
using mailbraid::tests::prepared;
using mailbraid::tests::Scratch;

namespace {

// Tables that grow with the mail. The others have a row a mailbox, an endpoint or a run.
constexpr std::array<std::string_view, 9> kLarge{
    "message", "body", "entry", "pair", "quarantine", "operation", "endpoint_mailbox", "waiting", "left_out"};
// Statements whose purpose is everything there is; and one whose plan has the children of a new row, which SQLite only
// looks at while a deferred constraint is broken.
constexpr std::array<std::string_view, 3> kEverything{"FROM quarantine ORDER BY", "INSERT INTO mailbox",
                                                      "SELECT mailbox FROM entry NOT INDEXED"};

/// All statements that `database` has prepared and keeps.
std::set<std::string> statementsOf(Database& database) {
  std::set<std::string> out;
  for (sqlite3_stmt* at = sqlite3_next_stmt(database.handle(), nullptr); at != nullptr;
       at = sqlite3_next_stmt(database.handle(), at)) {
    out.insert(sqlite3_sql(at));
  }
  return out;
}

/// SQLite's plan, a step a line: "SEARCH p USING INDEX pair_uid (endpoint_mailbox=?)".
std::vector<std::string> planOf(Database& database, const std::string& sql) {
  const std::string question = "EXPLAIN QUERY PLAN " + sql;
  Statement statement(database, question.c_str());
  Query query(statement);
  std::vector<std::string> out;
  while (query.next()) out.emplace_back(query.text(3));
  return out;
}

/// The table that a name in `sql` stands for: itself, or "FROM table name" or "JOIN table name".
std::string tableOf(const std::string& sql, const std::string& name) {
  for (const std::string_view table : kLarge) {
    for (const char* word : {"FROM ", "JOIN "}) {
      if (sql.find(word + std::string(table) + " " + name + " ") != std::string::npos) return std::string(table);
      if (sql.ends_with(word + std::string(table) + " " + name)) return std::string(table);
    }
  }
  return name;
}

bool scansLargeTable(const std::string& sql, const std::string& step) {
  constexpr std::string_view kScan = "SCAN ";
  if (!step.starts_with(kScan)) return false;
  const std::string name = step.substr(kScan.size(), step.find(' ', kScan.size()) - kScan.size());
  return std::find(kLarge.begin(), kLarge.end(), tableOf(sql, name)) != kLarge.end();
}

/// A store whose every table class was used once with every kind of key.
struct UsedStore {
  UsedStore() : database(Store::Claim(scratch.path() / "store")) {
    const BraidId braid = mailboxes.ensureBraid("home");
    inbox = mailboxes.ensure(braid, "INBOX", Role::Inbox);
    endpoint = endpoints.ensure("work", "imap", braid).id;
    remote = endpoints.addMailbox(endpoint, "INBOX", inbox, "").id;
    const MessageId message = messages.add(prepared("mail"));
    messages.add(prepared("mail"));
    entry = entries.add(inbox, message, {}, {1000, 60});
    for (std::uint32_t uid = 1; uid < 9; ++uid) {
      pairs.add(remote, Uid{uid}, entry, {}, "");
      quarantine.add(remote, Uid{uid}, 1, "reason", 1000, 1);
      quarantine.add(remote, Uidl{std::to_string(uid)}, 1, "reason", 1000, 1);
    }
    use(braid, message);
  }

  void use(BraidId braid, MessageId message) {
    const PreparedMessage mail = prepared("mail");
    messages.read(message, [](std::string_view) {});
    messages.heal(entry, prepared("mail"));
    messages.markDamaged(messages.add(prepared("other")), 1000);
    messages.heal(entries.add(inbox, messages.add(prepared("other")), {}, {}), prepared("third"));
    messages.forEach([](MessageId) {});
    entries.findUnpaired(inbox, remote, mail.digest);
    entries.findUnpaired(inbox, remote, mail.headerDigest, 4);
    entries.findUnpaired(inbox, remote, mail.contentKey);
    entries.findMessage(braid, mail.headerDigest, 4);
    entries.like(braid, mail.headerDigest, 4);
    entries.like(braid, mail.contentKey);
    entries.list(inbox, [](const EntryRow&) {});
    entries.row(entry);
    entries.setFlags(entry, {});
    entries.move(entry, inbox);
    entries.remove(entry, 1);
    entries.revive(entry);
    const PairId pair = pairs.add(remote, Uidl{"x"}, entry, {}, "object");
    pairs.find(remote, Uidl{"x"});
    pairs.find(remote, Uid{1});
    pairs.forMailbox(remote, [](const Pair&) {});
    pairs.ofEntry(entry);
    pairs.findEntryByObjectId(endpoint, "object");
    pairs.uids(remote);
    pairs.count(remote);
    pairs.held(remote);
    pairs.setFlags(pair, {});
    pairs.setHeld(pair, true);
    pairs.rekey(pair, remote, Uidl{"y"});
    pairs.remove(pair);
    quarantine.of(remote);
    quarantine.all();
    quarantine.remove(remote, Uid{1});
    quarantine.leaveOut(remote, Uidl{"z"});
    quarantine.leftOut(remote);
    quarantine.takeInAgain(remote);
    endpoints.mailboxes(endpoint);
    endpoints.setAnchor(remote, {});
    mailboxes.removeIfUnused(inbox);
    mailboxes.liveEntries(braid);
    mailboxes.isEmpty(braid);
    mailboxes.list();
    mailboxes.ofBraid(braid);
    mailboxes.holdsNothing(inbox);
    entries.findTwinAt(endpoint, entry);
    entries.nthNewest(inbox, 5);
    const EndpointRecord record = endpoints.ensure("work", "imap", braid);
    backlog.wait(endpoint, {entry, WaitKind::Retry, "reason", 1, 0});
    backlog.candidates(record, Backlog::PolicyRows::Included, 1);
    backlog.waiting(endpoint);
    backlog.done(endpoint, entry);
    backlog.lookAgain(endpoint);
    backlog.settle(endpoint, ChangeNumber{1}, "policy");
    const RunId run = runs.begin("sync", 1);
    runs.add({run, "work", "INBOX", "new", 3, "1:3", ""});
    runs.operations(run);
  }

  Scratch scratch;
  Database database;
  Messages messages{database};
  Mailboxes mailboxes{database};
  Entries entries{database};
  Endpoints endpoints{database};
  Pairs pairs{database};
  Backlog backlog{database};
  Quarantine quarantine{database};
  Runs runs{database};
  MailboxId inbox;
  EndpointId endpoint;
  EndpointMailboxId remote;
  EntryId entry;
};

/// Rows that the statement beginning with `sql` went through without an index; -1 when it was not run.
int rowsScannedBy(Database& database, std::string_view sql) {
  for (sqlite3_stmt* at = sqlite3_next_stmt(database.handle(), nullptr); at != nullptr;
       at = sqlite3_next_stmt(database.handle(), at)) {
    if (std::string_view(sqlite3_sql(at)).starts_with(sql)) {
      return sqlite3_stmt_status(at, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
    }
  }
  return -1;
}

}  // namespace

TEST_CASE("P8: no statement goes through a whole table that grows with the mail", "[store][P8]") {
  UsedStore store;
  store.pairs.removeAll(store.remote);
  std::size_t looked = 0;
  for (const std::string& sql : statementsOf(store.database)) {
    if (std::any_of(kEverything.begin(), kEverything.end(),
                    [&](std::string_view part) { return sql.find(part) != std::string::npos; })) {
      continue;
    }
    CAPTURE(sql);
    ++looked;
    for (const std::string& step : planOf(store.database, sql)) {
      CAPTURE(step);
      CHECK_FALSE(scansLargeTable(sql, step));
    }
  }
  // So that a store that is not used any more does not pass for one that is quick.
  CHECK(looked > 50);
}

TEST_CASE("P8: the check of the plans finds a scan", "[store][P8]") {
  UsedStore store;
  const std::string sql = "SELECT p.id FROM pair p WHERE p.flags = ?";
  const std::vector<std::string> plan = planOf(store.database, sql);
  REQUIRE(plan.size() == 1);
  CHECK(scansLargeTable(sql, plan.front()));
}

TEST_CASE("P8: removing an endpoint's mailbox finds its pairs and its quarantine by an index", "[store][P8]") {
  UsedStore store;
  const EndpointMailbox other = store.endpoints.addMailbox(store.endpoint, "Other", store.inbox, "");
  store.endpoints.removeMailbox(other.id);
  CHECK(rowsScannedBy(store.database, "DELETE FROM endpoint_mailbox WHERE id") == 0);
  store.endpoints.removeMailbox(store.remote);
  CHECK(rowsScannedBy(store.database, "DELETE FROM endpoint_mailbox WHERE id") == 0);
  CHECK(store.quarantine.all().empty());
}
