#include "sync/engine/endpoint_run.h"

#include "sync/plan/mailbox_map.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace mailbraid::sync::engine {

using endpoint::DeltaRequest;
using endpoint::EndpointType;
using endpoint::KeyRequest;
using endpoint::KeySet;
using endpoint::RemoteMailbox;
using endpoint::RemoteMessage;
using endpoint::RemoteStatus;
using exec::ArrivedMessage;
using exec::MailboxWork;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Store;
using plan::Continuity;

namespace {

// Messages are handed to the writer in groups: a job a message would cost more in locks than in SQL.
constexpr std::size_t kGroupMessages = 64;
constexpr std::size_t kGroupOctets = std::size_t{512} * 1024;
constexpr unsigned kMostFailures = 3;
constexpr unsigned kMostReconnects = 200;

}  // namespace

/// Takes messages from the endpoint and gives them to the writer in groups.
class EndpointRun::Sink final : public endpoint::PullSink {
 public:
  Sink(EndpointRun& run, std::vector<std::size_t> works) : run_(run), works_(std::move(works)) {}
  ~Sink() override = default;

  void onOpened(std::size_t index, const RemoteStatus& status) override {
    post();
    const std::size_t work = works_[index];
    exec::EndpointPull& pull = *run_.pull_;
    run_.context_.writer.give([&pull, work, status](Store& store) { pull.begin(store, work, status); }, 0);
  }

  void onMessage(std::size_t index, RemoteMessage&& message, mailstore::PreparedMessage&& prepared) override {
    if (group_.size() >= kGroupMessages || groupOctets_ >= kGroupOctets || groupIndex_ != index) post();
    groupIndex_ = index;
    groupOctets_ += prepared.memoryUse();
    group_.push_back({std::move(message), std::move(prepared)});
    ++unreported_;
  }

  void onRefused(std::size_t index, const RemoteMessage& message, const std::string& reason) override {
    post();
    const std::size_t work = works_[index];
    exec::EndpointPull& pull = *run_.pull_;
    run_.context_.writer.give(
        [&pull, work, message, reason](Store& store) { pull.refused(store, work, message, reason); }, 0);
  }

  void onOctets(std::uint64_t octets) override {
    octets_ += octets;
    if (octets_ < kGroupOctets / 2) return;
    report();
  }

  /// Gives what is gathered to the writer.
  void post() {
    if (group_.empty()) return;
    run_.delivered_ += group_.size();
    auto group = std::make_shared<std::vector<ArrivedMessage>>(std::move(group_));
    const std::size_t work = works_[groupIndex_];
    exec::EndpointPull& pull = *run_.pull_;
    run_.context_.writer.give(
        [&pull, work, group = std::move(group)](Store& store) { pull.messages(store, work, *group); }, groupOctets_);
    group_.clear();
    groupOctets_ = 0;
    report();
  }

 private:
  void report() {
    const std::size_t work = works_.empty() ? 0 : works_[groupIndex_];
    const std::string current =
        works_.empty() ? run_.settings_.name : run_.settings_.name + " " + run_.pull_->works()[work].record.name;
    run_.context_.hub.messages(unreported_, octets_, current);
    unreported_ = 0;
    octets_ = 0;
  }

  EndpointRun& run_;
  const std::vector<std::size_t> works_;  ///< by request index
  std::vector<ArrivedMessage> group_;
  std::size_t groupOctets_ = 0;
  std::size_t groupIndex_ = 0;
  std::uint64_t unreported_ = 0;
  std::uint64_t octets_ = 0;
};

EndpointRun::EndpointRun(const endpoint::EndpointSettings& settings, Company company, endpoint::Seal seal,
                         RunContext context)
    : settings_(settings), company_(company), context_(std::move(context)), seal_(std::move(seal)) {
  report_.name = settings.name;
}

EndpointRun::~EndpointRun() {
  drain();
}

void EndpointRun::drain() noexcept {
  try {
    context_.writer.run([](Store&) {});
  } catch (const std::exception&) {
    // The writer has ended, and carries nothing out any more.
  }
}

void EndpointRun::problem(const Error& error, const std::string& mailbox) {
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
  guarded([this] { pullAll(); });
  // A POP3 server keeps the maildrop locked until it is left.
  if (endpoint_ && settings_.type == EndpointType::Pop3) endpoint_->close();
}

void EndpointRun::push() {
  guarded([this] { pushAll(); });
}

