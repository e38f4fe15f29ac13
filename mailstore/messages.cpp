#include "mailstore/database.h"
#include "mailstore/message_octets.h"
#include "mailstore/row_reader.h"
#include "mailstore/sha256.h"
#include "mailstore/statement.h"
#include "mailstore/store.h"
#include "mailstore/types/error.h"

#include <zstd.h>

#include <string>

namespace mailbraid::mailstore {
namespace {

// A body's row: the message's number and, in the lower bits, the chunk's.
constexpr int kChunkBits = 20;

std::int64_t bodyId(MessageId id, std::int64_t chunk) {
  return (id.value() << kChunkBits) | chunk;
}

Error damagedMessage(MessageId id, const std::string& what) {
  return {ErrorKind::StoreDamaged, Scope::Message, Retry::Never,
          "Message " + std::to_string(id.value()) + " is damaged in the store: " + what +
              ". All other messages are as they were."};
}

class Decompressor {
 public:
  Decompressor() : context_(ZSTD_createDCtx()) {}
  ~Decompressor() { ZSTD_freeDCtx(context_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  /// Empty when `frame` is no frame of at most kChunkSize octets.
  std::string_view decompress(std::string_view frame) {
    const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (size > kChunkSize) return {};  // also what stands for "unknown" and "error"
    if (buffer_.size() < size) buffer_.resize(size);
    const std::size_t got = ZSTD_decompressDCtx(context_, buffer_.data(), buffer_.size(), frame.data(), frame.size());
    return ZSTD_isError(got) != 0 ? std::string_view{} : std::string_view(buffer_.data(), got);
  }

 private:
  ZSTD_DCtx* context_;
  std::vector<char> buffer_;
};

}  // namespace

struct Messages::Statements {
  explicit Statements(Database& owner) : database(owner) {}

  Database& database;
  Statement insert{database,
                   "INSERT INTO message(digest, header_digest, content_key, size, date, message_id, sender, recipients,"
                   " subject) VALUES(?,?,?,?,?,?,?,?,?) RETURNING id"};
  Statement insertBody{database, "INSERT INTO body(id, octets) VALUES(?,?)"};
  Statement byDigest{database, "SELECT id FROM message WHERE substr(digest, 1, 4) = substr(?1, 1, 4) AND digest = ?1"};
  Statement byId{database, "SELECT " MAILBRAID_MESSAGE_COLUMNS " FROM message m WHERE m.id = ?"};
  Statement headerOfEntry{database,
                          "SELECT m.header_digest FROM entry e JOIN message m ON m.id = e.message WHERE e.id = ?"};
  Statement body{database, "SELECT octets FROM body WHERE id = ?"};
  Statement after{database, "SELECT id FROM message WHERE id > ? ORDER BY id LIMIT 1000"};
  Statement update{database,
                   "UPDATE message SET header_digest = ?, content_key = ?, size = ?, date = ?, message_id = ?,"
                   " sender = ?, recipients = ?, subject = ? WHERE id = ?"};
  Statement removeBody{database, "DELETE FROM body WHERE id >= ? AND id < ?"};
  Statement remove{database, "DELETE FROM message WHERE id = ?"};
  Statement ofEntry{database,
                    "SELECT m.id, EXISTS(SELECT 1 FROM damaged d WHERE d.message = m.id), m.digest = ?2 FROM entry e"
                    " JOIN message m ON m.id = e.message WHERE e.id = ?1"};
  Statement repoint{database, "UPDATE entry SET message = ? WHERE message = ?"};
  Statement mark{database, "INSERT OR IGNORE INTO damaged(message) VALUES(?)"};
  Statement isMarked{database, "SELECT 1 FROM damaged WHERE message = ?"};
  Statement unmark{database, "DELETE FROM damaged WHERE message = ?"};
  Statement quarantinePairs{
      database,
      "INSERT OR REPLACE INTO quarantine(endpoint_mailbox, uid, key, size, reason, first_try, next_try, tries)"
      " SELECT p.endpoint_mailbox, p.uid, p.key, m.size, 'its stored copy was damaged', ?2, 0, 0"
      " FROM message m JOIN entry e ON e.message = m.id JOIN pair p ON p.entry = e.id"
      " WHERE m.id = ?1 AND e.removed_at = 0 AND p.held = 0"};
  Statement forgetPairs{database,
                        "DELETE FROM pair WHERE held = 0 AND entry IN (SELECT id FROM entry WHERE message = ?"
                        " AND removed_at = 0)"};
  Statement addAlias{database,
                     "INSERT OR IGNORE INTO alias(message, digest, header_digest, size, repairs) VALUES(?,?,?,?,?)"};
  Statement anyAlias{database, "SELECT 1 FROM alias LIMIT 1"};
  Statement aliasByDigest{
      database,
      "SELECT message, repairs FROM alias WHERE substr(digest, 1, 4) = substr(?1, 1, 4) AND digest = ?1"
      " ORDER BY message"};
  Statement aliasByHeader{database,
                          "SELECT message, repairs FROM alias WHERE substr(header_digest, 1, 4) = substr(?1, 1, 4)"
                          " AND header_digest = ?1 AND size = ?2 ORDER BY message"};
  Statement formsOf{database, "SELECT digest, header_digest, size FROM alias WHERE message = ?"};
  Statement isUsed{database, "SELECT 1 FROM entry INDEXED BY entry_message WHERE message = ? LIMIT 1"};
  Decompressor decompressor;
  Sha256 hash;

