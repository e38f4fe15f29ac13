// EndpointPush: having it done, and keeping the receipts.
#include "sync/exec/endpoint_push.h"

#include "sync/endpoint/words.h"
#include "sync/exec/push_receipts.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace mailbraid::sync::exec {

using endpoint::AppendRequest;
using endpoint::FlagRequest;
using endpoint::KeySet;
using endpoint::MailboxChange;
using endpoint::Outcomes;
using endpoint::RemoveRequest;
using endpoint::TransferRequest;
using mailstore::EntryId;
using mailstore::Error;
using mailstore::RemoteKey;
using mailstore::Store;
using mailstore::Uid;
using mailstore::Uidl;
using mailstore::UidSet;

namespace {

/// Keys of one mailbox are all of one kind.
class KeyCollector {
 public:
  void add(const RemoteKey& key) {
    if (const Uid* uid = std::get_if<Uid>(&key)) {
      uids_.add(*uid);
    } else {
      names_.push_back(std::get<Uidl>(key));
    }
  }
  KeySet take() {
    if (names_.empty()) return std::move(uids_);
    return std::move(names_);
  }

 private:
  UidSet uids_;
  std::vector<Uidl> names_;
};

/// What is tried again in each run, since it costs little, or since the user is likely to mend it.
Error forNow(const Error& error) {
  return {error.kind(), error.scope(), mailstore::Retry::Later, error.what()};
}

mailstore::Anchor anchorOf(const endpoint::RemoteMailbox& made) {
  mailstore::Anchor anchor;
  if (!made.status) return anchor;
  anchor.uidValidity = made.status->uidValidity;
  anchor.uidNext = Uid{1};
  anchor.complete = true;
  return anchor;
}

}  // namespace

std::uint64_t EndpointPush::uploads() const {
  std::uint64_t count = 0;
  for (const PlaceWork& place : work_.places) count += place.uploads.size();
  return count;
}

mailstore::MessageId EndpointPush::messageOf(const endpoint::AppendItem& item) const {
  return uploadOrder_[item.token]->message;
}

void EndpointPush::tell(const std::string& mailbox, const Error& error) {
  const auto isSame = [&](const Failure& told) { return told.mailbox == mailbox && told.error.what() == error.what(); };
  if (std::none_of(failures_.begin(), failures_.end(), isSame)) failures_.push_back({mailbox, error});
}

void EndpointPush::because(EntryId entry, const Error& error) {
  const auto open = open_.find(entry);
  if (open == open_.end() || !open->second.reason.empty()) return;
  open->second.reason = error.what();
  if (error.retry() == mailstore::Retry::Never) open->second.kind = mailstore::WaitKind::Refused;
}

void EndpointPush::fail(std::size_t place, const Error& error) {
  work_.places[place].failed = true;
  tell(nameOf(place), error);
  const auto because = [&](EntryId entry) { this->because(entry, forNow(error)); };  // a map would mend it
  for (const FlagItem& item : work_.places[place].flags) because(item.entry);
  for (const RemovalItem& item : work_.places[place].removals) because(item.entry);
  for (const UploadItem& item : work_.places[place].uploads) because(item.entry);
}

void EndpointPush::takeOutcomes(const Outcomes& outcomes, const std::vector<std::size_t>& places, Kind kind) {
  // The other kinds of changes go on there: who cannot add to a full mailbox can remove from it.
  const auto isFull = [](const std::optional<Error>& one) { return one && one->scope() == mailstore::Scope::Endpoint; };
  const auto full = std::find_if(outcomes.begin(), outcomes.end(), isFull);
  if (full != outcomes.end()) takeFull(**full);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i]) continue;
    const PlaceWork& place = work_.places[places[i]];
    if (!isFull(outcomes[i])) tell(nameOf(places[i]), *outcomes[i]);
    switch (kind) {
      case Kind::Flags:
        for (const FlagItem& item : place.flags) because(item.entry, forNow(*outcomes[i]));
        break;
      case Kind::Uploads:
        for (const UploadItem& item : place.uploads) because(item.entry, *outcomes[i]);
        break;
      case Kind::Removals:
        for (const RemovalItem& item : place.removals) because(item.entry, forNow(*outcomes[i]));
        break;
    }
  }
}

void EndpointPush::takeFull(const Error& error) {
  plan::Leftover left;
  for (const PlaceWork& place : work_.places) {
    for (const UploadItem& item : place.uploads) {
      if (!open_.contains(item.entry)) continue;
      ++left.messages;
      left.octets += item.size;
    }
  }
  full_ = Error(error.kind(), error.scope(), error.retry(),
                std::string(error.what()) + "; " + endpoint::messagesInWords(left.messages) + " (" +
                    endpoint::sizeInWords(left.octets) + ") wait: make room there and run again");
}

