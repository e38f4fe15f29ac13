// The one local store: every message, every mailbox, all sync state, in one directory.
#pragma once

#include "mailstore/records.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::mailstore {

class Database;  // Poco::Data session, cached statements; mailstore's own
class LockFile;

/// Messages by digest, and their octets.
class Messages {
 public:
  explicit Messages(Database& database);
  ~Messages();
  /// Stores the message unless its digest is there already; the id either way. Octets that are there are read and
  /// checked first, and replaced when they are damaged. Inside a Transaction.
  MessageId add(PreparedMessage&& message);
  /// For an entry that `message`, just fetched, was recognised as: octets that are damaged are replaced by those of
  /// `message`. When that is not the same message octet for octet, only a message that is marked as damaged is
  /// replaced, for all its entries. Inside a Transaction.
  void heal(EntryId entry, PreparedMessage&& message);
  /// For a message that read() found damaged: until add() or heal() was given its octets again it is not recognised by
  /// its header; the pairs of its live entries (held ones stay) become quarantined keys that are due now, so that the
  /// next sync fetches them. Does nothing more the second time. `now`: seconds since 1970.
  void markDamaged(MessageId id, std::int64_t now);
  bool isDamaged(MessageId id);  ///< marked so, and not healed since
  std::optional<MessageId> findByDigest(const Digest& digest);
  /// Octets that are taken to be this message: repairs made them of it.
  void addAlias(MessageId id, const MessageForm& form);
  bool hasAliases();
  struct Alias {
    MessageInfo message;
    std::string repairs;  ///< that make the octets of it: "nul, 8bit-header"
  };
  /// The messages that octets like these are taken to be.
  std::vector<Alias> findByAlias(const Digest& digest);
  std::vector<Alias> findByAlias(const HeaderDigest& header, std::uint64_t size);
  std::vector<MessageForm> formsOf(MessageId id);  ///< its aliases; without their repairs
  MessageInfo info(MessageId id);
  std::optional<HeaderDigest> headerDigestOf(EntryId entry);
  /// Calls `sink` with the octets in order, in pieces of at most 1 MiB. Throws Error (StoreDamaged, scope message) when
  /// they do not have the digest they were stored under; what was handed out until then must not be used.
  void read(MessageId id, const std::function<void(std::string_view)>& sink);
  /// Every message id, ascending, for `verify`.
  void forEach(const std::function<void(MessageId)>& visit);

 private:
  void addBody(MessageId id, const PreparedMessage& message);
  bool isIntact(MessageId id);
  void replace(MessageId id, const PreparedMessage& message);

  struct Statements;
  std::unique_ptr<Statements> statements_;
};

/// Mailboxes of the store.
class Mailboxes {
 public:
  explicit Mailboxes(Database& database);
  ~Mailboxes();
  BraidId ensureBraid(std::string_view name);
  std::string nameOfBraid(BraidId braid);
  /// The mailbox of that role in the braid (role other than None), else of that name; made when there is none.
  /// A mailbox that exists under the name without a role is given the role.
  MailboxId ensure(BraidId braid, std::string_view name, Role role);
  std::optional<Mailbox> find(MailboxId id);
  std::optional<Mailbox> ofEndpointMailbox(EndpointMailboxId id);  ///< that it syncs with
  std::optional<Mailbox> findByName(BraidId braid, std::string_view name);
  std::optional<Mailbox> findByRole(BraidId braid, Role role);
  void rename(MailboxId id, std::string_view name);
  /// Removes a mailbox that no endpoint mailbox maps to and that holds no live entry; false (and nothing done)
  /// otherwise.
  bool removeIfUnused(MailboxId id);
  /// Number of live entries in the whole braid.
  std::uint64_t liveEntries(BraidId braid);
  /// True when there is none: quicker than counting them.
  bool isEmpty(BraidId braid);
  bool holdsNothing(MailboxId id);  ///< no live entry
  std::vector<MailboxSummary> list();
  std::vector<Mailbox> ofBraid(BraidId braid);  ///< without counting what is in them

 private:
  struct Statements;
  std::unique_ptr<Statements> statements_;
};

