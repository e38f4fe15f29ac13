#include "mailstore/database.h"
#include "mailstore/row_reader.h"
#include "mailstore/statement.h"
#include "mailstore/store.h"

#include <limits>
#include <string>

namespace mailbraid::mailstore {
namespace {

constexpr std::size_t kPage = 1000;
constexpr int kPairColumns = 14;

// Flags below 0: as the entry's. In a damaged store that may be missing; its pair is there all the same.
#define MAILBRAID_PAIR_COLUMNS                                                                                         \
  "p.id, p.endpoint_mailbox, p.uid, p.key, p.entry, CASE WHEN p.flags < 0 THEN coalesce(e.flags, 0) ELSE p.flags END," \
  " CASE WHEN p.flags < 0 THEN coalesce(e.keywords, '') ELSE p.keywords END, p.object_id, p.held, p.marked_apart,"     \
  " p.first_seen, p.deleted_at, p.uploaded, p.flags < 0"
#define MAILBRAID_PAIR_JOIN(index) " FROM pair p " index " LEFT JOIN entry e ON e.id = p.entry "
#define MAILBRAID_PAIR_FROM(index) "SELECT " MAILBRAID_PAIR_COLUMNS MAILBRAID_PAIR_JOIN(index)
#define MAILBRAID_PAIR_SELECT MAILBRAID_PAIR_FROM("")
// The two columns for flags that are told: -1 and '' where they are the entry's, so that a change of both needs no
// writing here.
#define MAILBRAID_OWN_FLAGS(flags, keywords)                                        \
  "CASE WHEN e.flags = " flags " AND e.keywords = " keywords " THEN -1 ELSE " flags \
  " END,"                                                                           \
  " CASE WHEN e.flags = " flags " AND e.keywords = " keywords " THEN '' ELSE " keywords " END"
#define MAILBRAID_HELD(condition)                                                                         \
  "SELECT " MAILBRAID_PAIR_COLUMNS                                                                        \
  " FROM message m CROSS JOIN entry e INDEXED BY entry_message ON e.message = m.id"                       \
  " CROSS JOIN pair p INDEXED BY pair_entry ON p.entry = e.id AND p.endpoint_mailbox = ?1 AND p.held = 1" \
  " AND p.deleted_at = 0 WHERE " condition " ORDER BY p.id LIMIT 1"

Pair pairFrom(const Query& query) {
  Pair out;
  out.id = query.named<PairId>(0);
  out.endpointMailbox = query.named<EndpointMailboxId>(1);
  out.key = remoteKeyFrom(query, 2);
  out.entry = query.named<EntryId>(4);
  out.flags = flagsFrom(query, 5);
  out.objectId = query.text(7);
  out.held = query.integer(8) != 0;
  out.expunged = query.integer(8) == 2;
  out.markedApart = query.integer(9) != 0;
  out.firstSeen = query.integer(10);
  out.deletedAt = query.integer(11);
  out.uploaded = query.integer(12) != 0;
  out.followsEntry = query.integer(13) != 0;
  return out;
}

std::vector<Pair> allFrom(Query& query) {
  std::vector<Pair> out;
  while (query.next()) out.push_back(pairFrom(query));
  return out;
}

}  // namespace

struct Pairs::Statements {
  explicit Statements(Database& owner) : database(owner) {}

