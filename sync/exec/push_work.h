// A push as planned: what is to be done in each mailbox of one endpoint.
#pragma once

#include "mailstore/records.h"
#include "sync/endpoint/push.h"
#include "sync/plan/push_decision.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace mailbraid::sync::exec {

/// A message that is at the endpoint and gets other flags.
struct FlagItem {
  mailstore::RemoteKey key;
  mailstore::PairId pair;
  mailstore::EntryId entry;
  mailstore::Flags base;
  plan::FlagDelta delta;
  bool arrived = false;  ///< in this mailbox by this push, so after it was read
};

struct RemovalItem {
  mailstore::RemoteKey key;
  mailstore::PairId pair;    ///< 0: it was never taken in
  mailstore::EntryId entry;  ///< 0: likewise
  mailstore::Flags base;
  bool cleans = false;  ///< it is marked as deleted and expunged here, which is no removal elsewhere
  bool stray = false;   ///< the copy that a move left behind when it was cut short: the entry has another one here
};

struct UploadItem {
  mailstore::EntryId entry;
  mailstore::MessageId message;
  mailstore::Flags flags;
  mailstore::InternalDate date;
  std::uint64_t size = 0;
};

struct TransferItem {
  mailstore::RemoteKey key;
  mailstore::PairId pair;  ///< 0: a copy, whose pair is yet to be made
  mailstore::EntryId entry;
  mailstore::Flags base;
  plan::FlagDelta delta;  ///< to be stored when it is there
  bool cleans = false;    ///< see RemovalItem
};

/// A mailbox of the endpoint, or one that is to be made there.
struct PlaceWork {
  mailstore::EndpointMailbox record;  ///< id 0: to be made
  const endpoint::RemoteMailbox* remote = nullptr;
  std::string name;  ///< there
  mailstore::Role role = mailstore::Role::None;
  bool known = true;
  mailstore::ModSeq readAt;              ///< its HIGHESTMODSEQ then; 0: not known
  bool failed = false;                   ///< given up in this run
  std::optional<std::string> renamedTo;  ///< to be renamed there
  bool unwanted = false;                 ///< to be removed there when it is empty
  std::vector<FlagItem> flags;
  std::vector<RemovalItem> removals;
  std::deque<UploadItem> uploads;  ///< what is there stays where it is when more comes
};

struct TransferWork {
  std::size_t from = 0;
  std::size_t to = 0;
  endpoint::TransferRequest::Kind kind = endpoint::TransferRequest::Kind::Move;
  bool parks = false;  ///< into the trash: the tombstone keeps its pair
  std::vector<TransferItem> items;
};

struct PushWork {
  std::vector<PlaceWork> places;
  std::vector<TransferWork> transfers;

  enum class Parks : std::uint8_t { No, Yes };
  TransferWork& transferOf(std::size_t from, std::size_t to, endpoint::TransferRequest::Kind kind, Parks parks) {
    for (TransferWork& work : transfers) {
      if (work.from == from && work.to == to && work.kind == kind && work.parks == (parks == Parks::Yes)) return work;
    }
    return transfers.emplace_back(TransferWork{from, to, kind, parks == Parks::Yes, {}});
  }

  /// Of messages and mailboxes.
  [[nodiscard]] std::uint64_t count() const {
    std::uint64_t all = 0;
    for (const PlaceWork& place : places) {
      const bool mailboxItself = place.record.id.value() == 0 || place.renamedTo || place.unwanted;
      all += place.flags.size() + place.removals.size() + place.uploads.size() + (mailboxItself ? 1 : 0);
    }
    for (const TransferWork& work : transfers) all += work.items.size();
    return all;
  }

  [[nodiscard]] bool isIdle() const {
    for (const PlaceWork& place : places) {
      const bool mailboxItself = place.record.id.value() == 0 || place.renamedTo || place.unwanted;
      if (mailboxItself || !place.flags.empty() || !place.removals.empty() || !place.uploads.empty()) return false;
    }
    return transfers.empty();
  }
};

}  // namespace mailbraid::sync::exec