EndpointReport EndpointRun::finish() {
  if (endpoint_) {
    endpoint_->close();
    const endpoint::WireTotals totals = endpoint_->wireTotals();
    report_.counts.bytesIn = totals.bytesIn;
    report_.counts.bytesOut = totals.bytesOut;
    report_.counts.roundTrips = totals.roundTrips;
  }
  if (pull_) {
    job([&](Store& store) { pull_->countQuarantine(store); });
    report_.counts.quarantined += pull_->counts().quarantined;
    absorbPull();
  }
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
  report_.counts.held += counts.held;
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
  environment.seal = seal_;
  endpoint_ = context_.request.makeEndpoint(settings_, environment);
  // A POP3 server logs out who keeps it waiting (RFC 1939 section 3), so such an endpoint comes when it is its turn.
  std::optional<BraidTurns::Turn> turn;
  if (settings_.type == EndpointType::Pop3) turn.emplace(context_.turns, settings_.braid, context_.stop);
  endpoint_->open();
  readMailboxes();
}

void EndpointRun::readMailboxes() {
  mapAndOpen();
  confirmRenames();
  problemsBeforeReading_ = report_.problems.size();
  readAll();
}

plan::MappingRules EndpointRun::mappingRules() const {
  plan::MappingRules rules{settings_.mailboxes, settings_.map, plan::MappingRules::RoleNames::Own};
  if (settings_.braid != settings_.name) rules.roleNames = plan::MappingRules::RoleNames::Canonical;
  return rules;
}

bool EndpointRun::removalsAllowed(const std::string& mailbox) const {
  const std::vector<AllowedRemovals>& all = context_.request.allowRemovals;
  return std::any_of(all.begin(), all.end(), [&](const AllowedRemovals& allowed) {
    return allowed.endpoint == settings_.name && (allowed.mailbox.empty() || allowed.mailbox == mailbox);
  });
}

void EndpointRun::mapAndOpen() {
  const std::vector<RemoteMailbox>& listed = endpoint_->list();
  std::vector<plan::ListedMailbox> names;
  names.reserve(listed.size());
  for (const RemoteMailbox& mailbox : listed)
    names.push_back({mailbox.name, mailbox.role, mailbox.selectable, mailbox.refusal});
  const std::vector<plan::MappedMailbox> mapped = plan::mapMailboxes(names, mappingRules());
  const bool first = report_.mailboxes == 0;
  report_.mailboxes = listed.size();
  for (std::size_t i = 0; first && i < mapped.size(); ++i) {
    if (mapped[i].fate != plan::MappedMailbox::Fate::Refused) continue;
    problem(Error(ErrorKind::Protocol, Scope::Mailbox, Retry::Never,
                  "mailbox \"" + listed[i].name + "\" is not synced: " + mapped[i].reason),
            listed[i].name);
  }
  exec::PullSettings pull;
  pull.endpointName = settings_.name;
  pull.endpointType = std::string(endpoint::endpointTypeName(settings_.type));
  pull.braidName = settings_.braid;
  pull.pull = settings_.pull;
  pull.removalsTold = settings_.type != EndpointType::Pop3;
  pull.now = context_.now;
  pull.removalsAllowed = [this](const std::string& mailbox) {
    return std::any_of(context_.request.allowRemovals.begin(), context_.request.allowRemovals.end(),
                       [&](const AllowedRemovals& allowed) {
                         return allowed.endpoint == settings_.name &&
                                (allowed.mailbox.empty() || allowed.mailbox == mailbox);
                       });
  };
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
    if (!endpoint_->isGone(work.record.name)) continue;
    anythingGone_ = true;
    job([&](Store& store) { pull_->mailboxGone(store, i); });
  }
}

std::vector<std::size_t> EndpointRun::worksToRead() {
  std::vector<std::size_t> works;
  read_.assign(pull_->works().size(), std::nullopt);
  std::uint64_t expected = 0;
  for (std::size_t i = 0; i < pull_->works().size(); ++i) {
    const MailboxWork& work = pull_->works()[i];
    if (work.remote == nullptr || work.continuity == Continuity::Unchanged) continue;
    const auto& status = work.remote->status;
    const bool knownEmpty = status && status->messages == 0 && status->uidNext.value() != 0 &&
                            status->uidValidity.value() != 0 && settings_.type == EndpointType::Imap;
    if (work.continuity == Continuity::FirstContact && knownEmpty) {
      const RemoteStatus empty = *status;
      job([&](Store& store) { pull_->begin(store, i, empty); });
      read_[i] = empty;
      continue;
    }
    works.push_back(i);
    if (!status) continue;
    const std::uint64_t next = status->uidNext.value();
    const std::uint64_t known = work.record.anchor.complete ? work.record.anchor.uidNext.value() : 0;
    expected +=
        known == 0 ? status->messages : std::min<std::uint64_t>(status->messages, next > known ? next - known : 0);
  }
  if (!expectationTold_) context_.hub.expect(works.size(), expected);
  expectationTold_ = true;
  return works;
}

void EndpointRun::readAll() {
  while (true) {
    try {
      readOnce();
      return;
    } catch (const Error& error) {
      if (error.scope() != Scope::Connection || error.retry() != Retry::Now || context_.stop.stop_requested() ||
          error.kind() == ErrorKind::Cancelled || !recover(error)) {
        throw;
      }
    }
  }
}

