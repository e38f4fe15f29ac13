#include "sync/engine/endpoint_run.h"

#include "sync/engine/rules.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace mailbraid::sync::engine {

using endpoint::EndpointType;
using endpoint::KeyRequest;
using endpoint::RemoteMailbox;
using endpoint::RemoteMessage;
using exec::MailboxWork;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Store;

EndpointRun::EndpointRun(const endpoint::EndpointSettings& settings, Company company, RunContext context)
    : settings_(settings), company_(company), context_(std::move(context)) {
  report_.name = settings.name;
}

EndpointRun::~EndpointRun() {
  drain();
}

void EndpointRun::drain() noexcept {
  try {
    context_.writer.wait();
  } catch (const std::exception&) {
    // The writer has ended, and carries nothing out any more.
  }
}

void EndpointRun::problem(const Error& error, const std::string& mailbox) {
  const auto known = [&](const auto& one) { return one.mailbox == mailbox && one.sentence == error.what(); };
  if (std::any_of(report_.problems.begin(), report_.problems.end(), known)) return;  // when it was read before
  report_.problems.push_back({error.kind(), error.retry(), mailbox, error.what()});
  context_.hub.log(1, "endpoint=" + settings_.name + (mailbox.empty() ? "" : " mailbox=\"" + mailbox + "\"") +
                          " result=failed reason=\"" + error.what() + "\"");
}

template <class Phase>
void EndpointRun::guarded(const Phase& phase) {
  const auto began = std::chrono::steady_clock::now();
  try {
    phase();
  } catch (const Error& error) {
    if (error.scope() == Scope::Run && error.kind() != ErrorKind::Cancelled) throw;
    failed_ = true;
    problem(error, {});
  } catch (const std::exception& error) {
    // A mistake of ours, or no memory: it ends this endpoint, not the others.
    failed_ = true;
    problem(Error(ErrorKind::Internal, Scope::Endpoint, Retry::Later, std::string("internal error: ") + error.what()),
            {});
  }
  spent_ += std::chrono::steady_clock::now() - began;
}

void EndpointRun::pull() {
  {
    struct Done {
      const EndpointRun& run;
      ~Done() { run.context_.board.done(run.settings_); }
    } const done{*this};
    guarded([this] { pullAll(); });
    // A POP3 server keeps the maildrop locked until it is left.
    if (endpoint_ && settings_.type == EndpointType::Pop3) endpoint_->close();
    tellSoundness();
  }
  guarded([this] { uploadAhead(); });
  tellSoundness();
}

void EndpointRun::tellSoundness() {
  PullBoard::Reading reading;
  reading.isComplete = !failed_ && pull_ && unread_ == exec::EndpointPull::Unread::None;
  reading.isSound = reading.isComplete && report_.problems.empty();
  const bool hasLimits = settings_.maxSize || settings_.maxAge || settings_.maxMessages || !settings_.pull.fresh;
  reading.leavesOut = hasLimits || !report_.leftOut.empty();
  for (std::size_t i = 0; pull_ && i < pull_->works().size(); ++i) {
    if (isKnown(i)) reading.known.insert(pull_->works()[i].record.id);
  }
  context_.board.setReading(settings_.name, std::move(reading));
}

bool EndpointRun::isKnown(std::size_t index) const {
  const MailboxWork& work = pull_->works()[index];
  const bool wasRead = index < read_.size() && read_[index];
  return work.remote != nullptr && (work.continuity == plan::Continuity::Unchanged || wasRead);
}

void EndpointRun::push() {
  guarded([this] { pushAll(); });
  tellSoundness();
}

void EndpointRun::deleteStored() {
  guarded([this] { carryOutDeletions(); });
}

void EndpointRun::seal(mailstore::RunId run) {
  guarded([&] {
    if (endpoint_->seal(run.value())) job([&](Store& store) { pull_->sealed(store, run); });
  });
}

EndpointReport EndpointRun::finish() {
  if (endpoint_) {
    endpoint_->close();
    spend(0, 0);
    const endpoint::WireTotals totals = endpoint_->wireTotals();
    report_.counts.bytesIn = totals.bytesIn;
    report_.counts.bytesOut = totals.bytesOut;
    report_.counts.roundTrips = totals.roundTrips;
  }
  if (pull_) {
    job([&](Store& store) { pull_->countQuarantine(store); });
    report_.counts.quarantined += pull_->counts().quarantined;
    absorbPull();
    for (std::size_t i = 0; i < pull_->works().size(); ++i) {
      const MailboxWork& work = pull_->works()[i];
      if (work.remote == nullptr) report_.gone.push_back(work.record.name);
      if (isKnown(i)) report_.known.push_back(work.record.id);
    }
  }
  tellLimits();
  report_.counts.held = heldByPull_ + heldByPush_ + heldByDeletion_;
  report_.seconds = std::chrono::duration<double>(spent_).count();
  return report_;
}