std::vector<std::string> EndpointPush::notes() const {
  std::vector<std::string> out = notes_;
  for (const auto& [what, count] : repaired_) {
    out.push_back(what.first + ": " + std::to_string(count) + (count == 1 ? " message was" : " messages were") +
                  " refused, and taken with a repair (" + what.second + "); the store keeps it as it came");
  }
  return out;
}

void EndpointPush::carryOut(endpoint::Endpoint& endpoint, StoreWriter& writer, const endpoint::OctetSource& octets) {
  changeMailboxes(endpoint, writer);
  // Across mailboxes, copies come before anything is removed.
  transfer(endpoint, writer);
  storeFlags(endpoint, writer);
  upload(endpoint, writer, octets);
  remove(endpoint, writer);
}

std::vector<std::size_t> EndpointPush::placesToRename() const {
  const std::vector<PlaceWork>& all = work_.places;
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    // One that stays where it is, below one that is renamed, is taken along there, and put back.
    const bool takenAlong = std::any_of(all.begin(), all.end(), [&](const PlaceWork& above) {
      return above.renamedTo && all[i].name.starts_with(above.name + "/");
    });
    if (all[i].remote != nullptr && (all[i].renamedTo || takenAlong)) out.push_back(i);
  }
  std::sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) { return all[a].name < all[b].name; });
  return out;
}

void EndpointPush::changeMailboxes(endpoint::Endpoint& endpoint, StoreWriter& writer) {
  // A mailbox that is made would make those above it, too, so what is renamed to them comes first.
  std::vector<std::size_t> places = placesToRename();
  std::vector<MailboxChange> changes;
  for (const std::size_t i : places) {
    const PlaceWork& place = work_.places[i];
    changes.push_back({MailboxChange::Kind::Rename, place.remote, place.renamedTo.value_or(place.name), {}});
  }
  for (std::size_t i = 0; i < work_.places.size(); ++i) {
    const PlaceWork& place = work_.places[i];
    if (place.record.id.value() != 0) continue;
    changes.push_back({MailboxChange::Kind::Create, nullptr, place.name, place.role});
    places.push_back(i);
  }
  if (changes.empty()) return;
  const std::vector<endpoint::MailboxOutcome> outcomes = endpoint.changeMailboxes(changes);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    PlaceWork& place = work_.places[places[i]];
    if (outcomes[i].failure) {
      if (place.record.id.value() != 0) {
        tell(place.name, *outcomes[i].failure);  // it is there all the same, under its old name
      } else {
        fail(places[i], *outcomes[i].failure);
      }
      continue;
    }
    place.remote = outcomes[i].mailbox;
    if (!place.remote->calledThere.empty())
      notes_.push_back(place.remote->name + " is called " + place.remote->calledThere +
                       " there, where no mailbox can have its name");
    const bool made = place.record.id.value() == 0;
    const std::string before = place.name;
    place.name = place.remote->name;
    writer.run([&](Store& store) {
      if (made) {
        place.record =
            store.endpoints().addMailbox(endpoint_.id, place.name, place.record.mailbox, place.remote->objectId);
        place.record.anchor = anchorOf(*place.remote);
        store.endpoints().setAnchor(place.record.id, place.record.anchor);
        store.backlog().setWanted(endpoint_.id, place.record.mailbox);
        log_.note(settings_.endpointName, place.name, "create mailbox", "");
      } else if (place.name != before) {
        store.endpoints().renameMailbox(place.record.id, place.name, place.record.mailbox);
        log_.note(settings_.endpointName, place.name, "rename mailbox there", "from " + before);
      }
    });
  }
}

void EndpointPush::transfer(endpoint::Endpoint& endpoint, StoreWriter& writer) {
  std::vector<TransferRequest> requests;
  std::vector<std::size_t> transfers;
  for (std::size_t i = 0; i < work_.transfers.size(); ++i) {
    const TransferWork& work = work_.transfers[i];
    const PlaceWork& from = work_.places[work.from];
    const PlaceWork& to = work_.places[work.to];
    if (work.items.empty() || from.failed || to.failed) continue;
    KeyCollector keys;
    std::set<RemoteKey> asked;
    for (const TransferItem& item : work.items) {
      // A set names a message once: its next copy is made in the next round.
      if (!asked.insert(item.key).second) anotherRound_ = true;
      keys.add(item.key);
    }
    requests.push_back({work.kind, from.remote, from.record.anchor.uidValidity, to.remote, keys.take()});
    transfers.push_back(i);
  }
  if (requests.empty()) return;
  // Why it is copied is durable before it is: after a crash the copy is known for what it is.
  writer.flush();
  TransferReceipts receipts(*this, writer, transfers);
  const Outcomes outcomes = endpoint.transfer(requests, receipts);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i]) continue;
    const TransferWork& work = work_.transfers[transfers[i]];
    tell(nameOf(work.from), *outcomes[i]);
    for (const TransferItem& item : work.items) because(item.entry, *outcomes[i]);
  }
}