/// Copies of messages in mailboxes. Every change takes the next change number.
class Entries {
 public:
  explicit Entries(Database& database);
  ~Entries();
  EntryId add(MailboxId mailbox, MessageId message, const Flags& flags, InternalDate date);
  std::optional<Entry> find(EntryId id);  ///< tombstones, too
  /// What its pairs have stays as it is, but for `follower`, a pair that follows the entry and has `flags` as well now.
  void setFlags(EntryId id, const Flags& flags, PairId follower = {});
  /// The entry's message is another one from now on: the same in other words.
  void setMessage(EntryId id, MessageId message);
  void move(EntryId id, MailboxId to);
  void remove(EntryId id, std::int64_t now);  ///< makes it a tombstone
  void revive(EntryId id);                    ///< a tombstone lives again, where it was
  /// An endpoint turned out to have it, too. When an import made it, undoing that import must know.
  void isShared(EntryId id);
  /// Into `mailbox`, alive. When that mailbox is gone it comes back, or what has its name now takes the entry.
  void putBack(EntryId id, MailboxId mailbox);
  ChangeNumber lastChange();

  /// Live entries of `mailbox` that have no pair (held ones do not count) with `endpointMailbox`, one at a time:
  /// same digest; same header digest and size (not of a message that is marked as damaged); same content key. Lowest id
  /// first.
  std::optional<EntryId> findUnpaired(MailboxId mailbox, EndpointMailboxId endpointMailbox, const Digest& digest);
  std::optional<EntryId> findUnpaired(MailboxId mailbox, EndpointMailboxId endpointMailbox, const HeaderDigest& header,
                                      std::uint64_t size);
  std::optional<EntryId> findUnpaired(MailboxId mailbox, EndpointMailboxId endpointMailbox, const ContentKey& key);
  /// What was uploaded into `into` and moved since: a live entry with this message and without a pair at the endpoint
  /// that is in another mailbox which syncs there, too. In the trash also a tombstone whose removal the endpoint has
  /// not been told in full; nowhere else, for what is taken for a tombstone is removed.
  std::optional<EntryId> findUploaded(const EndpointRecord& endpoint, const Mailbox& into, const Digest& digest);
  std::optional<EntryId> findUploaded(const EndpointRecord& endpoint, const Mailbox& into, const HeaderDigest& header,
                                      std::uint64_t size);

  /// A message with this header digest and size that has a live entry anywhere in the braid and is not marked as
  /// damaged: its octets need not be fetched.
  std::optional<MessageId> findMessage(BraidId braid, const HeaderDigest& header, std::uint64_t size);
  /// All entries of the braid, tombstones, too, whose message has this header digest and size, or this content, and is
  /// not marked as damaged.
  std::vector<Entry> like(BraidId braid, const HeaderDigest& header, std::uint64_t size);
  std::vector<Entry> like(BraidId braid, const ContentKey& key);

  void list(MailboxId mailbox, const std::function<void(const EntryRow&)>& visit);  ///< live, by internal date, then id
  void listRemoved(MailboxId mailbox, const std::function<void(const EntryRow&)>& visit);  ///< tombstones, by id
  std::optional<EntryRow> row(EntryId id);                                                 ///< live
  std::optional<EntryRow> anyRow(EntryId id);                                              ///< tombstones, too
  /// Live entries with ids above `after`, up to `upTo`, ascending: what was made between two change numbers.
  std::vector<EntryId> madeBetween(ChangeNumber after, ChangeNumber upTo);
  /// The oldest of the `count` (not 0) newest live entries, by internal date, then id; none when there are fewer.
  std::optional<Entry> nthNewest(MailboxId mailbox, std::uint64_t count);
  /// Another live entry of the same message, in the same braid, that has a pair (not a held one) at this endpoint.
  std::optional<EntryId> findTwinAt(EndpointId endpoint, EntryId id);
  /// That a message of this content, in whatever braid, is read at this endpoint, as it told last.
  bool isSeenAt(EndpointId endpoint, MessageId message);

 private:
  struct Statements;
  std::unique_ptr<Statements> statements_;
};

