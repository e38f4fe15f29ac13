#include "mailstore/database.h"
#include "mailstore/row_reader.h"
#include "mailstore/statement.h"
#include "mailstore/store.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace mailbraid::mailstore {
namespace {

// Every look-up of an unpaired entry goes from the message (indexed by digest, header digest and content key) to its
// entries in the mailbox, and is done at the first that has no pair there. CROSS JOIN and INDEXED BY: without them
// SQLite, which has no statistics, goes through all live entries of the mailbox instead.
#define MAILBRAID_UNPAIRED(condition)                                                                             \
  "SELECT e.id FROM message m CROSS JOIN entry e INDEXED BY entry_message ON e.message = m.id AND e.mailbox = ?1" \
  " WHERE " condition                                                                                             \
  " AND e.removed_at = 0 AND NOT EXISTS(SELECT 1 FROM pair p"                                                     \
  " WHERE p.entry = e.id AND p.endpoint_mailbox = ?2 AND p.held = 0) ORDER BY e.id LIMIT 1"

// See findUploaded(): ?1 braid, ?2 mailbox, ?3 endpoint, ?4 whether tombstones count.
#define MAILBRAID_UPLOADED(condition)                                                                        \
  "SELECT e.id FROM message m CROSS JOIN entry e INDEXED BY entry_message ON e.message = m.id"               \
  " JOIN mailbox b ON b.id = e.mailbox AND b.braid = ?1"                                                     \
  " WHERE " condition                                                                                        \
  " AND CASE WHEN e.removed_at = 0"                                                                          \
  " THEN b.id <> ?2 AND EXISTS(SELECT 1 FROM endpoint_mailbox o WHERE o.endpoint = ?3 AND o.mailbox = b.id)" \
  " ELSE ?4 AND EXISTS(SELECT 1 FROM waiting w WHERE w.endpoint = ?3 AND w.entry = e.id) END"                \
  " AND NOT EXISTS(SELECT 1 FROM pair p JOIN endpoint_mailbox o ON o.id = p.endpoint_mailbox"                \
  " WHERE p.entry = e.id AND o.endpoint = ?3 AND p.held = 0)"                                                \
  " ORDER BY e.removed_at <> 0, e.id LIMIT 1"

#define MAILBRAID_NOT_DAMAGED "NOT EXISTS(SELECT 1 FROM damaged d WHERE d.message = m.id)"

#define MAILBRAID_LIKE(index, column, more)                                                             \
  "SELECT " MAILBRAID_ENTRY_COLUMNS " FROM message m INDEXED BY " index                                 \
  " CROSS JOIN entry e INDEXED BY entry_message ON e.message = m.id JOIN mailbox b ON b.id = e.mailbox" \
  " WHERE substr(" column ", 1, 4) = substr(?2, 1, 4) AND " column " = ?2 AND b.braid = ?1 " more       \
  " AND " MAILBRAID_NOT_DAMAGED " ORDER BY e.id"

#define MAILBRAID_ROWS                                             \
  "SELECT " MAILBRAID_ENTRY_COLUMNS ", " MAILBRAID_MESSAGE_COLUMNS \
  " FROM entry e JOIN message m ON m.id = e.message WHERE e.mailbox = ?1 AND e.removed_at = 0 AND "

std::optional<EntryId> idFrom(Query& query) {
  if (!query.next()) return std::nullopt;
  return query.named<EntryId>(0);
}

std::vector<EntryId> idsFrom(Query query) {
  std::vector<EntryId> out;
  while (query.next()) out.push_back(query.named<EntryId>(0));
  return out;
}

EntryRow rowFrom(const Query& query) {
  return {entryFrom(query, 0), messageInfoFrom(query, kEntryColumns)};
}

std::vector<Entry> entriesOf(Query&& query) {
  std::vector<Entry> out;
  while (query.next()) out.push_back(entryFrom(query, 0));
  return out;
}

}  // namespace

struct Entries::Statements {
  explicit Statements(Database& owner) : database(owner) {}

