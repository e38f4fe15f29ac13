// ImapEndpoint::changes(): what is new in each mailbox since its anchor, all mailboxes in one pipeline.
#include "sync/endpoint/imap_reading.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mailbraid::sync::endpoint {

using imap::CommandResult;
using imap::FetchItem;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Uid;
using mailstore::UidSet;

namespace {

// No mailbox has so many messages; a server that says so would keep us busy for nothing.
constexpr std::uint32_t kMostMessages = 50'000'000;
// Flags are handed on in groups.
constexpr std::size_t kFlagGroup = 512;
// Told of messages that are said to have vanished, and kept until that is settled.
constexpr std::size_t kMostDoubtful = 100'000;

}  // namespace

void ImapEndpoint::Reading::failMailbox(std::size_t index, const std::string& sentence, Retry retry) {
  if (states_[index].delta.failure) return;
  states_[index].delta.failure =
      Error(ErrorKind::TemporaryFailure, Scope::Mailbox, retry, requests_[index].mailbox->name + ": " + sentence);
}

UidSet ImapEndpoint::Reading::freshRange(const DeltaRequest& request, Uid uidNext) const {
  UidSet fresh = uidsOf(request.due);
  const Uid first = request.anchor.uidNext.value() == 0 || isFirst(request) ? Uid{1} : request.anchor.uidNext;
  if (uidNext > first) fresh.add(first, Uid{uidNext.value() - 1});
  fresh.remove(uidsOf(request.skip));
  return fresh;
}

void ImapEndpoint::Reading::planBodies(std::size_t index, const UidSet& uids, ImapSteps& steps) {
  states_[index].wanted.add(uids);
  if (uids.empty()) return;
  imap::UidFetch fetch{{}, endpoint_.identityItems(FetchItem::BodyPeek), {}, imap::VanishedMode::None};
  fetch.items.remove(FetchItem::Size);  // the body's own length says it
  steps.add({ImapStep::Kind::Bodies, index, std::move(fetch), uids});
}

bool ImapEndpoint::Reading::isSparse(const UidSet& uids, std::uint64_t messages) {
  constexpr std::uint64_t kFree = 1000;
  return uids.count() > 4 * messages + kFree;
}

void ImapEndpoint::Reading::plan(std::size_t index, ImapSteps& steps) {
  const DeltaRequest& request = requests_[index];
  const RemoteStatus status = request.mailbox->status.value_or(RemoteStatus{});
  const ChangeTracking tracking = status.highestModSeq.value() == 0 ? ChangeTracking::None : endpoint_.tracking();
  const bool canResume = !isFirst(request) && request.anchor.highestModSeq.value() != 0;
  imap::Select select{request.mailbox->wireName, imap::SelectMode::ReadOnly, {}, imap::SelectExtension::None};
  if (tracking == ChangeTracking::Qresync && canResume) {
    select.qresync = imap::Qresync{request.anchor.uidValidity, request.anchor.highestModSeq, {}};
    states_[index].resyncs = true;
  } else if (tracking == ChangeTracking::Condstore && !endpoint_.session_->capabilities().has("ENABLE")) {
    select.extension = imap::SelectExtension::Condstore;
  }
  steps.add({ImapStep::Kind::Open, index, std::move(select), {}});

  State& state = states_[index];
  if (isFirst(request)) {
    // Nothing is known that could have changed.
  } else if (tracking == ChangeTracking::Condstore && canResume) {
    imap::UidFetch flags{
        imap::UidsFrom{Uid{1}}, {FetchItem::Flags}, request.anchor.highestModSeq, imap::VanishedMode::None};
    steps.add({ImapStep::Kind::Flags, index, std::move(flags), {}});
    state.searches = status.messages != request.anchor.messages || status.uidNext != request.anchor.uidNext ||
                     !request.anchor.complete;
  } else if (tracking != ChangeTracking::Qresync || !canResume) {
    state.listsAll = true;
    imap::UidFetch flags{imap::UidsFrom{Uid{1}}, {FetchItem::Flags}, {}, imap::VanishedMode::None};
    steps.add({ImapStep::Kind::Flags, index, std::move(flags), {}});
  }
  // Where UIDNEXT is not told, or UIDs are sparse, the UIDs that are there have to be listed first.
  const UidSet fresh = freshRange(request, status.uidNext);
  if (!state.listsAll && (status.uidNext.value() == 0 || isSparse(fresh, status.messages))) state.searches = true;
  if (state.searches) {
    imap::UidSearch search;
    if (endpoint_.session_->capabilities().has("ESEARCH")) search.returns.add(imap::SearchReturn::All);
    steps.add({ImapStep::Kind::Search, index, std::move(search), {}});
  } else if (request.fetchFresh && status.messages <= kMostMessages &&
             !(state.listsAll && status.uidNext.value() == 0)) {
    planBodies(index, fresh, steps);
  }
}