/// True when it makes sense to read on over a new connection.
bool EndpointRun::recover(const Error& error) {
  const std::optional<endpoint::MessagePlace> at = endpoint_->inProgress();
  failures_ = delivered_ == 0 ? failures_ + 1 : 1;
  if (failures_ > kMostFailures || ++reconnects_ > kMostReconnects) return false;
  delivered_ = 0;
  context_.hub.log(0, "endpoint=" + settings_.name + " result=reconnect reason=\"" + error.what() + "\"");
  endpoint_->reconnect();
  lookedForGone_ = anythingGone_ = false;
  report_.problems.resize(problemsBeforeReading_);
  // The line broke twice at the same message: that message is set aside, so that it does not stop the others.
  if (at && suspect_ && *at == *suspect_ && setAside(*at)) failures_ = 0;
  job([&](Store& store) { pull_->reload(store); });
  suspect_ = at;
  return true;
}

bool EndpointRun::setAside(const endpoint::MessagePlace& place) {
  constexpr unsigned kMost = 20;
  if (++setAside_ > kMost) return false;
  for (std::size_t i = 0; i < pull_->works().size(); ++i) {
    if (pull_->works()[i].remote != place.mailbox) continue;
    RemoteMessage message;
    message.key = place.key;
    job([&](Store& store) { pull_->refused(store, i, message, "the connection broke twice while it was fetched"); });
    return true;
  }
  return false;
}

bool EndpointRun::mayFetchDirectly(const std::vector<std::size_t>& works) {
  if (context_.request.dryRun || settings_.type != EndpointType::Imap || !settings_.pull.fresh) return false;
  if (braidEmpty_) return true;
  if (company_ == Company::Shared || anythingGone_ || settings_.braid != settings_.name) return false;
  const auto all = [&](auto&& test) {
    return std::all_of(works.begin(), works.end(), [&](std::size_t i) { return test(pull_->works()[i]); });
  };
  // A first pull that was cut short goes on as it began.
  const bool begins =
      works.size() == pull_->works().size() && all([](const MailboxWork& w) {
        return (w.continuity == Continuity::FirstContact || w.continuity == Continuity::Unfinished) && !w.pairsDropped;
      });
  bool firstPull = false;
  if (begins) job([&](Store& store) { firstPull = pull_->allEntriesArePaired(store); });
  // One mailbox that changed: there is none that its new messages could have been moved from, nor did we upload any.
  const bool oneChanged = works.size() == 1 && all([](const MailboxWork& w) {
                            return w.continuity == Continuity::Changed && !w.uploadsOpen;
                          });
  return firstPull || oneChanged;
}

void EndpointRun::readOnce() {
  if (!lookedForGone_) lookForGone();
  lookedForGone_ = true;
  const std::vector<std::size_t> works = worksToRead();
  const bool held =
      std::any_of(pull_->works().begin(), pull_->works().end(), [](const MailboxWork& w) { return w.hasHeld; });
  report_.mailboxesRead = std::max<std::uint64_t>(report_.mailboxesRead, works.size());
  if (!works.empty()) {
    std::optional<BraidTurns::Turn> turn;
    if (settings_.type != EndpointType::Pop3) turn.emplace(context_.turns, settings_.braid, context_.stop);
    job([&](Store& store) { braidEmpty_ = pull_->lookWhetherBraidIsEmpty(store); });
    Sink sink(*this, works);
    try {
      readDeltas(sink, works);
    } catch (...) {
      sink.post();  // what arrived before the line broke is not asked for again
      throw;
    }
    sink.post();
  }
  const bool anyRead = std::any_of(read_.begin(), read_.end(), [](const auto& status) { return status.has_value(); });
  if (anyRead || held || anythingGone_) job([&](Store& store) { pull_->finish(store, read_); });
}

