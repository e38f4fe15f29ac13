// EndpointPull: messages that an endpoint has taken with repairs only (message_repair.h), and what they were before.
#include "sync/exec/endpoint_pull.h"

#include <utility>

namespace mailbraid::sync::exec {

using endpoint::RemoteMessage;
using mailstore::EntryId;
using mailstore::MessageId;
using mailstore::MessageInfo;
using mailstore::Pair;
using mailstore::Store;

bool EndpointPull::wasRepaired(Store& store, EntryId entry) const {
  return !store.backlog().repairsOf(endpoint_.id, entry).empty();
}

void EndpointPull::noteRepairs(Store& store, std::size_t work, const mailstore::RemoteKey& key,
                               const std::string& repairs) {
  const std::optional<Pair> pair = store.pairs().find(works_[work].record.id, key);
  if (!pair || wasRepaired(store, pair->entry)) return;
  store.backlog().repaired(endpoint_.id, pair->entry, repairs);
  decided(work, "upload repaired", key, "is there with a repair (" + repairs + "); the store keeps it as it came");
}

bool EndpointPull::takeRepaired(Store& store, std::size_t work, const RemoteMessage& told,
                                const std::optional<std::size_t>& missing, const std::optional<EntryId>& lacking,
                                const std::string& repairs) {
  if (missing && wasRepaired(store, missing_[*missing].pair.entry)) {
    takeMoved(store, work, *missing, told);
    return true;
  }
  // Nothing is repaired where the user has not said so: there it is another message, however much alike.
  if (!lacking || (settings_.repairs.empty() && !wasRepaired(store, *lacking))) return false;
  adopt(store, work, *lacking, told);
  noteRepairs(store, work, told.key, repairs);
  return true;
}

bool EndpointPull::isRepaired(Store& store, std::size_t work, const RemoteMessage& told) {
  for (const mailstore::Messages::Alias& alias : store.messages().findByAlias(*told.header, told.size)) {
    const MessageInfo& original = alias.message;
    RemoteMessage as = told;
    as.header = original.headerDigest;
    as.size = original.size;
    const auto missing = findMissing(store, as, nullptr);
    const auto lacking = findLacking(store, work, told.key, original.headerDigest, original.size);
    if (takeRepaired(store, work, told, missing, lacking, alias.repairs)) return true;
  }
  return false;
}

bool EndpointPull::isRepaired(Store& store, std::size_t work, const ArrivedMessage& arrived) {
  const RemoteMessage& told = arrived.remote;
  for (const mailstore::Messages::Alias& alias : store.messages().findByAlias(arrived.prepared.digest)) {
    const MessageInfo& original = alias.message;
    RemoteMessage as = told;
    as.header = original.headerDigest;
    const auto missing = findMissing(store, as, &original.digest);
    const auto lacking = findLacking(store, work, told.key, original.digest);
    if (takeRepaired(store, work, told, missing, lacking, alias.repairs)) return true;
  }
  return false;
}

/// The store was lost, and has got back the repaired one first: it is not what anybody sent. The octets of that one
/// stay until the store is tidied up: another endpoint may be about to send them.
bool EndpointPull::isOriginal(Store& store, std::size_t work, ArrivedMessage& arrived) {
  const MailboxWork& mailbox = works_[work];
  for (const mailstore::MessageForm& form : arrived.prepared.repairedForms) {
    const auto entry = store.entries().findUnpaired(mailbox.record.mailbox, mailbox.record.id, form.digest);
    if (!entry) continue;
    const std::string names = form.repairs.names();
    const std::vector<mailstore::MessageForm> forms = std::move(arrived.prepared.repairedForms);
    store.entries().setMessage(*entry, addWithForms(store, arrived.prepared, forms));
    store.backlog().repairedWhereItIs(*entry, names);
    adopt(store, work, *entry, arrived.remote);
    decided(work, "original", arrived.remote.key,
            "is elsewhere with a repair (" + names + "); the store keeps it as it came");
    return true;
  }
  return false;
}

MessageId EndpointPull::addWithForms(Store& store, mailstore::PreparedMessage& prepared,
                                     const std::vector<mailstore::MessageForm>& forms) {
  const MessageId id = store.messages().add(std::move(prepared));
  for (const mailstore::MessageForm& form : forms) store.messages().addAlias(id, form);
  return id;
}

}  // namespace mailbraid::sync::exec