void ImapEndpoint::Reading::onAttributes(const ImapStep& step, const imap::FetchAttributes& attributes) {
  State& state = states_[step.request];
  if (!attributes.uid || *attributes.uid == Uid{} || state.delta.failure) return;
  state.told.add(*attributes.uid);
  if (step.kind == ImapStep::Kind::Flags && state.listsAll) state.listed.add(*attributes.uid);
  const DeltaRequest& request = requests_[step.request];
  const bool below = *attributes.uid < request.anchor.uidNext || uidsOf(request.skip).contains(*attributes.uid);
  if (attributes.flags && !isFirst(request) && below) {
    state.delta.flags.push_back({mailstore::RemoteKey{*attributes.uid}, *attributes.flags});
    if (state.delta.flags.size() >= kFlagGroup) tellFlags(step.request);
  }
}

void ImapEndpoint::Reading::tellFlags(std::size_t index) {
  State& state = states_[index];
  std::vector<FlagState>& flags = state.delta.flags;
  // Before it is open it may turn out to be another mailbox.
  if (!state.opened || state.delta.failure || flags.empty()) return;
  // What is said to have vanished as well may turn out to be there: that waits until it is settled.
  const auto stays = [&](const FlagState& one) { return !state.delta.vanished.contains(std::get<Uid>(one.key)); };
  const auto doubtful = std::stable_partition(flags.begin(), flags.end(), stays);
  state.doubtful.insert(state.doubtful.end(), std::move_iterator(doubtful), std::move_iterator(flags.end()));
  flags.erase(doubtful, flags.end());
  if (!flags.empty()) sink_.onFlags(index, std::exchange(flags, {}));
  if (state.doubtful.size() > kMostDoubtful) {
    failMailbox(index, "the server tells flags of messages that it says have vanished; run again", Retry::Later);
  }
}

void ImapEndpoint::Reading::onVanished(const ImapStep& step, const imap::Vanished& vanished) {
  State& state = states_[step.request];
  state.delta.vanished.add(vanished.uids);
  if (vanished.when == imap::VanishedWhen::Now) state.expunged.add(vanished.uids);
  state.delivered.add(vanished.uids);
}

void ImapEndpoint::Reading::onSearch(const ImapStep& step, const imap::SearchResult& result) {
  if (step.kind == ImapStep::Kind::Search) states_[step.request].listed.add(result.uids);
}

void ImapEndpoint::Reading::onBody(const ImapStep& step, RemoteMessage&& message,
                                   mailstore::PreparedMessage&& prepared) {
  State& state = states_[step.request];
  if (firstTime(state, message) && !state.delta.failure)
    sink_.onMessage(step.request, std::move(message), std::move(prepared));
}

void ImapEndpoint::Reading::onRefused(const ImapStep& step, const RemoteMessage& message, const std::string& reason) {
  State& state = states_[step.request];
  if (firstTime(state, message) && !state.delta.failure) sink_.onRefused(step.request, message, reason);
}

void ImapEndpoint::Reading::opened(std::size_t index) {
  State& state = states_[index];
  const DeltaRequest& request = requests_[index];
  const imap::SelectedMailbox* selected = endpoint_.session_->client().selected();
  if (state.opened) {
    // Once more, also for messages that are asked for again.
    if (state.recounts && selected != nullptr) openedAgain(index, *selected);
    return;
  }
  const RemoteStatus listed = request.mailbox->status.value_or(RemoteStatus{});
  if (selected != nullptr) {
    state.exists = selected->exists.value_or(0);
    state.delta.status = {
        selected->uidValidity.value_or(listed.uidValidity), selected->uidNext.value_or(listed.uidNext),
        selected->noModSeq ? mailstore::ModSeq{} : selected->highestModSeq.value_or(mailstore::ModSeq{}), state.exists};
  }
  const mailstore::UidValidity expected = isFirst(request) ? listed.uidValidity : request.anchor.uidValidity;
  if (state.exists > kMostMessages) {
    failMailbox(index,
                "the server claims to hold " + std::to_string(state.exists) + " messages in it, more than the " +
                    std::to_string(kMostMessages) + " that are supported",
                Retry::Never);
  } else if (state.delta.status.uidValidity.value() == 0) {
    failMailbox(index, "the server tells no UIDVALIDITY; such a mailbox cannot be synced", Retry::Never);
  } else if (expected.value() != 0 && expected != state.delta.status.uidValidity) {
    failMailbox(index, "it was replaced by another mailbox while it was read; run again", Retry::Now);
  } else {
    state.opened = true;
    sink_.onOpened(index, state.delta.status);
    tellFlags(index);
  }
}

