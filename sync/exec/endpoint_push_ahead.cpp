// EndpointPush: uploads while other endpoints are still pulled.
#include "sync/exec/endpoint_push.h"

#include <algorithm>

namespace mailbraid::sync::exec {

using mailstore::EntryId;
using mailstore::Store;
using mailstore::WaitKind;

bool EndpointPush::makesMailboxes() const {
  return std::any_of(work_.places.begin(), work_.places.end(),
                     [](const PlaceWork& place) { return place.record.id.value() == 0; });
}

void EndpointPush::planAhead(Store& store, std::vector<PushPlace> places, mailstore::ChangeNumber since) {
  takePlaces(store, std::move(places));
  for (PlaceWork& place : work_.places) place.removals.clear();
  for (const mailstore::UploadCandidate& one : store.backlog().newTo(endpoint_, std::max(since, endpoint_.pushed))) {
    // A mailbox without mail may be one whose renaming is not seen through yet.
    if (!placeByMailbox_.contains(one.entry.mailbox) && !store.backlog().isUnwanted(endpoint_.id, one.entry.mailbox)) {
      if (const auto mailbox = store.mailboxes().find(one.entry.mailbox)) planCreation(*mailbox);
    }
    const auto place = placeByMailbox_.find(one.entry.mailbox);
    if (place == placeByMailbox_.end() || !work_.places[place->second].known) continue;
    work_.places[place->second].uploads.push_back(
        {one.entry.id, one.entry.message, one.entry.flags, one.entry.internalDate, one.size});
  }
  if (makesMailboxes()) {
    for (PlaceWork& place : work_.places) place.uploads.clear();
    plannedUpTo_ = since;
    return;
  }
  for (const PlaceWork& place : work_.places) {
    for (const UploadItem& item : place.uploads) open_.emplace(item.entry, Open{});
  }
  plannedUpTo_ = upTo_;
}

bool EndpointPush::wasSent(EntryId id) {
  if (settings_.sent == nullptr) return false;
  const auto sent = settings_.sent->find(id);
  if (sent == settings_.sent->end()) return false;
  // Where the mailbox is another one by now, it is gone with the old one.
  const std::optional<std::size_t> place = placeOf(sent->second.mailbox);
  if (!place || work_.places[*place].record.anchor.uidValidity != sent->second.uidValidity) return false;
  // As after any upload: what has no UID, and is not recognised, may be there in other words.
  if (!sent->second.gotUid) return true;
  constexpr std::string_view kReason = "it was uploaded, and was not there afterwards";
  wait(id, WaitKind::Refused, std::string(kReason));
  ++counts_.refused;
  log_.note(settings_.endpointName, work_.places[*place].name, "refused there", std::string(kReason));
  return true;
}

/// In the order in which they were made, up to the first that goes to another mailbox.
void EndpointPush::planMore(Store& store, std::size_t place) {
  mailstore::ChangeNumber upTo = store.entries().lastChange();
  for (const mailstore::UploadCandidate& one : store.backlog().newTo(endpoint_, plannedUpTo_)) {
    const auto target = placeByMailbox_.find(one.entry.mailbox);
    if (target == placeByMailbox_.end() || target->second != place) {
      upTo = mailstore::ChangeNumber{one.entry.id.value() - 1};  // an entry has the number of its first change
      break;
    }
    work_.places[place].uploads.push_back(
        {one.entry.id, one.entry.message, one.entry.flags, one.entry.internalDate, one.size});
    open_.emplace(one.entry.id, Open{});
  }
  plannedUpTo_ = upTo;
}

std::vector<endpoint::AppendItem> EndpointPush::moreFor(std::size_t place, StoreWriter& writer) {
  if (!isDue_()) return {};
  const std::size_t first = work_.places[place].uploads.size();
  writer.run([&](Store& store) { planMore(store, place); });
  if (work_.places[place].uploads.size() == first) return {};
  writer.flush();
  return itemsOf(place, first);
}

}  // namespace mailbraid::sync::exec
