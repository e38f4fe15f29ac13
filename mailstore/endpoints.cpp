#include "mailstore/database.h"
#include "mailstore/statement.h"
#include "mailstore/store.h"

namespace mailbraid::mailstore {
namespace {

EndpointRecord endpointFrom(const Query& query) {
  return {query.named<EndpointId>(0), std::string(query.text(1)), std::string(query.text(2)), query.named<BraidId>(3)};
}

EndpointMailbox mailboxFrom(const Query& query) {
  EndpointMailbox out;
  out.id = query.named<EndpointMailboxId>(0);
  out.endpoint = query.named<EndpointId>(1);
  out.name = query.text(2);
  out.mailbox = query.named<MailboxId>(3);
  out.objectId = query.text(4);
  out.anchor.uidValidity = query.named<UidValidity>(5);
  out.anchor.uidNext = query.named<Uid>(6);
  out.anchor.highestModSeq = query.named<ModSeq>(7);
  out.anchor.messages = static_cast<std::uint32_t>(query.integer(8));
  out.anchor.complete = query.integer(9) != 0;
  return out;
}

#define MAILBRAID_ENDPOINT_MAILBOX_COLUMNS \
  "id, endpoint, name, mailbox, object_id, uid_validity, uid_next, highest_mod_seq, messages, complete"

}  // namespace

struct Endpoints::Statements {
  explicit Statements(Database& owner) : database(owner) {}

  Database& database;
  Statement byName{database, "SELECT id, name, type, braid FROM endpoint WHERE name = ?"};
  Statement insert{database, "INSERT INTO endpoint(name, type, braid) VALUES(?,?,?)"};
  Statement update{database, "UPDATE endpoint SET type = ?, braid = ? WHERE id = ?"};
  Statement forget{database, "DELETE FROM endpoint_mailbox WHERE endpoint = ?"};
  Statement mailboxes{
      database, "SELECT " MAILBRAID_ENDPOINT_MAILBOX_COLUMNS " FROM endpoint_mailbox WHERE endpoint = ? ORDER BY name"};
  Statement insertMailbox{database,
                          "INSERT INTO endpoint_mailbox(endpoint, name, mailbox, object_id) VALUES(?,?,?,?)"
                          " RETURNING " MAILBRAID_ENDPOINT_MAILBOX_COLUMNS};
  Statement renameMailbox{database, "UPDATE endpoint_mailbox SET name = ?, mailbox = ? WHERE id = ?"};
  Statement setObjectId{database, "UPDATE endpoint_mailbox SET object_id = ? WHERE id = ?"};
  Statement setAnchor{database,
                      "UPDATE endpoint_mailbox SET uid_validity = ?, uid_next = ?, highest_mod_seq = ?, messages = ?,"
                      " complete = ? WHERE id = ?"};
  Statement removeMailbox{database, "DELETE FROM endpoint_mailbox WHERE id = ?"};
  Statement success{database,
                    "UPDATE endpoint SET last_success = ?1, last_attempt = ?1, last_problem = '' WHERE id = ?2"};
  Statement problem{database, "UPDATE endpoint SET last_attempt = ?, last_problem = ? WHERE id = ?"};
  Statement statuses{database,
                     "SELECT id, name, type, braid, last_success, last_attempt, last_problem FROM endpoint"
                     " ORDER BY name"};
};

Endpoints::Endpoints(Database& database) : statements_(std::make_unique<Statements>(database)) {}
Endpoints::~Endpoints() = default;

EndpointRecord Endpoints::ensure(std::string_view name, std::string_view type, BraidId braid) {
  Statements& sql = *statements_;
  std::optional<EndpointRecord> known;
  {
    Query query(sql.byName, name);
    if (query.next()) known = endpointFrom(query);
  }
  if (!known) {
    execute(sql.insert, name, type, braid);
    return ensure(name, type, braid);
  }
  if (known->braid == braid && known->type == type) return *known;
  // Mail of one braid never passes into another, and a UID says nothing about a UIDL: first contact.
  execute(sql.forget, known->id);
  execute(sql.update, type, braid, known->id);
  known->type = type;
  known->braid = braid;
  return *known;
}

std::vector<EndpointMailbox> Endpoints::mailboxes(EndpointId endpoint) {
  std::vector<EndpointMailbox> out;
  Query query(statements_->mailboxes, endpoint);
  while (query.next()) out.push_back(mailboxFrom(query));
  return out;
}

EndpointMailbox Endpoints::addMailbox(EndpointId endpoint, std::string_view name, MailboxId mailbox,
                                      std::string_view objectId) {
  Query query(statements_->insertMailbox, endpoint, name, mailbox, objectId);
  query.next();
  EndpointMailbox out = mailboxFrom(query);
  query.next();
  return out;
}

void Endpoints::renameMailbox(EndpointMailboxId id, std::string_view name, MailboxId mailbox) {
  execute(statements_->renameMailbox, name, mailbox, id);
}

void Endpoints::setObjectId(EndpointMailboxId id, std::string_view objectId) {
  execute(statements_->setObjectId, objectId, id);
}

void Endpoints::setAnchor(EndpointMailboxId id, const Anchor& anchor) {
  execute(statements_->setAnchor, anchor.uidValidity, anchor.uidNext, anchor.highestModSeq, anchor.messages,
          anchor.complete, id);
}

void Endpoints::removeMailbox(EndpointMailboxId id) {
  execute(statements_->removeMailbox, id);
}

void Endpoints::recordSuccess(EndpointId endpoint, std::int64_t now) {
  execute(statements_->success, now, endpoint);
}

void Endpoints::recordProblem(EndpointId endpoint, std::int64_t now, std::string_view problem) {
  execute(statements_->problem, now, problem, endpoint);
}

std::vector<EndpointStatus> Endpoints::statuses() {
  std::vector<EndpointStatus> out;
  Query query(statements_->statuses);
  while (query.next()) {
    out.push_back({endpointFrom(query), query.integer(4), query.integer(5), std::string(query.text(6))});
  }
  return out;
}

}  // namespace mailbraid::mailstore
