// ImapEndpoint::changes(): what is new in each mailbox since its anchor, all mailboxes in one pipeline.
#include "sync/endpoint/imap_endpoint.h"

#include <algorithm>
#include <map>
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

}  // namespace

/// Reads the mailboxes of one changes() call.
class ImapEndpoint::Reading final : public ImapStepSink {
 public:
  Reading(ImapEndpoint& endpoint, std::span<const DeltaRequest> requests, PullSink& sink)
      : endpoint_(endpoint), requests_(requests), sink_(sink), states_(requests.size()) {}

  std::vector<Delta> run();

  void onAttributes(const ImapStep& step, const imap::FetchAttributes& attributes) override;
  void onVanished(const ImapStep& step, const imap::Vanished& vanished) override;
  void onSearch(const ImapStep& step, const imap::SearchResult& result) override;
  void onBody(const ImapStep& step, RemoteMessage&& message, mailstore::PreparedMessage&& prepared) override;
  void onHeader(const ImapStep&, RemoteMessage&&) override {}
  void onRefused(const ImapStep& step, const RemoteMessage& message, const std::string& reason) override;
  void onOctets(std::uint64_t octets) override { sink_.onOctets(octets); }
  void onEnd(const ImapStep& step, const ImapStepEnd& end) override;

 private:
  struct State {
    Delta delta;
    std::uint32_t exists = 0;  ///< on opening
    UidSet expunged;           ///< since EXISTS was told
    UidSet listed;             ///< by the FLAGS of all, or by a SEARCH
    bool listsAll = false;
    bool resyncs = false;  ///< QRESYNC tells what vanished
    bool searches = false;
    bool opened = false;
    /// It says that it holds more messages than it shows, also when both are asked for side by side.
    struct Hidden {
      std::uint32_t held = 0;
      std::uint32_t shown = 0;
    };
    std::optional<Hidden> hidden;
    UidSet wanted;     ///< bodies asked for
    UidSet delivered;  ///< bodies that came or were refused
  };

  /// A server may tell of a message that nobody asked for, or twice: it is taken once, and only when it was asked for.
  static bool firstTime(State& state, const RemoteMessage& message) {
    const Uid uid = std::get<Uid>(message.key);
    if (!state.opened || !state.wanted.contains(uid) || state.delivered.contains(uid)) return false;
    state.delivered.add(uid);
    return true;
  }

  void plan(std::size_t index, ImapSteps& steps);
  void planBodies(std::size_t index, const UidSet& uids, ImapSteps& steps);
  void opened(std::size_t index);
  [[nodiscard]] bool leave(const std::string& wireName);
  void askForHidden();
  void settle(std::size_t index);
  void settleListed(std::size_t index);
  void askForSkipped(ImapSteps& steps);
  [[nodiscard]] UidSet freshRange(const DeltaRequest& request, Uid uidNext) const;
  [[nodiscard]] bool isFirst(const DeltaRequest& request) const { return request.anchor.uidValidity.value() == 0; }
  /// Far more UIDs than messages can have: those that are there are listed first.
  static bool isSparse(const UidSet& uids, std::uint64_t messages);
  void narrow(ImapSteps& steps);
  void failMailbox(std::size_t index, const std::string& sentence, Retry retry);

  ImapEndpoint& endpoint_;
  std::span<const DeltaRequest> requests_;
  PullSink& sink_;
  std::vector<State> states_;
};

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
  if (!attributes.uid || *attributes.uid == Uid{}) return;
  if (step.kind == ImapStep::Kind::Flags && state.listsAll) state.listed.add(*attributes.uid);
  const DeltaRequest& request = requests_[step.request];
  const bool below = *attributes.uid < request.anchor.uidNext || uidsOf(request.skip).contains(*attributes.uid);
  if (attributes.flags && !isFirst(request) && below) {
    state.delta.flags.push_back({mailstore::RemoteKey{*attributes.uid}, *attributes.flags});
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
  if (state.opened) return;  // once more, for messages that are asked for again
  const DeltaRequest& request = requests_[index];
  const imap::SelectedMailbox* selected = endpoint_.session_->client().selected();
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

/// Afterwards another mailbox is selected than this one, or none.
bool ImapEndpoint::Reading::leave(const std::string& wireName) {
  ImapSession& session = *endpoint_.session_;
  if (session.capabilities().has("UNSELECT")) {
    session.send(imap::Unselect{});
    return true;
  }
  const auto other =
      std::find_if(endpoint_.mailboxes_.begin(), endpoint_.mailboxes_.end(),
                   [&](const RemoteMailbox& m) { return m.selectable && m.refusal.empty() && m.wireName != wireName; });
  if (other == endpoint_.mailboxes_.end()) return false;
  session.send(imap::Select{other->wireName, imap::SelectMode::ReadOnly, {}, {}});
  return true;
}

void ImapEndpoint::Reading::askForHidden() {
  // Some providers show the newest messages of a large mailbox only. But a message may also have gone between STATUS
  // and EXAMINE: both are asked for once more, side by side. STATUS of the mailbox that is selected might tell what is
  // shown in it; where there is no way to leave it first, the next run asks again.
  std::map<std::string, std::size_t> byName;
  std::map<imap::CommandId, std::size_t> openings;
  ImapSession& session = *endpoint_.session_;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    State& state = states_[i];
    const RemoteMailbox& mailbox = *requests_[i].mailbox;
    if (state.delta.failure || !mailbox.status || mailbox.status->messages <= state.exists) continue;
    state.hidden = State::Hidden{mailbox.status->messages, state.exists};
    if (!leave(mailbox.wireName)) continue;
    byName.emplace(mailbox.wireName, i);
    session.send(imap::Status{mailbox.wireName, {imap::StatusItem::Messages}});
    openings.emplace(session.send(imap::Select{mailbox.wireName, imap::SelectMode::ReadOnly, {}, {}}), i);
  }
  if (openings.empty()) return;
  std::map<std::size_t, std::uint32_t> held;
  session.finish([&](const imap::Event& event) {
    if (const auto* status = std::get_if<imap::StatusData>(&event)) {
      const auto asked = byName.find(status->mailbox);
      if (asked != byName.end() && status->messages) held[asked->second] = *status->messages;
      return;
    }
    const auto* done = std::get_if<imap::CommandDone>(&event);
    const auto opening = done != nullptr ? openings.find(done->id) : openings.end();
    const imap::SelectedMailbox* selected = session.client().selected();
    if (opening == openings.end() || done->result != CommandResult::Ok || selected == nullptr) return;
    const auto told = held.find(opening->second);
    if (told == held.end()) return;
    std::optional<State::Hidden>& hidden = states_[opening->second].hidden;
    hidden = State::Hidden{told->second, selected->exists.value_or(0)};
    if (hidden->held <= hidden->shown) hidden.reset();
  });
}

