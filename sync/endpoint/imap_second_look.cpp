// ImapEndpoint::changes(): what is asked once more, where the first answers contradict each other or leave something
// open.
#include "sync/endpoint/imap_reading.h"

#include <algorithm>
#include <map>
#include <utility>

namespace mailbraid::sync::endpoint {

using imap::CommandResult;
using mailstore::Retry;
using mailstore::Uid;
using mailstore::UidSet;

void ImapEndpoint::Reading::openedAgain(std::size_t index, const imap::SelectedMailbox& selected) {
  State& state = states_[index];
  RemoteStatus& status = state.delta.status;
  if (selected.uidValidity.value_or(status.uidValidity) != status.uidValidity) {
    failMailbox(index, "it was replaced by another mailbox while it was read; run again", Retry::Now);
    return;
  }
  // HIGHESTMODSEQ stays: which flags changed between the two openings is not known.
  state.exists = status.messages = selected.exists.value_or(0);
  status.uidNext = selected.uidNext.value_or(status.uidNext);
  state.expunged = {};
}

bool ImapEndpoint::Reading::addsUp(std::size_t index) const {
  const State& state = states_[index];
  const DeltaRequest& request = requests_[index];
  const Uid known = std::max(request.anchor.uidNext, Uid{1});
  UidSet came = state.told;
  if (known.value() > 1) came.remove(UidSet::of(Uid{1}, Uid{known.value() - 1}));
  came.remove(UidSet::of(state.delta.status.uidNext, Uid{UINT32_MAX}));
  const UidSet above = UidSet::of(known, Uid{UINT32_MAX});
  UidSet went = state.delta.vanished;
  went.remove(state.expunged);  // EXISTS counted it
  went.remove(above);
  // An answer to APPEND, COPY or MOVE said that they are there.
  UidSet promised = uidsOf(request.skip).intersectedWith(above);
  promised.remove(came);
  promised.remove(state.delta.vanished);
  return promised.empty() && request.anchor.messages + came.count() == state.exists + went.count();
}

void ImapEndpoint::Reading::recount(ImapSteps& steps) {
  // A server may forget to tell what went, or never have kept what it said that it had stored.
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    State& state = states_[i];
    if (!state.resyncs || state.searches || !state.opened || state.delta.failure || addsUp(i)) continue;
    state.searches = state.recounts = true;
    steps.add({ImapStep::Kind::Open,
               i,
               imap::Select{requests_[i].mailbox->wireName, imap::SelectMode::ReadOnly, {}, {}},
               {}});
    steps.add({ImapStep::Kind::Search, i, imap::UidSearch{{}, {}}, {}});
  }
  steps.run();
  for (State& state : states_) state.recounts = false;
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

}  // namespace mailbraid::sync::endpoint