  std::vector<Alias> aliasesFrom(Query query) {
    std::vector<std::pair<MessageId, std::string>> rows;
    while (query.next()) rows.emplace_back(query.named<MessageId>(0), query.text(1));
    std::vector<Alias> out;
    for (auto& [id, repairs] : rows) {
      Query info(byId, id);
      if (info.next()) out.push_back({messageInfoFrom(info, 0), std::move(repairs)});
    }
    return out;
  }
};

Messages::Messages(Database& database) : statements_(std::make_unique<Statements>(database)) {}
Messages::~Messages() = default;

MessageId Messages::add(PreparedMessage&& message) {
  Statements& sql = *statements_;
  const PreparedMessage taken = std::move(message);
  if (const auto known = findByDigest(taken.digest)) {
    if (!isIntact(*known)) replace(*known, taken);
    execute(sql.unmark, *known);
    return *known;
  }
  MessageId id;
  {
    Query query(sql.insert, taken.digest, taken.headerDigest, taken.contentKey, taken.size, taken.header.date,
                taken.header.messageId, taken.header.from, taken.header.to, taken.header.subject);
    query.next();
    id = query.named<MessageId>(0);
    query.next();
  }
  addBody(id, taken);
  return id;
}

void Messages::addBody(MessageId id, const PreparedMessage& message) {
  std::int64_t chunk = 0;
  message.octets->forEach([&](std::string_view frame) {
    execute(statements_->insertBody, bodyId(id, chunk), BlobView{frame});
    ++chunk;
  });
}

bool Messages::isDamaged(MessageId id) {
  Query query(statements_->isMarked, id);
  return query.next();
}

bool Messages::isIntact(MessageId id) {
  try {
    read(id, [](std::string_view) {});
    return true;
  } catch (const Error& error) {
    if (error.scope() != Scope::Message) throw;
    return false;
  }
}

void Messages::replace(MessageId id, const PreparedMessage& message) {
  Statements& sql = *statements_;
  execute(sql.update, message.headerDigest, message.contentKey, message.size, message.header.date,
          message.header.messageId, message.header.from, message.header.to, message.header.subject, id);
  execute(sql.removeBody, bodyId(id, 0), bodyId(MessageId{id.value() + 1}, 0));
  addBody(id, message);
}

void Messages::heal(EntryId entry, PreparedMessage&& message) {
  Statements& sql = *statements_;
  MessageId damaged;
  bool marked = false;
  bool same = false;
  {
    Query query(sql.ofEntry, entry, message.digest);
    if (!query.next()) return;
    damaged = query.named<MessageId>(0);
    marked = query.integer(1) != 0;
    same = query.integer(2) != 0;
  }
  if (same) {
    add(std::move(message));
  } else if (marked) {
    execute(sql.repoint, add(std::move(message)), damaged);
    execute(sql.removeBody, bodyId(damaged, 0), bodyId(MessageId{damaged.value() + 1}, 0));
    execute(sql.remove, damaged);
  }
}

void Messages::markDamaged(MessageId id, std::int64_t now) {
  Statements& sql = *statements_;
  sql.database.begin();
  try {
    execute(sql.mark, id);
    execute(sql.quarantinePairs, id, now);
    execute(sql.forgetPairs, id);
    sql.database.commit();
  } catch (...) {
    sql.database.rollback();
    throw;
  }
}

std::optional<MessageId> Messages::findByDigest(const Digest& digest) {
  Query query(statements_->byDigest, digest);
  if (!query.next()) return std::nullopt;
  return query.named<MessageId>(0);
}

void Messages::addAlias(MessageId id, const MessageForm& form) {
  execute(statements_->addAlias, id, form.digest, form.headerDigest, form.size, form.repairs.names());
}

bool Messages::hasAliases() {
  Query query(statements_->anyAlias);
  return query.next();
}

std::vector<Messages::Alias> Messages::findByAlias(const Digest& digest) {
  return statements_->aliasesFrom(Query(statements_->aliasByDigest, digest));
}

std::vector<Messages::Alias> Messages::findByAlias(const HeaderDigest& header, std::uint64_t size) {
  return statements_->aliasesFrom(Query(statements_->aliasByHeader, header, size));
}

std::vector<MessageForm> Messages::formsOf(MessageId id) {
  std::vector<MessageForm> out;
  Query query(statements_->formsOf, id);
  while (query.next()) {
    MessageForm& form = out.emplace_back();
    query.digest(0, form.digest);
    query.digest(1, form.headerDigest);
    form.size = static_cast<std::uint64_t>(query.integer(2));
  }
  return out;
}

std::optional<HeaderDigest> Messages::headerDigestOf(EntryId entry) {
  Query query(statements_->headerOfEntry, entry);
  if (!query.next()) return std::nullopt;
  HeaderDigest out;
  query.digest(0, out);
  return out;
}

MessageInfo Messages::info(MessageId id) {
  Query query(statements_->byId, id);
  if (!query.next()) throw damagedMessage(id, "it is not there");
  return messageInfoFrom(query, 0);
}

void Messages::read(MessageId id, const std::function<void(std::string_view)>& sink) {
  Statements& sql = *statements_;
  const MessageInfo expected = info(id);
  std::uint64_t size = 0;
  sql.hash.reset();
  for (std::int64_t chunk = 0; size < expected.size; ++chunk) {
    std::string_view octets;
    {
      Query query(sql.body, bodyId(id, chunk));
      if (!query.next()) throw damagedMessage(id, "a part of it is missing");
      octets = sql.decompressor.decompress(query.blob(0));
    }
    if (octets.empty()) throw damagedMessage(id, "a part of it cannot be decompressed");
    sql.hash.append(octets);
    size += octets.size();
    sink(octets);
  }
  if (size != expected.size || sql.hash.finish() != expected.digest.bytes) {
    throw damagedMessage(id, "its octets are not those that were stored");
  }
}

void Messages::forEach(const std::function<void(MessageId)>& visit) {
  MessageId last;
  for (bool more = true; more;) {
    std::vector<MessageId> page;
    {
      Query query(statements_->after, last);
      while (query.next()) page.push_back(query.named<MessageId>(0));
    }
    more = !page.empty();
    for (const MessageId id : page) visit(id);
    if (more) last = page.back();
  }
}

}  // namespace mailbraid::mailstore
