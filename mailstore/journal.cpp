#include "mailstore/database.h"
#include "mailstore/row_reader.h"
#include "mailstore/statement.h"
#include "mailstore/store.h"

namespace mailbraid::mailstore {
namespace {

std::vector<JournalRow> rowsFrom(Query query) {
  std::vector<JournalRow> out;
  while (query.next()) {
    out.push_back({query.named<EntryId>(0), query.named<MailboxId>(1), flagsFrom(query, 2), query.integer(4)});
  }
  return out;
}

}  // namespace

struct Journal::Statements {
  explicit Statements(Database& owner) : database(owner) {}

  Database& database;
  Statement ofRun{database, "SELECT entry, mailbox, flags, keywords, removed_at FROM journal WHERE run = ?"};
  // Columns beside an only min() come from the row that has it (SQLite's documented rule).
  Statement later{database,
                  "SELECT entry, mailbox, flags, keywords, removed_at, min(run) FROM journal WHERE run > ?"
                  " GROUP BY entry"};
};

Journal::Journal(Database& database) : statements_(std::make_unique<Statements>(database)) {}
Journal::~Journal() = default;

std::vector<JournalRow> Journal::of(RunId run) {
  return rowsFrom(Query(statements_->ofRun, run));
}

std::vector<JournalRow> Journal::firstAfter(RunId run) {
  return rowsFrom(Query(statements_->later, run));
}

}  // namespace mailbraid::mailstore
