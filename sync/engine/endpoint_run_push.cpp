// EndpointRun: carrying the store's changes to the endpoint.
#include "sync/engine/endpoint_run.h"

#include <algorithm>
#include <utility>

namespace mailbraid::sync::engine {

using endpoint::EndpointType;
using exec::EndpointPush;
using exec::MailboxWork;
using exec::PushPlace;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Store;
using plan::Continuity;

bool EndpointRun::mayPush() const {
  const endpoint::Directions& push = settings_.push;
  if (failed_ || !endpoint_ || !pull_ || context_.stop.stop_requested()) return false;
  if (!push.fresh && !push.flags && !push.removals) return false;  // read-only
  const endpoint::PushAbility can = endpoint_->pushAbility();
  return can.append || can.flags || can.transfers || can.removals;
}

exec::PushSettings EndpointRun::pushSettings() {
  const endpoint::PushAbility can = endpoint_->pushAbility();
  exec::PushSettings out;
  out.endpointName = settings_.name;
  out.endpointType = std::string(endpoint::endpointTypeName(settings_.type));
  out.braidName = settings_.braid;
  out.policy = {settings_.push.fresh, settings_.push.flags, settings_.push.removals, can.append, can.flags,
                can.transfers,        can.removals};
  out.removals = settings_.removals;
  out.expungeDeleted = settings_.expungeDeleted;
  out.createMailboxes = settings_.createMailboxes;
  out.removeMailboxes = settings_.removeMailboxes;
  out.canChangeMailboxes = can.mailboxes;
  out.mapping = mappingRules();
  out.window = window();
  out.repairs = settings_.repairs;
  out.uploadBudget = uploadBudget();
  out.removalsAllowed = [this](const std::string& mailbox) { return removalsAllowed(mailbox); };
  out.mode = context_.request.dryRun ? exec::PushSettings::Mode::Rehearse : exec::PushSettings::Mode::Commit;
  out.now = context_.now;
  out.allowedEntries = allowedAnywhere_;
  out.refusedAhead = refusedAhead_;
  out.sent = &sent_;
  return out;
}

std::unordered_set<mailstore::EntryId> EndpointRun::allowedEntries() const {
  std::unordered_set<mailstore::EntryId> all(allowedEntries_.begin(), allowedEntries_.end());
  if (pull_) all.insert(pull_->allowedEntries().begin(), pull_->allowedEntries().end());
  return all;
}

std::vector<PushPlace> EndpointRun::pushPlaces() const {
  static const std::optional<endpoint::RemoteStatus> nothing;
  std::vector<PushPlace> places;
  for (std::size_t i = 0; i < pull_->works().size(); ++i) {
    const MailboxWork& work = pull_->works()[i];
    if (work.record.id.value() == 0) continue;
    const auto doomed = pull_->doomed().find(i);
    PushPlace& place = places.emplace_back();
    place.record = work.record;
    place.remote = work.remote;
    if (doomed != pull_->doomed().end()) place.doomed = doomed->second;
    place.known = isKnown(i);
    const auto& status = i < read_.size() && read_[i] ? read_[i]
                         : work.remote != nullptr     ? work.remote->status
                                                      : nothing;
    if (status) place.readAt = status->highestModSeq;
  }
  return places;
}

void EndpointRun::preparePush() {
  push_ = std::make_unique<EndpointPush>(pushSettings(), context_.log);
  push_->onProgress([this](std::uint64_t messages, std::uint64_t octets) {
    context_.hub.messages(messages, octets, settings_.name);
    spend(0, messages);
  });
}

bool EndpointRun::planPush(std::unordered_set<mailstore::EntryId> allowed) {
  allowedAnywhere_.merge(allowed);
  if (!mayPush()) return false;
  preparePush();
  job([&](Store& store) { push_->plan(store, pushPlaces()); });
  if (!push_->isIdle() && !context_.request.dryRun) return true;
  job([&](Store& store) { push_->finish(store); });
  absorbPush();
  return false;
}

void EndpointRun::absorbPush() {
  const exec::PushCounts& counts = push_->counts();
  report_.counts.uploaded += counts.uploaded;
  report_.counts.uploadedOctets += counts.uploadedOctets;
  report_.counts.flagsStored += counts.flags;
  report_.counts.movedThere += counts.moved;
  report_.counts.removedThere += counts.removed;
  heldByPush_ = counts.held;
  leftToUpload_ = push_->leftover();
  full_ = push_->full();
  report_.counts.quarantined += counts.refused;
  for (const std::string& note : push_->notes()) report_.notes.push_back(note);
  for (const std::string& mailbox : push_->heldMailboxes()) addHeld(mailbox);
  for (const EndpointPush::Failure& failure : push_->failures()) problem(failure.error, failure.mailbox);
  for (const auto& [entry, message] : push_->sent()) sent_.insert_or_assign(entry, message);
  push_.reset();
}

/// Throws what the endpoint throws.
void EndpointRun::runPush() {
  const endpoint::OctetSource octets = [this](const endpoint::AppendItem& item,
                                              const std::function<void(std::string_view)>& sink) {
    if (!reader_) reader_ = Store::open(context_.spool.directory, mailstore::Access::ReadOnly);
    reader_->messages().read(push_->messageOf(item), sink);
  };
  context_.hub.expect(0, push_->uploads());
  push_->carryOut(*endpoint_, context_.writer, octets);
}

std::optional<Error> EndpointRun::pushOnce() {
  std::optional<Error> broken;
  try {
    runPush();
  } catch (const Error& error) {
    broken = error;
  }
  job([&](Store& store) { push_->finish(store); });
  anotherRound_ = push_->wantsAnotherRound();
  absorbPush();
  return broken;
}

void EndpointRun::pushAll() {
  constexpr int kMostRounds = 3;  // for what only the next reading shows
  const Counts& counts = report_.counts;
  const auto carried = [&] { return counts.uploaded + counts.flagsStored + counts.movedThere + counts.removedThere; };
  std::uint64_t plannedBefore = 0;
  for (int round = 1; round <= kMostRounds;) {
    const std::uint64_t before = carried();
    const std::uint64_t planned = push_->operations();
    const std::optional<Error> broken = pushOnce();
    // A server may do what it was told and go before it says so: then there is less to do than before.
    const std::uint64_t unsaid = planned < plannedBefore ? plannedBefore - planned : 0;
    readAgain(broken, std::max(carried() - before, unsaid));
    plannedBefore = planned;
    if (!broken && !anotherRound_) break;
    if (!broken) ++round;
    if (!planPush(allowedEntries())) break;
  }
  removeUnwanted();
}

void EndpointRun::readAgain(const std::optional<Error>& broken, std::uint64_t done) {
  if (broken && (!isLost(*broken) || !reconnectAfter(*broken, done))) throw Error(*broken);
  readsAgain_ = true;
  endpoint_->refresh();
  if (broken) {
    std::set<std::string> unsure;
    job([&](Store& store) { unsure = unsureMailboxes(store, settings_.name); });
    awaitRest(unsure);
  }
  lookedForGone_ = anythingGone_ = false;
  suspect_.reset();
  readMailboxes();
}

void EndpointRun::removeUnwanted() {
  if (!settings_.removeMailboxes || !settings_.push.removals || !endpoint_->pushAbility().mailboxes) return;
  std::vector<endpoint::MailboxChange> changes;
  std::vector<const MailboxWork*> works;
  job([&](Store& store) {
    for (const MailboxWork& work : pull_->works()) {
      if (work.remote == nullptr || !store.backlog().isUnwantedByAny(work.record.mailbox)) continue;
      const auto mailbox = store.mailboxes().find(work.record.mailbox);
      const bool plain = mailbox && mailbox->role == mailstore::Role::None;
      // The second look: the endpoint itself says that nothing is in it.
      const bool empty = work.remote->status && work.remote->status->messages == 0;
      if (!plain || !empty || !store.mailboxes().holdsNothing(work.record.mailbox)) continue;
      changes.push_back({endpoint::MailboxChange::Kind::Remove, work.remote, {}, {}});
      works.push_back(&work);
    }
  });
  if (changes.empty()) return;
  const std::vector<endpoint::MailboxOutcome> outcomes = endpoint_->changeMailboxes(changes);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].failure) {
      problem(*outcomes[i].failure, works[i]->record.name);
      continue;
    }
    job([&](Store& store) {
      store.endpoints().removeMailbox(works[i]->record.id);
      // Where others still have it, it is not made here again for nothing.
      if (!store.mailboxes().removeIfUnused(works[i]->record.mailbox)) {
        store.backlog().setUnwanted(works[i]->record.endpoint, works[i]->record.mailbox);
      }
      context_.log.note(settings_.name, works[i]->record.name, "remove mailbox there", "it was removed elsewhere");
    });
    report_.notes.push_back(works[i]->record.name + " was removed, as elsewhere");
  }
}

bool EndpointRun::deservesSeal() const {
  const Counts& c = report_.counts;
  const bool did =
      c.fresh + c.adopted + c.flags + c.moved + c.removed + c.uploaded + c.flagsStored + c.movedThere + c.removedThere >
      0;
  // A mailbox with a problem is no reason to leave the tree without a mark: then its loss would not be seen.
  const bool isDue = did || seal_.lastRun == 0 || (endpoint_ && endpoint_->hasLostState());
  return endpoint_ && pull_ && !seal_.endpoint.empty() && !failed_ && isDue;
}

}  // namespace mailbraid::sync::engine
