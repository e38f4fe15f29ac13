// Carries the store's changes to one endpoint: plans them from entries and pairs, has them done, records the receipts.
#pragma once

#include "mailstore/store.h"
#include "sync/endpoint/endpoint.h"
#include "sync/exec/op_log.h"
#include "sync/exec/push_work.h"
#include "sync/exec/sent_messages.h"
#include "sync/exec/store_writer.h"
#include "sync/plan/day_budget.h"
#include "sync/plan/mailbox_map.h"
#include "sync/plan/push_decision.h"
#include "sync/plan/window.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace mailbraid::sync::exec {

/// What a push did at the endpoint, in messages.
struct PushCounts {
  std::uint64_t uploaded = 0;
  std::uint64_t uploadedOctets = 0;  ///< not of copies
  std::uint64_t flags = 0;
  std::uint64_t moved = 0;
  std::uint64_t removed = 0;
  std::uint64_t held = 0;     ///< removals held back by the brake
  std::uint64_t refused = 0;  ///< messages that the endpoint would not take
};

struct PushSettings {
  std::string endpointName;
  std::string endpointType;
  std::string braidName;
  plan::PushPolicy policy;
  endpoint::RemovalStyle removals = endpoint::RemovalStyle::Expunge;
  bool expungeDeleted = false;
  bool createMailboxes = true;
  bool removeMailboxes = false;
  bool canChangeMailboxes = true;
  plan::MappingRules mapping;
  plan::Window window;  ///< what is outside is not uploaded
  mailstore::Repairs repairs;
  std::optional<plan::DayBudget> uploadBudget;
  /// Whether removals beyond the brake may go through in this mailbox (`--allow-removals`).
  std::function<bool(const std::string& mailbox)> removalsAllowed;
  /// Entries whose removal the user has allowed in this run already, when it was pulled: no brake holds them again.
  std::unordered_set<mailstore::EntryId> allowedEntries;
  enum class Mode : std::uint8_t { Commit, Rehearse } mode = Mode::Commit;
  std::int64_t now = 0;                             ///< seconds since 1970
  std::vector<mailstore::WaitingRow> refusedAhead;  ///< of takeRefused()
  /// Of earlier pushes of the run: what is not seen there now is not sent a second time.
  const SentMessages* sent = nullptr;
};

/// A mailbox of the endpoint as this run's pull left it.
struct PushPlace {
  mailstore::EndpointMailbox record;
  const endpoint::RemoteMailbox* remote = nullptr;  ///< null: it is not there any more, and its removal is held back
  std::vector<mailstore::RemoteKey> doomed;         ///< messages to expunge that never were in the store
  bool known = true;         ///< it was read to its end, or has not changed: what the pairs say is what it holds
  mailstore::ModSeq readAt;  ///< its HIGHESTMODSEQ when it was read; 0: not known
};

/// plan() and finish() are jobs of the StoreWriter; carryOut() runs on the endpoint's thread and gives its receipts to
/// the writer. One plan, one carryOut(), one finish().
class EndpointPush {
 public:
  EndpointPush(PushSettings settings, OpLog& log) : settings_(std::move(settings)), log_(log) {}