  Database& database;
  Statement insert{database,
                   "INSERT INTO pair(endpoint_mailbox, uid, key, entry, flags, keywords, object_id, first_seen)"
                   " SELECT ?1, ?2, ?3, ?4, " MAILBRAID_OWN_FLAGS("?5", "?6") ", ?7, ?8"
                   " FROM (SELECT 1) LEFT JOIN entry e ON e.id = ?4 RETURNING id"};
  Statement insertFollower{database,
                           "INSERT INTO pair(endpoint_mailbox, uid, key, entry, flags, keywords, object_id, first_seen)"
                           " VALUES(?,?,?,?,-1,'',?,?)"};
  Statement insertUploaded{database,
                           "INSERT INTO pair(endpoint_mailbox, uid, key, entry, flags, keywords, object_id, uploaded)"
                           " SELECT ?1, ?2, ?3, ?4, " MAILBRAID_OWN_FLAGS("?5", "?6") ", '', 1"
                           " FROM (SELECT 1) LEFT JOIN entry e ON e.id = ?4 WHERE true ON CONFLICT DO NOTHING"};
  Statement byUid{database, MAILBRAID_PAIR_SELECT "WHERE p.endpoint_mailbox = ? AND p.uid = ?"};
  Statement byKey{database, MAILBRAID_PAIR_SELECT "WHERE p.endpoint_mailbox = ? AND p.key = ?"};
  Statement entryByUid{database, "SELECT " MAILBRAID_PAIR_COLUMNS ", " MAILBRAID_ENTRY_COLUMNS MAILBRAID_PAIR_JOIN(
                                     "") "WHERE p.endpoint_mailbox = ? AND p.uid = ?"};
  Statement entryByKey{database, "SELECT " MAILBRAID_PAIR_COLUMNS ", " MAILBRAID_ENTRY_COLUMNS MAILBRAID_PAIR_JOIN(
                                     "") "WHERE p.endpoint_mailbox = ? AND p.key = ?"};
  Statement uidPage{database, MAILBRAID_PAIR_SELECT
                    "WHERE p.endpoint_mailbox = ? AND p.uid BETWEEN ? AND ? ORDER BY p.uid LIMIT 1000"};
  Statement keyPage{database,
                    MAILBRAID_PAIR_SELECT "WHERE p.endpoint_mailbox = ? AND p.key > ? ORDER BY p.key LIMIT 1000"};
  Statement byEntry{database, MAILBRAID_PAIR_SELECT "WHERE p.entry = ? ORDER BY p.id"};
  Statement byObject{database,
                     "SELECT p.entry FROM pair p JOIN endpoint_mailbox b ON b.id = p.endpoint_mailbox JOIN entry e ON"
                     " e.id = p.entry WHERE p.object_id = ?1 AND p.object_id <> '' AND b.endpoint = ?2"
                     " AND e.removed_at = 0 ORDER BY p.id LIMIT 1"};
  Statement heldByDigest{database, MAILBRAID_HELD("substr(m.digest, 1, 4) = substr(?2, 1, 4) AND m.digest = ?2")};
  Statement heldByHeader{database, MAILBRAID_HELD("substr(m.header_digest, 1, 4) = substr(?2, 1, 4)"
                                                  " AND m.header_digest = ?2 AND m.size = ?3")};
  Statement uids{database,
                 "SELECT uid FROM pair WHERE endpoint_mailbox = ? AND uid IS NOT NULL AND held = 0 ORDER BY uid"};
  Statement lastUid{database, "SELECT max(uid) FROM pair WHERE endpoint_mailbox = ? AND uid IS NOT NULL"};
  Statement count{database,
                  "SELECT (SELECT count(*) FROM pair WHERE endpoint_mailbox = ?1 AND uid IS NOT NULL)"
                  " + (SELECT count(*) FROM pair WHERE endpoint_mailbox = ?1 AND key IS NOT NULL)"
                  " - (SELECT count(*) FROM pair INDEXED BY pair_held WHERE endpoint_mailbox = ?1 AND held = 1)"};
  Statement countUpTo{database, "SELECT count(*) FROM (SELECT 1 FROM pair WHERE endpoint_mailbox = ? LIMIT ?)"};
  // Left to itself, SQLite goes through all pairs of the mailbox.
  Statement held{
      database,
      MAILBRAID_PAIR_FROM("INDEXED BY pair_held") "WHERE p.endpoint_mailbox = ? AND p.held = 1 ORDER BY p.uid, p.key"};
  Statement setFlags{
      database,
      "UPDATE pair SET (flags, keywords) = (SELECT " MAILBRAID_OWN_FLAGS("?1", "?2") " FROM (SELECT 1)"
      " LEFT JOIN entry e ON e.id = pair.entry), marked_apart = CASE WHEN ?1 & 8 = 0 THEN 0 ELSE marked_apart END WHERE id = ?3"};
  Statement setExpunged{database, "UPDATE pair SET held = 2 WHERE id = ?"};
  Statement setDeleted{database, "UPDATE pair SET held = 1, deleted_at = ? WHERE id = ?"};
  Statement setUploaded{database, "UPDATE pair SET uploaded = 1 WHERE id = ?"};
  Statement setMarkedApart{database, "UPDATE pair SET marked_apart = ? WHERE id = ?"};
  Statement setHeld{database, "UPDATE pair SET held = ? WHERE id = ?"};
  Statement rekey{database, "UPDATE pair SET endpoint_mailbox = ?, uid = ?, key = ?, held = 0 WHERE id = ?"};
  Statement remove{database, "DELETE FROM pair WHERE id = ?"};
  Statement removeAll{database, "DELETE FROM pair WHERE endpoint_mailbox = ?"};
};

Pairs::Pairs(Database& database) : statements_(std::make_unique<Statements>(database)) {}
Pairs::~Pairs() = default;

PairId Pairs::add(EndpointMailboxId mailbox, const RemoteKey& key, EntryId entry, const Flags& flags,
                  std::string_view objectId, std::int64_t firstSeen) {
  Query query(statements_->insert, mailbox, uidColumn(key), keyColumn(key), entry, int{flags.bits()},
              flags.keywordColumn(), objectId, firstSeen);
  query.next();
  const auto id = query.named<PairId>(0);
  query.next();
  return id;
}

void Pairs::addUploaded(EndpointMailboxId mailbox, const RemoteKey& key, EntryId entry, const Flags& flags) {
  execute(statements_->insertUploaded, mailbox, uidColumn(key), keyColumn(key), entry, int{flags.bits()},
          flags.keywordColumn());
}

void Pairs::addFollower(EndpointMailboxId mailbox, const RemoteKey& key, EntryId entry, std::string_view objectId,
                        std::int64_t firstSeen) {
  execute(statements_->insertFollower, mailbox, uidColumn(key), keyColumn(key), entry, objectId, firstSeen);
}

std::optional<Pair> Pairs::find(EndpointMailboxId mailbox, const RemoteKey& key) {
  const auto find = [&](Statement& statement, const auto& value) -> std::optional<Pair> {
    Query query(statement, mailbox, value);
    if (!query.next()) return std::nullopt;
    return pairFrom(query);
  };
  if (const auto uid = uidColumn(key)) return find(statements_->byUid, *uid);
  return find(statements_->byKey, keyColumn(key));
}

std::optional<PairedEntry> Pairs::findWithEntry(EndpointMailboxId mailbox, const RemoteKey& key) {
  const auto find = [&](Statement& statement, const auto& value) -> std::optional<PairedEntry> {
    Query query(statement, mailbox, value);
    if (!query.next()) return std::nullopt;
    if (query.isNull(kPairColumns)) return std::nullopt;
    return PairedEntry{pairFrom(query), entryFrom(query, kPairColumns)};
  };
  if (const auto uid = uidColumn(key)) return find(statements_->entryByUid, *uid);
  return find(statements_->entryByKey, keyColumn(key));
}

void Pairs::forUids(EndpointMailboxId mailbox, const UidSet& uids, const std::function<void(const Pair&)>& visit) {
  for (UidSet::Range range : uids.ranges()) {
    // Page by page, so that `visit` may change the pairs that it is shown.
    while (true) {
      std::vector<Pair> page;
      {
        Query query(statements_->uidPage, mailbox, range.first, range.last);
        page = allFrom(query);
      }
      for (const Pair& pair : page) visit(pair);
      if (page.size() < kPage) break;
      const Uid last = std::get<Uid>(page.back().key);
      if (last == range.last) break;
      range.first = Uid{last.value() + 1};
    }
  }
}

void Pairs::forMailbox(EndpointMailboxId mailbox, const std::function<void(const Pair&)>& visit) {
  forUids(mailbox, UidSet::of(Uid{1}, Uid{std::numeric_limits<std::uint32_t>::max()}), visit);
  std::string last;
  for (bool more = true; more;) {
    std::vector<Pair> page;
    {
      Query query(statements_->keyPage, mailbox, last);
      page = allFrom(query);
    }
    for (const Pair& pair : page) visit(pair);
    more = page.size() == kPage;
    if (more) last = std::get<Uidl>(page.back().key).value();
  }
}

std::vector<Pair> Pairs::ofEntry(EntryId entry) {
  Query query(statements_->byEntry, entry);
  return allFrom(query);
}

std::optional<EntryId> Pairs::findEntryByObjectId(EndpointId endpoint, std::string_view objectId) {
  Query query(statements_->byObject, objectId, endpoint);
  if (!query.next()) return std::nullopt;
  return query.named<EntryId>(0);
}

std::optional<Pair> Pairs::findHeld(EndpointMailboxId mailbox, const Digest& digest) {
  Query query(statements_->heldByDigest, mailbox, digest);
  if (!query.next()) return std::nullopt;
  return pairFrom(query);
}

std::optional<Pair> Pairs::findHeld(EndpointMailboxId mailbox, const HeaderDigest& header, std::uint64_t size) {
  Query query(statements_->heldByHeader, mailbox, header, size);
  if (!query.next()) return std::nullopt;
  return pairFrom(query);
}

UidSet Pairs::uids(EndpointMailboxId mailbox) {
  UidSet out;
  Query query(statements_->uids, mailbox);
  while (query.next()) out.add(query.named<Uid>(0));
  return out;
}

std::uint64_t Pairs::count(EndpointMailboxId mailbox) {
  Query query(statements_->count, mailbox);
  query.next();
  return static_cast<std::uint64_t>(query.integer(0));
}

std::uint64_t Pairs::countUpTo(EndpointMailboxId mailbox, std::uint64_t most) {
  Query query(statements_->countUpTo, mailbox, most);
  query.next();
  return static_cast<std::uint64_t>(query.integer(0));
}

Uid Pairs::lastUid(EndpointMailboxId mailbox) {
  Query query(statements_->lastUid, mailbox);
  query.next();
  return Uid{static_cast<std::uint32_t>(query.integer(0))};
}

std::vector<Pair> Pairs::held(EndpointMailboxId mailbox) {
  Query query(statements_->held, mailbox);
  return allFrom(query);
}

void Pairs::setFlags(PairId id, const Flags& flags) {
  execute(statements_->setFlags, int{flags.bits()}, flags.keywordColumn(), id);
}

void Pairs::setExpunged(PairId id) {
  execute(statements_->setExpunged, id);
}

void Pairs::setDeleted(PairId id, std::int64_t now) {
  execute(statements_->setDeleted, now, id);
}

void Pairs::setUploaded(PairId id) {
  execute(statements_->setUploaded, id);
}

void Pairs::setMarkedApart(PairId id, bool apart) {
  execute(statements_->setMarkedApart, apart, id);
}

void Pairs::setHeld(PairId id, bool held) {
  execute(statements_->setHeld, held, id);
}

void Pairs::rekey(PairId id, EndpointMailboxId mailbox, const RemoteKey& key) {
  execute(statements_->rekey, mailbox, uidColumn(key), keyColumn(key), id);
}

void Pairs::remove(PairId id) {
  execute(statements_->remove, id);
}

void Pairs::removeAll(EndpointMailboxId mailbox) {
  execute(statements_->removeAll, mailbox);
}

}  // namespace mailbraid::mailstore