void EndpointRun::absorbPull() {
  const exec::PullCounts& counts = pull_->counts();
  report_.counts.fresh += counts.fresh;
  report_.counts.adopted += counts.adopted;
  report_.counts.flags += counts.flags;
  report_.counts.moved += counts.moved;
  report_.counts.removed += counts.removed;
  heldByPull_ = counts.held;  // what waits, not what was done: the last reading tells
  report_.notes.insert(report_.notes.end(), pull_->notes().begin(), pull_->notes().end());
  for (const std::string& mailbox : pull_->heldMailboxes()) addHeld(mailbox);
  allowedEntries_.insert(allowedEntries_.end(), pull_->allowedEntries().begin(), pull_->allowedEntries().end());
}

void EndpointRun::addHeld(const std::string& mailbox) {
  std::vector<std::string>& all = report_.heldMailboxes;
  if (std::find(all.begin(), all.end(), mailbox) == all.end()) all.push_back(mailbox);
}

void EndpointRun::pullAll() {
  endpoint::Environment environment;
  environment.spool = context_.spool;
  environment.logLevel = context_.logLevel;
  environment.log = [this](int level, const std::string& line) { context_.hub.log(level, line); };
  environment.stop = context_.stop;
  environment.dryRun = context_.request.dryRun;
  findSeal();
  environment.seal = seal_;
  endpoint_ = context_.request.makeEndpoint(settings_, environment);
  const std::string& first = context_.request.pulledFirst;
  const auto awaitFirst = [&] {
    if (!first.empty() && first != settings_.name) context_.board.awaitPulled(first, context_.stop);
  };
  // A POP3 server logs out who keeps it waiting (RFC 1939 section 3), so such an endpoint comes when it is its turn.
  std::optional<BraidTurns::Turn> turn;
  if (settings_.type == EndpointType::Pop3) {
    awaitFirst();
    turn.emplace(context_.turns, settings_.braid, context_.stop);
  }
  endpoint_->open();
  context_.writer.wake();
  sealNewTree();
  if (settings_.type == EndpointType::Imap) {
    // The store may still be being opened: a long log takes as long as a server that is near.
    if (first.empty() || first == settings_.name) listEarly();
    awaitRest(unsureBefore());
  }
  awaitFirst();
  if (settings_.type == EndpointType::Pop3) {
    readMaildrop();
  } else {
    readMailboxes();
  }
}

void EndpointRun::listEarly() {
  try {
    endpoint_->list();
  } catch (const Error& error) {
    if (!isLost(error) || !reconnectAfter(error, 0)) throw;
  }
}

std::set<std::string> unsureMailboxes(Store& store, const std::string& endpoint) {
  std::set<std::string> out;
  for (const mailstore::EndpointMailbox& one : store.endpoints().mailboxes(store.endpoints().find(endpoint))) {
    if (store.backlog().uploadedFrom(one.id)) out.insert(one.name);
  }
  return out;
}

const std::set<std::string>& EndpointRun::unsureBefore() const {
  return context_.unsure.get().at(settings_.name);
}

void EndpointRun::awaitRest(const std::set<std::string>& unsure) {
  constexpr int kMostLooks = 20;
  if (unsure.empty() || context_.request.rest.count() == 0) return;
  using Looks = std::map<std::string, std::pair<std::uint32_t, mailstore::Uid>>;
  std::optional<Looks> before;  // none: it was not seen since the line broke
  for (int look = 0; look < kMostLooks; ++look) {
    std::optional<Looks> now = Looks{};
    try {
      for (const RemoteMailbox& mailbox : endpoint_->list()) {
        if (mailbox.status && unsure.contains(mailbox.name))
          now->insert_or_assign(mailbox.name, std::pair(mailbox.status->messages, mailbox.status->uidNext));
      }
    } catch (const Error& error) {
      if (!isLost(error) || !reconnectAfter(error, 0)) throw;
      now.reset();
    }
    if (now && now == before) return;
    before = std::move(now);
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait_for(lock, context_.stop, context_.request.rest, [] { return false; });
    endpoint_->refresh();
  }
}

void EndpointRun::sealNewTree() {
  // Before anything is known of it: when its first run is cut short, the next one knows it again.
  if (seal_.endpoint.empty() || seal_.lastRun != 0 || context_.request.dryRun) return;
  mailstore::RunId run;
  job([&](Store&) { run = context_.log.run(); });
  // The number is on the disk before the tree has it: after a crash another run would get it again.
  context_.writer.flush();
  try {
    if (!endpoint_->seal(run.value())) return;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Cancelled) throw;
    return;  // a tree that cannot be written to: that is told at the end
  }
  job([&](Store& store) {
    const auto braid = store.mailboxes().ensureBraid(settings_.braid);
    store.endpoints().setLastRun(
        store.endpoints().ensure(settings_.name, endpoint::endpointTypeName(settings_.type), braid).id, run);
  });
}

void EndpointRun::findSeal() {
  if (settings_.type == EndpointType::Imap || settings_.type == EndpointType::Pop3) return;
  job([&](Store& store) {
    const mailstore::EndpointRecord record = store.endpoints().ensure(
        settings_.name, endpoint::endpointTypeName(settings_.type), store.mailboxes().ensureBraid(settings_.braid));
    seal_ = {record.seal, record.lastRun};
  });
}