void EndpointPush::storeFlags(endpoint::Endpoint& endpoint, StoreWriter& writer) {
  std::vector<FlagRequest> requests;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < work_.places.size(); ++i) {
    const PlaceWork& place = work_.places[i];
    if (place.flags.empty() || place.failed) continue;
    using Alike = std::tuple<std::vector<std::string>, std::vector<std::string>, bool>;
    std::map<Alike, std::pair<const FlagItem*, KeyCollector>> groups;
    for (const FlagItem& item : place.flags) {
      auto& group = groups[{item.delta.add.names(), item.delta.remove.names(), item.arrived}];
      group.first = &item;
      group.second.add(item.key);
    }
    FlagRequest request{place.remote, place.record.anchor.uidValidity, {}};
    for (auto& [alike, group] : groups) {
      const FlagItem& one = *group.first;
      const mailstore::ModSeq since = one.arrived ? mailstore::ModSeq{} : place.readAt;
      request.changes.push_back({one.delta.add, one.delta.remove, since, group.second.take()});
    }
    requests.push_back(std::move(request));
    places.push_back(i);
  }
  if (requests.empty()) return;
  FlagReceipts receipts(*this, writer, places);
  takeOutcomes(endpoint.storeFlags(requests, receipts), places, Kind::Flags);
}

std::vector<endpoint::AppendItem> EndpointPush::itemsOf(std::size_t place, std::size_t first) {
  std::vector<endpoint::AppendItem> out;
  const std::deque<UploadItem>& uploads = work_.places[place].uploads;
  out.reserve(uploads.size() - first);
  for (std::size_t i = first; i < uploads.size(); ++i) {
    const UploadItem& item = uploads[i];
    out.push_back({uploadOrder_.size(), item.flags, item.date, item.size});
    uploadOrder_.push_back(&item);
  }
  return out;
}

void EndpointPush::upload(endpoint::Endpoint& endpoint, StoreWriter& writer, const endpoint::OctetSource& octets) {
  std::vector<AppendRequest> requests;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < work_.places.size(); ++i) {
    const PlaceWork& place = work_.places[i];
    if (place.uploads.empty() || place.failed) continue;
    AppendRequest request{place.remote, itemsOf(i, 0), settings_.repairs, {}};
    if (isDue_) request.more = [this, i, &writer] { return moreFor(i, writer); };
    requests.push_back(std::move(request));
    places.push_back(i);
  }
  if (requests.empty()) return;
  writer.flush();  // the octets are read by another connection, which sees what is committed
  UploadReceipts receipts(*this, writer, places);
  takeOutcomes(endpoint.append(requests, octets, receipts), places, Kind::Uploads);
}

void EndpointPush::remove(endpoint::Endpoint& endpoint, StoreWriter& writer) {
  std::vector<RemoveRequest> requests;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < work_.places.size(); ++i) {
    const PlaceWork& place = work_.places[i];
    if (place.removals.empty() || place.failed) continue;
    KeyCollector keys;
    for (const RemovalItem& item : place.removals) keys.add(item.key);
    const auto kind =
        settings_.removals == endpoint::RemovalStyle::Mark ? RemoveRequest::Kind::Mark : RemoveRequest::Kind::Expunge;
    requests.push_back({kind, place.remote, place.record.anchor.uidValidity, keys.take()});
    places.push_back(i);
  }
  if (requests.empty()) return;
  // What justifies a removal is durable before anything is removed (promise P1).
  writer.flush();
  RemovalReceipts receipts(*this, writer, places);
  takeOutcomes(endpoint.remove(requests, receipts), places, Kind::Removals);
}

void EndpointPush::finish(Store& store) {
  const auto left = std::move(open_);
  open_.clear();
  for (const auto& [entry, open] : left) {
    wait(entry, open.kind, open.reason.empty() ? "the run ended before it" : open.reason);
  }
  for (const EntryId entry : strays_) {
    waits_.push_back({entry, mailstore::WaitKind::Retry, "its old copy is still there", settings_.now, 0});
  }
  for (const auto& [place, count] : onlyMarked_) {
    notes_.push_back(place + ": " + std::to_string(count) + (count == 1 ? " message is" : " messages are") +
                     " marked as deleted, not expunged: the server cannot expunge single messages (no UIDPLUS)");
  }
  onlyMarked_.clear();
  for (const EntryId entry : looked_) store.backlog().done(endpoint_.id, entry);
  for (const mailstore::WaitingRow& row : waits_) store.backlog().wait(endpoint_.id, row);
  for (const PlaceWork& place : work_.places) {
    const auto mailbox = place.renamedTo ? std::nullopt : store.mailboxes().find(place.record.mailbox);
    if (mailbox && place.record.id.value() != 0 && place.record.storeName != mailbox->name) {
      store.endpoints().setStoreName(place.record.id, mailbox->name);
    }
  }
  store.backlog().settle(endpoint_.id, upTo_, policyText());
}

}  // namespace mailbraid::sync::exec
