// EndpointPull: recognising, storing and removing messages.
#include "mailstore/mail_date.h"
#include "sync/exec/endpoint_pull.h"

#include <algorithm>

namespace mailbraid::sync::exec {

using endpoint::KeySet;
using endpoint::RemoteMessage;
using endpoint::RemoteStatus;
using mailstore::Anchor;
using mailstore::Entry;
using mailstore::EntryId;
using mailstore::Flags;
using mailstore::InternalDate;
using mailstore::MailboxId;
using mailstore::MessageId;
using mailstore::Pair;
using mailstore::Store;
using mailstore::Uid;
using mailstore::Uidl;
using mailstore::UidSet;

namespace {

/// For endpoints that know no internal date; 0 when none can be believed.
InternalDate dateOf(Store& store, MessageId message, std::int64_t now) {
  const InternalDate date{store.messages().info(message).header.date, 0};
  return mailstore::isBelievable(date, mailstore::latestDateAt(now)) ? date : InternalDate{};
}

bool isTrash(Store& store, MailboxId id) {
  const std::optional<mailstore::Mailbox> mailbox = store.mailboxes().find(id);
  return mailbox && mailbox->role == mailstore::Role::Trash;
}

}  // namespace

bool EndpointPull::isPlainFirstPull(std::size_t work) const {
  // Nothing was in the braid when it was this endpoint's turn, so there is nothing that a message could be a copy of,
  // but for what this very mailbox brings, and two equal copies in one mailbox stay two.
  return braidWasEmpty_ && !works_[work].pairsDropped && !works_[work].uploadedFrom;
}

std::optional<std::size_t> EndpointPull::findMissing(Store& store, const RemoteMessage& told,
                                                     const mailstore::Digest* digest) {
  if (missing_.empty()) return std::nullopt;
  if (!told.objectId.empty()) {
    const auto [first, last] = missingByObjectId_.equal_range(told.objectId);
    for (auto at = first; at != last; ++at) {
      if (!missing_[at->second].found) return at->second;
    }
  }
  if (!told.header) return std::nullopt;
  const auto [first, last] = missingByHeader_.equal_range(*told.header);
  for (auto at = first; at != last; ++at) {
    if (missing_[at->second].found) continue;
    const std::optional<Entry> entry = store.entries().find(missing_[at->second].pair.entry);
    if (!entry) continue;
    const mailstore::MessageInfo message = store.messages().info(entry->message);
    const bool same = digest != nullptr ? message.digest == *digest : told.hasMessageId && message.size == told.size;
    if (same) return at->second;
  }
  return std::nullopt;
}

void EndpointPull::takeMoved(Store& store, std::size_t work, std::size_t index, const RemoteMessage& told) {
  Missing& missing = missing_[index];
  missing.found = true;
  leaveQuarantine(store, work, told.key);
  const std::optional<Entry> entry = store.entries().find(missing.pair.entry);
  if (!entry) return;
  const mailstore::MailboxId from = works_[missing.work].record.mailbox;
  const mailstore::MailboxId to = works_[work].record.mailbox;
  if (entry->removedAt != 0 && isTrash(store, to)) {
    // Removed there, too: by somebody, or by a push whose end was cut off.
    ++works_[missing.work].movedAway;
    ++works_[work].added;
    store.pairs().rekey(missing.pair.id, works_[work].record.id, told.key);
    logKey(work, "trash", told.key, "from " + works_[missing.work].record.name);
    return;
  }
  if (entry->removedAt != 0) {  // filing it says keep
    store.entries().revive(entry->id);
    decided(work, "revive", told.key, "removed elsewhere, but moved there: kept");
  }
  if (from != to && entry->mailbox != from && entry->mailbox != to) {
    ++counts_.adopted;
    decided(work, "adopt", told.key, "moved to different mailboxes: the first move holds");
    // When it is found after the push, the other move has been settled here.
    store.backlog().wait(endpoint_.id,
                         {entry->id, mailstore::WaitKind::Retry, "it was moved elsewhere first", settings_.now, 0});
  } else if (from != to && entry->mailbox == from) {
    store.entries().move(entry->id, to);
    ++counts_.moved;
    logKey(work, "move", told.key, "from " + works_[missing.work].record.name);
  } else {
    ++counts_.adopted;
    logKey(work, "adopt", told.key);
  }
  ++works_[missing.work].movedAway;
  ++works_[work].added;
  store.pairs().rekey(missing.pair.id, works_[work].record.id, told.key);
  Pair pair = missing.pair;
  pair.key = told.key;
  if (settings_.pull.fresh) {
    if (const auto now = store.entries().find(entry->id)) mergeFlags(store, work, {pair, *now}, told.flags);
    return;
  }
  // Where new mail is not taken it may be a copy that has been there all the time, with flags of its own: they unite.
  store.pairs().setFlags(pair.id, told.flags);
  const Flags now = store.entries().find(entry->id)->flags;
  store.entries().setFlags(entry->id, settings_.pull.flags ? now.unitedWith(told.flags) : now);
}

bool EndpointPull::mayBeUpload(std::size_t work, const mailstore::RemoteKey& key) const {
  const std::optional<Uid>& from = works_[work].uploadedFrom;
  const Uid* uid = std::get_if<Uid>(&key);
  return from && (uid == nullptr || *uid >= *from);
}

bool EndpointPull::takeRenamed(Store& store, std::size_t work, const RemoteMessage& told,
                               const std::optional<Pair>& held) {
  if (!held) return false;
  leaveQuarantine(store, work, told.key);
  store.pairs().rekey(held->id, works_[work].record.id, told.key);
  ++works_[work].added;
  ++counts_.adopted;
  logKey(work, "adopt", told.key);
  return true;
}

void EndpointPull::adopt(Store& store, std::size_t work, EntryId id, const RemoteMessage& told) {
  leaveQuarantine(store, work, told.key);
  for (const Pair& pair : store.pairs().ofEntry(id)) {
    if (!pair.held || pair.endpointMailbox != works_[work].record.id) continue;
    store.pairs().remove(pair.id);
    // It is there again, in other words: nothing is missing.
    for (Missing& missing : missing_) missing.found = missing.found || missing.pair.id == pair.id;
  }
  ++works_[work].added;
  if (!mayBeUpload(work, told.key)) store.entries().isShared(id);
  if (settings_.adopted != nullptr && !settings_.readsAgain) settings_.adopted->insert(id);
  const mailstore::PairId pair =
      store.pairs().add(works_[work].record.id, told.key, id, takenFlags(told), told.objectId, firstSeen());
  // What was cut off while it was sent may never have come to be: the same message can have arrived there by itself.
  if (settings_.sent != nullptr && settings_.sent->contains(id)) store.pairs().setUploaded(pair);
  std::optional<Entry> entry = store.entries().find(id);
  if (entry && settings_.pull.flags) takeMarks(store, *entry, pair, told.flags);
  ++counts_.adopted;
  logKey(work, "adopt", told.key);
}

void EndpointPull::takeMarks(Store& store, Entry& entry, mailstore::PairId pair, const Flags& told) {
  const bool here = told.has(mailstore::SystemFlag::Deleted);
  const bool there = entry.flags.has(mailstore::SystemFlag::Deleted);
  Flags united = entry.flags.unitedWith(told);
  if (here != there) {
    // A mark that only one of them has is not spread when they meet, nor taken away: it stays with who has it.
    united = united.without(Flags::of(mailstore::SystemFlag::Deleted));
    for (const Pair& other : store.pairs().ofEntry(entry.id)) {
      if (other.flags.has(mailstore::SystemFlag::Deleted)) store.pairs().setMarkedApart(other.id, true);
    }
    if (here) store.pairs().setMarkedApart(pair, true);
  }
  if (!(united == entry.flags)) store.entries().setFlags(entry.id, united);
}

void EndpointPull::takeNew(Store& store, std::size_t work, MessageId message, const RemoteMessage& told,
                           InternalDate fallback, std::string_view kind) {
  leaveQuarantine(store, work, told.key);
  InternalDate date = told.date.value_or(fallback);
  if (!told.date && date.seconds == 0) date.seconds = settings_.now;
  Flags flags = takenFlags(told);
  if (countsAsSeen(store, message, date)) flags = flags.unitedWith(Flags::of(mailstore::SystemFlag::Seen));
  const EntryId entry = store.entries().add(works_[work].record.mailbox, message, flags, date);
  ++works_[work].added;
  if (flags == takenFlags(told)) {
    store.pairs().addFollower(works_[work].record.id, told.key, entry, told.objectId, firstSeen());
  } else {
    store.pairs().add(works_[work].record.id, told.key, entry, takenFlags(told), told.objectId, firstSeen());
  }
  logKey(work, kind, told.key);
}

bool EndpointPull::countsAsSeen(Store& store, MessageId message, const InternalDate& date) const {
  using Kind = endpoint::SeenRule::Kind;
  switch (settings_.seen.kind) {
    case Kind::None:
      return false;
    case Kind::All:
      return true;
    case Kind::OlderThan:
      return date.seconds < settings_.now - settings_.seen.age.count();
    case Kind::From:
      return seenAt_.value() != 0 && store.entries().isSeenAt(seenAt_, message);
  }
  return false;
}

bool EndpointPull::identify(Store& store, std::size_t work, const RemoteMessage& told) {
  const MailboxWork& mailbox = works_[work];
  if (store.pairs().find(mailbox.record.id, told.key)) {
    leaveQuarantine(store, work, told.key);
    return true;
  }
  if (const auto missing = findMissing(store, told, nullptr)) {
    takeMoved(store, work, *missing, told);
    return true;
  }
  if (const auto known =
          told.objectId.empty() ? std::nullopt : store.pairs().findEntryByObjectId(endpoint_.id, told.objectId)) {
    // The same object id names the same octets (RFC 8474 section 5.1): what was uploaded here, or a copy within the
    // account.
    const MessageId message = store.entries().find(*known)->message;
    const auto unpaired =
        store.entries().findUnpaired(mailbox.record.mailbox, mailbox.record.id, store.messages().info(message).digest);
    if (unpaired) {
      adopt(store, work, *unpaired, told);
      return true;
    }
    takeNew(store, work, message, told, dateOf(store, message, settings_.now), "copy");
    ++counts_.adopted;
    return true;
  }
  // Without a Message-ID a header and a size are too little to go by: the body is fetched and compared.
  if (!told.header || !told.hasMessageId || told.size == 0) return false;
  if (keysAbsent_ && takeRenamed(store, work, told, store.pairs().findHeld(mailbox.record.id, *told.header, told.size)))
    return true;
  if (isKnownAs(store, work, told)) return true;
  return mayBeRepaired_ && isRepaired(store, work, told);
}

bool EndpointPull::isKnownAs(Store& store, std::size_t work, const RemoteMessage& told) {
  const mailstore::HeaderDigest& header = *told.header;
  const std::uint64_t size = told.size;
  if (const auto entry = findLacking(store, work, told.key, header, size)) {
    adopt(store, work, *entry, told);
    return true;
  }
  if (const auto message = store.entries().findMessage(endpoint_.braid, header, size)) {
    takeNew(store, work, *message, told, dateOf(store, *message, settings_.now), "copy");
    ++counts_.adopted;
    return true;
  }
  return false;
}

void EndpointPull::rehearse(Store& store, std::size_t work, const RemoteMessage& told) {
  // It has the header and the size that other endpoints recognise it by, and octets that no message has.
  mailstore::MessageBuilder builder(settings_.spool);
  builder.append("rehearsed " + settings_.endpointName + " " + std::to_string(works_[work].record.id.value()) + " ");
  if (const Uid* uid = std::get_if<Uid>(&told.key)) {
    builder.append(std::to_string(uid->value()));
  } else {
    builder.append(std::get<Uidl>(told.key).value());
  }
  mailstore::PreparedMessage prepared = builder.finish();
  if (told.header) prepared.headerDigest = *told.header;
  prepared.size = told.size;
  takeNew(store, work, store.messages().add(std::move(prepared)), told, {}, "new");
}

KeySet EndpointPull::identities(Store& store, std::size_t work, const std::vector<RemoteMessage>& told) {
  KeySet needed = endpoint::emptyLike(works_[work].skip);
  if (!settings_.pull.fresh) {
    for (const RemoteMessage& message : told) {
      if (store.pairs().find(works_[work].record.id, message.key)) continue;
      const auto missing = findMissing(store, message, nullptr);
      // What is in the same mailbox was there before, and was not taken.
      if (!missing || missing_[*missing].work == work) continue;
      const std::optional<Entry> entry = store.entries().find(missing_[*missing].pair.entry);
      if (entry && entry->removedAt == 0) takeMoved(store, work, *missing, message);
    }
    return needed;
  }
  for (const RemoteMessage& message : told) {
    if (identify(store, work, message)) continue;
    if (settings_.expungeDeleted && message.flags.has(mailstore::SystemFlag::Deleted)) {
      doomed_[work].push_back(message.key);
    } else if (settings_.window.leavesOut(message.size, message.date, settings_.now)) {
      leaveOut(store, work, message.key);
    } else {
      endpoint::addTo(needed, message.key);
      if (settings_.rehearses) rehearse(store, work, message);
    }
  }
  return needed;
}

void EndpointPull::message(Store& store, std::size_t work, ArrivedMessage& arrived) {
  const MailboxWork& mailbox = works_[work];
  RemoteMessage& told = arrived.remote;
  told.header = arrived.prepared.headerDigest;
  leaveQuarantine(store, work, told.key);
  if (store.pairs().find(mailbox.record.id, told.key)) return;
  if (const auto missing = findMissing(store, told, &arrived.prepared.digest)) {
    takeMoved(store, work, *missing, told);
    return;
  }
  if (keysAbsent_ && takeRenamed(store, work, told, store.pairs().findHeld(mailbox.record.id, arrived.prepared.digest)))
    return;
  if (!isPlainFirstPull(work) && isKnownByOctets(store, work, arrived)) return;
  const InternalDate fallback = arrived.prepared.fallbackDate;
  const std::vector<mailstore::MessageForm> forms = std::move(arrived.prepared.repairedForms);
  const MessageId id = addWithForms(store, arrived.prepared, forms);
  takeNew(store, work, id, told, fallback, "new");
  ++counts_.fresh;
}

bool EndpointPull::isKnownByOctets(Store& store, std::size_t work, ArrivedMessage& arrived) {
  const MailboxWork& mailbox = works_[work];
  auto entry = findLacking(store, work, arrived.remote.key, arrived.prepared.digest);
  // Before the content is compared: a repair may leave all that counts there as it was.
  if (!entry && mayBeRepaired_ && (isRepaired(store, work, arrived) || isOriginal(store, work, arrived))) return true;
  if (!entry) {
    entry = store.entries().findUnpaired(mailbox.record.mailbox, mailbox.record.id, arrived.prepared.contentKey);
  }
  if (!entry) return false;
  store.messages().heal(*entry, std::move(arrived.prepared));
  adopt(store, work, *entry, arrived.remote);
  return true;
}

void EndpointPull::messages(Store& store, std::size_t work, std::vector<ArrivedMessage>& arrived) {
  for (ArrivedMessage& one : arrived) message(store, work, one);
}

}  // namespace mailbraid::sync::exec
