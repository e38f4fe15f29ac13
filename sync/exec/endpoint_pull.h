// Applies to the store what one endpoint tells while it is pulled. All of it runs in jobs of the StoreWriter.
#pragma once

#include "mailstore/store.h"
#include "sync/endpoint/endpoint.h"
#include "sync/exec/op_log.h"
#include "sync/exec/sent_messages.h"
#include "sync/plan/continuity.h"
#include "sync/plan/decision.h"
#include "sync/plan/mailbox_map.h"
#include "sync/plan/window.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace mailbraid::sync::exec {

/// What a pull did, in messages.
struct PullCounts {
  std::uint64_t fresh = 0;
  std::uint64_t adopted = 0;
  std::uint64_t flags = 0;
  std::uint64_t moved = 0;
  std::uint64_t removed = 0;
  std::uint64_t held = 0;
  std::uint64_t quarantined = 0;  ///< see EndpointPull::countQuarantine()
};

struct PullSettings {
  std::string endpointName;
  std::string endpointType;
  std::string braidName;
  endpoint::Directions pull;
  /// A removal made at this endpoint can only become a mark at the others (`removals = "mark"`, "never"): then it needs
  /// no care for what was flagged there since.
  bool othersOnlyMark = false;
  /// A removal made elsewhere only becomes a mark here.
  bool onlyMarks = false;
  endpoint::SeenRule seen;      ///< POP3
  bool expungeDeleted = false;  ///< new messages that are marked are not taken in, they are expunged
  plan::Window window;          ///< what is outside is not taken in
  bool readsAgain = false;      ///< after a push of this run
  /// What endpoints of this run turned out to have: what is removed elsewhere in the same run is kept there. Theirs
  /// together; the writer's thread alone uses it.
  std::unordered_set<mailstore::EntryId>* adopted = nullptr;
  /// What was uploaded in this run: when it is not there, nobody removed it.
  const SentMessages* sent = nullptr;
  mailstore::Repairs repairs;  ///< that it may be given messages with
  bool rehearses = false;  ///< a dry run: what would be fetched becomes an entry without its octets, and is rolled back
  mailstore::SpoolOptions spool;
  bool stateLost = false;    ///< see Endpoint::hasLostState()
  bool keysAreUids = true;   ///< false: names (UIDLs, files)
  bool removalsTold = true;  ///< false: absence at this kind of endpoint never is a removal (POP3)
  /// Whether removals beyond the brake may go through in this mailbox (`--allow-removals`).
  std::function<bool(const std::string& mailbox)> removalsAllowed;
  std::int64_t now = 0;  ///< seconds since 1970
};

/// One mailbox of the endpoint while it is pulled.
struct MailboxWork {
  const endpoint::RemoteMailbox* remote = nullptr;  ///< null: it is no longer listed
  mailstore::EndpointMailbox record;
  plan::Continuity continuity = plan::Continuity::FirstContact;
  endpoint::KeySet skip;    ///< paired above the anchor, or quarantined and not due
  endpoint::KeySet due;     ///< quarantined below the anchor, to be tried again
  std::uint64_t added = 0;  ///< pairs that this run made, or moved here
  std::uint64_t movedAway = 0;
  bool hasQuarantine = false;  ///< messages of it are in quarantine, or were when it was loaded
  bool hasHeld = false;        ///< removals that an earlier run held back
  bool doubtful = false;       ///< it is not there, and nothing is concluded from that
  bool gone = false;           ///< the server confirmed that it does not exist any more
  bool begun = false;          ///< this run has read in it since the mailboxes were listed
  /// What is new in it, from this UID on, may be what was uploaded.
  std::optional<mailstore::Uid> uploadedFrom;
  bool pairsDropped = false;  ///< first contact again: pair with what is there by content
};

/// A mailbox that seems to have been renamed, and messages to compare before that is believed.
struct RenameGuess {
  std::size_t newWork = 0;  ///< index of the mailbox that has no history
  std::size_t oldWork = 0;  ///< index of the one that is no longer listed
  mailstore::UidSet sample;
};

/// "INBOX, Sent, Trash and 12 more".
std::string namesInWords(const std::vector<std::string>& names);

/// A message with its octets, ready to be stored.
struct ArrivedMessage {
  endpoint::RemoteMessage remote;
  mailstore::PreparedMessage prepared;
};

/// Not thread-safe: only jobs of one StoreWriter use it, apart from the const views between jobs.
class EndpointPull {
 public:
  EndpointPull(PullSettings settings, OpLog& log);

