// One endpoint in a run: pulled, pushed to, and reported of.
#pragma once

#include "sync/endpoint/endpoint.h"
#include "sync/engine/braid_turns.h"
#include "sync/engine/engine.h"
#include "sync/engine/progress_hub.h"
#include "sync/engine/pull_board.h"
#include "sync/exec/endpoint_pull.h"
#include "sync/exec/endpoint_push.h"
#include "sync/exec/maildrop_deletion.h"
#include "sync/exec/store_writer.h"
#include "sync/plan/day_budget.h"

#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

namespace mailbraid::sync::engine {

/// Mailboxes of an endpoint where uploads began whose outcome is not known.
std::set<std::string> unsureMailboxes(mailstore::Store& store, const std::string& endpoint);

/// What the runs of all endpoints share.
struct RunContext {
  exec::StoreWriter& writer;
  exec::OpLog& log;
  ProgressHub& hub;
  BraidTurns& turns;
  PullBoard& board;
  mailstore::SpoolOptions spool;  ///< its directory is the store's
  std::int64_t now = 0;
  int logLevel = 1;
  const SyncRequest& request;
  std::stop_token stop;
  std::unordered_set<mailstore::EntryId>& adopted;  ///< see PullSettings
  const mailstore::ChangeNumber& before;            ///< the store's last change before the run; for jobs of the writer
  /// unsureMailboxes() of each endpoint, as soon as the store is open.
  std::shared_future<std::map<std::string, std::set<std::string>>> unsure;
};

/// One thread at a time. No phase throws but for the store's own end (Error of scope run): what goes wrong at the
/// endpoint is in the report.
class EndpointRun {
 public:
  /// `alone`: no other endpoint of this run belongs to the same braid.
  enum class Company : std::uint8_t { Alone, Shared };
  EndpointRun(const endpoint::EndpointSettings& settings, Company company, RunContext context);
  ~EndpointRun();

  /// Phase 1: the store learns what the endpoint holds. Then it gets what the others of its braid bring meanwhile.
  void pull();
  /// Between the phases, when every endpoint was pulled: decides what is to be carried to this one. True when there is
  /// something. `allowed`: entries whose removal the user has allowed in this run, besides those of earlier calls.
  bool planPush(std::unordered_set<mailstore::EntryId> allowed);
  /// Phase 2: carries it there, and reads again what that changed.
  void push();
  /// When all was carried everywhere: decides what a POP3 server need not keep any more. `allowed` as of planPush().
  /// True when there is something to delete.
  bool planDeletions(const std::unordered_set<mailstore::EntryId>& allowed);
  /// Phase 3: deletes it there.
  void deleteStored();
  /// Good-bye, and what was done.
  EndpointReport finish();
  /// Entries that were removed beyond the brake because the user allows it.
  [[nodiscard]] std::unordered_set<mailstore::EntryId> allowedEntries() const;
  /// Whether the run went through here, and something was done: the endpoint's mark is to be renewed.
  [[nodiscard]] bool deservesSeal() const;
  void seal(mailstore::RunId run);

 private:
  class Sink;
  void pullAll();
  void readMailboxes();
  void findSeal();
  void listEarly();
  [[nodiscard]] const std::set<std::string>& unsureBefore() const;
  /// Until the server is done with what it was told before the line broke.
  void awaitRest(const std::set<std::string>& unsure);
  void tellSoundness();
  /// The mailbox was read in this run, or has not changed.
  [[nodiscard]] bool isKnown(std::size_t index) const;
  void sealNewTree();
  void pushAll();
  // endpoint_run_deletion.cpp
  /// One session after the other while the server lists in parts; what need not stay is deleted at the end of each.
  void readMaildrop();
  /// An IMAP endpoint that what is here may be carried to, or come from.
  [[nodiscard]] bool isImapCompanion(const endpoint::EndpointSettings& one) const;
  /// As a clause; empty: something may.
  [[nodiscard]] std::string whyNothingMayBeDeleted() const;
  [[nodiscard]] plan::KeepRules keepRules() const;
  [[nodiscard]] bool mayDelete() const;
  bool planDeletions(const std::unordered_set<mailstore::EntryId>& allowed, exec::DeletionSettings::Stage stage);
  void carryOutDeletions();
  void absorbDeletion();
  [[nodiscard]] plan::MappingRules mappingRules() const;
  [[nodiscard]] plan::Window window() const;
  [[nodiscard]] bool removalsAllowed(const std::string& mailbox) const;
  void addHeld(const std::string& mailbox);
  [[nodiscard]] bool mayPush() const;
  [[nodiscard]] exec::PushSettings pushSettings();
  void absorbPull();
  void preparePush();
  [[nodiscard]] std::vector<exec::PushPlace> pushPlaces() const;
  void runPush();
  void absorbPush();
  [[nodiscard]] bool mayUploadAhead() const;
  void uploadAhead();
  bool uploadNew();
  /// What broke the line, if anything did.
  std::optional<mailstore::Error> pushOnce();
  /// `done`: messages, before the line broke.
  void readAgain(const std::optional<mailstore::Error>& broken, std::uint64_t done);
  void removeUnwanted();
  /// Runs a phase; what it throws becomes a problem.
  template <class Phase>
  void guarded(const Phase& phase);
  void mapAndOpen();
  void confirmRenames();
  void lookForGone();
  [[nodiscard]] std::vector<std::size_t> worksToRead();
  void readAll();
  void readOnce();
  void readDeltas(Sink& sink, const std::vector<std::size_t>& works);
  [[nodiscard]] bool anythingHeld() const;
  void couldNotRead(const mailstore::Error& error, std::size_t work);
  void bringFresh(std::vector<endpoint::KeyRequest> fresh, const std::vector<std::size_t>& works);
  void bring(std::vector<endpoint::KeyRequest> fresh, const std::vector<std::size_t>& works);
  // endpoint_run_budget.cpp: what an account may be asked for in a day.
  void bringWithinBudget(const std::vector<endpoint::KeyRequest>& fresh, const std::vector<std::size_t>& works);
  [[nodiscard]] bool hasBudget() const;
  /// None: there is no limit.
  [[nodiscard]] std::optional<plan::DayBudget> uploadBudget();
  [[nodiscard]] mailstore::Spending spentToday();
  /// Counts what went over the line since it was called last.
  void spend(std::uint64_t messagesIn, std::uint64_t messagesOut);
  /// What the limits of the server and of the user leave for another run.
  void tellLimits();
  void tellBudget(const std::string& what, std::uint64_t whole, const plan::Leftover& left);
  /// The same requests for nothing.
  static std::vector<endpoint::KeyRequest> withoutKeys(const std::vector<endpoint::KeyRequest>& requests);
  std::vector<endpoint::KeyRequest> recognise(const std::vector<endpoint::KeyRequest>& fresh,
                                              const std::vector<std::size_t>& works);
  void planOnly(const std::vector<endpoint::KeyRequest>& needed, const std::vector<std::size_t>& works);
  [[nodiscard]] bool mayFetchDirectly(const std::vector<std::size_t>& works);
  bool recover(const mailstore::Error& error);
  /// The line broke, and nothing else is wrong.
  [[nodiscard]] bool isLost(const mailstore::Error& error) const;
  /// True when it makes sense to go on over a new connection, which then is there. `done`: messages by the old one.
  bool reconnectAfter(const mailstore::Error& error, std::uint64_t done);
  bool setAside(const endpoint::MessagePlace& place);
  /// Waits until the writer has nothing left of this endpoint.
  void drain() noexcept;
  /// Tells the failures and leaves these mailboxes' anchors where they were.
  void giveUp(const std::vector<std::optional<mailstore::Error>>& outcomes, const std::vector<std::size_t>& works);
  void problem(const mailstore::Error& error, const std::string& mailbox);
  void job(const exec::StoreWriter::Job& job) { context_.writer.run(job); }
  void largeJob(const exec::StoreWriter::Job& job) { context_.writer.runLarge(job); }

