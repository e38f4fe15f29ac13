#include "sync/exec/push_receipts.h"

#include <memory>
#include <utility>

namespace mailbraid::sync::exec {

using endpoint::TransferRequest;
using mailstore::EntryId;
using mailstore::Error;
using mailstore::Flags;
using mailstore::RemoteKey;
using mailstore::Store;

namespace {
constexpr std::size_t kGroup = 128;
}

PushReceipts::~PushReceipts() {
  try {
    post();
    writer_.wait();  // the jobs refer to what ends here
  } catch (const std::exception&) {
    // The writer has ended; its own error is told where it ended.
  }
}

void PushReceipts::record(StoreWriter::Job job) {
  jobs_.push_back(std::move(job));
  if (jobs_.size() >= kGroup) post();
}

void PushReceipts::post() {
  if (jobs_.empty()) return;
  auto group = std::make_shared<std::vector<StoreWriter::Job>>(std::move(jobs_));
  jobs_.clear();
  writer_.give(
      [group = std::move(group)](Store& store) {
        for (const StoreWriter::Job& job : *group) job(store);
      },
      0);
}

void PushReceipts::onOctets(std::uint64_t octets) {
  if (push_.told_) push_.told_(0, octets);
}

void PushReceipts::onVanished(std::size_t index, const RemoteKey& key) {
  waitReason(entryOf(index, key), "the message is no longer there; the next run sees why");
}

void PushReceipts::onRefused(std::size_t index, const RemoteKey& key, const Error& error) {
  const EntryId entry = entryOf(index, key);
  if (entry.value() != 0) refuse(entry, {}, error);
}

void PushReceipts::waitReason(EntryId entry, const std::string& reason) {
  const auto open = push_.open_.find(entry);
  if (open != push_.open_.end()) open->second.reason = reason;
}

void PushReceipts::onlyMarked(const std::string& place) {
  if (push_.settings_.removals != endpoint::RemovalStyle::Mark) ++push_.onlyMarked_[place];
}

void PushReceipts::refuse(EntryId entry, const std::string& place, const Error& error) {
  if (error.retry() != mailstore::Retry::Never) {
    waitReason(entry, error.what());
    return;
  }
  push_.wait(entry, mailstore::WaitKind::Refused, error.what());
  ++counts().refused;
  const std::string endpoint = endpointName();
  const std::string reason = error.what();
  record([&log = opLog(), endpoint, place, reason](Store&) { log.note(endpoint, place, "refused there", reason); });
}

void PushReceipts::buryIfGone(Store& store, EntryId entry) {
  std::vector<mailstore::Pair> pairs = store.pairs().ofEntry(entry);
  const std::optional<mailstore::Entry> now = store.entries().find(entry);
  if (!now || now->removedAt != 0) return;
  for (const mailstore::Pair& pair : pairs) {
    const auto mailbox = store.mailboxes().ofEndpointMailbox(pair.endpointMailbox);
    const bool parked = mailbox && mailbox->role == mailstore::Role::Trash && mailbox->id != now->mailbox;
    if (!pair.held && !parked) return;  // somebody still has it
  }
  store.entries().remove(entry, push_.settings_.now);
  for (const mailstore::Pair& pair : pairs) {
    if (pair.held) store.pairs().remove(pair.id);
  }
}

void PushReceipts::logKey(const std::string& place, std::string_view kind, const RemoteKey& key,
                          std::string_view detail) {
  opLog().add(endpointName(), place, kind, key, detail);
}

void FlagReceipts::onFlags(std::size_t index, const RemoteKey& key, const Flags& flags) {
  const FlagItem* found = itemOf(index, key);
  if (found == nullptr) return;
  const FlagItem& item = *found;
  const Flags agreed = plan::agreedFlags(item.base, item.delta, flags);
  settled(item.entry);
  const bool took = !(agreed == item.base);
  if (took) ++counts().flags;
  const std::string& place = placeName(index);
  record([this, &item, agreed, &place, took](Store& store) {
    store.pairs().setFlags(item.pair, agreed);
    logKey(place, took ? "store flags" : "flags not kept", item.key);
  });
}

void FlagReceipts::onChangedMeanwhile(std::size_t index, const RemoteKey& key) {
  waitReason(entryOf(index, key), "another program changed its flags at the same time");
  wantAnotherRound();
}

TransferReceipts::TransferReceipts(EndpointPush& push, StoreWriter& writer, const std::vector<std::size_t>& transfers)
    : PushReceipts(push, writer), transfers_(transfers) {
  for (const std::size_t transfer : transfers_) {
    auto& items = items_.emplace_back();
    for (const TransferItem& item : work().transfers[transfer].items) items[item.key].push_back(&item);
  }
}

EntryId TransferReceipts::entryOf(std::size_t index, const RemoteKey& key) const {
  const auto found = items_[index].find(key);
  return found == items_[index].end() ? EntryId{} : found->second.front()->entry;
}

void TransferReceipts::onTransferred(std::size_t index, const RemoteKey& from, const std::optional<RemoteKey>& to) {
  const auto found = items_[index].find(from);
  if (found == items_[index].end() || found->second.empty()) return;
  const TransferItem& item = *found->second.front();
  // Two copies of one message are two requests for the same key: each is told once.
  found->second.erase(found->second.begin());
  const TransferWork& transfer = work().transfers[transfers_[index]];
  if (transfer.kind == TransferRequest::Kind::Move) {
    moved(transfer, item, to);
  } else {
    copied(transfer, item, to);
  }
}

void TransferReceipts::moved(const TransferWork& transfer, const TransferItem& item,
                             const std::optional<RemoteKey>& told) {
  PlaceWork& target = work().places[transfer.to];
  std::optional<RemoteKey> to = told;
  if (to && !item.delta.empty()) {
    // A UID that another message has is a server's mistake: that one's flags are not touched.
    bool isAnothers = false;
    writer().run([&](Store& store) { isAnothers = store.pairs().find(target.record.id, *to).has_value(); });
    if (isAnothers) to.reset();
  }
  const std::string& from = work().places[transfer.from].name;
  ++(transfer.parks ? counts().removed : counts().moved);
  const auto kind = transfer.parks ? "trash there" : "move there";
  if (!item.delta.empty() && to) {
    target.flags.push_back({*to, item.pair, item.entry, item.base, item.delta, true});
  } else if (to && (item.delta.empty() || transfer.parks)) {
    settled(item.entry);
  } else {
    wantAnotherRound();  // without UIDs it may as well have vanished before: the next reading tells
  }
  const mailstore::EndpointMailboxId record = target.record.id;
  const bool parks = transfer.parks;
  const endpoint::RemoteStatus status = target.remote->status.value_or(endpoint::RemoteStatus{});
  this->record([this, &item, &from, &target, kind, to, record, parks, status](Store& store) {
    if (item.pair.value() != 0 && to && !store.pairs().find(record, *to)) {
      store.pairs().rekey(item.pair, record, *to);
    } else if (item.pair.value() != 0) {
      store.pairs().remove(item.pair);  // it is recognised by its content when the mailbox is read again
      if (parks) store.backlog().uploadBegins(record, status.uidValidity, status.uidNext);
    }
    if (item.cleans) buryIfGone(store, item.entry);
    logKey(from, kind, item.key, "to " + target.name);
  });
}

void TransferReceipts::copied(const TransferWork& transfer, const TransferItem& item,
                              const std::optional<RemoteKey>& to) {
  PlaceWork& target = work().places[transfer.to];
  const std::string& from = work().places[transfer.from].name;
  ++counts().uploaded;
  const mailstore::EndpointMailboxId record = target.record.id;
  if (item.delta.empty() && to) {
    settled(item.entry);
  } else if (to) {
    // The copy has the other one's flags, and gets its own as soon as its pair is there.
    std::optional<mailstore::PairId> pair;
    writer().run([&](Store& store) {
      if (!store.pairs().find(record, *to)) pair = store.pairs().add(record, *to, item.entry, item.base, {});
    });
    if (pair) {
      target.flags.push_back({*to, *pair, item.entry, item.base, item.delta, true});
    } else {
      wantAnotherRound();
    }
  } else {
    wantAnotherRound();
  }
  this->record([this, &item, &from, &target, to, record](Store& store) {
    if (to && !store.pairs().find(record, *to)) store.pairs().add(record, *to, item.entry, item.base, {});
    logKey(from, "copy there", item.key, "to " + target.name);
  });
}

void TransferReceipts::onMarked(std::size_t index, const RemoteKey& key) {
  const std::string& from = work().places[work().transfers[transfers_[index]].from].name;
  onlyMarked(from);
  record([this, &from, key](Store&) {
    logKey(from, "mark there", key, "copied, but the server has no UIDPLUS: the old copy is only marked as deleted");
  });
}

void UploadReceipts::onAppending(std::size_t index, mailstore::UidValidity uidValidity, mailstore::Uid uidNext) {
  const mailstore::EndpointMailboxId id = work().places[places_[index]].record.id;
  writer().run([&](Store& store) { store.backlog().uploadBegins(id, uidValidity, uidNext); });
  writer().flush();
}

void UploadReceipts::onAppended(std::size_t index, std::uint64_t token, const std::optional<RemoteKey>& key,
                                const Flags& flags) {
  const PlaceWork& place = work().places[places_[index]];
  const UploadItem& item = upload(token);
  settled(item.entry);
  sent(item.entry, {place.record.id, place.record.anchor.uidValidity, key.has_value()});
  ++counts().uploaded;
  counts().uploadedOctets += item.size;
  progressed(1);
  record([this, &place, &item, key, flags](Store& store) {
    if (key) store.pairs().addUploaded(place.record.id, *key, item.entry, flags);
    noteIfSuperseded(store, item);
    if (key) {
      logKey(place.name, "upload", *key);
    } else {
      opLog().note(endpointName(), place.name, "upload", "the server tells no UID");
    }
  });
}

void PushReceipts::noteIfSuperseded(Store& store, const UploadItem& item) {
  const std::optional<mailstore::Entry> now = store.entries().find(item.entry);
  if (!now || now->message == item.message) return;
  for (const mailstore::Messages::Alias& alias :
       store.messages().findByAlias(store.messages().info(item.message).digest)) {
    if (alias.message.id == now->message) store.backlog().repaired(endpointId(), item.entry, alias.repairs);
  }
}

void UploadReceipts::onRepairing(std::size_t, std::uint64_t token, const mailstore::MessageForm& form) {
  const EntryId entry = upload(token).entry;
  writer().run([&](Store& store) {
    const std::optional<mailstore::Entry> now = store.entries().find(entry);
    if (now) store.messages().addAlias(now->message, form);
  });
  writer().flush();
}

void UploadReceipts::onRepaired(std::size_t index, std::uint64_t token, const mailstore::Repairs& repairs) {
  const std::string& place = work().places[places_[index]].name;
  const EntryId entry = upload(token).entry;
  const std::string names = repairs.names();
  countRepair(place, names);
  record([this, &place, entry, names](Store& store) {
    store.backlog().repaired(endpointId(), entry, names);
    opLog().note(endpointName(), place, "upload repaired", names);
  });
}

void UploadReceipts::onAppendRefused(std::size_t index, std::uint64_t token, const Error& error) {
  const PlaceWork& place = work().places[places_[index]];
  progressed(1);
  refuse(upload(token).entry, place.name, error);
}

void RemovalReceipts::onRemoved(std::size_t index, const RemoteKey& key) {
  const RemovalItem* found = itemOf(index, key);
  if (found == nullptr) return;
  const RemovalItem& item = *found;
  settled(item);
  ++counts().removed;
  const std::string& place = placeName(index);
  record([this, &item, &place](Store& store) {
    if (item.cleans && item.pair.value() != 0) {
      store.pairs().setExpunged(item.pair);
      buryIfGone(store, item.entry);
    } else if (item.pair.value() != 0) {
      store.pairs().remove(item.pair);
    }
    logKey(place, item.cleans ? "expunge what is marked there" : "remove there", item.key);
  });
}

void RemovalReceipts::onMarked(std::size_t index, const RemoteKey& key) {
  const RemovalItem* found = itemOf(index, key);
  if (found == nullptr) return;
  const RemovalItem& item = *found;
  settled(item);
  ++counts().removed;
  const std::string& place = placeName(index);
  onlyMarked(place);
  record([this, &item, &place](Store& store) {
    const Flags marked = item.base.unitedWith(Flags::of(mailstore::SystemFlag::Deleted));
    if (item.stray) {
      store.pairs().remove(item.pair);
    } else if (item.pair.value() != 0) {
      store.pairs().setFlags(item.pair, marked);
    }
    logKey(place, "mark there", item.key);
  });
}

void RemovalReceipts::onVanished(std::size_t index, const RemoteKey& key) {
  onRemoved(index, key);  // somebody else was quicker
}

}  // namespace mailbraid::sync::exec