  /// Finds or makes the endpoint, its mailboxes and their store mailboxes; `mapped` belongs to `listed`, one to one.
  void open(mailstore::Store& store, const std::vector<endpoint::RemoteMailbox>& listed,
            const std::vector<plan::MappedMailbox>& mapped);
  [[nodiscard]] const std::vector<MailboxWork>& works() const { return works_; }
  /// After the connection broke: what was committed is known, what was remembered until finish() is asked for again.
  void reload(mailstore::Store& store);
  /// True when the braid holds nothing yet. To be asked when it is this endpoint's turn: other endpoints of the braid
  /// may have filled it since open().
  bool lookWhetherBraidIsEmpty(mailstore::Store& store);
  /// True when every live entry of the braid is paired with this endpoint: there is nothing that an unknown message
  /// could be a copy of.
  [[nodiscard]] bool allEntriesArePaired(mailstore::Store& store) const;

  [[nodiscard]] const std::vector<RenameGuess>& renameGuesses() const { return renameGuesses_; }
  /// `told` are the sample's messages as the new mailbox has them. Renames when all that came agree with the store.
  void confirmRename(mailstore::Store& store, const RenameGuess& guess,
                     const std::vector<endpoint::RemoteMessage>& told);

  /// Before the first message of a mailbox that pairs by content: forgets old pairs, writes the unfinished anchor.
  void begin(mailstore::Store& store, std::size_t work, const endpoint::RemoteStatus& status);
  /// Of messages that have a pair. Telling them again changes nothing.
  void mergeFlags(mailstore::Store& store, std::size_t work, const std::vector<endpoint::FlagState>& told);
  /// Flags now; what is gone is remembered until finish(), since it may turn up elsewhere.
  void applyDelta(mailstore::Store& store, std::size_t work, const endpoint::Delta& delta);
  /// The mailbox does not exist any more, and the server has confirmed it.
  void mailboxGone(mailstore::Store& store, std::size_t work);
  /// The mailbox is not there, and that proves nothing: what it held may be found elsewhere, and is not removed.
  void mailboxDoubtful(mailstore::Store& store, std::size_t work);
  /// True when other mailboxes of it are met again: then what is missing is no proof of anything.
  [[nodiscard]] bool wentBack() const;
  /// The mailbox does not exist any more, and nobody has removed it: it is forgotten, and made there again.
  void mailboxLost(mailstore::Store& store, std::size_t work);
  /// Recognises messages by what is known before their bodies are; returns those whose bodies are needed.
  endpoint::KeySet identities(mailstore::Store& store, std::size_t work,
                              const std::vector<endpoint::RemoteMessage>& told);
  void messages(mailstore::Store& store, std::size_t work, std::vector<ArrivedMessage>& arrived);
  void refused(mailstore::Store& store, std::size_t work, const endpoint::RemoteMessage& message,
               const std::string& reason);
  /// Of what is new, what the window lets in by number; the rest is left out.
  endpoint::KeySet newest(mailstore::Store& store, std::size_t work, endpoint::KeySet fresh);
  /// Messages that were here are gone: new ones may be the same under other keys, and are worth recognising first.
  [[nodiscard]] bool somethingIsMissing() const { return !missing_.empty() || keysVanished_; }
  /// Removals, with the brake, and the anchors of the mailboxes that were read to the end (`read[i]`: status on
  /// opening).
  /// Some: there are mailboxes that could not be read now, and what is missing may have been moved there: no removal is
  /// concluded.
  enum class Unread : std::uint8_t { None, Some };
  void finish(mailstore::Store& store, const std::vector<std::optional<endpoint::RemoteStatus>>& read,
              Unread unreadMailboxes = Unread::None);
  /// Removals that an earlier run held back are missing still, and may turn up elsewhere. After applyDelta().
  void lookForHeld(mailstore::Store& store);

  /// The run went through to its end at the endpoint.
  void sealed(mailstore::Store& store, mailstore::RunId run) { store.endpoints().setLastRun(endpoint_.id, run); }

  /// Messages that wait in quarantine now, of this run and of earlier ones.
  void countQuarantine(mailstore::Store& store);

  [[nodiscard]] const PullCounts& counts() const { return counts_; }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
  /// The endpoint's mailboxes whose removals the brake holds back.
  [[nodiscard]] const std::vector<std::string>& heldMailboxes() const { return heldMailboxes_; }
  /// New messages that are marked as deleted, by work: they are to be expunged, and never were in the store.
  [[nodiscard]] const std::map<std::size_t, std::vector<mailstore::RemoteKey>>& doomed() const { return doomed_; }
  /// Entries removed beyond the brake, because the user allows it.
  [[nodiscard]] const std::vector<mailstore::EntryId>& allowedEntries() const { return allowedEntries_; }