  Database& database;
  Statement insert{database,
                   "INSERT INTO entry(id, mailbox, message, flags, keywords, internal_date, zone, change)"
                   " VALUES(?1,?2,?3,?4,?5,?6,?7,?1)"};
  Statement byId{database, "SELECT " MAILBRAID_ENTRY_COLUMNS " FROM entry e WHERE e.id = ?"};
  Statement keep{database,
                 "INSERT OR IGNORE INTO journal(run, entry, mailbox, flags, keywords, removed_at)"
                 " SELECT ?1, id, mailbox, flags, keywords, removed_at FROM entry WHERE id = ?2"};
  // Pairs that have the entry's flags keep them when the entry gets others.
  Statement keepPairs{database,
                      "UPDATE pair INDEXED BY pair_entry SET (flags, keywords) ="
                      " (SELECT flags, keywords FROM entry WHERE id = ?1) WHERE entry = ?1 AND id <> ?2 AND flags < 0"};
  Statement setFlags{database, "UPDATE entry SET flags = ?, keywords = ?, change = ? WHERE id = ?"};
  Statement setMessage{database, "UPDATE entry SET message = ? WHERE id = ?"};
  Statement move{database, "UPDATE entry SET mailbox = ?, change = ? WHERE id = ?"};
  Statement setRemoved{database, "UPDATE entry SET removed_at = ?, change = ? WHERE id = ?"};
  Statement reviveMailbox{
      database,
      "UPDATE mailbox SET removed_at = 0, role = CASE WHEN EXISTS(SELECT 1 FROM mailbox o WHERE"
      " o.braid = mailbox.braid AND o.role = mailbox.role AND o.removed_at = 0) THEN '' ELSE role END"
      " WHERE id = (SELECT mailbox FROM entry WHERE id = ?) AND removed_at <> 0 AND NOT EXISTS("
      "SELECT 1 FROM mailbox o WHERE o.braid = mailbox.braid AND o.name = mailbox.name AND o.removed_at = 0)"};
  Statement joinNamesake{
      database,
      "UPDATE entry SET mailbox = (SELECT o.id FROM mailbox b JOIN mailbox o ON o.braid = b.braid AND"
      " o.name = b.name AND o.removed_at = 0 WHERE b.id = entry.mailbox) WHERE id = ?"};
  Statement byDigest{database, MAILBRAID_UNPAIRED("substr(m.digest, 1, 4) = substr(?3, 1, 4) AND m.digest = ?3")};
  Statement byHeader{
      database,
      MAILBRAID_UNPAIRED("substr(m.header_digest, 1, 4) = substr(?3, 1, 4) AND m.header_digest = ?3 AND m.size = ?4"
                         " AND " MAILBRAID_NOT_DAMAGED)};
  Statement byContent{database,
                      MAILBRAID_UNPAIRED("substr(m.content_key, 1, 4) = substr(?3, 1, 4) AND m.content_key = ?3")};
  Statement uploadedByDigest{database,
                             MAILBRAID_UPLOADED("substr(m.digest, 1, 4) = substr(?5, 1, 4) AND m.digest = ?5")};
  Statement uploadedByHeader{
      database,
      MAILBRAID_UPLOADED("substr(m.header_digest, 1, 4) = substr(?5, 1, 4) AND m.header_digest = ?5 AND m.size = ?6"
                         " AND " MAILBRAID_NOT_DAMAGED)};
  Statement inBraid{database,
                    "SELECT m.id FROM message m WHERE substr(m.header_digest, 1, 4) = substr(?1, 1, 4) AND "
                    "m.header_digest = ?1 AND m.size = ?2 AND " MAILBRAID_NOT_DAMAGED
                    " AND EXISTS(SELECT 1 FROM entry e INDEXED BY entry_message"
                    " JOIN mailbox b ON b.id = e.mailbox WHERE e.message = m.id AND e.removed_at = 0 AND b.braid = ?3)"
                    " ORDER BY m.id LIMIT 1"};
  Statement likeHeader{database, MAILBRAID_LIKE("message_header", "m.header_digest", "AND m.size = ?3")};
  Statement likeContent{database, MAILBRAID_LIKE("message_content", "m.content_key", "")};
  Statement nthNewest{database, "SELECT " MAILBRAID_ENTRY_COLUMNS
                                " FROM entry e WHERE e.mailbox = ? AND e.removed_at = 0"
                                " ORDER BY e.internal_date DESC, e.id DESC LIMIT 1 OFFSET ?"};
  Statement seenAt{database,
                   "SELECT 1 FROM message o CROSS JOIN message m INDEXED BY message_content"
                   " ON substr(m.content_key, 1, 4) = substr(o.content_key, 1, 4) AND m.content_key = o.content_key"
                   " CROSS JOIN entry e ON e.message = m.id CROSS JOIN pair p ON p.entry = e.id"
                   " CROSS JOIN endpoint_mailbox b ON b.id = p.endpoint_mailbox"
                   " WHERE o.id = ?1 AND b.endpoint = ?2"
                   " AND CASE WHEN p.flags < 0 THEN e.flags ELSE p.flags END & 1 = 1 LIMIT 1"};
  Statement twin{database,
                 "SELECT o.id FROM entry e JOIN entry o INDEXED BY entry_message ON o.message = e.message"
                 " WHERE e.id = ?1 AND o.id <> ?1 AND o.removed_at = 0 AND EXISTS(SELECT 1 FROM pair p"
                 " JOIN endpoint_mailbox b ON b.id = p.endpoint_mailbox"
                 " WHERE p.entry = o.id AND p.held = 0 AND b.endpoint = ?2) ORDER BY o.id LIMIT 1"};
  // Two steps, each a range of entry_live: one comparison of (date, id) would skip over all that share the date, every
  // page.
  Statement restOfDate{database, MAILBRAID_ROWS "e.internal_date = ?2 AND e.id > ?3 ORDER BY e.id LIMIT 256"};
  Statement laterDates{database, MAILBRAID_ROWS "e.internal_date > ?2 ORDER BY e.internal_date, e.id LIMIT 256"};
  Statement rowById{database, "SELECT " MAILBRAID_ENTRY_COLUMNS ", " MAILBRAID_MESSAGE_COLUMNS
                              " FROM entry e JOIN message m ON m.id = e.message WHERE e.id = ?"};
  Statement removed{database,
                    "SELECT id FROM entry INDEXED BY entry_removed WHERE removed_at <> 0 AND mailbox = ? ORDER BY id"};
  Statement imports{database,
                    "SELECT first_change, (SELECT min(n.first_change) FROM run n WHERE n.id > r.id)"
                    " FROM run r WHERE command = 'import' AND first_change >= 0"};
  Statement made{database, "SELECT id FROM entry WHERE id > ? AND id <= ? AND removed_at = 0 ORDER BY id"};