  /// Decides what to do, from the store alone. Writes nothing but what waits.
  void plan(mailstore::Store& store, std::vector<PushPlace> places);
  /// Instead of plan() and finish(), while other endpoints are still pulled: only uploads of what was made after
  /// `since`, or, when mailboxes have to be made for it, only these. plannedUpTo() then says how far; what it left
  /// out, or what failed, is up to a later plan().
  void planAhead(mailstore::Store& store, std::vector<PushPlace> places, mailstore::ChangeNumber since);
  /// Of planAhead(), for carryOut(): what was made since then and goes to the same mailbox is uploaded, too, when
  /// `isDue` says that it is worth while. Asked on the endpoint's thread.
  void goOnAhead(std::function<bool()> isDue) { isDue_ = std::move(isDue); }
  /// Up to where uploads ahead have looked.
  [[nodiscard]] mailstore::ChangeNumber plannedUpTo() const { return plannedUpTo_; }
  [[nodiscard]] bool makesMailboxes() const;
  /// What the endpoint would not take in an upload ahead.
  [[nodiscard]] std::vector<mailstore::WaitingRow> takeRefused() { return std::move(waits_); }
  /// True when plan() found nothing to be done at the endpoint.
  [[nodiscard]] bool isIdle() const { return work_.isIdle(); }
  /// Does it. Throws what the endpoint throws (the line broke); what was done until then is recorded, the rest waits.
  void carryOut(endpoint::Endpoint& endpoint, StoreWriter& writer, const endpoint::OctetSource& octets);
  /// How much there is to do.
  [[nodiscard]] std::uint64_t operations() const { return work_.count(); }
  /// Messages to upload, for a progress line.
  [[nodiscard]] std::uint64_t uploads() const;
  /// Who wants to know of octets that went out and messages that are done.
  void onProgress(std::function<void(std::uint64_t messages, std::uint64_t octets)> told) { told_ = std::move(told); }
  /// The message whose octets an upload asks for.
  [[nodiscard]] mailstore::MessageId messageOf(const endpoint::AppendItem& item) const;
  /// What was not done waits; all changes up to the plan's are settled.
  void finish(mailstore::Store& store);

  /// True when the next reading brings what was missing: keys of messages that got their place but not their flags,
  /// flags that another program changed at the same time.
  [[nodiscard]] bool wantsAnotherRound() const { return anotherRound_; }
  [[nodiscard]] const PushCounts& counts() const { return counts_; }
  /// The endpoint takes no more uploads at all, whichever mailbox they are for: why, and how many wait.
  [[nodiscard]] const std::optional<mailstore::Error>& full() const { return full_; }
  /// What the day's budget leaves for another day.
  [[nodiscard]] const plan::Leftover& leftover() const { return leftover_; }
  /// Complete when nothing is carried out any more.
  [[nodiscard]] std::vector<std::string> notes() const;
  [[nodiscard]] const std::vector<std::string>& heldMailboxes() const { return heldMailboxes_; }
  struct Failure {
    std::string mailbox;
    mailstore::Error error;
  };
  [[nodiscard]] const std::vector<Failure>& failures() const { return failures_; }
  [[nodiscard]] const SentMessages& sent() const { return sent_; }

 private:
  friend class PushReceipts;
  // endpoint_push_plan.cpp
  struct Found {
    plan::Placed placed = plan::Placed::Nowhere;
    std::optional<mailstore::Pair> pair;
    std::vector<mailstore::Pair> strays;  ///< of other copies, in mailboxes that are not the entry's
  };
  void takePlaces(mailstore::Store& store, std::vector<PushPlace> places);
  void planMailboxes(mailstore::Store& store);
  void planEntry(mailstore::Store& store, mailstore::EntryId id);
  void planLive(mailstore::Store& store, const mailstore::Entry& entry, const std::optional<mailstore::Pair>& pair,
                plan::Placed placed);
  void planRemoval(const mailstore::Entry& entry, const mailstore::Pair& pair);
  /// In this run, to a mailbox that is still the same.
  bool wasSent(mailstore::EntryId id);
  void planStrays(const mailstore::Entry& entry, const Found& found);
  bool planCleaning(const mailstore::Entry& entry, const Found& found);
  void planUpload(mailstore::Store& store, const mailstore::Entry& entry, std::size_t to);
  /// True when `max_messages` leaves it out.
  [[nodiscard]] bool isBeyondNewest(mailstore::Store& store, const mailstore::Entry& entry);
  [[nodiscard]] Found find(mailstore::Store& store, const mailstore::Entry& entry) const;
  [[nodiscard]] std::optional<std::size_t> placeOf(mailstore::EndpointMailboxId id) const;
  [[nodiscard]] std::optional<std::size_t> placeFor(mailstore::Store& store, const mailstore::Entry& entry);
  [[nodiscard]] std::optional<std::size_t> trashPlace() const;
  std::optional<std::size_t> planCreation(const mailstore::Mailbox& mailbox);
  void brake(mailstore::Store& store);
  void keepToBudget(mailstore::Store& store);
  void wait(mailstore::EntryId entry, mailstore::WaitKind kind, std::string reason);
  /// In octets, of a message; as the endpoint says it itself.
  [[nodiscard]] std::optional<std::uint64_t> appendLimit(const PlaceWork& place) const;
  /// How many of its uploads the endpoint says that it will not take.
  [[nodiscard]] std::uint64_t tooLarge(const PlaceWork& place) const;
  void logPlan();
  [[nodiscard]] std::string policyText() const;
  [[nodiscard]] const std::string& nameOf(std::size_t place) const { return work_.places[place].name; }

