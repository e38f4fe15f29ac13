#include "mailstore/database.h"
#include "mailstore/statement.h"
#include "mailstore/store.h"

namespace mailbraid::mailstore {
namespace {

EndpointRecord endpointFrom(const Query& query) {
  EndpointRecord out;
  out.id = query.named<EndpointId>(0);
  out.name = query.text(1);
  out.type = query.text(2);
  out.braid = query.named<BraidId>(3);
  out.pushed = query.named<ChangeNumber>(4);
  out.seal = query.text(5);
  out.lastRun = query.integer(6);
  out.policy = query.text(7);
  out.window = query.text(8);
  return out;
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
  out.storeName = query.text(10);
  return out;
}

#define MAILBRAID_ENDPOINT_MAILBOX_COLUMNS \
  "id, endpoint, name, mailbox, object_id, uid_validity, uid_next, highest_mod_seq, messages, complete, store_name"
#define MAILBRAID_ENDPOINT_COLUMNS "id, name, type, braid, pushed, seal, last_run, policy, window"

}  // namespace

struct Endpoints::Statements {
  explicit Statements(Database& owner) : database(owner) {}

  Database& database;
  Statement byName{database, "SELECT " MAILBRAID_ENDPOINT_COLUMNS " FROM endpoint WHERE name = ?"};
  Statement insert{database, "INSERT INTO endpoint(name, type, braid, seal) VALUES(?,?,?,lower(hex(randomblob(16))))"};
  Statement update{database,
                   "UPDATE endpoint SET type = ?, braid = ?, pushed = 0, policy = '', last_run = 0 WHERE id = ?"};
  Statement makeSeal{database, "UPDATE endpoint SET seal = lower(hex(randomblob(16))) WHERE id = ? AND seal = ''"};
  Statement forget{database, "DELETE FROM endpoint_mailbox WHERE endpoint = ?"};
  Statement forgetWaiting{database, "DELETE FROM waiting WHERE endpoint = ?"};
  Statement forgetUnwanted{database, "DELETE FROM unwanted WHERE endpoint = ?"};
  Statement mailboxes{
      database, "SELECT " MAILBRAID_ENDPOINT_MAILBOX_COLUMNS " FROM endpoint_mailbox WHERE endpoint = ? ORDER BY name"};
  Statement insertMailbox{database,
                          "INSERT INTO endpoint_mailbox(endpoint, name, mailbox, object_id, store_name)"
                          " VALUES(?1,?2,?3,?4,(SELECT name FROM mailbox WHERE id = ?3))"
                          " RETURNING " MAILBRAID_ENDPOINT_MAILBOX_COLUMNS};
  Statement renameMailbox{database,
                          "UPDATE endpoint_mailbox SET name = ?1, mailbox = ?2, store_name = (SELECT name FROM mailbox"
                          " WHERE id = ?2) WHERE id = ?3"};
  Statement setStoreName{database, "UPDATE endpoint_mailbox SET store_name = ? WHERE id = ?"};
  Statement setWindow{database, "UPDATE endpoint SET window = ? WHERE id = ?"};
  Statement setLastRun{database, "UPDATE endpoint SET last_run = ? WHERE id = ?"};
  Statement setObjectId{database, "UPDATE endpoint_mailbox SET object_id = ? WHERE id = ?"};
  Statement setAnchor{database,
                      "UPDATE endpoint_mailbox SET uid_validity = ?, uid_next = ?, highest_mod_seq = ?, messages = ?,"
                      " complete = ? WHERE id = ?"};
  Statement removeMailbox{database, "DELETE FROM endpoint_mailbox WHERE id = ?"};
  Statement success{database,
                    "UPDATE endpoint SET last_success = ?1, last_attempt = ?1, last_problem = '' WHERE id = ?2"};
  Statement problem{database, "UPDATE endpoint SET last_attempt = ?, last_problem = ? WHERE id = ?"};
  Statement statuses{database, "SELECT " MAILBRAID_ENDPOINT_COLUMNS
                               ", last_success, last_attempt, last_problem FROM endpoint"
                               " ORDER BY name"};
  Statement drop{database, "DELETE FROM endpoint WHERE id = ?"};
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
  if (known->seal.empty()) {  // it is from before there were seals
    execute(sql.makeSeal, known->id);
    return ensure(name, type, braid);
  }
  if (known->braid == braid && known->type == type) return *known;
  // Mail of one braid never passes into another, and a UID says nothing about a UIDL: first contact.
  execute(sql.forget, known->id);
  execute(sql.forgetWaiting, known->id);
  execute(sql.forgetUnwanted, known->id);
  execute(sql.update, type, braid, known->id);
  return ensure(name, type, braid);
}

EndpointId Endpoints::find(std::string_view name) {
  Query query(statements_->byName, name);
  return query.next() ? query.named<EndpointId>(0) : EndpointId{};
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

void Endpoints::setStoreName(EndpointMailboxId id, std::string_view name) {
  execute(statements_->setStoreName, name, id);
}

void Endpoints::setLastRun(EndpointId endpoint, RunId run) {
  execute(statements_->setLastRun, run, endpoint);
}

void Endpoints::setWindow(EndpointId endpoint, std::string_view window) {
  execute(statements_->setWindow, window, endpoint);
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

void Endpoints::forget(EndpointId id) {
  execute(statements_->drop, id);
}

std::vector<EndpointStatus> Endpoints::statuses() {
  std::vector<EndpointStatus> out;
  Query query(statements_->statuses);
  while (query.next()) {
    out.push_back({endpointFrom(query), query.integer(9), query.integer(10), std::string(query.text(11))});
  }
  return out;
}

}  // namespace mailbraid::mailstore
