// EndpointPull: what is missing at the end, and the anchors.
#include "sync/exec/endpoint_pull.h"
#include "sync/plan/brake.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace mailbraid::sync::exec {

using endpoint::RemoteStatus;
using mailstore::Anchor;
using mailstore::Entry;
using mailstore::Flags;
using mailstore::MailboxId;
using mailstore::Pair;
using mailstore::Store;
using mailstore::Uid;
using mailstore::UidSet;

std::uint64_t EndpointPull::messagesBefore(Store& store, std::size_t work, std::uint64_t most) const {
  const MailboxWork& mailbox = works_[work];
  if (mailbox.record.id.value() == 0) return 0;
  const std::uint64_t now = store.pairs().countUpTo(mailbox.record.id, most + mailbox.added);
  return now + mailbox.movedAway - std::min(mailbox.added, now);
}

bool EndpointPull::wasTold(Store& store, const Pair& pair, const Entry& entry) {
  // What was carried there and still is not in the base is what the endpoint cannot hold: nothing that was added since.
  if (pair.held || entry.change > endpoint_.pushed) return false;
  if (!waiting_) {
    waiting_.emplace();
    for (const mailstore::WaitingRow& row : store.backlog().waiting(endpoint_.id)) waiting_->insert(row.entry);
  }
  return !waiting_->contains(entry.id);
}

bool EndpointPull::wasNeverThere(Store& store, const Missing& missing) {
  if (settings_.sent == nullptr) return false;
  const auto sent = settings_.sent->find(missing.pair.entry);
  if (sent == settings_.sent->end() || !sent->second.gotUid) return false;
  constexpr std::int64_t kAgainAfter = std::int64_t{24} * 3600;
  store.pairs().remove(missing.pair.id);
  store.backlog().wait(
      endpoint_.id, {missing.pair.entry, mailstore::WaitKind::Refused, "it was uploaded, and was not there afterwards",
                     settings_.now, settings_.now + kAgainAfter});
  decided(missing.work, "keep", missing.pair.key, "uploaded there, and not there afterwards: kept elsewhere");
  return true;
}

void EndpointPull::removeMissing(Store& store, const Missing& missing) {
  const std::optional<Entry> entry = store.entries().find(missing.pair.entry);
  plan::Local local = plan::Local::Absent;
  if (entry) local = entry->removedAt == 0 ? plan::Local::Live : plan::Local::Tombstone;
  const plan::FlagSides sides{missing.pair.flags, {}, entry ? entry->flags : Flags{}};
  plan::Action action = plan::decide(plan::Base::Paired, plan::Remote::Absent, local, sides);
  if (action == plan::Action::Keep && wasTold(store, missing.pair, *entry)) action = plan::Action::Remove;
  // It was filed elsewhere since: that outweighs the removal of the copy left behind.
  const bool filed = local == plan::Local::Live && entry->mailbox != works_[missing.work].record.mailbox;
  // Somebody may have put it where it was found: whichever of the two was read first, it is kept.
  const bool turnedUp =
      local == plan::Local::Live && settings_.adopted != nullptr && settings_.adopted->contains(entry->id);
  if ((action == plan::Action::Keep && !settings_.othersOnlyMark) || filed || turnedUp) {
    decided(missing.work, "keep", missing.pair.key,
            turnedUp ? "removed there, but found elsewhere at the same time: kept"
                     : "removed there, but flagged, answered or moved elsewhere: kept");
    // The change that keeps it may have been settled while the removal was held back: it is looked at again.
    store.entries().setFlags(entry->id, entry->flags);
  } else if (action == plan::Action::Remove || action == plan::Action::Keep) {
    store.entries().remove(entry->id, settings_.now);
    ++counts_.removed;
    logKey(missing.work, "remove", missing.pair.key);
  }
  store.pairs().remove(missing.pair.id);
}

void EndpointPull::lookForHeld(Store& store) {
  for (std::size_t i = 0; i < works_.size(); ++i) {
    if (!works_[i].hasHeld) continue;
    works_[i].hasHeld = false;  // once
    for (const Pair& pair : store.pairs().held(works_[i].record.id)) addMissing(store, i, pair);
  }
}

void EndpointPull::lookAtUploads(Store& store, const MailboxWork& work) {
  // Those of this run are read with the flags that the server has kept of them.
  if (settings_.readsAgain || !settings_.keysAreUids) return;
  const Uid first = std::max(*work.uploadedFrom, Uid{1});
  store.pairs().forUids(work.record.id, UidSet::of(first, Uid{UINT32_MAX}), [&](const Pair& pair) {
    const std::optional<Entry> entry = store.entries().find(pair.entry);
    if (!entry || entry->removedAt != 0 || entry->flags == pair.flags) return;
    store.backlog().wait(endpoint_.id,
                         {entry->id, mailstore::WaitKind::Retry, "its upload was cut off", settings_.now, 0});
  });
}

void EndpointPull::closeUpload(Store& store, MailboxWork& work) {
  if (!work.uploadedFrom || work.continuity != plan::Continuity::Unchanged) return;
  // Whatever was sent there was refused.
  store.backlog().uploadEnds(work.record.id);
  work.uploadedFrom.reset();
}

