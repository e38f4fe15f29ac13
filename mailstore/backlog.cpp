#include "mailstore/database.h"
#include "mailstore/row_reader.h"
#include "mailstore/statement.h"
#include "mailstore/store.h"

#include <algorithm>

namespace mailbraid::mailstore {

struct Backlog::Statements {
  explicit Statements(Database& owner) : database(owner) {}

  Database& database;
  // An entry that was not changed since it was made has its change number as its id, and is in no index.
  Statement made{database,
                 "SELECT e.id FROM entry e NOT INDEXED CROSS JOIN mailbox b ON b.id = e.mailbox"
                 " WHERE e.id > ?1 AND b.braid = ?2"};
  Statement newTo{database,
                  "SELECT " MAILBRAID_ENTRY_COLUMNS
                  ", m.size FROM entry e NOT INDEXED CROSS JOIN mailbox b ON b.id = e.mailbox"
                  " CROSS JOIN message m ON m.id = e.message"
                  " WHERE e.id > ?1 AND b.braid = ?2 AND e.removed_at = 0 AND NOT EXISTS(SELECT 1 FROM entry o"
                  " INDEXED BY entry_message CROSS JOIN pair p ON p.entry = o.id CROSS JOIN endpoint_mailbox k"
                  " ON k.id = p.endpoint_mailbox WHERE o.message = e.message AND k.endpoint = ?3) ORDER BY e.id"};
  Statement changed{database,
                    "SELECT e.id FROM entry e INDEXED BY entry_change CROSS JOIN mailbox b ON b.id = e.mailbox"
                    " WHERE e.change > ?1 AND e.change <> e.id AND b.braid = ?2"};
  Statement waiting{database,
                    "SELECT entry, kind, reason, since, next_try FROM waiting WHERE endpoint = ? ORDER BY entry"};
  // Left to itself, SQLite goes through all that waits, and what the configuration holds back may be a mailbox.
  Statement due{
      database,
      "SELECT entry FROM waiting INDEXED BY waiting_due WHERE endpoint = ?1 AND kind <> 3 AND next_try <= ?2"};
  Statement byPolicy{database, "SELECT entry FROM waiting WHERE endpoint = ?1 AND kind IN (3, 4)"};
  Statement wait{database,
                 "INSERT INTO waiting(endpoint, entry, kind, reason, since, next_try) VALUES(?1,?2,?3,?4,?5,?6)"
                 " ON CONFLICT DO UPDATE SET kind = ?3, reason = ?4, next_try = ?6"
                 " WHERE kind <> ?3 OR reason <> ?4 OR next_try <> ?6"};
  Statement done{database, "DELETE FROM waiting WHERE endpoint = ? AND entry = ?"};
  Statement settle{database, "UPDATE endpoint SET pushed = ?, policy = ? WHERE id = ?"};
  Statement lookAgain{database, "UPDATE endpoint SET pushed = 0 WHERE id = ?"};
  Statement uploadBegins{database,
                         "INSERT INTO upload(endpoint_mailbox, uid_validity, uid_next) VALUES(?,?,?)"
                         " ON CONFLICT DO NOTHING"};
  Statement openUpload{database, "SELECT uid_next FROM upload WHERE endpoint_mailbox = ?"};
  Statement uploadEnds{database, "DELETE FROM upload WHERE endpoint_mailbox = ?"};
  Statement setUnwanted{database, "INSERT INTO unwanted(endpoint, mailbox) VALUES(?,?) ON CONFLICT DO NOTHING"};
  Statement setWanted{database, "DELETE FROM unwanted WHERE endpoint = ? AND mailbox = ?"};
  Statement isUnwanted{database, "SELECT 1 FROM unwanted WHERE endpoint = ? AND mailbox = ?"};
  Statement repaired{database,
                     "INSERT INTO repaired(endpoint, entry, repairs) VALUES(?1,?2,?3)"
                     " ON CONFLICT DO UPDATE SET repairs = ?3"};
  Statement repairedWhereItIs{database,
                              "INSERT INTO repaired(endpoint, entry, repairs) SELECT DISTINCT o.endpoint, p.entry, ?2"
                              " FROM pair p JOIN endpoint_mailbox o ON o.id = p.endpoint_mailbox"
                              " WHERE p.entry = ?1 AND p.held = 0 ON CONFLICT DO NOTHING"};
  Statement repairs{database, "SELECT repairs FROM repaired WHERE endpoint = ? AND entry = ?"};
  Statement balance{
      database,
      "SELECT count(*), total(size), total(there), total(refused), total(waits AND NOT there),"
      " total(was AND NOT there AND NOT waits) FROM (SELECT m.size AS size,"
      " EXISTS(SELECT 1 FROM pair q JOIN endpoint_mailbox t ON t.id = q.endpoint_mailbox WHERE q.entry = p.entry"
      " AND q.held = 0 AND t.endpoint = ?2) AS there,"
      " EXISTS(SELECT 1 FROM pair q JOIN endpoint_mailbox t ON t.id = q.endpoint_mailbox WHERE q.entry = p.entry"
      " AND q.held <> 0 AND t.endpoint = ?2) AS was,"
      " EXISTS(SELECT 1 FROM waiting w WHERE w.endpoint = ?2 AND w.entry = p.entry) AS waits,"
      " EXISTS(SELECT 1 FROM waiting w WHERE w.endpoint = ?2 AND w.entry = p.entry AND w.kind = 4) AS refused"
      " FROM endpoint_mailbox s CROSS JOIN pair p ON p.endpoint_mailbox = s.id"
      " CROSS JOIN entry e ON e.id = p.entry CROSS JOIN message m ON m.id = e.message"
      " WHERE s.endpoint = ?1 AND p.held <> 2 AND e.removed_at = 0)"};
  Statement isUnwantedByAny{database, "SELECT 1 FROM unwanted WHERE mailbox = ? LIMIT 1"};
};

Backlog::Backlog(Database& database) : statements_(std::make_unique<Statements>(database)) {}
Backlog::~Backlog() = default;

std::vector<EntryId> Backlog::candidates(const EndpointRecord& endpoint, PolicyRows policyRows, std::int64_t now) {
  std::vector<EntryId> out;
  for (Statement* statement : {&statements_->made, &statements_->changed}) {
    Query query(*statement, endpoint.pushed, endpoint.braid);
    while (query.next()) out.push_back(query.named<EntryId>(0));
  }
  const auto take = [&out](Query query) {
    while (query.next()) out.push_back(query.named<EntryId>(0));
  };
  take(Query(statements_->due, endpoint.id, now));
  if (policyRows == PolicyRows::Included) take(Query(statements_->byPolicy, endpoint.id));
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<UploadCandidate> Backlog::newTo(const EndpointRecord& endpoint, ChangeNumber after) {
  std::vector<UploadCandidate> out;
  Query query(statements_->newTo, after, endpoint.braid, endpoint.id);
  while (query.next()) out.push_back({entryFrom(query, 0), static_cast<std::uint64_t>(query.integer(kEntryColumns))});
  return out;
}

void Backlog::wait(EndpointId endpoint, const WaitingRow& row) {
  execute(statements_->wait, endpoint, row.entry, static_cast<int>(row.kind), row.reason, row.since, row.nextTry);
}

void Backlog::done(EndpointId endpoint, EntryId entry) {
  execute(statements_->done, endpoint, entry);
}

std::vector<WaitingRow> Backlog::waiting(EndpointId endpoint) {
  std::vector<WaitingRow> out;
  Query query(statements_->waiting, endpoint);
  while (query.next()) {
    out.push_back({query.named<EntryId>(0), static_cast<WaitKind>(query.integer(1)), std::string(query.text(2)),
                   query.integer(3), query.integer(4)});
  }
  return out;
}

void Backlog::settle(EndpointId endpoint, ChangeNumber pushed, std::string_view policy) {
  execute(statements_->settle, pushed, policy, endpoint);
}

void Backlog::lookAgain(EndpointId endpoint) {
  execute(statements_->lookAgain, endpoint);
}

void Backlog::repaired(EndpointId endpoint, EntryId entry, std::string_view repairs) {
  execute(statements_->repaired, endpoint, entry, repairs);
}

void Backlog::repairedWhereItIs(EntryId entry, std::string_view repairs) {
  execute(statements_->repairedWhereItIs, entry, repairs);
}

std::string Backlog::repairsOf(EndpointId endpoint, EntryId entry) {
  Query query(statements_->repairs, endpoint, entry);
  return query.next() ? std::string(query.text(0)) : std::string();
}

Balance Backlog::balance(EndpointId source, EndpointId destination) {
  Query query(statements_->balance, source, destination);
  query.next();
  const auto number = [&](int column) { return static_cast<std::uint64_t>(query.integer(column)); };
  const Balance out{number(0), number(1), number(2), number(3), number(4), number(5)};
  query.next();
  return out;
}

void Backlog::uploadBegins(EndpointMailboxId mailbox, UidValidity uidValidity, Uid uidNext) {
  execute(statements_->uploadBegins, mailbox, uidValidity, uidNext);
}

std::optional<Uid> Backlog::uploadedFrom(EndpointMailboxId mailbox) {
  Query query(statements_->openUpload, mailbox);
  if (!query.next()) return std::nullopt;
  return Uid{static_cast<std::uint32_t>(query.integer(0))};
}

void Backlog::uploadEnds(EndpointMailboxId mailbox) {
  execute(statements_->uploadEnds, mailbox);
}

void Backlog::setUnwanted(EndpointId endpoint, MailboxId mailbox) {
  execute(statements_->setUnwanted, endpoint, mailbox);
}

void Backlog::setWanted(EndpointId endpoint, MailboxId mailbox) {
  execute(statements_->setWanted, endpoint, mailbox);
}

bool Backlog::isUnwanted(EndpointId endpoint, MailboxId mailbox) {
  Query query(statements_->isUnwanted, endpoint, mailbox);
  return query.next();
}

bool Backlog::isUnwantedByAny(MailboxId mailbox) {
  Query query(statements_->isUnwantedByAny, mailbox);
  return query.next();
}

}  // namespace mailbraid::mailstore