/// Endpoints and their mailboxes with anchors.
class Endpoints {
 public:
  explicit Endpoints(Database& database);
  ~Endpoints();
  /// Finds or makes the endpoint. When it belonged to another braid, its mailboxes and pairs are forgotten (first
  /// contact).
  EndpointRecord ensure(std::string_view name, std::string_view type, BraidId braid);
  EndpointId find(std::string_view name);  ///< 0: the store does not know it
  std::vector<EndpointMailbox> mailboxes(EndpointId endpoint);
  EndpointMailbox addMailbox(EndpointId endpoint, std::string_view name, MailboxId mailbox, std::string_view objectId);
  void renameMailbox(EndpointMailboxId id, std::string_view name, MailboxId mailbox);
  void setObjectId(EndpointMailboxId id, std::string_view objectId);
  void setAnchor(EndpointMailboxId id, const Anchor& anchor);
  void setStoreName(EndpointMailboxId id, std::string_view name);
  void removeMailbox(EndpointMailboxId id);  ///< with its pairs and quarantine
  void setLastRun(EndpointId endpoint, RunId run);
  void setWindow(EndpointId endpoint, std::string_view window);
  void recordSuccess(EndpointId endpoint, std::int64_t now);
  void recordProblem(EndpointId endpoint, std::int64_t now, std::string_view problem);
  std::vector<EndpointStatus> statuses();
  void forget(EndpointId id);  ///< with its mailboxes, pairs and what it waits for

 private:
  struct Statements;
  std::unique_ptr<Statements> statements_;
};

/// The base of the three-way merge.
class Pairs {
 public:
  explicit Pairs(Database& database);
  ~Pairs();
  PairId add(EndpointMailboxId mailbox, const RemoteKey& key, EntryId entry, const Flags& flags,
             std::string_view objectId, std::int64_t firstSeen = 0);
  /// One that has the entry's flags.
  void addFollower(EndpointMailboxId mailbox, const RemoteKey& key, EntryId entry, std::string_view objectId,
                   std::int64_t firstSeen = 0);
  /// Of what mailbraid has put there. Nothing where the key has a pair already.
  void addUploaded(EndpointMailboxId mailbox, const RemoteKey& key, EntryId entry, const Flags& flags);
  std::optional<Pair> find(EndpointMailboxId mailbox, const RemoteKey& key);
  std::optional<PairedEntry> findWithEntry(EndpointMailboxId mailbox, const RemoteKey& key);
  /// Pairs whose UID is in `uids`, ascending.
  void forUids(EndpointMailboxId mailbox, const UidSet& uids, const std::function<void(const Pair&)>& visit);
  /// All pairs of the mailbox: by UID, else by key.
  void forMailbox(EndpointMailboxId mailbox, const std::function<void(const Pair&)>& visit);
  std::vector<Pair> ofEntry(EntryId entry);
  /// A live entry's message that this endpoint is known to call `objectId`, in any of its mailboxes.
  std::optional<EntryId> findEntryByObjectId(EndpointId endpoint, std::string_view objectId);
  /// A held pair of the mailbox whose entry, in whatever mailbox, removed or not, has this message. Not one that was
  /// deleted there by mailbraid: what comes after that is new mail.
  std::optional<Pair> findHeld(EndpointMailboxId mailbox, const Digest& digest);
  std::optional<Pair> findHeld(EndpointMailboxId mailbox, const HeaderDigest& header, std::uint64_t size);
  UidSet uids(EndpointMailboxId mailbox);          ///< held ones left out
  std::uint64_t count(EndpointMailboxId mailbox);  ///< held ones left out
  /// All of them, but no further than `most`: counting costs with the size of the mailbox.
  std::uint64_t countUpTo(EndpointMailboxId mailbox, std::uint64_t most);
  Uid lastUid(EndpointMailboxId mailbox);  ///< the highest, held ones included; 0: no pair has a UID
  std::vector<Pair> held(EndpointMailboxId mailbox);
  void setFlags(PairId id, const Flags& flags);
  void setHeld(PairId id, bool held);
  void setExpunged(PairId id);
  void setDeleted(PairId id, std::int64_t now);  ///< by mailbraid, at a POP3 server; held from now on
  void setMarkedApart(PairId id, bool apart);
  void setUploaded(PairId id);
  void rekey(PairId id, EndpointMailboxId mailbox, const RemoteKey& key);  ///< the message moved, or got another UID
  void remove(PairId id);
  void removeAll(EndpointMailboxId mailbox);

 private:
  struct Statements;
  std::unique_ptr<Statements> statements_;
};

