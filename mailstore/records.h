// The rows of the store as values.
#pragma once

#include "mailstore/message_builder.h"
#include "mailstore/types/flags.h"
#include "mailstore/types/ids.h"
#include "mailstore/types/role.h"
#include "mailstore/types/uid_set.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mailbraid::mailstore {

/// How an endpoint names one of its messages within a mailbox: a UID (IMAP), a UIDL (POP3; later a file's name).
using RemoteKey = std::variant<Uid, Uidl>;

/// What an endpoint mailbox looked like at the last commit.
struct Anchor {
  UidValidity uidValidity;  ///< 0: never read
  Uid uidNext;              ///< every message below it is committed, or quarantined
  ModSeq highestModSeq;     ///< 0: the server keeps none (NOMODSEQ)
  std::uint32_t messages = 0;
  bool complete = false;  ///< false until the first contact went through to its end
  friend bool operator==(const Anchor&, const Anchor&) = default;
};

struct EndpointRecord {
  EndpointId id;
  std::string name;  ///< as in the configuration
  std::string type;  ///< imap, pop3, maildir, mbox
  BraidId braid;
  ChangeNumber pushed;       ///< changes of the store up to it were carried there, or wait (Backlog)
  std::string seal;          ///< names this endpoint of this store, and no other
  std::int64_t lastRun = 0;  ///< the last run that went through to its end there; 0: none
  std::string policy;        ///< as Backlog::settle() left it
  std::string window;        ///< as setWindow() left it
};

/// A mailbox of an endpoint and the store mailbox that it syncs with.
struct EndpointMailbox {
  EndpointMailboxId id;
  EndpointId endpoint;
  std::string name;  ///< UTF-8, `/` between the levels
  MailboxId mailbox;
  std::string objectId;  ///< MAILBOXID (RFC 8474); empty when the server has none
  Anchor anchor;
  std::string storeName;  ///< the store mailbox's name when both were last known to be the same
};

/// A mailbox of the store.
struct Mailbox {
  MailboxId id;
  BraidId braid;
  std::string braidName;
  std::string name;  ///< UTF-8, `/` between the levels, INBOX in capitals
  Role role = Role::None;
};

struct MailboxSummary {
  Mailbox mailbox;
  std::uint64_t messages = 0;
  std::uint64_t unseen = 0;
};

struct MessageInfo {
  MessageId id;
  Digest digest;
  HeaderDigest headerDigest;
  ContentKey contentKey;
  std::uint64_t size = 0;
  HeaderIndex header;
};

struct Entry {
  EntryId id;
  MailboxId mailbox;
  MessageId message;
  Flags flags;
  InternalDate internalDate;
  ChangeNumber change;
  std::int64_t removedAt = 0;  ///< seconds since 1970; not 0: a tombstone
};

struct UploadCandidate {
  Entry entry;
  std::uint64_t size = 0;  ///< of its message, octets
};

/// A live entry and its message, for lists.
struct EntryRow {
  Entry entry;
  MessageInfo message;
};

/// Entry E is message `key` of an endpoint mailbox; `flags` is what both agreed on last (the merge base).
struct Pair {
  PairId id;
  EndpointMailboxId endpointMailbox;
  RemoteKey key;
  EntryId entry;
  Flags flags;
  std::string objectId;  ///< EMAILID (RFC 8474) or X-GM-MSGID; empty when unknown
  bool held = false;     ///< gone at the endpoint, and that is no removal, or none yet
  /// Held for good: the message was marked \\Deleted, and mailbraid expunged it there (`expunge_deleted`).
  bool expunged = false;
  /// \\Deleted of `flags` is this endpoint's own: when it was met, its mark was not spread, and it is not taken away.
  bool markedApart = false;
  std::int64_t firstSeen = 0;  ///< POP3: when it was first found there, in seconds since 1970; 0: not kept
  /// POP3: when mailbraid deleted it there, confirmed by the server, in seconds since 1970; 0: never. Such a pair is
  /// held for as long as the message is not listed again.
  std::int64_t deletedAt = 0;
  bool uploaded = false;      ///< mailbraid has put it there; later pairs have higher ids
  bool followsEntry = false;  ///< `flags` are the entry's, and not stored; as long as nothing changes
};

struct PairedEntry {
  Pair pair;
  Entry entry;
};

/// Why a change of an entry has not been carried to an endpoint.
enum class WaitKind : std::uint8_t {
  Retry = 1,   ///< it failed, or the endpoint's mailbox could not be read: tried again in the next run
  Held = 2,    ///< a removal that the brake holds back
  Policy = 3,  ///< the configuration does not carry it; looked at again when that changes
  Refused = 4  ///< the endpoint refuses this message: tried again later
};

struct WaitingRow {
  EntryId entry;
  WaitKind kind = WaitKind::Retry;
  std::string reason;        ///< one sentence
  std::int64_t since = 0;    ///< seconds since 1970
  std::int64_t nextTry = 0;  ///< seconds since 1970; 0: in the next run
};

/// Messages of one endpoint, and how many of them another one has.
struct Balance {
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;   ///< of these
  std::uint64_t there = 0;    ///< of these
  std::uint64_t refused = 0;  ///< that it would not take
  std::uint64_t waiting = 0;  ///< that are not there, and wait for it with a reason; refused ones, too
  std::uint64_t gone = 0;     ///< that were there, are not any more, and do not wait
};

/// A message that could not be taken in, why, and when it is tried again.
struct QuarantineRow {
  std::int64_t id = 0;
  EndpointMailboxId endpointMailbox;
  RemoteKey key;
  std::uint64_t size = 0;     ///< octets; 0 when unknown
  std::string reason;         ///< one sentence
  std::int64_t firstTry = 0;  ///< seconds since 1970
  std::int64_t nextTry = 0;   ///< seconds since 1970
  std::uint32_t tries = 0;
};

/// One kind of thing that a run did to one mailbox: the set of messages, not one row a message.
struct OperationRow {
  RunId run;
  std::string endpoint;
  std::string mailbox;  ///< the endpoint's name of it
  std::string kind;     ///< new, adopt, flags, move, remove, keep, hold, quarantine, create, rename, forget, note ...
  std::uint64_t count = 0;
  std::string keys;    ///< UIDs as a set ("3,5:9") or UIDLs joined by one space, cut at 64 KiB; may be empty
  std::string detail;  ///< for people; may be empty
};

/// What an entry was before a run changed it for the first time.
struct JournalRow {
  EntryId entry;
  MailboxId mailbox;
  Flags flags;
  std::int64_t removedAt = 0;  ///< see Entry
};

struct RunRow {
  RunId id;
  std::int64_t started = 0;   ///< seconds since 1970
  std::int64_t finished = 0;  ///< 0: still running, or killed
  std::string command;        ///< "sync" ...
  int exitCode = 0;
  std::string summary;  ///< JSON: the totals of `sync --json`
  /// The last change before the run; none: it was made by a version that kept no journal.
  std::optional<ChangeNumber> firstChange;
};

/// What an account's server gave and got on one day.
struct Spending {
  std::uint64_t octetsIn = 0;
  std::uint64_t octetsOut = 0;
  std::uint64_t messagesIn = 0;
  std::uint64_t messagesOut = 0;
  friend bool operator==(const Spending&, const Spending&) = default;
};

/// Last outcome of an endpoint, for `status`.
struct EndpointStatus {
  EndpointRecord endpoint;
  std::int64_t lastSuccess = 0;  ///< seconds since 1970; 0: never
  std::int64_t lastAttempt = 0;
  std::string lastProblem;  ///< empty after a success
};

}  // namespace mailbraid::mailstore