  /// True when a run of `import` made it.
  bool isImported(EntryId id) {
    if (!(importsOf == database.currentRun())) {
      importsOf = database.currentRun();
      imported.clear();
      Query query(imports);
      while (query.next()) {
        const std::int64_t end = query.isNull(1) ? std::numeric_limits<std::int64_t>::max() : query.integer(1);
        imported.emplace_back(query.integer(0), end);
      }
    }
    return std::any_of(imported.begin(), imported.end(),
                       [&](const auto& range) { return id.value() > range.first && id.value() <= range.second; });
  }

  RunId importsOf;  ///< the run for which `imported` was read
  std::vector<std::pair<std::int64_t, std::int64_t>> imported;

  /// Before an entry changes: what it was goes to the journal of the run, unless the run made it.
  void willChange(EntryId id) {
    if (database.currentRun().value() == 0 || id.value() > database.runBegan().value()) return;
    execute(keep, database.currentRun(), id);
  }
};

Entries::Entries(Database& database) : statements_(std::make_unique<Statements>(database)) {}
Entries::~Entries() = default;

EntryId Entries::add(MailboxId mailbox, MessageId message, const Flags& flags, InternalDate date) {
  const ChangeNumber change = statements_->database.nextChange();
  execute(statements_->insert, change, mailbox, message, int{flags.bits()}, flags.keywordColumn(), date.seconds,
          int{date.zoneMinutes});
  return EntryId{change.value()};
}

std::optional<Entry> Entries::find(EntryId id) {
  Query query(statements_->byId, id);
  if (!query.next()) return std::nullopt;
  return entryFrom(query, 0);
}

void Entries::setFlags(EntryId id, const Flags& flags, PairId follower) {
  statements_->willChange(id);
  execute(statements_->keepPairs, id, follower);
  execute(statements_->setFlags, int{flags.bits()}, flags.keywordColumn(), statements_->database.nextChange(), id);
}

void Entries::setMessage(EntryId id, MessageId message) {
  execute(statements_->setMessage, message, id);
}

void Entries::move(EntryId id, MailboxId to) {
  statements_->willChange(id);
  execute(statements_->move, to, statements_->database.nextChange(), id);
}

void Entries::remove(EntryId id, std::int64_t now) {
  statements_->willChange(id);
  execute(statements_->setRemoved, now == 0 ? std::int64_t{1} : now, statements_->database.nextChange(), id);
}

void Entries::revive(EntryId id) {
  statements_->willChange(id);
  // Its mailbox may be gone as well: it comes back, or the one that has its name now takes the entry.
  execute(statements_->reviveMailbox, id);
  execute(statements_->joinNamesake, id);
  execute(statements_->setRemoved, 0, statements_->database.nextChange(), id);
}

