// EndpointRun: POP3 servers, which are read in one session or in several, and what they need not keep.
#include "sync/engine/endpoint_run.h"

#include <algorithm>
#include <utility>

namespace mailbraid::sync::engine {

using endpoint::EndpointSettings;
using endpoint::EndpointType;
using exec::DeletionSettings;
using exec::MailboxWork;
using exec::MaildropDeletion;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Store;

namespace {

constexpr unsigned kMostSessions = 200;

}  // namespace

void EndpointRun::readMaildrop() {
  for (unsigned session = 1;; ++session) {
    readMailboxes();
    // Where an IMAP server has a say it has to be read first.
    const auto hasCompanion = [this](const std::vector<EndpointSettings>& among) {
      return std::any_of(among.begin(), among.end(), [this](const auto& one) { return isImapCompanion(one); });
    };
    const bool alone = !hasCompanion(context_.request.endpoints) && !hasCompanion(context_.request.notInRun);
    if (alone && planDeletions({}, DeletionSettings::Stage::Midway)) carryOutDeletions();
    if (!endpoint_->listsInParts() || context_.request.dryRun || context_.stop.stop_requested()) return;
    bool foundNew = false;
    job([&](Store&) { foundNew = pull_->counts().fresh + pull_->counts().adopted > 0; });
    if (!foundNew) return;
    if (session == kMostSessions) {
      report_.notes.emplace_back(
          "the server may hold more mail than it has listed yet: run again until nothing new comes");
      return;
    }
    endpoint_->refresh();
    suspect_.reset();
  }
}

bool EndpointRun::isImapCompanion(const EndpointSettings& one) const {
  return one.type == EndpointType::Imap && one.braid == settings_.braid;
}

std::string EndpointRun::whyNothingMayBeDeleted() const {
  const std::string& confirmedBy = context_.request.deletionsConfirmedBy;
  const auto unread = [](const std::string& name, bool isRead) {
    return isRead ? std::string() : name + " could not be read in full";
  };
  std::string why;
  if (!confirmedBy.empty()) why = unread(confirmedBy, context_.board.reading(confirmedBy).isSound);
  for (const EndpointSettings& one : context_.request.endpoints) {
    if (why.empty() && isImapCompanion(one)) why = unread(one.name, context_.board.reading(one.name).isComplete);
  }
  for (const EndpointSettings& one : context_.request.notInRun) {
    if (why.empty() && isImapCompanion(one)) why = one.name + " is of the same braid, and not part of this run";
  }
  return why;
}

plan::KeepRules EndpointRun::keepRules() const {
  return {settings_.leaveOnServer, settings_.newest, settings_.maxSize, context_.now};
}

bool EndpointRun::mayDelete() const {
  const bool carriesRemovals = settings_.push.removals && settings_.removals != endpoint::RemovalStyle::Never;
  return settings_.type == EndpointType::Pop3 && keepRules().deletes() && carriesRemovals;
}

bool EndpointRun::planDeletions(const std::unordered_set<mailstore::EntryId>& allowed) {
  if (settings_.type != EndpointType::Pop3 || failed_ || deletionFailed_ || !pull_) return false;
  if (context_.stop.stop_requested()) return false;
  return planDeletions(allowed, DeletionSettings::Stage::AtEnd);
}

bool EndpointRun::planDeletions(const std::unordered_set<mailstore::EntryId>& allowed, DeletionSettings::Stage stage) {
  const bool dryRun = context_.request.dryRun;
  if (pull_->works().empty() || (dryRun && stage == DeletionSettings::Stage::Midway)) return false;
  const std::string& confirmedBy = context_.request.deletionsConfirmedBy;
  // What it was given in this run counts when it was read again: an answer alone proves little.
  if (!confirmedBy.empty() && stage == DeletionSettings::Stage::Midway) return false;
  const MailboxWork& inbox = pull_->works().front();
  if (!mayDelete()) {
    job([&](Store& store) { MaildropDeletion::forgetWaiting(store, inbox.record.endpoint); });
    return false;
  }
  const std::string why = stage == DeletionSettings::Stage::Midway ? std::string() : whyNothingMayBeDeleted();
  if (!why.empty()) {
    report_.notes.push_back("nothing is deleted there, since " + why);
    return false;
  }
  DeletionSettings out;
  out.endpointName = settings_.name;
  out.rules = keepRules();
  out.confirmedBy = confirmedBy;
  if (!confirmedBy.empty()) out.confirming = context_.board.reading(confirmedBy).known;
  out.removalsAllowed = [this](const std::string& mailbox) { return removalsAllowed(mailbox); };
  out.allowedEntries = allowed;
  for (const EndpointSettings& one : context_.request.endpoints) {
    using endpoint::RemovalStyle;
    const bool follows = one.removals == RemovalStyle::Expunge || one.removals == RemovalStyle::Trash;
    if (!isImapCompanion(one)) continue;
    const bool hides = context_.board.reading(one.name).leavesOut;
    out.companions[one.name] = {!(one.push.removals && follows), hides, one.push.fresh};
  }
  out.removedEarlier = removedByDeletion_;
  out.stage = stage;
  out.mode = dryRun ? DeletionSettings::Mode::Rehearse : DeletionSettings::Mode::Commit;
  deletion_ = std::make_unique<MaildropDeletion>(std::move(out), context_.log);
  maildrop_.record = inbox.record;
  job([&](Store& store) { deletion_->plan(store, maildrop_); });
  if (!dryRun && !deletion_->items().empty()) return true;
  absorbDeletion();
  return false;
}

void EndpointRun::absorbDeletion() {
  report_.counts.removedThere += deletion_->deleted();
  removedByDeletion_ += deletion_->removed();
  heldByDeletion_ = deletion_->held();
  if (heldByDeletion_ > 0) addHeld(maildrop_.record.name);
  report_.notes.insert(report_.notes.end(), deletion_->notes().begin(), deletion_->notes().end());
  for (const std::string& sentence : deletion_->problems()) {
    deletionFailed_ = true;
    problem(Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later, sentence), maildrop_.record.name);
  }
  deletion_.reset();
}

void EndpointRun::carryOutDeletions() {
  // The pairs that the plan was made from, and the octets behind them, are on the disk before the server is told.
  context_.writer.flush();
  const endpoint::DeletionOutcome outcome = endpoint_->deleteStored(deletion_->items());
  job([&](Store& store) { deletion_->record(store, outcome); });
  absorbDeletion();
}

}  // namespace mailbraid::sync::engine
