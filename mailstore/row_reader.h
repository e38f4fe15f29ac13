// Columns of more than one table's queries as values (mailstore's own).
#pragma once

#include "mailstore/records.h"
#include "mailstore/statement.h"

// In the order that the functions below read them.
#define MAILBRAID_MESSAGE_COLUMNS \
  "m.id, m.digest, m.header_digest, m.content_key, m.size, m.date, m.message_id, m.sender, m.recipients, m.subject"
#define MAILBRAID_ENTRY_COLUMNS \
  "e.id, e.mailbox, e.message, e.flags, e.keywords, e.internal_date, e.zone, e.change, e.removed_at"

namespace mailbraid::mailstore {

constexpr int kEntryColumns = 9;

/// Each reads its columns from column `first` on.
MessageInfo messageInfoFrom(const Query& query, int first);
Entry entryFrom(const Query& query, int first);
/// Two columns: bits and keywords.
Flags flagsFrom(const Query& query, int first);
/// Two columns, uid and key, of which one is NULL.
RemoteKey remoteKeyFrom(const Query& query, int first);

/// The two columns to bind for a key; the view lives as long as `key`.
std::optional<Uid> uidColumn(const RemoteKey& key);
std::optional<std::string_view> keyColumn(const RemoteKey& key);

}  // namespace mailbraid::mailstore