void ImapEndpoint::Reading::settleListed(std::size_t index) {
  State& state = states_[index];
  RemoteStatus& status = state.delta.status;
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
  if (!state.hidden) return;
  // What is shown is taken; what is not may be the very messages that are said to have vanished, or would be uploaded.
  state.delta.vanished = {};
  if (!state.delta.incomplete.empty()) return;
  state.delta.incomplete = "the server says that it holds " + std::to_string(state.hidden->held) +
                           " messages, and shows " + std::to_string(state.hidden->shown) +
                           " of them; nothing is removed or uploaded because of that; run again";
}

void ImapEndpoint::Reading::narrow(ImapSteps& steps) {
  std::vector<std::size_t> wide;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    State& state = states_[i];
    if (state.delta.failure || !isSparse(std::get<UidSet>(state.delta.fresh), state.exists)) continue;
    wide.push_back(i);
    state.listed = {};
    steps.add({ImapStep::Kind::Open,
               i,
               imap::Select{requests_[i].mailbox->wireName, imap::SelectMode::ReadOnly, {}, {}},
               {}});
    steps.add({ImapStep::Kind::Search, i, imap::UidSearch{{}, {}}, {}});
  }
  if (wide.empty()) return;
  steps.run();
  for (const std::size_t i : wide) {
    State& state = states_[i];
    state.delta.fresh = std::get<UidSet>(state.delta.fresh).intersectedWith(state.listed);
  }
}

void ImapEndpoint::Reading::askForSkipped(ImapSteps& steps) {
  // A server that leaves messages out of its answer without a word: they would be below the anchor, and never be asked
  // for again. What it says is there and did not come is refused, and tried again later.
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    State& state = states_[i];
    UidSet missing = state.wanted;
    missing.remove(state.delivered);
    const bool allCame =
        isFirst(requests_[i]) && uidsOf(requests_[i].skip).empty() && state.delivered.count() >= state.exists;
    if (missing.empty() || allCame || state.delta.failure) continue;
    state.listed = {};
    steps.add({ImapStep::Kind::Open,
               i,
               imap::Select{requests_[i].mailbox->wireName, imap::SelectMode::ReadOnly, {}, {}},
               {}});
    for (const UidSet& part : missing.chunksOfText(kLongestSet)) {
      steps.add({ImapStep::Kind::Search, i, imap::UidSearch{imap::UidRange{part}, {}}, {}});
    }
  }
  steps.run();
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    UidSet missing = states_[i].wanted;
    missing.remove(states_[i].delivered);
    const UidSet there = states_[i].listed.intersectedWith(missing);
    for (const UidSet::Range& range : there.ranges()) {
      for (std::uint64_t uid = range.first.value(); uid <= range.last.value(); ++uid) {
        RemoteMessage message;
        message.key = Uid{static_cast<std::uint32_t>(uid)};
        sink_.onRefused(i, message, "the server left it out of its answer");
      }
    }
  }
}

std::vector<Delta> ImapEndpoint::Reading::run() {
  const Compression compression = endpoint_.settings_.compress;
  ImapSteps steps(*endpoint_.session_, endpoint_.environment_, compression, *this);
  try {
    for (std::size_t i = 0; i < requests_.size(); ++i) plan(i, steps);
    steps.run();
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