 private:
  void takeMarks(mailstore::Store& store, mailstore::Entry& entry, mailstore::PairId pair,
                 const mailstore::Flags& told);
  struct Missing {  ///< a pair whose message is gone from its mailbox
    mailstore::Pair pair;
    std::size_t work = 0;
    bool found = false;  ///< turned up elsewhere
  };

  void forget(mailstore::Store& store, const mailstore::EndpointMailbox& record);
  void forgetLost(mailstore::Store& store, std::vector<mailstore::EndpointMailbox>& records);
  void rehearse(mailstore::Store& store, std::size_t work, const endpoint::RemoteMessage& told);
  void applyWindow(mailstore::Store& store, std::vector<mailstore::EndpointMailbox>& records);
  void leaveOut(mailstore::Store& store, std::size_t work, const mailstore::RemoteKey& key);
  void loadWork(mailstore::Store& store, MailboxWork& work) const;
  static void closeUpload(mailstore::Store& store, MailboxWork& work);
  void guessRenames(mailstore::Store& store);
  void mergeFlags(mailstore::Store& store, std::size_t work, const mailstore::PairedEntry& known,
                  const mailstore::Flags& told);
  void forgetQuarantined(mailstore::Store& store, const MailboxWork& work, const endpoint::Delta& delta) const;
  /// Pairs whose names are not there any more; quarantine of such names is forgotten.
  std::vector<mailstore::Pair> compareNames(mailstore::Store& store, const MailboxWork& work,
                                            const endpoint::Delta& delta);
  void addMissing(mailstore::Store& store, std::size_t work, const mailstore::Pair& pair);
  std::optional<std::size_t> findMissing(mailstore::Store& store, const endpoint::RemoteMessage& told,
                                         const mailstore::Digest* digest);
  void takeMoved(mailstore::Store& store, std::size_t work, std::size_t missing, const endpoint::RemoteMessage& told);
  void adopt(mailstore::Store& store, std::size_t work, mailstore::EntryId entry, const endpoint::RemoteMessage& told);
  void takeNew(mailstore::Store& store, std::size_t work, mailstore::MessageId message,
               const endpoint::RemoteMessage& told, mailstore::InternalDate fallback, std::string_view kind);
  void leaveQuarantine(mailstore::Store& store, std::size_t work, const mailstore::RemoteKey& key);
  [[nodiscard]] mailstore::MailboxId targetOf(mailstore::Store& store, const plan::MappedMailbox& mapped,
                                              const std::vector<mailstore::EndpointMailbox>& records);
  bool identify(mailstore::Store& store, std::size_t work, const endpoint::RemoteMessage& told);
  /// identify() by header digest and size.
  bool isKnownAs(mailstore::Store& store, std::size_t work, const endpoint::RemoteMessage& told);
  /// True when it was recognised as a message that a repair sets apart from it (Messages::addAlias()): by its header
  /// and size, or by its octets.
  bool isRepaired(mailstore::Store& store, std::size_t work, const endpoint::RemoteMessage& told);
  bool isRepaired(mailstore::Store& store, std::size_t work, const ArrivedMessage& arrived);
  /// `missing` and `lacking`: what the message with `repairs` would be, by findMissing() and findLacking().
  bool takeRepaired(mailstore::Store& store, std::size_t work, const endpoint::RemoteMessage& told,
                    const std::optional<std::size_t>& missing, const std::optional<mailstore::EntryId>& lacking,
                    const std::string& repairs);
  /// The endpoint is known to have taken it with a repair.
  bool wasRepaired(mailstore::Store& store, mailstore::EntryId entry) const;
  /// True when it is what was repaired, and the store only had the repaired one.
  bool isOriginal(mailstore::Store& store, std::size_t work, ArrivedMessage& arrived);
  /// The endpoint has the message of that key with repairs: each such message is reported once.
  void noteRepairs(mailstore::Store& store, std::size_t work, const mailstore::RemoteKey& key,
                   const std::string& repairs);
  static mailstore::MessageId addWithForms(mailstore::Store& store, mailstore::PreparedMessage& prepared,
                                           const std::vector<mailstore::MessageForm>& forms);
  bool isKnownByOctets(mailstore::Store& store, std::size_t work, ArrivedMessage& arrived);
  void message(mailstore::Store& store, std::size_t work, ArrivedMessage& arrived);
  /// Messages of the mailbox before this run, those whose removal is held back included.
  /// No further than `most`.
  [[nodiscard]] std::uint64_t messagesBefore(mailstore::Store& store, std::size_t work, std::uint64_t most) const;
  /// What was uploaded by a run that was cut off before it had seen which flags the server has kept: its flags are
  /// carried there once more.
  void lookAtUploads(mailstore::Store& store, const MailboxWork& work);
  bool wasNeverThere(mailstore::Store& store, const Missing& missing);
  void removeMissing(mailstore::Store& store, const Missing& missing);
  /// True when the endpoint was told all that the entry has.
  bool wasTold(mailstore::Store& store, const mailstore::Pair& pair, const mailstore::Entry& entry);
  /// That a message counts as read where its endpoint does not tell.
  [[nodiscard]] bool countsAsSeen(mailstore::Store& store, mailstore::MessageId message,
                                  const mailstore::InternalDate& date) const;
  [[nodiscard]] mailstore::Flags takenFlags(const endpoint::RemoteMessage& told) const {
    return settings_.pull.flags ? told.flags : mailstore::Flags{};
  }
  /// For a pair that is made now: kept only where a policy goes by it.
  [[nodiscard]] std::int64_t firstSeen() const { return settings_.removalsTold ? 0 : settings_.now; }
  [[nodiscard]] bool mayBeUpload(std::size_t work, const mailstore::RemoteKey& key) const;
  /// What the store has for this mailbox and the endpoint does not, as far as is known: also what was uploaded by a
  /// push whose end was cut off, and moved or removed elsewhere since. `content`: a digest, or a header's and a size.
  template <class... Content>
  std::optional<mailstore::EntryId> findLacking(mailstore::Store& store, std::size_t work,
                                                const mailstore::RemoteKey& key, const Content&... content) {
    const mailstore::EndpointMailbox& record = works_[work].record;
    const auto entry = store.entries().findUnpaired(record.mailbox, record.id, content...);
    if (entry || !mayBeUpload(work, key)) return entry;
    const std::optional<mailstore::Mailbox> into = store.mailboxes().find(record.mailbox);
    return into ? store.entries().findUploaded(endpoint_, *into, content...) : std::nullopt;
  }
  /// POP3: a message that was known by another UIDL. True when it is.
  bool takeRenamed(mailstore::Store& store, std::size_t work, const endpoint::RemoteMessage& told,
                   const std::optional<mailstore::Pair>& held);
  [[nodiscard]] bool isPlainFirstPull(std::size_t work) const;
  void logKey(std::size_t work, std::string_view kind, const mailstore::RemoteKey& key, std::string_view detail = {});
  /// Both sides changed a message: what became of it goes to the history and to the report.
  void decided(std::size_t work, std::string_view kind, const mailstore::RemoteKey& key, const std::string& why);

