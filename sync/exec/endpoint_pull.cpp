#include "sync/exec/endpoint_pull.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_set>

namespace mailbraid::sync::exec {

using endpoint::KeySet;
using endpoint::RemoteMailbox;
using endpoint::RemoteMessage;
using endpoint::RemoteStatus;
using mailstore::Anchor;
using mailstore::EndpointMailbox;
using mailstore::Entry;
using mailstore::EntryId;
using mailstore::Flags;
using mailstore::MailboxId;
using mailstore::Pair;
using mailstore::RemoteKey;
using mailstore::Store;
using mailstore::Uid;
using mailstore::Uidl;
using mailstore::UidSet;
using plan::Continuity;
using plan::MappedMailbox;

namespace {

constexpr std::size_t kRenameSample = 16;

void addKey(KeySet& keys, const RemoteKey& key) {
  if (const Uid* uid = std::get_if<Uid>(&key)) {
    std::get<UidSet>(keys).add(*uid);
  } else {
    std::get<std::vector<Uidl>>(keys).push_back(std::get<Uidl>(key));
  }
}

std::optional<plan::SeenStatus> seen(const RemoteMailbox& mailbox) {
  if (!mailbox.status) return std::nullopt;
  return plan::SeenStatus{mailbox.status->uidValidity, mailbox.status->uidNext, mailbox.status->highestModSeq,
                          mailbox.status->messages};
}

}  // namespace

EndpointPull::EndpointPull(PullSettings settings, OpLog& log) : settings_(std::move(settings)), log_(log) {}

void EndpointPull::logKey(std::size_t work, std::string_view kind, const RemoteKey& key, std::string_view detail) {
  log_.add(settings_.endpointName, works_[work].record.name, kind, key, detail);
}

void EndpointPull::decided(std::size_t work, std::string_view kind, const mailstore::RemoteKey& key,
                           const std::string& why) {
  logKey(work, kind, key, why);
  ++decisions_[{works_[work].record.name, why}];
}

bool EndpointPull::lookWhetherBraidIsEmpty(Store& store) {
  braidWasEmpty_ = store.mailboxes().isEmpty(endpoint_.braid);
  return braidWasEmpty_;
}

bool EndpointPull::allEntriesArePaired(Store& store) const {
  std::uint64_t pairs = 0;
  for (const MailboxWork& work : works_) pairs += store.pairs().count(work.record.id);
  return store.mailboxes().liveEntries(endpoint_.braid) <= pairs;
}

void EndpointPull::leaveQuarantine(Store& store, std::size_t work, const RemoteKey& key) {
  if (works_[work].hasQuarantine) store.quarantine().remove(works_[work].record.id, key);
}

void EndpointPull::countQuarantine(Store& store) {
  counts_.quarantined = 0;
  for (const MailboxWork& work : works_) counts_.quarantined += store.quarantine().of(work.record.id).size();
}

void EndpointPull::open(Store& store, const std::vector<RemoteMailbox>& listed,
                        const std::vector<MappedMailbox>& mapped) {
  const mailstore::BraidId braid = store.mailboxes().ensureBraid(settings_.braidName);
  endpoint_ = store.endpoints().ensure(settings_.endpointName, settings_.endpointType, braid);
  if (settings_.seen.kind == endpoint::SeenRule::Kind::From) {
    seenAt_ = store.endpoints().find(settings_.seen.endpoint);
    if (seenAt_.value() == 0)
      notes_.push_back("new messages count as unread: \"" + settings_.seen.endpoint + "\" (seen) was not synced yet");
  }
  mayBeRepaired_ = !settings_.spool.repairs.empty() || store.messages().hasAliases();
  std::vector<EndpointMailbox> records = store.endpoints().mailboxes(endpoint_.id);
  applyWindow(store, records);
  std::vector<EndpointMailbox> taken = records;
  const auto takeRecord = [&](const std::string& name) -> std::optional<EndpointMailbox> {
    const auto found = std::find_if(records.begin(), records.end(), [&](const auto& r) { return r.name == name; });
    if (found == records.end()) return std::nullopt;
    EndpointMailbox record = std::move(*found);
    records.erase(found);
    return record;
  };
  for (std::size_t i = 0; i < listed.size(); ++i) {
    std::optional<EndpointMailbox> record = takeRecord(listed[i].name);
    if (mapped[i].fate != MappedMailbox::Fate::Sync) continue;  // a record of it stays as it is: nothing is decided
    MailboxWork work;
    work.remote = &listed[i];
    if (!record) {
      const MailboxId target = targetOf(store, mapped[i], taken);
      record = store.endpoints().addMailbox(endpoint_.id, listed[i].name, target, listed[i].objectId);
      taken.push_back(*record);
    } else if (record->objectId.empty() && !listed[i].objectId.empty()) {
      store.endpoints().setObjectId(record->id, listed[i].objectId);
    }
    work.record = std::move(*record);
    loadWork(store, work);
    closeUpload(store, work);
    works_.push_back(std::move(work));
  }
  if (settings_.stateLost) forgetLost(store, records);
  for (EndpointMailbox& record : records) {
    MailboxWork work;
    work.record = std::move(record);
    loadWork(store, work);
    works_.push_back(std::move(work));
  }
  guessRenames(store);
}

void EndpointPull::forget(Store& store, const EndpointMailbox& record) {
  store.endpoints().removeMailbox(record.id);
  metAgain_["the endpoint was wiped, restored or replaced since the last run"].push_back(record.name);
  log_.note(settings_.endpointName, record.name, "first contact again", "it is not there any more");
}

void EndpointPull::forgetLost(Store& store, std::vector<EndpointMailbox>& records) {
  for (const EndpointMailbox& record : records) forget(store, record);
  if (!records.empty()) store.backlog().lookAgain(endpoint_.id);
  records.clear();
}

void EndpointPull::applyWindow(Store& store, std::vector<EndpointMailbox>& records) {
  const std::string window = settings_.window.text();
  if (endpoint_.window == window) return;
  // Another window: what was outside is looked at again. Nothing is fetched twice, for what is paired is known.
  for (EndpointMailbox& record : records) {
    if (endpoint_.window.empty() || record.anchor.uidValidity.value() == 0) continue;
    store.quarantine().takeInAgain(record.id);
    record.anchor.uidNext = Uid{1};
    record.anchor.highestModSeq = settings_.keysAreUids ? record.anchor.highestModSeq : mailstore::ModSeq{};
    store.endpoints().setAnchor(record.id, record.anchor);
  }
  store.endpoints().setWindow(endpoint_.id, window);
  endpoint_.window = window;
}

void EndpointPull::leaveOut(Store& store, std::size_t work, const RemoteKey& key) {
  // UIDs fall below the anchor and are not asked for again.
  if (const Uidl* name = std::get_if<Uidl>(&key)) store.quarantine().leaveOut(works_[work].record.id, *name);
  ++leftOut_[work];
}

KeySet EndpointPull::newest(Store& store, std::size_t work, KeySet fresh) {
  const std::uint64_t count = endpoint::countOf(fresh);
  if (!settings_.window.maxMessages || count <= *settings_.window.maxMessages) return fresh;
  const std::uint64_t surplus = count - *settings_.window.maxMessages;
  if (auto* uids = std::get_if<UidSet>(&fresh)) {
    UidSet kept;
    std::uint64_t left = surplus;
    for (UidSet::Range range : uids->ranges()) {
      const std::uint64_t length = std::uint64_t{range.last.value()} - range.first.value() + 1;
      const std::uint64_t cut = std::min(left, length);
      left -= cut;
      if (cut < length) kept.add(Uid{static_cast<std::uint32_t>(range.first.value() + cut)}, range.last);
    }
    leftOut_[work] += surplus;
    return kept;
  }
  auto& names = std::get<std::vector<Uidl>>(fresh);
  const auto cut = names.begin() + static_cast<std::ptrdiff_t>(surplus);
  for (auto at = names.begin(); at != cut; ++at) leaveOut(store, work, *at);
  names.erase(names.begin(), cut);
  return fresh;
}

MailboxId EndpointPull::targetOf(Store& store, const MappedMailbox& mapped,
                                 const std::vector<EndpointMailbox>& records) {
  const auto isTaken = [&](MailboxId id) {
    return std::any_of(records.begin(), records.end(), [&](const EndpointMailbox& r) { return r.mailbox == id; });
  };
  const mailstore::Role role = mapped.byMap ? mailstore::Role::None : mapped.role;
  MailboxId target = store.mailboxes().ensure(endpoint_.braid, mapped.storeName, role);
  // Two mailboxes of one endpoint never share one: where another has the role (or the name) already, this one gets a
  // name of its own.
  for (int number = 1; isTaken(target); ++number) {
    const std::string name = number == 1 ? mapped.storeName : mapped.storeName + " (" + std::to_string(number) + ")";
    target = store.mailboxes().ensure(endpoint_.braid, name, mailstore::Role::None);
  }
  return target;
}

void EndpointPull::loadWork(Store& store, MailboxWork& work) const {
  const Uid lastPaired = work.begun ? Uid{} : store.pairs().lastUid(work.record.id);
  work.continuity = work.remote != nullptr ? plan::continuityOf(work.record.anchor, seen(*work.remote), lastPaired)
                                           : Continuity::Changed;
  // A mailbox that changed between LIST and SELECT is ahead of the listing: it did not go back.
  if (work.begun && work.continuity == Continuity::WentBack)
    work.continuity = work.record.anchor.complete ? Continuity::Changed : Continuity::Unfinished;
  work.hasHeld = settings_.removalsTold && !store.pairs().held(work.record.id).empty();
  work.uploadedFrom = store.backlog().uploadedFrom(work.record.id);
  const bool again = work.continuity == Continuity::ValidityChanged || work.continuity == Continuity::WentBack;
  if (!settings_.keysAreUids) {
    std::vector<Uidl> known;
    if (!again && work.continuity != Continuity::Unchanged) {
      store.pairs().forMailbox(work.record.id, [&](const Pair& pair) { known.push_back(std::get<Uidl>(pair.key)); });
      for (Uidl& name : store.quarantine().leftOut(work.record.id)) known.push_back(std::move(name));
    }
    work.skip = std::move(known);
    work.due = std::vector<Uidl>{};
  } else {
    work.skip = UidSet{};
    work.due = UidSet{};
    if (!again && work.continuity != Continuity::Unchanged && work.record.anchor.uidValidity.value() != 0) {
      const Uid first = work.record.anchor.uidNext.value() == 0 ? Uid{1} : work.record.anchor.uidNext;
      store.pairs().forUids(work.record.id, UidSet::of(first, Uid{UINT32_MAX}),
                            [&](const Pair& pair) { addKey(work.skip, pair.key); });
    }
  }
  if (again) return;
  for (const mailstore::QuarantineRow& row : store.quarantine().of(work.record.id)) {
    work.hasQuarantine = true;
    if (row.nextTry > settings_.now) {
      addKey(work.skip, row.key);
    } else {
      addKey(work.due, row.key);
      // A mailbox that has not changed is opened all the same, or the message would never be tried again.
      if (work.continuity == Continuity::Unchanged) work.continuity = Continuity::Changed;
    }
  }
}

void EndpointPull::reload(Store& store) {
  missing_.clear();
  missingByHeader_.clear();
  missingByObjectId_.clear();
  for (MailboxWork& work : works_) {
    work.gone = work.doubtful = false;
    if (work.record.id.value() != 0) loadWork(store, work);
  }
}

void EndpointPull::guessRenames(Store& store) {
  for (std::size_t n = 0; n < works_.size(); ++n) {
    const MailboxWork& fresh = works_[n];
    if (fresh.remote == nullptr || fresh.continuity != Continuity::FirstContact || !fresh.remote->status) continue;
    const RemoteStatus& status = *fresh.remote->status;
    std::vector<std::size_t> candidates;
    for (std::size_t o = 0; o < works_.size(); ++o) {
      const MailboxWork& old = works_[o];
      if (old.remote != nullptr || !old.record.anchor.complete) continue;
      const bool sameId = !old.record.objectId.empty() && old.record.objectId == fresh.remote->objectId;
      const bool sameValidity = status.uidValidity == old.record.anchor.uidValidity;
      if (sameValidity && (sameId || (old.record.objectId.empty() && status.uidNext >= old.record.anchor.uidNext)))
        candidates.push_back(o);
    }
    if (candidates.size() != 1) continue;  // none, or not certain: the messages are recognised one by one as moves
    UidSet sample;
    const UidSet uids = store.pairs().uids(works_[candidates[0]].record.id);
    for (const UidSet& part : uids.chunksOfCount(std::max<std::uint64_t>(1, uids.count() / kRenameSample)))
      sample.add(part.ranges().front().first);
    if (!sample.empty()) renameGuesses_.push_back({n, candidates[0], sample});
  }
}

void EndpointPull::confirmRename(Store& store, const RenameGuess& guess, const std::vector<RemoteMessage>& told) {
  MailboxWork& old = works_[guess.oldWork];
  MailboxWork& fresh = works_[guess.newWork];
  if (told.empty() || old.remote != nullptr) return;
  for (const RemoteMessage& message : told) {
    const std::optional<Pair> pair = store.pairs().find(old.record.id, message.key);
    const std::optional<mailstore::EntryRow> row = pair ? store.entries().row(pair->entry) : std::nullopt;
    if (!row || !message.header || row->message.headerDigest != *message.header) return;
  }
  const std::string oldName = old.record.name;
  const std::optional<mailstore::Mailbox> newStore = store.mailboxes().find(fresh.record.mailbox);
  const MailboxId placeholder = fresh.record.mailbox;
  store.endpoints().removeMailbox(fresh.record.id);
  MailboxId target = old.record.mailbox;
  const bool nameWasFree = placeholder != target && store.mailboxes().removeIfUnused(placeholder);
  if (nameWasFree && newStore) {
    store.mailboxes().rename(target, newStore->name);
  }
  store.endpoints().renameMailbox(old.record.id, fresh.remote->name, target);
  old.remote = fresh.remote;
  old.record.name = fresh.remote->name;
  if (const auto now = store.mailboxes().find(target)) old.record.storeName = now->name;
  fresh.remote = nullptr;
  fresh.record = {};
  loadWork(store, old);
  log_.note(settings_.endpointName, old.record.name, "rename", "from " + oldName);
  notes_.push_back(oldName + " was renamed to " + old.record.name);
}

void EndpointPull::begin(Store& store, std::size_t index, const RemoteStatus& status) {
  MailboxWork& work = works_[index];
  work.begun = true;
  const bool again = work.continuity == Continuity::ValidityChanged || work.continuity == Continuity::WentBack;
  if (again) {
    store.pairs().removeAll(work.record.id);
    for (const mailstore::QuarantineRow& row : store.quarantine().of(work.record.id))
      store.quarantine().remove(work.record.id, row.key);
    // What the endpoint turns out not to have any more is carried there again.
    store.backlog().lookAgain(endpoint_.id);
    work.pairsDropped = true;
    const bool lost = !settings_.keysAreUids || settings_.stateLost;
    const std::string why = lost ? "the endpoint was wiped, restored or replaced since the last run"
                            : work.continuity == Continuity::ValidityChanged
                                ? "UIDVALIDITY changed"
                                : "it went back in time (a restored server?)";
    metAgain_[why].push_back(work.record.name);
    log_.note(settings_.endpointName, work.record.name, "first contact again", why);
  } else if (work.continuity != Continuity::FirstContact) {
    return;
  }
  Anchor anchor;
  anchor.uidValidity = status.uidValidity;
  anchor.uidNext = Uid{1};
  // Flags that are not taken now are read in full when the policy allows it.
  if (settings_.pull.flags) anchor.highestModSeq = status.highestModSeq;
  work.record.anchor = anchor;
  store.endpoints().setAnchor(work.record.id, anchor);
}

void EndpointPull::mergeFlags(Store& store, std::size_t work, const mailstore::PairedEntry& known, const Flags& told) {
  const auto& [pair, entry] = known;
  if (!settings_.pull.flags) return;
  // The old copy of what is being moved is marked before it is expunged: that says nothing of the message.
  const bool leftBehind = entry.removedAt == 0 && entry.mailbox != works_[work].record.mailbox;
  const bool marksOldCopy = leftBehind && !pair.flags.has(mailstore::SystemFlag::Deleted);
  const Flags remote = marksOldCopy ? told.without(Flags::of(mailstore::SystemFlag::Deleted)) : told;
  const plan::FlagSides sides{pair.flags, remote, entry.flags};
  const plan::Local local = entry.removedAt == 0 ? plan::Local::Live : plan::Local::Tombstone;
  const plan::Action action = plan::decide(plan::Base::Paired, plan::Remote::Present, local, sides);
  // The base has the mark all the same: a copy that the server makes of it has it, too, and gets rid of it there.
  if (action == plan::Action::Nothing) {
    if (marksOldCopy && !(told == pair.flags)) store.pairs().setFlags(pair.id, told);
    return;
  }
  const bool undeleted = pair.flags.has(mailstore::SystemFlag::Deleted) && !remote.has(mailstore::SystemFlag::Deleted);
  if (action == plan::Action::Revive && (undeleted || !settings_.onlyMarks)) {
    store.entries().revive(entry.id);
    decided(work, "revive", pair.key, "removed elsewhere, but flagged or answered there: kept");
  }
  const Flags united = plan::merged(sides);
  const bool follows = pair.followsEntry && told == united && !pair.markedApart;
  if (!(united == entry.flags)) {
    store.entries().setFlags(entry.id, united, follows ? pair.id : mailstore::PairId{});
    ++counts_.flags;
    logKey(work, "flags", pair.key);
  }
  if (!(told == pair.flags) && !follows) store.pairs().setFlags(pair.id, told);
}

void EndpointPull::mergeFlags(Store& store, std::size_t work, const std::vector<endpoint::FlagState>& told) {
  for (const auto& [key, flags] : told)
    if (const auto known = store.pairs().findWithEntry(works_[work].record.id, key))
      mergeFlags(store, work, *known, flags);
}

void EndpointPull::addMissing(Store& store, std::size_t work, const Pair& pair) {
  const std::size_t index = missing_.size();
  missing_.push_back({pair, work, false});
  missing_.back().pair.followsEntry = false;  // other mailboxes may change the entry until it is found
  if (!pair.objectId.empty()) missingByObjectId_.emplace(pair.objectId, index);
  // Of a tombstone, too: what was moved here and removed elsewhere is kept where it was moved.
  if (const auto header = store.messages().headerDigestOf(pair.entry)) missingByHeader_.emplace(*header, index);
}

void EndpointPull::forgetQuarantined(Store& store, const MailboxWork& work, const endpoint::Delta& delta) const {
  const UidSet* present = delta.present ? std::get_if<UidSet>(&*delta.present) : nullptr;
  for (const mailstore::QuarantineRow& row : store.quarantine().of(work.record.id)) {
    const Uid* uid = std::get_if<Uid>(&row.key);
    if (uid == nullptr) continue;
    const bool knownBefore = *uid < work.record.anchor.uidNext || std::get<UidSet>(work.skip).contains(*uid);
    const bool absent = present != nullptr && knownBefore && !present->contains(*uid);
    if (absent || delta.vanished.contains(*uid)) store.quarantine().remove(work.record.id, row.key);
  }
}

std::vector<Pair> EndpointPull::compareNames(Store& store, const MailboxWork& work, const endpoint::Delta& delta) {
  const auto& present = std::get<std::vector<Uidl>>(*delta.present);
  std::unordered_set<std::string_view> there;
  there.reserve(present.size());
  for (const Uidl& name : present) there.insert(name.value());
  std::vector<Pair> absent;
  std::vector<Pair> changed;
  std::vector<Pair> back;
  store.pairs().forMailbox(work.record.id, [&](const Pair& pair) {
    const bool isThere = there.contains(std::get<Uidl>(pair.key).value());
    if (settings_.removalsTold) {
      if (!pair.held && !isThere) absent.push_back(pair);
      if (pair.held && isThere) back.push_back(pair);
      return;
    }
    keysAbsent_ = keysAbsent_ || !isThere;
    if (pair.held == isThere) changed.push_back(pair);
  });
  if (settings_.removalsTold) {
    for (const mailstore::QuarantineRow& row : store.quarantine().of(work.record.id)) {
      if (!there.contains(std::get<Uidl>(row.key).value())) store.quarantine().remove(work.record.id, row.key);
    }
  }
  for (const Pair& pair : back) store.pairs().setHeld(pair.id, false);
  // Absence at such an endpoint is no removal (POP3): the pair only remembers it.
  for (const Pair& pair : changed) {
    keysVanished_ = keysVanished_ || !pair.held;
    store.pairs().setHeld(pair.id, !pair.held);
  }
  return absent;
}

void EndpointPull::applyDelta(Store& store, std::size_t index, const endpoint::Delta& delta) {
  MailboxWork& work = works_[index];
  forgetQuarantined(store, work, delta);
  std::set<std::int64_t> gone;
  const auto missing = [&](const Pair& pair) {
    if (gone.insert(pair.id.value()).second) addMissing(store, index, pair);
  };
  if (!delta.vanished.empty()) {
    store.pairs().forUids(work.record.id, delta.vanished, [&](const Pair& pair) {
      if (!pair.held) missing(pair);
    });
  }
  if (const UidSet* present = delta.present ? std::get_if<UidSet>(&*delta.present) : nullptr) {
    std::vector<Pair> absent;
    std::vector<Pair> back;
    const UidSet& takenEarlier = std::get<UidSet>(work.skip);
    store.pairs().forMailbox(work.record.id, [&](const Pair& pair) {
      const Uid uid = std::get<Uid>(pair.key);
      // What an earlier, interrupted run took from above the anchor may be gone again, too.
      const bool knownBefore = uid < work.record.anchor.uidNext || takenEarlier.contains(uid);
      if (!pair.held && knownBefore && !present->contains(uid)) absent.push_back(pair);
      if (pair.held && present->contains(uid)) back.push_back(pair);
    });
    for (const Pair& pair : back) store.pairs().setHeld(pair.id, false);
    for (const Pair& pair : absent) missing(pair);
  }
  if (delta.present && std::holds_alternative<std::vector<Uidl>>(*delta.present)) {
    for (const Pair& pair : compareNames(store, work, delta)) missing(pair);
  }
  for (const endpoint::FlagState& state : delta.flags) {
    const auto known = store.pairs().findWithEntry(work.record.id, state.key);
    if (known && !gone.contains(known->pair.id.value())) mergeFlags(store, index, *known, state.flags);
  }
  if (!delta.incomplete.empty()) log_.note(settings_.endpointName, work.record.name, "incomplete", delta.incomplete);
}

void EndpointPull::mailboxGone(Store& store, std::size_t index) {
  works_[index].gone = true;
  std::vector<Pair> pairs;
  store.pairs().forMailbox(works_[index].record.id, [&](const Pair& pair) {
    if (!pair.held) pairs.push_back(pair);
  });
  for (const Pair& pair : pairs) addMissing(store, index, pair);
}

void EndpointPull::mailboxDoubtful(Store& store, std::size_t index) {
  mailboxGone(store, index);
  works_[index].gone = false;
  works_[index].doubtful = true;
}

bool EndpointPull::wentBack() const {
  return std::any_of(works_.begin(), works_.end(), [](const MailboxWork& work) {
    return work.pairsDropped || work.continuity == Continuity::ValidityChanged ||
           work.continuity == Continuity::WentBack;
  });
}

void EndpointPull::mailboxLost(Store& store, std::size_t index) {
  forget(store, works_[index].record);
  store.backlog().lookAgain(endpoint_.id);
  works_[index].record = {};
}

std::string namesInWords(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 3;
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < kMost; ++i) out += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kMost) out += " and " + std::to_string(names.size() - kMost) + " more";
  return out;
}

void EndpointPull::refused(Store& store, std::size_t work, const RemoteMessage& message, const std::string& reason) {
  if (store.pairs().find(works_[work].record.id, message.key)) return;
  constexpr std::int64_t kRetryAfter = std::int64_t{24} * 3600;
  works_[work].hasQuarantine = true;
  store.quarantine().add(works_[work].record.id, message.key, message.size, reason, settings_.now, kRetryAfter);
  logKey(work, "quarantine", message.key, reason);
}

}  // namespace mailbraid::sync::exec