void ImapEndpoint::Reading::onEnd(const ImapStep& step, const ImapStepEnd& end) {
  State& state = states_[step.request];
  if (step.kind == ImapStep::Kind::Open && end.result == CommandResult::Ok) {
    opened(step.request);
  } else if (end.result != CommandResult::Ok && !state.delta.failure) {
    const imap::FailureAdvice advice = imap::adviceOf(end.code);
    const bool never = advice == imap::FailureAdvice::Never || advice == imap::FailureAdvice::Refused;
    const char* what =
        step.kind == ImapStep::Kind::Open ? "the server would not open it" : "the server would not list its messages";
    failMailbox(step.request, std::string(what) + ": \"" + end.text + "\"", never ? Retry::Never : Retry::Later);
  }
}

void ImapEndpoint::Reading::settleListed(std::size_t index) {
  State& state = states_[index];
  RemoteStatus& status = state.delta.status;
  // What is listed has not vanished, but after that.
  UidSet there = state.listed;
  there.remove(state.expunged);
  state.delta.vanished.remove(there);
  UidSet seen = state.listed;
  seen.add(state.expunged);
  // What arrived after EXISTS was told does not make up for what is missing.
  if (status.uidNext.value() != 0) seen.remove(UidSet::of(status.uidNext, Uid{UINT32_MAX}));
  if (seen.count() < state.exists) {
    // It proves nothing (promise P6): neither that a message is gone, nor that there is no other new one.
    state.delta.incomplete = "the server listed " + std::to_string(seen.count()) + " of " +
                             std::to_string(state.exists) + " messages; nothing is removed because of that; run again";
  } else if (!state.hidden) {
    state.delta.present = state.listed;
  }
  if (status.uidNext.value() == 0) {
    const auto& ranges = state.listed.ranges();
    const std::uint32_t last = ranges.empty() ? 0 : ranges.back().last.value();
    status.uidNext = Uid{last == UINT32_MAX ? last : last + 1};
  }
  UidSet fresh = state.listed.intersectedWith(freshRange(requests_[index], Uid{UINT32_MAX}));
  fresh.remove(state.delivered);
  state.delta.fresh = std::move(fresh);
}

void ImapEndpoint::Reading::settle(std::size_t index) {
  State& state = states_[index];
  const DeltaRequest& request = requests_[index];
  tellFlags(index);
  if (state.delta.failure) return;
  RemoteStatus& status = state.delta.status;
  if (state.listsAll || state.searches) {
    settleListed(index);
  } else {
    // With what arrived between STATUS and SELECT: the anchor will be behind it.
    UidSet fresh = freshRange(request, status.uidNext);
    fresh.remove(state.wanted);
    state.delta.fresh = std::move(fresh);
    // Nothing was listed, so a message that went between STATUS and SELECT is not known yet: the next run's STATUS has
    // to differ from the anchor, which therefore counts as if all had stayed and every new UID were a message.
    if (!isFirst(request) && !state.resyncs) {
      const Uid known = request.anchor.uidNext;
      const std::uint32_t arrived = status.uidNext > known ? status.uidNext.value() - known.value() : 0;
      status.messages = request.anchor.messages + std::min(arrived, UINT32_MAX - request.anchor.messages);
    }
  }
  state.delta.flags = std::move(state.doubtful);
  if (!state.hidden) return;
  // What is shown is taken; what is not may be the very messages that are said to have vanished, or would be uploaded.
  state.delta.vanished = {};
  if (!state.delta.incomplete.empty()) return;
  state.delta.incomplete = "the server says that it holds " + std::to_string(state.hidden->held) +
                           " messages, and shows " + std::to_string(state.hidden->shown) +
                           " of them; nothing is removed or uploaded because of that; run again";
}

std::vector<Delta> ImapEndpoint::Reading::run() {
  const Compression compression = endpoint_.settings_.compress;
  ImapSteps steps(*endpoint_.session_, endpoint_.environment_, compression, *this);
  try {
    for (std::size_t i = 0; i < requests_.size(); ++i) plan(i, steps);
    steps.run();
    recount(steps);
    askForHidden();
    for (std::size_t i = 0; i < requests_.size(); ++i) settle(i);
    narrow(steps);
    askForSkipped(steps);
  } catch (...) {
    endpoint_.inProgress_.reset();
    if (const auto at = steps.inProgress()) {
      endpoint_.inProgress_ = MessagePlace{requests_[at->request].mailbox, mailstore::RemoteKey{at->uid}};
    }
    throw;
  }
  std::vector<Delta> deltas;
  deltas.reserve(states_.size());
  for (State& state : states_) deltas.push_back(std::move(state.delta));
  return deltas;
}

std::vector<Delta> ImapEndpoint::changes(std::span<const DeltaRequest> requests, PullSink& sink) {
  return Reading(*this, requests, sink).run();
}

}  // namespace mailbraid::sync::endpoint