  PullSettings settings_;
  OpLog& log_;
  mailstore::EndpointRecord endpoint_;
  mailstore::EndpointId seenAt_;  ///< whose messages tell what is read; 0: none
  std::vector<MailboxWork> works_;
  std::vector<RenameGuess> renameGuesses_;
  std::vector<Missing> missing_;
  std::unordered_multimap<mailstore::HeaderDigest, std::size_t> missingByHeader_;
  std::unordered_multimap<std::string, std::size_t> missingByObjectId_;
  bool braidWasEmpty_ = false;
  bool mayBeRepaired_ = false;  ///< an endpoint may get, or has got, messages with repairs
  std::optional<std::unordered_set<mailstore::EntryId>> waiting_;  ///< for this endpoint; asked for when it matters
  std::map<std::string, std::vector<std::string>> metAgain_;       ///< mailboxes by why
  std::map<std::size_t, std::uint64_t> leftOut_;                   ///< by work
  bool keysVanished_ = false;  ///< POP3: UIDLs that were listed in the last run are not any more
  bool keysAbsent_ = false;    ///< POP3: known UIDLs are not listed
  PullCounts counts_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> decisions_;  ///< messages by mailbox and why
  std::vector<std::string> notes_;
  std::vector<std::string> heldMailboxes_;
  std::vector<mailstore::EntryId> allowedEntries_;
  std::map<std::size_t, std::vector<mailstore::RemoteKey>> doomed_;
};

}  // namespace mailbraid::sync::exec