void EndpointPull::finish(Store& store, const std::vector<std::optional<RemoteStatus>>& read, Unread unreadMailboxes) {
  const bool unread = unreadMailboxes == Unread::Some;
  for (const auto& [work, count] : leftOut_) {
    notes_.push_back(works_[work].record.name + ": " + std::to_string(count) +
                     " messages are left out by max_size, max_age or max_messages");
  }
  leftOut_.clear();
  for (const auto& [why, names] : metAgain_) {
    notes_.push_back(namesInWords(names) + ": " + why + "; messages are recognised by content, nothing is removed");
  }
  metAgain_.clear();
  lookForHeld(store);
  std::map<std::size_t, std::uint64_t> removals;
  std::uint64_t total = 0;
  for (Missing& missing : missing_) {
    missing.found = missing.found || wasNeverThere(store, missing);
    if (missing.found) continue;
    ++removals[missing.work];
    ++total;
  }
  // Left out where no brake could hold anything.
  std::vector<std::uint64_t> before(works_.size(), 0);
  if (total > plan::kBrakeCount) {
    const std::uint64_t most = plan::neverBrakedFrom(total);
    for (std::size_t i = 0; i < works_.size(); ++i) before[i] = messagesBefore(store, i, most);
  }
  const bool endpointBrakes = plan::brakes(total, std::accumulate(before.begin(), before.end(), std::uint64_t{0}));
  std::map<std::size_t, bool> held;
  std::map<std::size_t, bool> allowed;
  std::map<std::size_t, bool> waiting;  // for mailboxes that could not be read
  for (const auto& [work, count] : removals) {
    const bool brake = endpointBrakes || plan::brakes(count, before[work]);
    allowed[work] = brake && settings_.removalsAllowed(works_[work].record.name);
    // Who lets removals through beyond the brake does not wait either.
    const bool waits = unread && !settings_.removalsAllowed(works_[work].record.name);
    waiting[work] = waits || works_[work].doubtful;
    held[work] = !settings_.pull.removals || waiting[work] || (brake && !allowed[work]);
    if (waits && settings_.pull.removals && !works_[work].doubtful) {
      notes_.push_back(works_[work].record.name + ": " + std::to_string(count) +
                       (count == 1 ? " message is" : " messages are") +
                       " gone there; whether by a move or a removal is seen when all mailboxes can be read "
                       "(--allow-removals does not wait; leave out those that never can: \"mailboxes\")");
    }
  }
  for (const Missing& missing : missing_) {
    if (missing.found) continue;
    if (held[missing.work]) {
      if (!missing.pair.held) store.pairs().setHeld(missing.pair.id, true);
    } else {
      if (allowed[missing.work]) allowedEntries_.push_back(missing.pair.entry);
      removeMissing(store, missing);
    }
  }
  // All that it held was found elsewhere: then it was moved.
  for (std::size_t i = 0; i < works_.size(); ++i) {
    if (works_[i].doubtful && !removals.contains(i)) works_[i].gone = true;
  }
  for (const auto& [what, count] : decisions_) {
    notes_.push_back(what.first + ": " + std::to_string(count) + (count == 1 ? " message " : " messages ") +
                     what.second);
  }
  decisions_.clear();
  for (const auto& [work, count] : removals) {
    if (!held[work] || !settings_.pull.removals || waiting[work]) continue;
    counts_.held += count;
    const std::string& name = works_[work].record.name;
    if (heldMailboxes_.size() < 5) {
      notes_.push_back(name + ": " + std::to_string(count) + " of " + std::to_string(before[work]) +
                       " messages are gone there; their removal is held back");
    }
    heldMailboxes_.push_back(name);
    log_.note(settings_.endpointName, name, "hold", std::to_string(count) + " removals");
  }
  for (std::size_t i = 0; i < works_.size(); ++i) {
    MailboxWork& work = works_[i];
    if (work.remote == nullptr) {
      if (!work.gone || held[i]) continue;
      store.endpoints().removeMailbox(work.record.id);
      const MailboxId target = work.record.mailbox;
      work.record.id = {};
      // Where others still have it, it is not made here again for nothing.
      if (!store.mailboxes().removeIfUnused(target)) {
        store.backlog().setUnwanted(endpoint_.id, target);
      }
      log_.note(settings_.endpointName, work.record.name, "remove mailbox", "");
      notes_.push_back(work.record.name + " no longer exists there");
      continue;
    }
    if (!read[i]) continue;
    Anchor anchor;
    anchor.uidValidity = read[i]->uidValidity;
    anchor.uidNext = read[i]->uidNext;
    anchor.highestModSeq = read[i]->highestModSeq;
    anchor.messages = read[i]->messages;
    anchor.complete = true;
    // What the policy does not take stays behind the anchor, and is taken when the policy allows it.
    if (!settings_.pull.fresh) {
      anchor.uidNext = std::max(work.record.anchor.uidNext, Uid{1});
      anchor.complete = work.record.anchor.complete;
    }
    if (!settings_.pull.flags) anchor.highestModSeq = work.record.anchor.highestModSeq;
    if (!(anchor == work.record.anchor)) store.endpoints().setAnchor(work.record.id, anchor);
    if (!work.uploadedFrom) continue;
    lookAtUploads(store, work);
    store.backlog().uploadEnds(work.record.id);
  }
}

}  // namespace mailbraid::sync::exec
