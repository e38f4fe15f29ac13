// EndpointPush: what to do, from entries and pairs alone.
#include "sync/exec/endpoint_push.h"

#include "sync/plan/brake.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

namespace mailbraid::sync::exec {

using endpoint::RemovalStyle;
using endpoint::TransferRequest;
using mailstore::Entry;
using mailstore::EntryId;
using mailstore::Flags;
using mailstore::Pair;
using mailstore::Role;
using mailstore::Store;
using mailstore::SystemFlag;
using mailstore::WaitKind;
using plan::Local;
using plan::Permission;
using plan::Placed;
using plan::PushAction;

namespace {

Local localOf(const Entry& entry) {
  return entry.removedAt == 0 ? Local::Live : Local::Tombstone;
}

}  // namespace

std::string EndpointPush::policyText() const {
  const plan::PushPolicy& p = settings_.policy;
  std::string text;
  for (const bool is : {p.fresh, p.flags, p.removals, settings_.createMailboxes}) text += is ? '1' : '0';
  text += ' ' + std::to_string(static_cast<int>(settings_.removals));
  text += settings_.expungeDeleted ? " expunges " : " ";
  text += settings_.window.text();
  if (!settings_.repairs.empty()) text += " repairs " + settings_.repairs.names();
  for (const std::string& pattern : settings_.mapping.patterns) text += ' ' + pattern;
  return text;
}

void EndpointPush::wait(EntryId entry, WaitKind kind, std::string reason) {
  constexpr std::int64_t kRefusedAgainAfter = std::int64_t{24} * 3600;
  const std::int64_t nextTry = kind == WaitKind::Refused ? settings_.now + kRefusedAgainAfter : 0;
  waits_.push_back({entry, kind, std::move(reason), settings_.now, nextTry});
  open_.erase(entry);
}

void EndpointPush::note(const std::string& text) {
  if (std::find(notes_.begin(), notes_.end(), text) == notes_.end()) notes_.push_back(text);
}

std::optional<std::size_t> EndpointPush::placeOf(mailstore::EndpointMailboxId id) const {
  const auto found = placeByRecord_.find(id);
  if (found == placeByRecord_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::size_t> EndpointPush::trashPlace() const {
  for (std::size_t i = 0; i < work_.places.size(); ++i) {
    if (work_.places[i].role == Role::Trash) return i;
  }
  return std::nullopt;
}

void EndpointPush::takePlaces(Store& store, std::vector<PushPlace> places) {
  endpoint_ = store.endpoints().ensure(settings_.endpointName, settings_.endpointType,
                                       store.mailboxes().ensureBraid(settings_.braidName));
  upTo_ = store.entries().lastChange();
  for (PushPlace& place : places) {
    PlaceWork& work = work_.places.emplace_back();
    work.name = place.record.name;
    work.remote = place.remote;
    work.known = place.known;
    work.readAt = place.readAt;
    work.record = std::move(place.record);
    for (const mailstore::RemoteKey& key : place.doomed) work.removals.push_back({key, {}, {}, {}, true});
    placeByMailbox_.emplace(work.record.mailbox, work_.places.size() - 1);
    placeByRecord_.emplace(work.record.id, work_.places.size() - 1);
  }
  for (const mailstore::EndpointMailbox& one : store.endpoints().mailboxes(endpoint_.id)) owned_.insert(one.id);
}

void EndpointPush::plan(Store& store, std::vector<PushPlace> places) {
  takePlaces(store, std::move(places));
  const auto rows = endpoint_.policy == policyText() ? mailstore::Backlog::PolicyRows::LeftOut
                                                     : mailstore::Backlog::PolicyRows::Included;
  // What was marked before the configuration said that marks count.
  if (settings_.expungeDeleted && endpoint_.policy != policyText()) endpoint_.pushed = {};
  looked_ = store.backlog().candidates(endpoint_, rows, settings_.now);
  planMailboxes(store);
  std::unordered_set<EntryId> refused;
  for (mailstore::WaitingRow& row : settings_.refusedAhead) {
    const std::optional<Entry> entry = store.entries().find(row.entry);
    if (!entry || entry->removedAt != 0) continue;  // another endpoint has removed it since
    refused.insert(row.entry);
    waits_.push_back(std::move(row));
  }
  for (const EntryId id : looked_) {
    if (!refused.contains(id)) planEntry(store, id);
  }
  brake(store);
  keepToBudget(store);
  if (settings_.mode == PushSettings::Mode::Rehearse) logPlan();
}

void EndpointPush::planMailboxes(Store& store) {
  for (const mailstore::Mailbox& mailbox : store.mailboxes().ofBraid(endpoint_.braid)) {
    const auto place = placeByMailbox_.find(mailbox.id);
    if (place == placeByMailbox_.end()) {
      if (settings_.policy.fresh && !store.backlog().isUnwanted(endpoint_.id, mailbox.id)) planCreation(mailbox);
      continue;
    }
    PlaceWork& work = work_.places[place->second];
    work.role = mailbox.role;
    if (work.remote == nullptr) continue;
    const bool follows = mailbox.role == Role::None && !settings_.mapping.map.contains(work.name);
    if (!work.record.storeName.empty() && work.record.storeName != mailbox.name) {
      // Where another mailbox has the name already, the two keep different names.
      const bool isFree = std::none_of(work_.places.begin(), work_.places.end(),
                                       [&](const PlaceWork& other) { return other.name == mailbox.name; });
      if (follows && isFree && settings_.canChangeMailboxes && settings_.createMailboxes && settings_.policy.fresh) {
        work.renamedTo = mailbox.name;
      } else if (follows && !isFree) {
        note(work.name + " is called " + mailbox.name + " elsewhere now; another mailbox has that name there");
      }
    }
    work.unwanted = settings_.removeMailboxes && settings_.canChangeMailboxes && settings_.policy.removals &&
                    mailbox.role == Role::None && store.backlog().isUnwantedByAny(mailbox.id) &&
                    store.mailboxes().holdsNothing(mailbox.id);
  }
}

std::optional<std::size_t> EndpointPush::planCreation(const mailstore::Mailbox& mailbox) {
  const auto known = placeByMailbox_.find(mailbox.id);
  if (known != placeByMailbox_.end()) return known->second;
  if (!settings_.canChangeMailboxes || !settings_.createMailboxes) return std::nullopt;
  const std::string wanted = plan::endpointNameFor(mailbox.name, settings_.mapping);
  if (!plan::takesMailbox(wanted, mailbox.role, settings_.mapping)) return std::nullopt;
  // After a rename there the name may be that of a mailbox that syncs with another one: two never share one.
  std::string name = wanted;
  const auto hasName = [&](const PlaceWork& place) { return place.name == name; };
  for (int number = 2; std::any_of(work_.places.begin(), work_.places.end(), hasName); ++number) {
    name = wanted + " (" + std::to_string(number) + ")";
  }
  PlaceWork& work = work_.places.emplace_back();
  work.name = name;
  work.role = mailbox.role;
  work.record.mailbox = mailbox.id;
  work.record.endpoint = endpoint_.id;
  placeByMailbox_.emplace(mailbox.id, work_.places.size() - 1);
  return work_.places.size() - 1;
}

std::optional<std::size_t> EndpointPush::placeFor(Store& store, const Entry& entry) {
  const auto known = placeByMailbox_.find(entry.mailbox);
  if (known != placeByMailbox_.end()) return known->second;
  const std::optional<mailstore::Mailbox> mailbox = store.mailboxes().find(entry.mailbox);
  if (!mailbox) return std::nullopt;
  const std::optional<std::size_t> place = planCreation(*mailbox);
  if (place) return place;
  const std::string name = plan::endpointNameFor(mailbox->name, settings_.mapping);
  if (!plan::takesMailbox(name, mailbox->role, settings_.mapping)) return std::nullopt;
  const auto same = [&](const Failure& failure) { return failure.mailbox == name; };
  if (settings_.policy.fresh && std::none_of(failures_.begin(), failures_.end(), same)) {
    failures_.push_back({name, mailstore::Error(mailstore::ErrorKind::TemporaryFailure, mailstore::Scope::Mailbox,
                                                mailstore::Retry::Never,
                                                "there is no mailbox " + name +
                                                    " there, and create_mailboxes is off: "
                                                    "make it, or leave it out with \"mailboxes\"")});
  }
  return std::nullopt;
}

EndpointPush::Found EndpointPush::find(Store& store, const Entry& entry) const {
  const auto target = placeByMailbox_.find(entry.mailbox);
  Found found;
  for (Pair& pair : store.pairs().ofEntry(entry.id)) {
    if (!owned_.contains(pair.endpointMailbox)) continue;
    Placed placed = Placed::Elsewhere;
    if (!placeByRecord_.contains(pair.endpointMailbox) || pair.held) {
      placed = Placed::Gone;  // also in a mailbox that is no longer synced: nothing is known of it
    } else if (target != placeByMailbox_.end() && placeByRecord_.at(pair.endpointMailbox) == target->second) {
      placed = Placed::Here;
    } else if (entry.removedAt != 0 && trashPlace() == placeByRecord_.at(pair.endpointMailbox)) {
      placed = Placed::InTrash;
    }
    const bool better = found.placed == Placed::Nowhere || placed == Placed::Here ||
                        (found.placed == Placed::Gone && placed != Placed::Gone);
    if (better && found.placed == Placed::Elsewhere) found.strays.push_back(std::move(*found.pair));
    if (better) {
      found.placed = placed;
      found.pair = std::move(pair);
    } else if (placed == Placed::Elsewhere) {
      found.strays.push_back(std::move(pair));
    }
  }
  return found;
}

void EndpointPush::planEntry(Store& store, EntryId id) {
  const std::optional<Entry> entry = store.entries().find(id);
  if (!entry) return;
  Found found = find(store, *entry);
  const Flags base = found.pair ? found.pair->flags : Flags{};
  if (planCleaning(*entry, found)) return;
  // Whether it was removed there is not decided yet: what it lacks there is carried when it turns up.
  const bool undecided = found.placed == Placed::Gone && found.pair && found.pair->held && entry->removedAt == 0;
  const Flags deleted = Flags::of(SystemFlag::Deleted);
  if (undecided && !(entry->flags.without(deleted) == found.pair->flags.without(deleted))) {
    wait(id, WaitKind::Retry, "it is missing there, and its removal is held back");
    return;
  }
  planStrays(*entry, found);
  Flags wanted = entry->flags;
  // A mark that was met there stays as it is.
  if (found.pair && found.pair->markedApart) wanted = wanted.unitedWith(Flags::of(SystemFlag::Deleted));
  const PushAction action = plan::decidePush({found.placed, localOf(*entry), base, wanted});
  if (action == PushAction::Nothing) return;
  if (found.placed == Placed::Nowhere && wasSent(id)) return;
  switch (plan::permissionFor(action, settings_.policy)) {
    case Permission::Never:
      return;
    case Permission::Withheld:
      wait(id, WaitKind::Policy, std::string(plan::pushActionName(action)) + ": the configuration does not carry it");
      return;
    case Permission::Granted:
      break;
  }
  open_.emplace(id, Open{});
  if (action == PushAction::Remove) {
    planRemoval(*entry, *found.pair);
  } else {
    planLive(store, *entry, found.pair, found.placed);
  }
}

void EndpointPush::planStrays(const Entry& entry, const Found& found) {
  // Where no other copy is known to be in its place, the stray one is moved there, or removed, like any other.
  const bool inPlace = found.placed == Placed::Here || (entry.removedAt != 0 && found.placed == Placed::Elsewhere);
  const bool may = plan::permissionFor(PushAction::Remove, settings_.policy) == Permission::Granted;
  if (!may || settings_.removals == RemovalStyle::Never) return;
  if (!inPlace) {
    // When one of them was moved there, the others are what it left behind.
    for (std::size_t i = 0; i < found.strays.size() && entry.removedAt == 0; ++i) strays_.insert(entry.id);
    anotherRound_ = anotherRound_ || (entry.removedAt == 0 && !found.strays.empty());
    return;
  }
  for (const Pair& pair : found.strays) {
    PlaceWork& place = work_.places[*placeOf(pair.endpointMailbox)];
    if (!place.known) {
      wait(entry.id, WaitKind::Retry, "its mailbox could not be read in this run");
      continue;
    }
    strays_.insert(entry.id);
    place.removals.push_back({pair.key, pair.id, entry.id, pair.flags, false, true});
  }
}

bool EndpointPush::planCleaning(const Entry& entry, const Found& found) {
  const bool marked =
      entry.flags.has(SystemFlag::Deleted) || (found.pair && found.pair->flags.has(SystemFlag::Deleted));
  if (!settings_.expungeDeleted || !settings_.policy.canRemove || entry.removedAt != 0 || !marked) return false;
  if (found.placed == Placed::Nowhere) return entry.flags.has(SystemFlag::Deleted);  // not to be uploaded
  if (found.placed != Placed::Here && found.placed != Placed::Elsewhere) return false;
  const std::size_t from = *placeOf(found.pair->endpointMailbox);
  if (!work_.places[from].known) {
    wait(entry.id, WaitKind::Retry, "its mailbox could not be read in this run");
    return true;
  }
  open_.emplace(entry.id, Open{});
  work_.places[from].removals.push_back({found.pair->key, found.pair->id, entry.id, found.pair->flags, true});
  return true;
}

void EndpointPush::planLive(Store& store, const Entry& entry, const std::optional<Pair>& pair, Placed placed) {
  const std::optional<std::size_t> to = placeFor(store, entry);
  if (!to) {
    wait(entry.id, WaitKind::Policy, "its mailbox is not synced there");
    return;
  }
  const std::size_t from = pair ? placeOf(pair->endpointMailbox).value_or(*to) : *to;
  if (!work_.places[*to].known || !work_.places[from].known) {
    wait(entry.id, WaitKind::Retry, "its mailbox could not be read in this run");
    return;
  }
  if (placed == Placed::Nowhere) {
    planUpload(store, entry, *to);
    return;
  }
  Flags wanted = entry.flags;
  if (pair->markedApart) wanted = wanted.unitedWith(Flags::of(SystemFlag::Deleted));
  const plan::FlagDelta delta = plan::flagDelta(pair->flags, wanted);
  if (placed == Placed::Here) {
    work_.places[*to].flags.push_back({pair->key, pair->id, entry.id, pair->flags, delta});
    return;
  }
  const bool flagsToo = plan::permissionFor(PushAction::StoreFlags, settings_.policy) == Permission::Granted;
  work_.transferOf(from, *to, TransferRequest::Kind::Move, PushWork::Parks::No)
      .items.push_back({pair->key, pair->id, entry.id, pair->flags, flagsToo ? delta : plan::FlagDelta{}, false});
}

bool EndpointPush::isBeyondNewest(Store& store, const Entry& entry) {
  if (!settings_.window.maxMessages) return false;
  const auto [place, isNew] = oldestTaken_.try_emplace(entry.mailbox);
  if (isNew) place->second = store.entries().nthNewest(entry.mailbox, *settings_.window.maxMessages);
  const auto age = [](const Entry& one) { return std::pair(one.internalDate.seconds, one.id); };
  return place->second && age(entry) < age(*place->second);
}

void EndpointPush::planUpload(Store& store, const Entry& entry, std::size_t to) {
  const mailstore::MessageInfo info = store.messages().info(entry.message);
  if (settings_.window.leavesOut(info.size, entry.internalDate, settings_.now) || isBeyondNewest(store, entry)) {
    wait(entry.id, WaitKind::Policy, "it is left out there by max_size, max_age or max_messages");
    return;
  }
  // The endpoint may hold the same message in another mailbox: it makes the copy itself.
  if (settings_.policy.canTransfer) {
    const std::optional<EntryId> twin = store.entries().findTwinAt(endpoint_.id, entry.id);
    const std::optional<Entry> other = twin ? store.entries().find(*twin) : std::nullopt;
    const Found at = other ? find(store, *other) : Found{};
    const std::optional<std::size_t> from = at.pair ? placeOf(at.pair->endpointMailbox) : std::nullopt;
    if (at.placed == Placed::Here && from && work_.places[*from].known) {
      work_.transferOf(*from, to, TransferRequest::Kind::Copy, PushWork::Parks::No)
          .items.push_back(
              {at.pair->key, {}, entry.id, at.pair->flags, plan::flagDelta(at.pair->flags, entry.flags), false});
      return;
    }
  }
  work_.places[to].uploads.push_back({entry.id, entry.message, entry.flags, entry.internalDate, info.size});
}

void EndpointPush::planRemoval(const Entry& entry, const Pair& pair) {
  const std::size_t from = *placeOf(pair.endpointMailbox);
  PlaceWork& place = work_.places[from];
  if (!place.known) {
    wait(entry.id, WaitKind::Retry, "its mailbox could not be read in this run");
    return;
  }
  switch (settings_.removals) {
    case RemovalStyle::Never:
      wait(entry.id, WaitKind::Policy, "removals = \"never\"");
      return;
    case RemovalStyle::Mark:
      if (pair.flags.has(SystemFlag::Deleted)) {
        settled(entry.id);  // it is marked already
        return;
      }
      break;
    case RemovalStyle::Trash:
      if (place.role != Role::Trash && !trashPlace()) {
        wait(entry.id, WaitKind::Retry, "there is no mailbox for the trash there, and removals = \"trash\"");
        note("removals wait: there is no mailbox for the trash there, and removals = \"trash\"; make one, or map one");
        return;
      }
      break;
    case RemovalStyle::Expunge:
      break;
  }
  place.removals.push_back({pair.key, pair.id, entry.id, pair.flags, false});
}

void EndpointPush::keepToBudget(Store& store) {
  if (!settings_.uploadBudget) return;
  std::unordered_map<EntryId, mailstore::WaitingRow> refused;
  for (mailstore::WaitingRow& row : store.backlog().waiting(endpoint_.id)) {
    if (row.kind == WaitKind::Refused) refused.emplace(row.entry, std::move(row));
  }
  std::vector<plan::Load> loads;
  for (const PlaceWork& place : work_.places) {
    // What is beyond its limit costs nothing: it is refused before the first octet goes out.
    const std::uint64_t most = appendLimit(place).value_or(UINT64_MAX);
    for (const UploadItem& item : place.uploads) {
      loads.push_back({item.size > most ? 0 : item.size});
      if (refused.contains(item.entry)) loads.back().refused = refused[item.entry].nextTry;
    }
  }
  const std::vector<bool> fits = plan::fitting(loads, *settings_.uploadBudget);
  std::size_t next = 0;
  for (PlaceWork& place : work_.places) {
    const std::uint64_t most = appendLimit(place).value_or(UINT64_MAX);
    std::erase_if(place.uploads, [&](const UploadItem& item) {
      if (fits[next++] || item.size > most) return false;
      ++leftover_.messages;
      leftover_.octets += item.size;
      wait(item.entry, WaitKind::Retry, "the day's budget of uploads there is used up");
      // It was not tried: that it was refused stays known, or it would keep others waiting.
      if (refused.contains(item.entry)) waits_.back() = refused[item.entry];
      return true;
    });
  }
}

void EndpointPush::brake(Store& store) {
  std::vector<std::uint64_t> counted(work_.places.size(), 0);
  for (std::size_t i = 0; i < work_.places.size(); ++i) {
    for (const RemovalItem& item : work_.places[i].removals) {
      if (!settings_.allowedEntries.contains(item.entry)) ++counted[i];
    }
  }
  const std::uint64_t total = std::accumulate(counted.begin(), counted.end(), std::uint64_t{0});
  std::vector<std::uint64_t> before(work_.places.size(), 0);
  if (total > plan::kBrakeCount) {
    for (std::size_t i = 0; i < before.size(); ++i) before[i] = store.pairs().count(work_.places[i].record.id);
  }
  const bool all = plan::brakes(total, std::accumulate(before.begin(), before.end(), std::uint64_t{0}));
  for (std::size_t i = 0; i < work_.places.size(); ++i) {
    PlaceWork& place = work_.places[i];
    if (counted[i] > 0 && (all || plan::brakes(counted[i], before[i])) && !settings_.removalsAllowed(place.name)) {
      for (const RemovalItem& item : place.removals) {
        if (item.entry.value() != 0) wait(item.entry, WaitKind::Held, "held back by the brake");
      }
      counts_.held += place.removals.size();
      notes_.push_back(place.name + ": " + std::to_string(place.removals.size()) + " of " + std::to_string(before[i]) +
                       " messages were removed elsewhere; their removal here is held back");
      heldMailboxes_.push_back(place.name);
      log_.note(settings_.endpointName, place.name, "hold", std::to_string(place.removals.size()) + " removals there");
      place.removals.clear();
    }
    if (settings_.removals != RemovalStyle::Trash || place.role == Role::Trash || place.removals.empty() ||
        !trashPlace()) {
      continue;
    }
    std::vector<RemovalItem> strays;
    std::copy_if(place.removals.begin(), place.removals.end(), std::back_inserter(strays),
                 [](const RemovalItem& item) { return item.stray; });
    std::erase_if(place.removals, [](const RemovalItem& item) { return item.stray; });
    if (place.removals.empty()) {
      place.removals = std::move(strays);
      continue;
    }
    TransferWork& parked = work_.transferOf(i, *trashPlace(), TransferRequest::Kind::Move, PushWork::Parks::Yes);
    for (const RemovalItem& item : place.removals) {
      // What lies in the trash is not marked as deleted a second time.
      const plan::FlagDelta delta{{}, item.base.has(SystemFlag::Deleted) ? Flags::of(SystemFlag::Deleted) : Flags{}};
      parked.items.push_back({item.key, item.pair, item.entry, item.base, delta, item.cleans});
    }
    place.removals = std::move(strays);
  }
}

std::optional<std::uint64_t> EndpointPush::appendLimit(const PlaceWork& place) const {
  std::optional<std::uint64_t> limit;
  if (place.remote != nullptr) limit = place.remote->appendLimit;
  for (const PlaceWork& other : work_.places) {  // of a mailbox that is to be made: what the others take
    if (place.remote == nullptr && !limit && other.remote != nullptr) limit = other.remote->appendLimit;
  }
  return limit;
}

std::uint64_t EndpointPush::tooLarge(const PlaceWork& place) const {
  const std::optional<std::uint64_t> limit = appendLimit(place);
  const auto isTooLarge = [&](const UploadItem& item) { return limit && item.size > *limit; };
  return static_cast<std::uint64_t>(std::count_if(place.uploads.begin(), place.uploads.end(), isTooLarge));
}

void EndpointPush::logPlan() {
  const auto note = [&](std::size_t place, std::string_view kind, const std::string& detail) {
    log_.note(settings_.endpointName, nameOf(place), kind, detail);
  };
  for (std::size_t i = 0; i < work_.places.size(); ++i) {
    const PlaceWork& place = work_.places[i];
    if (place.record.id.value() == 0) note(i, "create mailbox", "");
    if (place.renamedTo) note(i, "rename mailbox there", "to " + *place.renamedTo);
    if (place.unwanted) note(i, "remove mailbox there", "when it is empty");
    for (const FlagItem& item : place.flags) log_.add(settings_.endpointName, place.name, "store flags", item.key);
    const std::uint64_t refused = tooLarge(place);
    if (place.uploads.size() > refused) note(i, "upload", std::to_string(place.uploads.size() - refused) + " messages");
    if (refused > 0) note(i, "too large to upload", std::to_string(refused) + " messages");
    for (const RemovalItem& item : place.removals)
      log_.add(settings_.endpointName, place.name, "remove there", item.key);
    counts_.flags += place.flags.size();
    counts_.refused += refused;
    counts_.uploaded += place.uploads.size() - refused;
    for (const UploadItem& item : place.uploads) counts_.uploadedOctets += item.size;
    counts_.removed += place.removals.size();
  }
  for (const TransferWork& work : work_.transfers) {
    const bool moves = work.kind == TransferRequest::Kind::Move;
    std::uint64_t& count = work.parks ? counts_.removed : moves ? counts_.moved : counts_.uploaded;
    count += work.items.size();
    for (const TransferItem& item : work.items) {
      log_.add(settings_.endpointName, nameOf(work.from), moves ? "move there" : "copy there", item.key,
               "to " + nameOf(work.to));
    }
  }
}

}  // namespace mailbraid::sync::exec