void EndpointRun::readMailboxes() {
  while (true) {
    try {
      mapAndOpen();
      confirmRenames();
      break;
    } catch (const Error& error) {
      if (!isLost(error) || !reconnectAfter(error, 0)) throw;
    }
  }
  problemsBeforeReading_ = report_.problems.size();
  readAll();
}

plan::Window EndpointRun::window() const {
  return windowOf(settings_);
}

plan::MappingRules EndpointRun::mappingRules() const {
  return mappingRulesOf(settings_);
}

bool EndpointRun::removalsAllowed(const std::string& mailbox) const {
  const std::vector<AllowedRemovals>& all = context_.request.allowRemovals;
  return std::any_of(all.begin(), all.end(), [&](const AllowedRemovals& allowed) {
    return allowed.endpoint == settings_.name && (allowed.mailbox.empty() || allowed.mailbox == mailbox);
  });
}

void EndpointRun::mapAndOpen() {
  const std::vector<RemoteMailbox>& listed = endpoint_->list();
  const std::vector<plan::MappedMailbox> mapped = plan::mapMailboxes(listedNames(listed), mappingRules());
  const bool first = report_.mailboxes == 0;
  report_.mailboxes = listed.size();
  report_.leftOut = leftOutOf(listed, mapped);
  const bool onDisk = settings_.type == EndpointType::Maildir || settings_.type == EndpointType::Mbox;
  const ErrorKind refusal = onDisk ? ErrorKind::TemporaryFailure : ErrorKind::Protocol;
  for (std::size_t i = 0; first && i < mapped.size(); ++i) {
    if (mapped[i].fate != plan::MappedMailbox::Fate::Refused) continue;
    problem(Error(refusal, Scope::Mailbox, Retry::Never,
                  "mailbox \"" + listed[i].name + "\" is not synced: " + mapped[i].reason),
            listed[i].name);
  }
  exec::PullSettings pull;
  pull.endpointName = settings_.name;
  pull.endpointType = std::string(endpoint::endpointTypeName(settings_.type));
  pull.braidName = settings_.braid;
  pull.pull = settings_.pull;
  pull.keysAreUids = settings_.type == EndpointType::Imap;
  pull.removalsTold = settings_.type != EndpointType::Pop3;
  pull.now = context_.now;
  pull.window = window();
  pull.sent = &sent_;
  pull.readsAgain = readsAgain_;
  pull.adopted = &context_.adopted;
  pull.rehearses = context_.request.dryRun;
  pull.spool = context_.spool;
  pull.repairs = settings_.repairs;
  pull.stateLost = endpoint_->hasLostState();
  pull.expungeDeleted = settings_.expungeDeleted;
  if (settings_.type == EndpointType::Pop3) pull.seen = settings_.seen;
  const auto marks = [](const endpoint::EndpointSettings& one) {
    return one.removals == endpoint::RemovalStyle::Mark || one.removals == endpoint::RemovalStyle::Never;
  };
  const std::vector<endpoint::EndpointSettings>& all = context_.request.endpoints;
  pull.onlyMarks = marks(settings_);
  pull.othersOnlyMark =
      company_ == Company::Shared && std::all_of(all.begin(), all.end(), [&](const endpoint::EndpointSettings& one) {
        return one.braid != settings_.braid || one.name == settings_.name || marks(one);
      });
  pull.removalsAllowed = [this](const std::string& mailbox) { return removalsAllowed(mailbox); };
  if (pull_) absorbPull();
  pull_ = std::make_unique<exec::EndpointPull>(std::move(pull), context_.log);
  job([&](Store& store) { pull_->open(store, listed, mapped); });
}

void EndpointRun::confirmRenames() {
  for (const exec::RenameGuess& guess : pull_->renameGuesses()) {
    const MailboxWork& work = pull_->works()[guess.newWork];
    std::vector<RemoteMessage> told;
    const KeyRequest request{work.remote, work.remote->status->uidValidity, guess.sample};
    endpoint_->identify(std::span(&request, 1),
                        [&](std::size_t, RemoteMessage&& message) { told.push_back(std::move(message)); });
    job([&](Store& store) { pull_->confirmRename(store, guess, told); });
  }
}

void EndpointRun::lookForGone() {
  if (settings_.type == EndpointType::Pop3) return;
  for (std::size_t i = 0; i < pull_->works().size(); ++i) {
    const MailboxWork& work = pull_->works()[i];
    if (work.remote != nullptr || work.record.id.value() == 0) continue;
    if (!endpoint_->isGone(work.record.name)) {
      // One that the configuration leaves out by now has no part in the sync.
      if (!plan::takesMailbox(work.record.name, mailstore::Role::None, mappingRules())) continue;
      job([&](Store& store) { pull_->mailboxDoubtful(store, i); });
      couldNotRead(Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later,
                         work.record.name + ": " + endpoint_->whyNotGone(work.record.name)),
                   i);
      continue;
    }
    anythingGone_ = true;
    if (pull_->wentBack()) {
      job([&](Store& store) { pull_->mailboxLost(store, i); });
    } else {
      job([&](Store& store) { pull_->mailboxGone(store, i); });
    }
  }
}

}  // namespace mailbraid::sync::engine