/// What the store still has to carry to its endpoints.
class Backlog {
 public:
  explicit Backlog(Database& database);
  ~Backlog();
  /// Whether policy rows, and what was refused, count: they do when the policy is another one than they were held back
  /// by.
  enum class PolicyRows : std::uint8_t { LeftOut, Included };
  /// Entries of the endpoint's braid, tombstones too, that changed after `endpoint.pushed`, and those that wait and are
  /// due, ascending.
  std::vector<EntryId> candidates(const EndpointRecord& endpoint, PolicyRows policyRows, std::int64_t now);
  /// Live entries of its braid that were made after `after` and whose message the endpoint never had, ascending.
  std::vector<UploadCandidate> newTo(const EndpointRecord& endpoint, ChangeNumber after);
  void wait(EndpointId endpoint, const WaitingRow& row);
  void done(EndpointId endpoint, EntryId entry);
  std::vector<WaitingRow> waiting(EndpointId endpoint);
  /// All changes up to `pushed` are carried out, or wait, under this policy.
  void settle(EndpointId endpoint, ChangeNumber pushed, std::string_view policy);
  /// Pairs of it were dropped: every entry of its braid is a candidate once more.
  void lookAgain(EndpointId endpoint);

  /// Uploads begin: what the mailbox gets from `uidNext` on may be ours.
  void uploadBegins(EndpointMailboxId mailbox, UidValidity uidValidity, Uid uidNext);
  /// While it is not known what became of uploads: the first UID that may be one of them.
  std::optional<Uid> uploadedFrom(EndpointMailboxId mailbox);
  void uploadEnds(EndpointMailboxId mailbox);

  /// The endpoint took the entry's message with these repairs only ("nul, date").
  void repaired(EndpointId endpoint, EntryId entry, std::string_view repairs);
  /// The same of every endpoint that has the entry now.
  void repairedWhereItIs(EntryId entry, std::string_view repairs);
  std::string repairsOf(EndpointId endpoint, EntryId entry);  ///< empty: none
  /// Of the messages that the store has of `source`, what `destination` has, too.
  Balance balance(EndpointId source, EndpointId destination);

  void setUnwanted(EndpointId endpoint, MailboxId mailbox);
  void setWanted(EndpointId endpoint, MailboxId mailbox);
  bool isUnwanted(EndpointId endpoint, MailboxId mailbox);
  bool isUnwantedByAny(MailboxId mailbox);

 private:
  struct Statements;
  std::unique_ptr<Statements> statements_;
};

/// What could not be taken in.
class Quarantine {
 public:
  explicit Quarantine(Database& database);
  ~Quarantine();
  /// Adds it, or counts another try. `retryAfter` is in seconds.
  void add(EndpointMailboxId mailbox, const RemoteKey& key, std::uint64_t size, std::string_view reason,
           std::int64_t now, std::int64_t retryAfter);
  void remove(EndpointMailboxId mailbox, const RemoteKey& key);
  std::vector<QuarantineRow> of(EndpointMailboxId mailbox);
  std::vector<QuarantineRow> all();

  /// Messages that nothing is wrong with, but that the configuration leaves out.
  void leaveOut(EndpointMailboxId mailbox, const Uidl& key);
  std::vector<Uidl> leftOut(EndpointMailboxId mailbox);
  void takeInAgain(EndpointMailboxId mailbox);  ///< forgets which were left out

 private:
  struct Statements;
  std::unique_ptr<Statements> statements_;
};

/// History.
class Runs {
 public:
  explicit Runs(Database& database);
  ~Runs();
  /// Until finish(), what changes entries is written to the journal under this run.
  RunId begin(std::string_view command, std::int64_t now);
  void finish(RunId run, std::int64_t now, int exitCode, std::string_view summaryJson);
  void add(const OperationRow& operation);
  std::vector<RunRow> list(std::size_t limit);  ///< newest first
  std::optional<RunRow> find(RunId run);
  std::optional<RunRow> after(RunId run);  ///< the one that came next
  std::vector<OperationRow> operations(RunId run);

 private:
  struct Statements;
  std::unique_ptr<Statements> statements_;
};

/// What runs changed, so that it can be taken back (undo.h).
class Journal {
 public:
  explicit Journal(Database& database);
  ~Journal();
  std::vector<JournalRow> of(RunId run);  ///< by entry
  /// Of entries that runs after `run` changed: what each was before the first of these.
  std::vector<JournalRow> firstAfter(RunId run);

 private:
  struct Statements;
  std::unique_ptr<Statements> statements_;
};

