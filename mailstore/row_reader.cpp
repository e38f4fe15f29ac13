#include "mailstore/row_reader.h"

namespace mailbraid::mailstore {

Flags flagsFrom(const Query& query, int first) {
  return Flags::fromColumns(static_cast<std::uint8_t>(query.integer(first)), query.text(first + 1));
}

RemoteKey remoteKeyFrom(const Query& query, int first) {
  if (query.isNull(first)) return Uidl{std::string(query.text(first + 1))};
  return query.named<Uid>(first);
}

std::optional<Uid> uidColumn(const RemoteKey& key) {
  const Uid* uid = std::get_if<Uid>(&key);
  return uid == nullptr ? std::nullopt : std::optional(*uid);
}

std::optional<std::string_view> keyColumn(const RemoteKey& key) {
  const Uidl* uidl = std::get_if<Uidl>(&key);
  return uidl == nullptr ? std::nullopt : std::optional<std::string_view>(uidl->value());
}

MessageInfo messageInfoFrom(const Query& query, int first) {
  MessageInfo out;
  out.id = query.named<MessageId>(first);
  query.digest(first + 1, out.digest);
  query.digest(first + 2, out.headerDigest);
  query.digest(first + 3, out.contentKey);
  out.size = static_cast<std::uint64_t>(query.integer(first + 4));
  out.header.date = query.integer(first + 5);
  out.header.messageId = query.text(first + 6);
  out.header.from = query.text(first + 7);
  out.header.to = query.text(first + 8);
  out.header.subject = query.text(first + 9);
  return out;
}

Entry entryFrom(const Query& query, int first) {
  Entry out;
  out.id = query.named<EntryId>(first);
  out.mailbox = query.named<MailboxId>(first + 1);
  out.message = query.named<MessageId>(first + 2);
  out.flags = flagsFrom(query, first + 3);
  out.internalDate = {query.integer(first + 5), static_cast<std::int16_t>(query.integer(first + 6))};
  out.change = query.named<ChangeNumber>(first + 7);
  out.removedAt = query.integer(first + 8);
  return out;
}

}  // namespace mailbraid::mailstore