  const endpoint::EndpointSettings& settings_;
  const Company company_;
  RunContext context_;
  std::unique_ptr<endpoint::Endpoint> endpoint_;
  std::unique_ptr<exec::EndpointPull> pull_;
  std::unique_ptr<exec::EndpointPush> push_;
  std::unique_ptr<exec::MaildropDeletion> deletion_;
  exec::Maildrop maildrop_;                                 ///< as it was last listed, where something may be deleted
  std::unique_ptr<mailstore::Store> reader_;                ///< reads octets to upload while the writer writes
  std::vector<mailstore::EntryId> allowedEntries_;          ///< by this endpoint's earlier readings
  std::unordered_set<mailstore::EntryId> allowedAnywhere_;  ///< by any endpoint's
  std::chrono::steady_clock::duration spent_{};
  endpoint::Seal seal_;
  std::uint64_t heldByPull_ = 0;
  std::uint64_t heldByPush_ = 0;
  std::uint64_t heldByDeletion_ = 0;
  std::uint64_t removedByDeletion_ = 0;
  bool deletionFailed_ = false;       ///< in part or as a whole: tried again in the next run, not in this one
  bool anotherRound_ = false;         ///< a push left something that it can do now that was read again
  bool failed_ = false;               ///< a phase ended in an error: the endpoint is not touched any more
  exec::SentMessages sent_;           ///< in this run
  mailstore::ChangeNumber madeUpTo_;  ///< what was made up to it was looked at ahead
  std::uint64_t broughtUpTo_ = 0;     ///< messages of the braid: as madeUpTo_
  bool rereads_ = false;              ///< uploads ahead were made since it was read
  std::vector<mailstore::WaitingRow> refusedAhead_;
  bool readsAgain_ = false;                                  ///< after a push
  std::vector<std::optional<endpoint::RemoteStatus>> read_;  ///< by work: its status when it was read to the end
  exec::EndpointPull::Unread unread_ = exec::EndpointPull::Unread::None;
  bool lookedForGone_ = false;
  bool anythingGone_ = false;
  bool braidEmpty_ = false;
  bool nothingIsKnown_ = false;   ///< of what is new: there is nothing that it could be a copy of
  endpoint::WireTotals counted_;  ///< what of the line's traffic spend() has counted
  std::int64_t budgetDay_ = 0;    ///< for which the budget was looked at last
  plan::Leftover leftThere_;      ///< what the day's budget leaves at the endpoint
  plan::Leftover leftToUpload_;
  std::optional<mailstore::Error> full_;           ///< why the last push could not upload all
  std::uint64_t delivered_ = 0;                    ///< messages since the last connection
  unsigned failures_ = 0;                          ///< connections in a row that brought nothing
  unsigned reconnects_ = 0;                        ///< after connections that brought little
  std::optional<endpoint::MessagePlace> suspect_;  ///< at which the line broke last
  unsigned setAside_ = 0;
  bool expectationTold_ = false;
  std::size_t problemsBeforeReading_ = 0;
  EndpointReport report_;
};

}  // namespace mailbraid::sync::engine