void Entries::putBack(EntryId id, MailboxId mailbox) {
  move(id, mailbox);
  revive(id);
}

void Entries::isShared(EntryId id) {
  if (statements_->isImported(id)) statements_->willChange(id);
}

ChangeNumber Entries::lastChange() {
  return statements_->database.lastChange();
}

std::optional<EntryId> Entries::findUnpaired(MailboxId mailbox, EndpointMailboxId endpointMailbox,
                                             const Digest& digest) {
  Query query(statements_->byDigest, mailbox, endpointMailbox, digest);
  return idFrom(query);
}

std::optional<EntryId> Entries::findUnpaired(MailboxId mailbox, EndpointMailboxId endpointMailbox,
                                             const HeaderDigest& header, std::uint64_t size) {
  Query query(statements_->byHeader, mailbox, endpointMailbox, header, size);
  return idFrom(query);
}

std::optional<EntryId> Entries::findUnpaired(MailboxId mailbox, EndpointMailboxId endpointMailbox,
                                             const ContentKey& key) {
  Query query(statements_->byContent, mailbox, endpointMailbox, key);
  return idFrom(query);
}

std::optional<EntryId> Entries::findUploaded(const EndpointRecord& endpoint, const Mailbox& into,
                                             const Digest& digest) {
  const bool parked = into.role == Role::Trash;
  Query query(statements_->uploadedByDigest, endpoint.braid, into.id, endpoint.id, parked, digest);
  return idFrom(query);
}

std::optional<EntryId> Entries::findUploaded(const EndpointRecord& endpoint, const Mailbox& into,
                                             const HeaderDigest& header, std::uint64_t size) {
  const bool parked = into.role == Role::Trash;
  Query query(statements_->uploadedByHeader, endpoint.braid, into.id, endpoint.id, parked, header, size);
  return idFrom(query);
}

std::optional<MessageId> Entries::findMessage(BraidId braid, const HeaderDigest& header, std::uint64_t size) {
  Query query(statements_->inBraid, header, size, braid);
  if (!query.next()) return std::nullopt;
  return query.named<MessageId>(0);
}

std::vector<Entry> Entries::like(BraidId braid, const HeaderDigest& header, std::uint64_t size) {
  return entriesOf(Query(statements_->likeHeader, braid, header, size));
}

std::vector<Entry> Entries::like(BraidId braid, const ContentKey& key) {
  return entriesOf(Query(statements_->likeContent, braid, key));
}

void Entries::list(MailboxId mailbox, const std::function<void(const EntryRow&)>& visit) {
  std::int64_t date = std::numeric_limits<std::int64_t>::min();
  EntryId last;
  while (true) {
    std::vector<EntryRow> page;
    {
      Query query(statements_->restOfDate, mailbox, date, last);
      while (query.next()) page.push_back(rowFrom(query));
    }
    if (page.empty()) {
      Query query(statements_->laterDates, mailbox, date);
      while (query.next()) page.push_back(rowFrom(query));
    }
    if (page.empty()) return;
    for (const EntryRow& row : page) visit(row);
    date = page.back().entry.internalDate.seconds;
    last = page.back().entry.id;
  }
}

std::optional<Entry> Entries::nthNewest(MailboxId mailbox, std::uint64_t count) {
  Query query(statements_->nthNewest, mailbox, count - 1);
  if (!query.next()) return std::nullopt;
  return entryFrom(query, 0);
}

std::optional<EntryId> Entries::findTwinAt(EndpointId endpoint, EntryId id) {
  Query query(statements_->twin, id, endpoint);
  return idFrom(query);
}

void Entries::listRemoved(MailboxId mailbox, const std::function<void(const EntryRow&)>& visit) {
  for (const EntryId id : idsFrom(Query(statements_->removed, mailbox))) {
    if (const auto found = anyRow(id)) visit(*found);
  }
}

std::optional<EntryRow> Entries::row(EntryId id) {
  std::optional<EntryRow> found = anyRow(id);
  if (found && found->entry.removedAt != 0) found.reset();
  return found;
}

std::optional<EntryRow> Entries::anyRow(EntryId id) {
  Query query(statements_->rowById, id);
  if (!query.next()) return std::nullopt;
  return rowFrom(query);
}

std::vector<EntryId> Entries::madeBetween(ChangeNumber after, ChangeNumber upTo) {
  return idsFrom(Query(statements_->made, after, upTo));
}

bool Entries::isSeenAt(EndpointId endpoint, MessageId message) {
  Query query(statements_->seenAt, message, endpoint);
  return query.next();
}

}  // namespace mailbraid::mailstore
