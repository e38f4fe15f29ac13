// EndpointRun: reading what is new, and bringing it to the store.
#include "sync/engine/endpoint_run.h"

#include <algorithm>
#include <utility>

namespace mailbraid::sync::engine {

using endpoint::DeltaRequest;
using endpoint::EndpointType;
using endpoint::KeyRequest;
using endpoint::KeySet;
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
// A server that ends every connection after some messages is not left before all are there; one that hardly gives any
// is.
constexpr std::uint64_t kLittle = 20;
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

  void onFlags(std::size_t index, std::vector<endpoint::FlagState>&& flags) override {
    const std::size_t work = works_[index];
    const std::size_t octets = flags.size() * sizeof(endpoint::FlagState);
    exec::EndpointPull& pull = *run_.pull_;
    run_.context_.writer.give(
        [&pull, work, flags = std::move(flags)](Store& store) { pull.mergeFlags(store, work, flags); }, octets);
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
    const std::uint64_t messages = group_.size();
    run_.spend(messages, 0);
    auto group = std::make_shared<std::vector<ArrivedMessage>>(std::move(group_));
    const std::size_t work = works_[groupIndex_];
    exec::EndpointPull& pull = *run_.pull_;
    run_.context_.writer.give(
        [&pull, work, group = std::move(group)](Store& store) { pull.messages(store, work, *group); }, groupOctets_);
    run_.context_.board.brought(run_.settings_.braid, messages);
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
      if (!isLost(error) || !recover(error)) throw;
    }
  }
}

bool EndpointRun::isLost(const Error& error) const {
  return error.scope() == Scope::Connection && error.retry() == Retry::Now && error.kind() != ErrorKind::Cancelled &&
         !context_.stop.stop_requested();
}

bool EndpointRun::reconnectAfter(const Error& error, std::uint64_t done) {
  failures_ = done == 0 ? failures_ + 1 : 1;
  if (done < kLittle) ++reconnects_;
  if (failures_ > kMostFailures || reconnects_ > kMostReconnects) return false;
  context_.hub.log(0, "endpoint=" + settings_.name + " result=reconnect reason=\"" + error.what() + "\"");
  endpoint_->reconnect();
  return true;
}

/// True when it makes sense to read on over a new connection.
bool EndpointRun::recover(const Error& error) {
  const std::optional<endpoint::MessagePlace> at = endpoint_->inProgress();
  if (!reconnectAfter(error, std::exchange(delivered_, 0))) return false;
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
  if (!window().isOpen() || settings_.expungeDeleted) return false;
  const std::vector<MailboxWork>& mailboxes = pull_->works();
  const bool isNew = std::none_of(mailboxes.begin(), mailboxes.end(), [](const MailboxWork& w) {
    return w.record.anchor.complete || w.pairsDropped || w.uploadedFrom;
  });
  if (braidEmpty_ && isNew) return true;
  if (company_ == Company::Shared || anythingGone_ || anythingHeld() || settings_.braid != settings_.name) return false;
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
                            return w.continuity == Continuity::Changed && !w.uploadedFrom;
                          });
  return firstPull || oneChanged;
}

void EndpointRun::readOnce() {
  unread_ = exec::EndpointPull::Unread::None;
  leftThere_ = {};
  if (!lookedForGone_) lookForGone();
  lookedForGone_ = true;
  const std::vector<std::size_t> works = worksToRead();
  const bool held = anythingHeld();
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
  if (anyRead || held || anythingGone_ || endpoint_->hasLostState())
    largeJob([&](Store& store) { pull_->finish(store, read_, unread_); });
}

bool EndpointRun::anythingHeld() const {
  const std::vector<MailboxWork>& all = pull_->works();
  return std::any_of(all.begin(), all.end(), [](const MailboxWork& work) { return work.hasHeld; });
}

void EndpointRun::couldNotRead(const Error& error, std::size_t index) {
  const MailboxWork& work = pull_->works()[index];
  const mailstore::Anchor& anchor = work.record.anchor;
  // One that never was read, or never can be, has no part in the sync: the removals of the others do not wait for it.
  const bool takesPart = error.retry() != Retry::Never && anchor.uidValidity.value() != 0;
  const auto status = work.remote != nullptr ? work.remote->status : std::nullopt;
  const bool gotNothing = settings_.type == EndpointType::Imap && status && status->uidNext.value() != 0 &&
                          anchor.complete && status->uidValidity == anchor.uidValidity &&
                          status->uidNext == anchor.uidNext;
  if (takesPart && !gotNothing) unread_ = exec::EndpointPull::Unread::Some;
  problem(error, work.record.name);
}

