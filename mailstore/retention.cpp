#include "mailstore/database.h"
#include "mailstore/statement.h"
#include "mailstore/store.h"

#include <filesystem>

namespace mailbraid::mailstore {
namespace {

/// Entries at a call of forget(): a transaction that nobody notices.
constexpr int kBatch = 500;

struct Candidate {
  EntryId entry;
  MessageId message;
  std::int64_t removedAt = 0;
  bool isHad = false;  ///< an endpoint has it
};

}  // namespace

struct Retention::Statements {
  explicit Statements(Database& owner) : database(owner) {}

  Database& database;
  Statement old{database,
                "SELECT id, message, removed_at, EXISTS(SELECT 1 FROM pair WHERE pair.entry = entry.id AND held = 0)"
                " FROM entry INDEXED BY entry_removed WHERE removed_at <> 0 AND removed_at < ?1"
                " AND (removed_at, id) > (?2, ?3) ORDER BY removed_at, id LIMIT ?4"};
  // A POP3 server that lists it again one day must not make it new.
  Statement rememberNames{database,
                          "INSERT OR IGNORE INTO left_out(endpoint_mailbox, key)"
                          " SELECT p.endpoint_mailbox, p.key FROM pair p"
                          " JOIN endpoint_mailbox b ON b.id = p.endpoint_mailbox JOIN endpoint o ON o.id = b.endpoint"
                          " WHERE p.entry = ? AND p.held = 1 AND p.key IS NOT NULL AND o.type = 'pop3'"};
  Statement removePairs{database, "DELETE FROM pair WHERE entry = ?"};
  Statement removeEntry{database, "DELETE FROM entry WHERE id = ?"};
  Statement removeMessage{
      database,
      "DELETE FROM message WHERE id = ?1 AND NOT EXISTS(SELECT 1 FROM entry WHERE message = ?1) RETURNING size"};
  Statement removeBody{database, "DELETE FROM body WHERE id >= ?1 << 20 AND id < (?1 + 1) << 20"};
  // What was taken to be a message until its original came (EndpointPull::isOriginal()).
  Statement superseded{database,
                       "SELECT DISTINCT m.id FROM alias a JOIN message m"
                       " ON substr(m.digest, 1, 4) = substr(a.digest, 1, 4) AND m.digest = a.digest"
                       " WHERE NOT EXISTS(SELECT 1 FROM entry WHERE message = m.id)"};
  Statement removeJournal{
      database, "DELETE FROM journal WHERE run <= (SELECT max(id) FROM run WHERE started < ? AND finished <> 0)"};
  // What is not on record is not taken back.
  Statement closeRuns{database,
                      "UPDATE run SET first_change = -1 WHERE first_change >= 0"
                      " AND id <= (SELECT max(id) FROM run WHERE started < ? AND finished <> 0)"};
  Statement removeMailboxes{database,
                            "DELETE FROM mailbox WHERE removed_at <> 0 AND NOT EXISTS(SELECT 1 FROM entry INDEXED BY"
                            " entry_removed WHERE removed_at <> 0 AND entry.mailbox = mailbox.id)"
                            " AND NOT EXISTS(SELECT 1 FROM entry WHERE removed_at = 0 AND entry.mailbox = mailbox.id)"
                            " AND NOT EXISTS(SELECT 1 FROM endpoint_mailbox b WHERE b.mailbox = mailbox.id)"
                            " AND NOT EXISTS(SELECT 1 FROM journal j WHERE j.mailbox = mailbox.id)"};
  Statement lastTime{database, "SELECT last FROM upkeep"};
  Statement setLastTime{database, "UPDATE upkeep SET last = ?"};
  Statement pages{database, "SELECT freelist_count, page_count FROM pragma_freelist_count, pragma_page_count"};

  std::vector<Candidate> candidates(std::int64_t before, std::int64_t time, EntryId entry) {
    std::vector<Candidate> out;
    Query query(old, before, time, entry, kBatch);
    while (query.next()) {
      out.push_back({query.named<EntryId>(0), query.named<MessageId>(1), query.integer(2), query.integer(3) != 0});
    }
    return out;
  }

  /// Where no entry has it.
  void remove(MessageId id, Retention::Forgotten& out) {
    Query message(removeMessage, id);
    if (!message.next()) return;
    ++out.messages;
    out.octets += static_cast<std::uint64_t>(message.integer(0));
    message.next();
    execute(removeBody, id);
  }

  void removeSuperseded(Retention::Forgotten& out) {
    std::vector<MessageId> all;
    for (Query query(superseded); query.next();) all.push_back(query.named<MessageId>(0));
    for (const MessageId id : all) remove(id, out);
  }
};

Retention::Retention(Database& database) : statements_(std::make_unique<Statements>(database)) {}
Retention::~Retention() = default;

Retention::Forgotten Retention::forget(std::int64_t removedBefore) {
  Forgotten out;
  const std::vector<Candidate> batch = statements_->candidates(removedBefore, time_, entry_);
  for (const Candidate& one : batch) {
    time_ = one.removedAt;
    entry_ = one.entry;
    if (one.isHad) {
      ++out.waiting;
      continue;
    }
    execute(statements_->rememberNames, one.entry);
    execute(statements_->removePairs, one.entry);
    execute(statements_->removeEntry, one.entry);
    ++out.entries;
    statements_->remove(one.message, out);
  }
  out.more = batch.size() == kBatch;
  if (out.more) return out;
  time_ = 0;
  entry_ = {};
  statements_->removeSuperseded(out);
  execute(statements_->removeJournal, removedBefore);
  execute(statements_->closeRuns, removedBefore);
  execute(statements_->removeMailboxes);
  return out;
}

std::int64_t Retention::lastTime() {
  Query query(statements_->lastTime);
  return query.next() ? query.integer(0) : 0;
}

void Retention::setLastTime(std::int64_t now) {
  execute(statements_->setLastTime, now);
}

std::uint64_t Retention::shrink() {
  {
    Query query(statements_->pages);
    if (!query.next() || query.integer(0) * 4 < query.integer(1)) return 0;
  }
  const std::filesystem::path file = statements_->database.directory() / "store.db";
  Database& database = statements_->database;
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  const std::uintmax_t before = std::filesystem::file_size(file);
  database.run("VACUUM");
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  const std::uintmax_t after = std::filesystem::file_size(file);
  return before > after ? before - after : 0;
}

}  // namespace mailbraid::mailstore
