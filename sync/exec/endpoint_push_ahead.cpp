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
  for (const mailstore::Mailbox& mailbox : store.mailboxes().ofBraid(endpoint_.braid)) {
    if (!store.backlog().isUnwanted(endpoint_.id, mailbox.id)) planCreation(mailbox);
  }
  if (makesMailboxes()) return since;
  for (const mailstore::UploadCandidate& one : store.backlog().newTo(endpoint_, std::max(since, endpoint_.pushed))) {
    const auto place = placeByMailbox_.find(one.entry.mailbox);
    if (place == placeByMailbox_.end() || !work_.places[place->second].known) continue;
    open_.emplace(one.entry.id, Open{});
    work_.places[place->second].uploads.push_back(
        {one.entry.id, one.entry.message, one.entry.flags, one.entry.internalDate, one.size});
  }
  return upTo_;
}

}  // namespace mailbraid::sync::exec