void EndpointRun::readDeltas(Sink& sink, const std::vector<std::size_t>& works) {
  const bool nothingKnown = mayFetchDirectly(works);
  // Where there is a day's budget, what it has room for is chosen first.
  nothingIsKnown_ = nothingKnown && settings_.limits.downloadPerDay != 0;
  const bool direct = nothingKnown && !nothingIsKnown_;
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
      couldNotRead(*delta.failure, i);
      continue;
    }
    largeJob([&](Store& store) { pull_->applyDelta(store, i, delta); });
    if (mayDelete()) {
      maildrop_.listed = delta.present ? endpoint::namesOf(*delta.present) : std::vector<mailstore::Uidl>{};
      maildrop_.wouldBeStored.clear();
    }
    delta.present.reset();  // the keys of a large mailbox are megabytes
    // An incomplete listing leaves the anchor where it was.
    if (delta.incomplete.empty()) {
      read_[i] = delta.status;
    } else {
      const std::string& name = pull_->works()[i].record.name;
      couldNotRead(Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later, name + ": " + delta.incomplete), i);
    }
    if (endpoint::isEmpty(delta.fresh)) continue;
    fresh.push_back({pull_->works()[i].remote, delta.status.uidValidity, std::move(delta.fresh)});
    freshWorks.push_back(i);
  }
  job([&](Store& store) { pull_->lookForHeld(store); });
  // Where new mail is not taken, it still tells what was moved.
  if (!settings_.pull.fresh && !pull_->somethingIsMissing()) fresh.clear();
  if (!fresh.empty()) bringFresh(std::move(fresh), freshWorks);
  for (std::size_t r = 0; r < works.size(); ++r) context_.hub.mailboxDone();
}

void EndpointRun::bringFresh(std::vector<KeyRequest> fresh, const std::vector<std::size_t>& works) {
  if (settings_.maxMessages) {
    for (std::size_t r = 0; r < fresh.size(); ++r) {
      job([&](Store& store) { fresh[r].keys = pull_->newest(store, works[r], std::move(fresh[r].keys)); });
    }
  }
  if (settings_.limits.downloadPerDay != 0 && !context_.request.dryRun) {
    bringWithinBudget(fresh, works);
  } else {
    bring(std::move(fresh), works);
  }
}

void EndpointRun::bring(std::vector<KeyRequest> fresh, const std::vector<std::size_t>& works) {
  const bool mirror = company_ == Company::Alone && settings_.braid == settings_.name;
  const bool again =
      std::any_of(works.begin(), works.end(), [&](std::size_t i) { return pull_->works()[i].pairsDropped; });
  // What a dry run would bring has to be known one by one where it would be carried to others.
  const bool rehearses = context_.request.dryRun && company_ == Company::Shared;
  const bool chooses = !settings_.pull.fresh || !window().isOpen() || settings_.expungeDeleted || rehearses;
  const bool recogniseFirst = settings_.type != EndpointType::Pop3 || !mirror || again || pull_->somethingIsMissing();
  const std::vector<KeyRequest> needed =
      chooses || (recogniseFirst && !braidEmpty_ && !nothingIsKnown_) ? recognise(fresh, works) : std::move(fresh);
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
    couldNotRead(*outcomes[r], works[r]);
  }
}

std::vector<KeyRequest> EndpointRun::withoutKeys(const std::vector<KeyRequest>& requests) {
  std::vector<KeyRequest> out;
  for (const KeyRequest& request : requests) {
    const bool uids = std::holds_alternative<mailstore::UidSet>(request.keys);
    out.push_back({request.mailbox, request.uidValidity,
                   uids ? KeySet(mailstore::UidSet{}) : KeySet(std::vector<mailstore::Uidl>{})});
  }
  return out;
}

std::vector<KeyRequest> EndpointRun::recognise(const std::vector<KeyRequest>& fresh,
                                               const std::vector<std::size_t>& works) {
  constexpr std::size_t kGroup = 512;
  std::vector<KeyRequest> needed = withoutKeys(fresh);
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
    for (const mailstore::Uidl& name : endpoint::namesOf(needed[r].keys)) {
      if (mayDelete()) maildrop_.wouldBeStored.insert(name.value());
    }
    if (count == 0 || company_ == Company::Shared) continue;  // the rehearsed entries tell it
    job([&](Store&) {
      context_.log.note(settings_.name, work.record.name, "new", std::to_string(count) + " messages to fetch");
    });
  }
}

}  // namespace mailbraid::sync::engine