void EndpointRun::readDeltas(Sink& sink, const std::vector<std::size_t>& works) {
  const bool direct = mayFetchDirectly(works);
  std::vector<DeltaRequest> requests;
  requests.reserve(works.size());
  for (const std::size_t i : works) {
    const MailboxWork& work = pull_->works()[i];
    DeltaRequest request{work.remote, work.record.anchor, work.skip, work.due, direct};
    const bool again = work.continuity == Continuity::ValidityChanged || work.continuity == Continuity::WentBack;
    if (again) request.anchor = {};
    requests.push_back(std::move(request));
  }
  std::vector<endpoint::Delta> deltas = endpoint_->changes(requests, sink);
  requests.clear();
  requests.shrink_to_fit();
  sink.post();
  std::vector<KeyRequest> fresh;
  std::vector<std::size_t> freshWorks;
  for (std::size_t r = 0; r < deltas.size(); ++r) {
    endpoint::Delta& delta = deltas[r];
    const std::size_t i = works[r];
    if (delta.failure) {
      problem(*delta.failure, pull_->works()[i].record.name);
      continue;
    }
    job([&](Store& store) { pull_->applyDelta(store, i, delta); });
    delta.present.reset();  // the keys of a large mailbox are megabytes
    // An incomplete listing leaves the anchor where it was.
    if (delta.incomplete.empty()) {
      read_[i] = delta.status;
    } else {
      const std::string& name = pull_->works()[i].record.name;
      problem(Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later, name + ": " + delta.incomplete), name);
    }
    if (endpoint::isEmpty(delta.fresh) || !settings_.pull.fresh) continue;
    fresh.push_back({pull_->works()[i].remote, delta.status.uidValidity, std::move(delta.fresh)});
    freshWorks.push_back(i);
  }
  if (!fresh.empty()) bringFresh(std::move(fresh), freshWorks);
  for (std::size_t r = 0; r < works.size(); ++r) context_.hub.mailboxDone();
}

void EndpointRun::bringFresh(std::vector<KeyRequest> fresh, const std::vector<std::size_t>& works) {
  const bool mirror = company_ == Company::Alone && settings_.braid == settings_.name;
  const bool again =
      std::any_of(works.begin(), works.end(), [&](std::size_t i) { return pull_->works()[i].pairsDropped; });
  const bool recogniseFirst = settings_.type == EndpointType::Imap || !mirror || again || pull_->somethingIsMissing();
  const std::vector<KeyRequest> needed = recogniseFirst && !braidEmpty_ ? recognise(fresh, works) : std::move(fresh);
  if (context_.request.dryRun) {
    planOnly(needed, works);
    return;
  }
  Sink bodies(*this, works);
  try {
    giveUp(endpoint_->fetch(needed, bodies), works);
  } catch (...) {
    bodies.post();
    throw;
  }
  bodies.post();
}

void EndpointRun::giveUp(const std::vector<std::optional<Error>>& outcomes, const std::vector<std::size_t>& works) {
  for (std::size_t r = 0; r < outcomes.size(); ++r) {
    if (!outcomes[r] || !read_[works[r]]) continue;
    read_[works[r]].reset();
    problem(*outcomes[r], pull_->works()[works[r]].record.name);
  }
}

std::vector<KeyRequest> EndpointRun::recognise(const std::vector<KeyRequest>& fresh,
                                               const std::vector<std::size_t>& works) {
  constexpr std::size_t kGroup = 512;
  std::vector<KeyRequest> needed;
  for (const KeyRequest& request : fresh) {
    const bool uids = std::holds_alternative<mailstore::UidSet>(request.keys);
    needed.push_back({request.mailbox, request.uidValidity,
                      uids ? KeySet(mailstore::UidSet{}) : KeySet(std::vector<mailstore::Uidl>{})});
  }
  std::vector<RemoteMessage> group;
  std::size_t groupIndex = 0;
  const auto flush = [&] {
    if (group.empty()) return;
    KeySet keys;
    job([&](Store& store) { keys = pull_->identities(store, works[groupIndex], group); });
    if (auto* uids = std::get_if<mailstore::UidSet>(&keys)) {
      std::get<mailstore::UidSet>(needed[groupIndex].keys).add(*uids);
    } else {
      auto& all = std::get<std::vector<mailstore::Uidl>>(needed[groupIndex].keys);
      const auto& more = std::get<std::vector<mailstore::Uidl>>(keys);
      all.insert(all.end(), more.begin(), more.end());
    }
    context_.hub.messages(group.size() - static_cast<std::size_t>(endpoint::countOf(keys)), 0, {});
    group.clear();
  };
  const auto outcomes = endpoint_->identify(fresh, [&](std::size_t index, RemoteMessage&& message) {
    if (index != groupIndex || group.size() >= kGroup) flush();
    groupIndex = index;
    group.push_back(std::move(message));
  });
  flush();
  giveUp(outcomes, works);
  return needed;
}

void EndpointRun::planOnly(const std::vector<KeyRequest>& needed, const std::vector<std::size_t>& works) {
  for (std::size_t r = 0; r < needed.size(); ++r) {
    const MailboxWork& work = pull_->works()[works[r]];
    std::uint64_t count = endpoint::countOf(needed[r].keys);
    // Of a range of UIDs not every one need be there; the mailbox cannot have more messages than it says.
    if (read_[works[r]] && settings_.type == EndpointType::Imap) {
      count = std::min<std::uint64_t>(count, read_[works[r]]->messages);
    }
    report_.counts.fresh += count;
    if (count == 0) continue;
    job([&](Store&) {
      context_.log.note(settings_.name, work.record.name, "new", std::to_string(count) + " messages to fetch");
    });
  }
}

}  // namespace mailbraid::sync::engine
