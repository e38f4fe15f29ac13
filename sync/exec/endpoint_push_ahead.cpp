// EndpointPush: uploads while other endpoints are still pulled.
#include "sync/exec/endpoint_push.h"

#include <algorithm>

namespace mailbraid::sync::exec {

using mailstore::Store;

bool EndpointPush::makesMailboxes() const {
  return std::any_of(work_.places.begin(), work_.places.end(),
                     [](const PlaceWork& place) { return place.record.id.value() == 0; });
}

mailstore::ChangeNumber EndpointPush::planAhead(Store& store, std::vector<PushPlace> places,
                                                mailstore::ChangeNumber since) {
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
    return since;
  }
  for (const PlaceWork& place : work_.places) {
    for (const UploadItem& item : place.uploads) open_.emplace(item.entry, Open{});
  }
  return upTo_;
}

}  // namespace mailbraid::sync::exec
