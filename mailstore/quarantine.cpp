#include "mailstore/database.h"
#include "mailstore/row_reader.h"
#include "mailstore/statement.h"
#include "mailstore/store.h"

namespace mailbraid::mailstore {
namespace {

#define MAILBRAID_QUARANTINE_SELECT \
  "SELECT id, endpoint_mailbox, uid, key, size, reason, first_try, next_try, tries FROM quarantine "

std::vector<QuarantineRow> rowsFrom(Query& query) {
  std::vector<QuarantineRow> out;
  while (query.next()) {
    QuarantineRow row;
    row.id = query.integer(0);
    row.endpointMailbox = query.named<EndpointMailboxId>(1);
    row.key = remoteKeyFrom(query, 2);
    row.size = static_cast<std::uint64_t>(query.integer(4));
    row.reason = query.text(5);
    row.firstTry = query.integer(6);
    row.nextTry = query.integer(7);
    row.tries = static_cast<std::uint32_t>(query.integer(8));
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace

struct Quarantine::Statements {
  explicit Statements(Database& owner) : database(owner) {}

  Database& database;
  Statement again{database,
                  "UPDATE quarantine SET size = ?4, reason = ?5, next_try = ?6, tries = tries + 1"
                  " WHERE endpoint_mailbox = ?1 AND uid IS ?2 AND key IS ?3 RETURNING id"};
  Statement insert{database,
                   "INSERT INTO quarantine(endpoint_mailbox, uid, key, size, reason, next_try, first_try, tries)"
                   " VALUES(?,?,?,?,?,?,?,1)"};
  Statement remove{database, "DELETE FROM quarantine WHERE endpoint_mailbox = ? AND uid IS ? AND key IS ?"};
  Statement ofMailbox{database, MAILBRAID_QUARANTINE_SELECT "WHERE endpoint_mailbox = ? ORDER BY uid, key"};
  Statement leaveOut{database, "INSERT INTO left_out(endpoint_mailbox, key) VALUES(?,?) ON CONFLICT DO NOTHING"};
  Statement leftOut{database, "SELECT key FROM left_out WHERE endpoint_mailbox = ?"};
  Statement takeIn{database, "DELETE FROM left_out WHERE endpoint_mailbox = ?"};
  Statement everywhere{database, MAILBRAID_QUARANTINE_SELECT "ORDER BY endpoint_mailbox, uid, key"};
};

Quarantine::Quarantine(Database& database) : statements_(std::make_unique<Statements>(database)) {}
Quarantine::~Quarantine() = default;

void Quarantine::add(EndpointMailboxId mailbox, const RemoteKey& key, std::uint64_t size, std::string_view reason,
                     std::int64_t now, std::int64_t retryAfter) {
  const auto uid = uidColumn(key);
  const auto uidl = keyColumn(key);
  const std::int64_t nextTry = now + retryAfter;
  {
    Query query(statements_->again, mailbox, uid, uidl, size, reason, nextTry);
    if (query.next()) {
      query.next();
      return;
    }
  }
  execute(statements_->insert, mailbox, uid, uidl, size, reason, nextTry, now);
}

void Quarantine::remove(EndpointMailboxId mailbox, const RemoteKey& key) {
  execute(statements_->remove, mailbox, uidColumn(key), keyColumn(key));
}

std::vector<QuarantineRow> Quarantine::of(EndpointMailboxId mailbox) {
  Query query(statements_->ofMailbox, mailbox);
  return rowsFrom(query);
}

void Quarantine::leaveOut(EndpointMailboxId mailbox, const Uidl& key) {
  execute(statements_->leaveOut, mailbox, key.value());
}

std::vector<Uidl> Quarantine::leftOut(EndpointMailboxId mailbox) {
  std::vector<Uidl> out;
  Query query(statements_->leftOut, mailbox);
  while (query.next()) out.emplace_back(std::string(query.text(0)));
  return out;
}

void Quarantine::takeInAgain(EndpointMailboxId mailbox) {
  execute(statements_->takeIn, mailbox);
}

std::vector<QuarantineRow> Quarantine::all() {
  Query query(statements_->everywhere);
  return rowsFrom(query);
}

}  // namespace mailbraid::mailstore
