#include "mailstore/database.h"
#include "mailstore/header_fields.h"
#include "mailstore/statement.h"
#include "mailstore/store.h"

#include <map>
#include <string>

namespace mailbraid::mailstore {
namespace {

#define MAILBRAID_MAILBOX_COLUMNS "b.id, b.braid, r.name, b.name, b.role FROM mailbox b JOIN braid r ON r.id = b.braid"

Mailbox mailboxFrom(const Query& query) {
  Mailbox out;
  out.id = query.named<MailboxId>(0);
  out.braid = query.named<BraidId>(1);
  out.braidName = query.text(2);
  out.name = query.text(3);
  out.role = roleFromName(query.text(4)).value_or(Role::None);
  return out;
}

std::optional<Mailbox> oneFrom(Query& query) {
  if (!query.next()) return std::nullopt;
  return mailboxFrom(query);
}

/// INBOX is the one name without regard to case (RFC 9051 section 5.1).
std::string_view canonical(std::string_view name) {
  return equalIgnoringCase(name, "INBOX") ? "INBOX" : name;
}

}  // namespace

struct Mailboxes::Statements {
  explicit Statements(Database& owner) : database(owner) {}

  Database& database;
  Statement braidName{database, "SELECT name FROM braid WHERE id = ?"};
  Statement findBraid{database, "SELECT id FROM braid WHERE name = ?"};
  Statement insertBraid{database, "INSERT INTO braid(name) VALUES(?) RETURNING id"};
  Statement byId{database, "SELECT " MAILBRAID_MAILBOX_COLUMNS " WHERE b.id = ?"};
  Statement ofRemote{database, "SELECT " MAILBRAID_MAILBOX_COLUMNS
                               " WHERE b.id = (SELECT mailbox FROM endpoint_mailbox WHERE id = ?)"};
  Statement byName{database,
                   "SELECT " MAILBRAID_MAILBOX_COLUMNS " WHERE b.braid = ? AND b.name = ? AND b.removed_at = 0"};
  Statement byRole{database, "SELECT " MAILBRAID_MAILBOX_COLUMNS
                             " WHERE b.braid = ? AND b.role = ? AND b.removed_at = 0 AND b.role <> ''"};
  Statement inBraid{database,
                    "SELECT " MAILBRAID_MAILBOX_COLUMNS " WHERE b.braid = ? AND b.removed_at = 0 ORDER BY b.name"};
  Statement removedByName{
      database, "SELECT id FROM mailbox WHERE braid = ? AND name = ? AND removed_at <> 0 ORDER BY id LIMIT 1"};
  Statement reuse{database, "UPDATE mailbox SET removed_at = 0, role = ? WHERE id = ?"};
  Statement insert{database, "INSERT INTO mailbox(braid, name, role) VALUES(?,?,?) RETURNING id"};
  Statement setRole{database, "UPDATE mailbox SET role = ? WHERE id = ?"};
  Statement rename{database, "UPDATE mailbox SET name = ? WHERE id = ?"};
  // removed_at needs no clock here: it only says that the mailbox is gone.
  Statement remove{database,
                   "UPDATE mailbox SET removed_at = 1 WHERE id = ?1 AND removed_at = 0"
                   " AND NOT EXISTS(SELECT 1 FROM endpoint_mailbox WHERE mailbox = ?1)"
                   " AND NOT EXISTS(SELECT 1 FROM entry WHERE mailbox = ?1 AND removed_at = 0) RETURNING id"};
  // CROSS JOIN: else SQLite goes through the entries of all braids.
  Statement live{
      database,
      "SELECT count(*) FROM mailbox b CROSS JOIN entry e ON e.mailbox = b.id AND e.removed_at = 0 WHERE b.braid = ?"};
  Statement any{
      database,
      "SELECT EXISTS(SELECT 1 FROM mailbox b CROSS JOIN entry e ON e.mailbox = b.id AND e.removed_at = 0 WHERE b.braid"
      " = ?)"};
  Statement holdsNothing{database, "SELECT NOT EXISTS(SELECT 1 FROM entry WHERE mailbox = ? AND removed_at = 0)"};
  Statement counts{database,
                   "SELECT "
                   "b.id, b.braid, r.name, b.name, b.role,"
                   " (SELECT count(*) FROM entry e WHERE e.mailbox = b.id AND e.removed_at = 0)"
                   " FROM mailbox b JOIN braid r ON r.id = b.braid WHERE b.removed_at = 0 ORDER BY r.name, b.name"};
  // One pass over the table: by mailbox it would be a look-up an entry. The sums are made here, since SQLite would
  // sort.
  Statement unseen{database, "SELECT mailbox FROM entry NOT INDEXED WHERE removed_at = 0 AND flags & 1 = 0"};
};

Mailboxes::Mailboxes(Database& database) : statements_(std::make_unique<Statements>(database)) {}
Mailboxes::~Mailboxes() = default;

BraidId Mailboxes::ensureBraid(std::string_view name) {
  {
    Query query(statements_->findBraid, name);
    if (query.next()) return query.named<BraidId>(0);
  }
  Query query(statements_->insertBraid, name);
  query.next();
  const auto id = query.named<BraidId>(0);
  query.next();
  return id;
}

std::string Mailboxes::nameOfBraid(BraidId braid) {
  Query query(statements_->braidName, braid);
  query.next();
  std::string name(query.text(0));
  query.next();
  return name;
}

MailboxId Mailboxes::ensure(BraidId braid, std::string_view name, Role role) {
  Statements& sql = *statements_;
  name = canonical(name);
  if (const auto known = findByRole(braid, role)) return known->id;
  if (const auto known = findByName(braid, name)) {
    if (known->role == Role::None && role != Role::None) execute(sql.setRole, roleName(role), known->id);
    return known->id;
  }
  {
    // Entries that were in a mailbox of this name can be restored into it.
    std::optional<MailboxId> removed;
    {
      Query query(sql.removedByName, braid, name);
      if (query.next()) removed = query.named<MailboxId>(0);
    }
    if (removed) {
      execute(sql.reuse, roleName(role), *removed);
      return *removed;
    }
  }
  Query query(sql.insert, braid, name, roleName(role));
  query.next();
  const auto id = query.named<MailboxId>(0);
  query.next();
  return id;
}

std::optional<Mailbox> Mailboxes::find(MailboxId id) {
  Query query(statements_->byId, id);
  return oneFrom(query);
}

std::optional<Mailbox> Mailboxes::ofEndpointMailbox(EndpointMailboxId id) {
  Query query(statements_->ofRemote, id);
  return oneFrom(query);
}

std::optional<Mailbox> Mailboxes::findByName(BraidId braid, std::string_view name) {
  Query query(statements_->byName, braid, canonical(name));
  return oneFrom(query);
}

std::optional<Mailbox> Mailboxes::findByRole(BraidId braid, Role role) {
  if (role == Role::None) return std::nullopt;
  Query query(statements_->byRole, braid, roleName(role));
  return oneFrom(query);
}

void Mailboxes::rename(MailboxId id, std::string_view name) {
  execute(statements_->rename, canonical(name), id);
}

bool Mailboxes::removeIfUnused(MailboxId id) {
  Query query(statements_->remove, id);
  const bool removed = query.next();
  if (removed) query.next();
  return removed;
}

std::uint64_t Mailboxes::liveEntries(BraidId braid) {
  Query query(statements_->live, braid);
  query.next();
  return static_cast<std::uint64_t>(query.integer(0));
}

bool Mailboxes::isEmpty(BraidId braid) {
  Query query(statements_->any, braid);
  query.next();
  return query.integer(0) == 0;
}

bool Mailboxes::holdsNothing(MailboxId id) {
  Query query(statements_->holdsNothing, id);
  query.next();
  return query.integer(0) != 0;
}

std::vector<Mailbox> Mailboxes::ofBraid(BraidId braid) {
  std::vector<Mailbox> out;
  Query query(statements_->inBraid, braid);
  while (query.next()) out.push_back(mailboxFrom(query));
  return out;
}

std::vector<MailboxSummary> Mailboxes::list() {
  std::map<MailboxId, std::uint64_t> unseen;
  Query without(statements_->unseen);
  while (without.next()) ++unseen[without.named<MailboxId>(0)];
  std::vector<MailboxSummary> out;
  Query query(statements_->counts);
  while (query.next()) {
    const Mailbox mailbox = mailboxFrom(query);
    out.push_back({mailbox, static_cast<std::uint64_t>(query.integer(5)), unseen[mailbox.id]});
  }
  return out;
}

}  // namespace mailbraid::mailstore
