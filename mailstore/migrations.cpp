#include "mailstore/migrations.h"

#include <array>

namespace mailbraid::mailstore {
namespace {

// Version 1. What is not self-evident:
//   message  `digest` is unique: a body is stored once, however many mailboxes hold it (Messages::add sees to it). The
//   indexes
//            have the first 4 octets only: digests fall anywhere, so a batch touches every page of their indexes, and
//            with whole digests those do not fit into the cache any more at 100,000 messages (4 times the CPU,
//            measured). Look-ups compare the whole digest afterwards.
//   body     id = message << 20 | chunk: one B-tree, filled at its end, no index beside it. Each row is one zstd frame
//   of at
//            most 1 MiB of the message, so a message of any size is written and read in pieces.
//   entry    id = the change number the entry was made with, so that no id is ever used twice. removed_at <> 0 is a
//            tombstone. entry_live serves lists by date and counts, entry_unseen the other count.
//   mailbox  removed_at <> 0: gone, but tombstones still say that they were in it.
//   pair     exactly one of uid and key is set.
constexpr std::array kVersion1{
    "CREATE TABLE braid(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",

    "CREATE TABLE mailbox(id INTEGER PRIMARY KEY, braid INTEGER NOT NULL REFERENCES braid(id), name TEXT NOT NULL,"
    " role TEXT NOT NULL, removed_at INTEGER NOT NULL DEFAULT 0) STRICT",
    "CREATE UNIQUE INDEX mailbox_name ON mailbox(braid, name) WHERE removed_at = 0",
    "CREATE UNIQUE INDEX mailbox_role ON mailbox(braid, role) WHERE removed_at = 0 AND role <> ''",

    "CREATE TABLE message(id INTEGER PRIMARY KEY, digest BLOB NOT NULL, header_digest BLOB NOT NULL,"
    " content_key BLOB NOT NULL, size INTEGER NOT NULL, date INTEGER NOT NULL, message_id TEXT NOT NULL,"
    " sender TEXT NOT NULL, recipients TEXT NOT NULL, subject TEXT NOT NULL) STRICT",
    "CREATE INDEX message_digest ON message(substr(digest, 1, 4))",
    "CREATE INDEX message_header ON message(substr(header_digest, 1, 4))",
    "CREATE INDEX message_content ON message(substr(content_key, 1, 4))",

    "CREATE TABLE body(id INTEGER PRIMARY KEY, octets BLOB NOT NULL) STRICT",

    "CREATE TABLE entry(id INTEGER PRIMARY KEY, mailbox INTEGER NOT NULL REFERENCES mailbox(id),"
    " message INTEGER NOT NULL REFERENCES message(id), flags INTEGER NOT NULL, keywords TEXT NOT NULL,"
    " internal_date INTEGER NOT NULL, zone INTEGER NOT NULL, change INTEGER NOT NULL,"
    " removed_at INTEGER NOT NULL DEFAULT 0) STRICT",
    "CREATE UNIQUE INDEX entry_change ON entry(change)",
    "CREATE INDEX entry_message ON entry(message, mailbox)",
    "CREATE INDEX entry_live ON entry(mailbox, internal_date, id, removed_at) WHERE removed_at = 0",
    "CREATE INDEX entry_unseen ON entry(mailbox, flags, removed_at) WHERE removed_at = 0 AND flags & 1 = 0",
    "CREATE INDEX entry_removed ON entry(removed_at) WHERE removed_at <> 0",

    "CREATE TABLE endpoint(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL,"
    " braid INTEGER NOT NULL REFERENCES braid(id), last_success INTEGER NOT NULL DEFAULT 0,"
    " last_attempt INTEGER NOT NULL DEFAULT 0, last_problem TEXT NOT NULL DEFAULT '') STRICT",

    "CREATE TABLE endpoint_mailbox(id INTEGER PRIMARY KEY,"
    " endpoint INTEGER NOT NULL REFERENCES endpoint(id) ON DELETE CASCADE, name TEXT NOT NULL,"
    " mailbox INTEGER NOT NULL REFERENCES mailbox(id), object_id TEXT NOT NULL,"
    " uid_validity INTEGER NOT NULL DEFAULT 0, uid_next INTEGER NOT NULL DEFAULT 0,"
    " highest_mod_seq INTEGER NOT NULL DEFAULT 0, messages INTEGER NOT NULL DEFAULT 0,"
    " complete INTEGER NOT NULL DEFAULT 0, UNIQUE(endpoint, name)) STRICT",
    "CREATE INDEX endpoint_mailbox_mailbox ON endpoint_mailbox(mailbox)",

    "CREATE TABLE pair(id INTEGER PRIMARY KEY,"
    " endpoint_mailbox INTEGER NOT NULL REFERENCES endpoint_mailbox(id) ON DELETE CASCADE, uid INTEGER, key TEXT,"
    " entry INTEGER NOT NULL REFERENCES entry(id), flags INTEGER NOT NULL, keywords TEXT NOT NULL,"
    " object_id TEXT NOT NULL, held INTEGER NOT NULL DEFAULT 0, CHECK((uid IS NULL) <> (key IS NULL))) STRICT",
    "CREATE UNIQUE INDEX pair_uid ON pair(endpoint_mailbox, uid) WHERE uid IS NOT NULL",
    "CREATE UNIQUE INDEX pair_key ON pair(endpoint_mailbox, key) WHERE key IS NOT NULL",
    "CREATE INDEX pair_entry ON pair(entry, endpoint_mailbox, held)",
    "CREATE INDEX pair_object ON pair(object_id) WHERE object_id <> ''",
    "CREATE INDEX pair_held ON pair(endpoint_mailbox) WHERE held = 1",

    "CREATE TABLE quarantine(id INTEGER PRIMARY KEY,"
    " endpoint_mailbox INTEGER NOT NULL REFERENCES endpoint_mailbox(id) ON DELETE CASCADE, uid INTEGER, key TEXT,"
    " size INTEGER NOT NULL, reason TEXT NOT NULL, first_try INTEGER NOT NULL, next_try INTEGER NOT NULL,"
    " tries INTEGER NOT NULL, CHECK((uid IS NULL) <> (key IS NULL))) STRICT",
    "CREATE UNIQUE INDEX quarantine_uid ON quarantine(endpoint_mailbox, uid) WHERE uid IS NOT NULL",
    "CREATE UNIQUE INDEX quarantine_key ON quarantine(endpoint_mailbox, key) WHERE key IS NOT NULL",

    "CREATE TABLE run(id INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL, started INTEGER NOT NULL,"
    " finished INTEGER NOT NULL DEFAULT 0, exit_code INTEGER NOT NULL DEFAULT 0, summary TEXT NOT NULL DEFAULT '') "
    "STRICT",
    "CREATE TABLE operation(id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
    " endpoint TEXT NOT NULL, mailbox TEXT NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL, keys TEXT NOT NULL,"
    " detail TEXT NOT NULL) STRICT",
    "CREATE INDEX operation_run ON operation(run)",

    // The last change number that was given out. One row.
    "CREATE TABLE change(last INTEGER NOT NULL) STRICT",
    "INSERT INTO change(last) VALUES(0)",
};

// Version 2.
//   damaged  messages whose octets were found damaged: they are fetched again, whatever their header says.
//   pair_uid, quarantine_uid
//            over all rows, so that all of a mailbox are found by the same index. NULLs are distinct to a UNIQUE index.
constexpr std::array kVersion2{
    "CREATE TABLE damaged(message INTEGER PRIMARY KEY REFERENCES message(id) ON DELETE CASCADE) STRICT",
    "DROP INDEX pair_uid",
    "CREATE UNIQUE INDEX pair_uid ON pair(endpoint_mailbox, uid)",
    "DROP INDEX quarantine_uid",
    "CREATE UNIQUE INDEX quarantine_uid ON quarantine(endpoint_mailbox, uid)",
};

// Version 3: what a change of flags touches. Such changes fall anywhere in a large mailbox, so each index that holds
// all its entries costs nearly a page a change, which is read, logged, and written.
//   entry_change
//            entries that were changed after they were made. A new one's change number is its id, so what changed since
//            N is what has a higher id, and what is found here above N. Neither is a scan.
//   entry_unseen
//            is gone: counting what is unseen is for people who wait a moment for a list.
constexpr std::array kVersion3{
    "DROP INDEX entry_change",
    "CREATE UNIQUE INDEX entry_change ON entry(change) WHERE change <> id",
    "DROP INDEX entry_unseen",
};

// Version 4: what the store carries to its endpoints.
//   endpoint.pushed  every change up to this number was carried to it, or stands in `waiting`
//   endpoint.seal    names this endpoint of this store where a marker can be left there (a Maildir's or mbox's tree)
//   endpoint.policy  what `waiting` rows of kind policy were held back by; when it differs they are looked at again
//   endpoint.window  what of its mail the configuration took when it was last pulled
//   left_out         messages that are named by text and that the configuration leaves out
//   endpoint_mailbox.store_name
//                    the store mailbox's name when both were the same: when that differs now, it was renamed since
//   pair.held        2: expunged there because it was marked as deleted
//   pair.marked_apart
//                    its \\Deleted was not spread when the endpoint was met
//   waiting          entries whose change could not, or may not, be carried to an endpoint yet
//   upload           uploads began here, their outcome is not known in full: what is new from uid_next on may be ours
//   unwanted         the mailbox was removed at this endpoint, on purpose: it is not made there again
constexpr std::array kVersion4{
    "ALTER TABLE endpoint ADD COLUMN pushed INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE endpoint ADD COLUMN seal TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE endpoint ADD COLUMN last_run INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE endpoint ADD COLUMN policy TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE endpoint ADD COLUMN window TEXT NOT NULL DEFAULT ''",
    "CREATE TABLE left_out(endpoint_mailbox INTEGER NOT NULL REFERENCES endpoint_mailbox(id) ON DELETE CASCADE,"
    " key TEXT NOT NULL, PRIMARY KEY(endpoint_mailbox, key)) STRICT, WITHOUT ROWID",
    "ALTER TABLE endpoint_mailbox ADD COLUMN store_name TEXT NOT NULL DEFAULT ''",
    "UPDATE endpoint_mailbox SET store_name = (SELECT name FROM mailbox WHERE id = endpoint_mailbox.mailbox)",
    "ALTER TABLE pair ADD COLUMN marked_apart INTEGER NOT NULL DEFAULT 0",
    "CREATE TABLE waiting(endpoint INTEGER NOT NULL REFERENCES endpoint(id) ON DELETE CASCADE,"
    " entry INTEGER NOT NULL REFERENCES entry(id) ON DELETE CASCADE, kind INTEGER NOT NULL, reason TEXT NOT NULL,"
    " since INTEGER NOT NULL, next_try INTEGER NOT NULL, PRIMARY KEY(endpoint, entry)) STRICT, WITHOUT ROWID",
    "CREATE INDEX waiting_entry ON waiting(entry)",
    "CREATE TABLE upload(endpoint_mailbox INTEGER PRIMARY KEY REFERENCES endpoint_mailbox(id) ON DELETE CASCADE,"
    " uid_validity INTEGER NOT NULL, uid_next INTEGER NOT NULL) STRICT",
    "CREATE TABLE unwanted(endpoint INTEGER NOT NULL REFERENCES endpoint(id) ON DELETE CASCADE,"
    " mailbox INTEGER NOT NULL REFERENCES mailbox(id) ON DELETE CASCADE, PRIMARY KEY(endpoint, mailbox)) STRICT,"
    " WITHOUT ROWID",
};

// Version 5: what waits for the configuration is not read by a run that has nothing to do.
constexpr std::array kVersion5{
    "CREATE INDEX waiting_due ON waiting(endpoint, next_try) WHERE kind <> 3",
};

// Version 6: taking back, and forgetting.
//   run.first_change  the last change number before the run; -1: made by a version that kept no journal
//   journal           what an entry was before the run changed it for the first time. Entries that the run made are not
//                     in it: they have higher ids than first_change. Runs ascend, so it is filled near its end.
//   upkeep            when the store last forgot what has outlived its retention. One row.
constexpr std::array kVersion6{
    "ALTER TABLE run ADD COLUMN first_change INTEGER NOT NULL DEFAULT -1",
    "CREATE TABLE journal(run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, entry INTEGER NOT NULL,"
    " mailbox INTEGER NOT NULL, flags INTEGER NOT NULL, keywords TEXT NOT NULL, removed_at INTEGER NOT NULL,"
    " PRIMARY KEY(run, entry)) STRICT, WITHOUT ROWID",
    "CREATE TABLE upkeep(last INTEGER NOT NULL) STRICT",
    "INSERT INTO upkeep(last) VALUES(0)",
};

// Version 7: how long a POP3 server has kept a message, and what was deleted there.
//   pair.first_seen  when a message was found at a POP3 server; of older rows that is not known: they begin today
//   pair.deleted_at  when mailbraid deleted it there, confirmed by the server's answer to QUIT
constexpr std::array kVersion7{
    "ALTER TABLE pair ADD COLUMN first_seen INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE pair ADD COLUMN deleted_at INTEGER NOT NULL DEFAULT 0",
    "UPDATE pair SET first_seen = CAST(strftime('%s', 'now') AS INTEGER) WHERE endpoint_mailbox IN"
    " (SELECT b.id FROM endpoint_mailbox b JOIN endpoint o ON o.id = b.endpoint WHERE o.type = 'pop3')",
};

// Version 8: what an account's server was asked for on a day of UTC, since providers limit that, whatever runs it
// takes.
//   account  "imap:USER@HOST": endpoints that are the same account share it
//   day      days since 1970-01-01; earlier ones are forgotten
constexpr std::array kVersion8{
    "CREATE TABLE spending(account TEXT NOT NULL, day INTEGER NOT NULL, octets_in INTEGER NOT NULL,"
    " octets_out INTEGER NOT NULL, messages_in INTEGER NOT NULL, messages_out INTEGER NOT NULL,"
    " PRIMARY KEY(account, day)) STRICT, WITHOUT ROWID",
};

// Version 9: messages that an endpoint took with repairs only (message_repair.h), so that it is known why they differ
// there.
constexpr std::array kVersion9{
    "CREATE TABLE repaired(endpoint INTEGER NOT NULL REFERENCES endpoint(id) ON DELETE CASCADE,"
    " entry INTEGER NOT NULL REFERENCES entry(id) ON DELETE CASCADE, repairs TEXT NOT NULL,"
    " PRIMARY KEY(endpoint, entry)) STRICT, WITHOUT ROWID",
    "CREATE INDEX repaired_entry ON repaired(entry)",
};

// Version 10: octets that are taken to be a message although repairs set them apart (Messages::addAlias()).
constexpr std::array kVersion10{
    "CREATE TABLE alias(message INTEGER NOT NULL REFERENCES message(id) ON DELETE CASCADE, digest BLOB NOT NULL,"
    " header_digest BLOB NOT NULL, size INTEGER NOT NULL, repairs TEXT NOT NULL, PRIMARY KEY(message, digest)) STRICT, "
    "WITHOUT ROWID",
    "CREATE INDEX alias_digest ON alias(substr(digest, 1, 4))",
    "CREATE INDEX alias_header ON alias(substr(header_digest, 1, 4))",
};

// Version 11: pair.uploaded, that mailbraid has put the message there: what an endpoint had by itself may be the only
// copy of an account that two endpoints read.
constexpr std::array kVersion11{
    "ALTER TABLE pair ADD COLUMN uploaded INTEGER NOT NULL DEFAULT 0",
};

// Version 12: a pair's flags -1 (and no keywords): as the entry's. Nearly all are, and a change that a pull brings to
// both, scattered over a large mailbox, then leaves this table alone: a third of what such a run had to write.
constexpr std::array kVersion12{
    "UPDATE pair SET flags = -1, keywords = '' WHERE EXISTS(SELECT 1 FROM entry e WHERE e.id = pair.entry"
    " AND e.flags = pair.flags AND e.keywords = pair.keywords)",
};

constexpr std::array kMigrations{
    Migration{1, kVersion1}, Migration{2, kVersion2},   Migration{3, kVersion3},   Migration{4, kVersion4},
    Migration{5, kVersion5}, Migration{6, kVersion6},   Migration{7, kVersion7},   Migration{8, kVersion8},
    Migration{9, kVersion9}, Migration{10, kVersion10}, Migration{11, kVersion11}, Migration{12, kVersion12},
};

}  // namespace

std::span<const Migration> migrations() {
  return kMigrations;
}

}  // namespace mailbraid::mailstore
