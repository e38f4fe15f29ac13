// EndpointPush: uploads while other endpoints are still pulled.
#include "sync/exec/endpoint_push.h"

#include <algorithm>

namespace mailbraid::sync::exec {

using mailstore::Entry;
using mailstore::EntryId;
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
  for (const EntryId id : store.backlog().made(endpoint_.braid, std::max(since, endpoint_.pushed))) {
    const std::optional<Entry> entry = store.entries().find(id);
    const auto place = entry ? placeByMailbox_.find(entry->mailbox) : placeByMailbox_.end();
    if (place == placeByMailbox_.end() || entry->removedAt != 0 || !work_.places[place->second].known) continue;
    const bool isThere = find(store, *entry).placed != plan::Placed::Nowhere;
    if (isThere || store.entries().findTwinAt(endpoint_.id, id)) continue;
    open_.emplace(id, Open{});
    planUpload(store, *entry, place->second);
  }
  return upTo_;
}

}  // namespace mailbraid::sync::exec