/// Forgets what has outlived its retention.
class Retention {
 public:
  explicit Retention(Database& database);
  ~Retention();
  struct Forgotten {
    std::uint64_t entries = 0;
    std::uint64_t messages = 0;
    std::uint64_t octets = 0;  ///< of the messages, before compression
    /// Old enough, but an endpoint still has the message and was not told yet.
    std::uint64_t waiting = 0;
    bool more = false;  ///< call again
  };
  /// Tombstones that were made before `removedBefore` (seconds since 1970) and whose message no endpoint has any more,
  /// with messages that are in no other entry, their octets, and the journal of that time. At most a few hundred at a
  /// call, which goes on where the last one of this object ended. Inside a Transaction.
  Forgotten forget(std::int64_t removedBefore);
  std::int64_t lastTime();  ///< as setLastTime() left it; 0: never
  void setLastTime(std::int64_t now);
  /// Gives free pages back to the disk when they are a quarter of the file or more; the octets that it became smaller
  /// by. Needs as much free disk as the file has octets in use. Outside of a Transaction.
  std::uint64_t shrink();

 private:
  struct Statements;
  std::unique_ptr<Statements> statements_;
  std::int64_t time_ = 0;  ///< where forget() goes on
  EntryId entry_;
};

/// What the servers of accounts gave and got, by day.
class Spendings {
 public:
  explicit Spendings(Database& database);
  ~Spendings();
  Spending of(std::string_view account, std::int64_t day);
  /// Adds to that day, and forgets earlier ones of this account.
  void add(std::string_view account, std::int64_t day, const Spending& more);

 private:
  struct Statements;
  std::unique_ptr<Statements> statements_;
};

enum class Access : std::uint8_t { ReadOnly, ReadWrite };

/// An open store: one database connection, for one thread at a time. ReadWrite makes the directory (0700) and the file
/// (0600) when missing, migrates an older schema after a backup of the file, and holds the lock file; a second writer
/// gets Error{TemporaryFailure} naming the process that holds it. ReadOnly works beside a writer. Errors: StoreDamaged
/// (truncated, not a database, newer schema: left as it is), NotWritable (disk full, permissions, a directory that
/// group or others can write to).
class Store {
 public:
  static std::unique_ptr<Store> open(const std::filesystem::path& directory, Access access);

  /// The right to write: the directory is there, and its lock is held. Opening a large store takes a while, in which a
  /// writer can do other things; whether it may write at all it learns at once.
  class Claim {
   public:
    explicit Claim(const std::filesystem::path& directory);
    ~Claim();
    Claim(Claim&&) noexcept;
    Claim& operator=(Claim&&) noexcept;
    [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

   private:
    friend class Database;
    std::filesystem::path directory_;
    std::unique_ptr<LockFile> lock_;
  };
  /// For writing.
  static std::unique_ptr<Store> open(Claim&& claim);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  Messages& messages();
  Mailboxes& mailboxes();
  Entries& entries();
  Endpoints& endpoints();
  Pairs& pairs();
  Backlog& backlog();
  Quarantine& quarantine();
  Runs& runs();
  Journal& journal();
  Retention& retention();
  Spendings& spendings();

  [[nodiscard]] const std::filesystem::path& directory() const;
  [[nodiscard]] SpoolOptions spoolOptions() const;
  /// Of the store in `directory`.
  static SpoolOptions spoolOptionsFor(const std::filesystem::path& directory);

  /// BEGIN IMMEDIATE now, COMMIT (durable: synchronous=FULL) at commit(), ROLLBACK in the destructor otherwise.
  /// Inside another Transaction it is a savepoint.
  class Transaction {
   public:
    explicit Transaction(Store& store);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

   private:
    Store& store_;
    bool open_ = true;
  };

  /// Brings the log of earlier runs into the file when it is larger than a run without news leaves it. For a writer
  /// that has nothing else to do; outside of a Transaction. Readers are not disturbed.
  void tidy();
  /// The transaction has grown beyond the cache. When a Transaction inside of such a one is taken back, the whole can
  /// no longer be committed (TemporaryFailure): commit before that.
  [[nodiscard]] bool hasSpilled() const;

  /// Structural check: SQLite's own quick_check and foreign keys; empty when sound, else one sentence a finding.
  std::vector<std::string> checkStructure();

 private:
  explicit Store(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

}  // namespace mailbraid::mailstore