  // endpoint_push.cpp
  /// Those above come before those below them.
  [[nodiscard]] std::vector<std::size_t> placesToRename() const;
  void changeMailboxes(endpoint::Endpoint& endpoint, StoreWriter& writer);
  void transfer(endpoint::Endpoint& endpoint, StoreWriter& writer);
  void storeFlags(endpoint::Endpoint& endpoint, StoreWriter& writer);
  void upload(endpoint::Endpoint& endpoint, StoreWriter& writer, const endpoint::OctetSource& octets);
  /// From the place's upload `first` on.
  std::vector<endpoint::AppendItem> itemsOf(std::size_t place, std::size_t first);
  // endpoint_push_ahead.cpp
  std::vector<endpoint::AppendItem> moreFor(std::size_t place, StoreWriter& writer);
  void planMore(mailstore::Store& store, std::size_t place);
  void remove(endpoint::Endpoint& endpoint, StoreWriter& writer);
  enum class Kind : std::uint8_t { Flags, Uploads, Removals };
  void takeOutcomes(const endpoint::Outcomes& outcomes, const std::vector<std::size_t>& places, Kind kind);
  void takeFull(const mailstore::Error& error);
  void note(const std::string& text);
  void tell(const std::string& mailbox, const mailstore::Error& error);
  void because(mailstore::EntryId entry, const mailstore::Error& error);
  void fail(std::size_t place, const mailstore::Error& error);
  void settled(mailstore::EntryId entry) { open_.erase(entry); }

  PushSettings settings_;
  OpLog& log_;
  mailstore::EndpointRecord endpoint_;
  mailstore::ChangeNumber upTo_;
  mailstore::ChangeNumber plannedUpTo_;
  std::function<bool()> isDue_;
  PushWork work_;
  std::unordered_map<mailstore::MailboxId, std::size_t> placeByMailbox_;
  std::unordered_map<mailstore::EndpointMailboxId, std::size_t> placeByRecord_;
  std::unordered_set<mailstore::EndpointMailboxId> owned_;  ///< the endpoint's, those that are not synced any more, too
  std::unordered_map<mailstore::MailboxId, std::optional<mailstore::Entry>> oldestTaken_;  ///< by `max_messages`
  std::vector<const UploadItem*> uploadOrder_;                                             ///< by token
  struct Open {
    std::string reason;  ///< why it could not be done
    mailstore::WaitKind kind = mailstore::WaitKind::Retry;
  };
  std::unordered_map<mailstore::EntryId, Open> open_;  ///< planned and not done yet
  SentMessages sent_;
  std::unordered_multiset<mailstore::EntryId> strays_;  ///< whose stray copies are there yet, one a copy
  std::vector<mailstore::WaitingRow> waits_;
  std::vector<mailstore::EntryId> looked_;  ///< candidates: done unless they wait
  std::function<void(std::uint64_t, std::uint64_t)> told_;
  bool anotherRound_ = false;
  PushCounts counts_;
  plan::Leftover leftover_;
  std::optional<mailstore::Error> full_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> repaired_;  ///< messages by mailbox and repairs
  std::map<std::string, std::uint64_t> onlyMarked_;                        ///< messages by mailbox there
  std::vector<std::string> notes_;
  std::vector<std::string> heldMailboxes_;
  std::vector<Failure> failures_;
};

}  // namespace mailbraid::sync::exec
