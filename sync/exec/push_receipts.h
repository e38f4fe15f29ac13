// What an endpoint tells while it is pushed to becomes changes of pairs.
#pragma once

#include "sync/exec/endpoint_push.h"

#include <map>
#include <vector>

namespace mailbraid::sync::exec {

/// A sink for one call to the endpoint; when it dies, the writer has all receipts. They go there in groups; what a
/// crash loses of them is recognised by the next pull.
class PushReceipts : public endpoint::PushSink {
 public:
  PushReceipts(EndpointPush& push, StoreWriter& writer) : push_(push), writer_(writer) {}
  ~PushReceipts() override;

  void onFlags(std::size_t, const mailstore::RemoteKey&, const mailstore::Flags&) override {}
  void onChangedMeanwhile(std::size_t, const mailstore::RemoteKey&) override {}
  void onTransferred(std::size_t, const mailstore::RemoteKey&, const std::optional<mailstore::RemoteKey>&) override {}
  void onAppending(std::size_t, mailstore::UidValidity, mailstore::Uid) override {}
  void onAppended(std::size_t, std::uint64_t, const std::optional<mailstore::RemoteKey>&,
                  const mailstore::Flags&) override {}
  void onRemoved(std::size_t, const mailstore::RemoteKey&) override {}
  void onMarked(std::size_t, const mailstore::RemoteKey&) override {}
  void onRepairing(std::size_t, std::uint64_t, const mailstore::MessageForm&) override {}
  void onRepaired(std::size_t, std::uint64_t, const mailstore::Repairs&) override {}
  void onVanished(std::size_t index, const mailstore::RemoteKey& key) override;
  void onRefused(std::size_t index, const mailstore::RemoteKey& key, const mailstore::Error& error) override;
  void onAppendRefused(std::size_t, std::uint64_t, const mailstore::Error&) override {}
  void onOctets(std::uint64_t octets) override;

  /// Gives what is gathered to the writer.
  void post();

 protected:
  /// The entry that request `index` names by `key`; 0: none.
  [[nodiscard]] virtual mailstore::EntryId entryOf(std::size_t index, const mailstore::RemoteKey& key) const {
    static_cast<void>(index), static_cast<void>(key);
    return {};
  }
  void record(StoreWriter::Job job);
  /// The entry's change is carried out.
  void settled(mailstore::EntryId entry) { push_.settled(entry); }
  void strayIsGone(mailstore::EntryId entry) { push_.strays_.erase(push_.strays_.find(entry)); }
  /// Something is left to do that can be done when the mailbox was read again.
  void wantAnotherRound() { push_.anotherRound_ = true; }
  /// The entry becomes a tombstone when no endpoint has its message any more, but in its trash.
  void buryIfGone(mailstore::Store& store, mailstore::EntryId entry);
  /// Another endpoint may have brought what the octets were before a repair while they were on their way.
  void noteIfSuperseded(mailstore::Store& store, const UploadItem& item);
  void sent(mailstore::EntryId entry, const SentMessage& message) { push_.sent_.insert_or_assign(entry, message); }
  /// A message that was to go is marked as deleted, since the endpoint cannot expunge single messages.
  void onlyMarked(const std::string& place);
  void refuse(mailstore::EntryId entry, const std::string& place, const mailstore::Error& error);
  void waitReason(mailstore::EntryId entry, const std::string& reason);
  void countRepair(const std::string& place, const std::string& repairs) { ++push_.repaired_[{place, repairs}]; }
  [[nodiscard]] mailstore::EndpointId endpointId() const { return push_.endpoint_.id; }
  void logKey(const std::string& place, std::string_view kind, const mailstore::RemoteKey& key,
              std::string_view detail = {});
  PushWork& work() { return push_.work_; }
  [[nodiscard]] const PushWork& work() const { return push_.work_; }
  PushCounts& counts() { return push_.counts_; }
  OpLog& opLog() { return push_.log_; }
  [[nodiscard]] const std::string& endpointName() const { return push_.settings_.endpointName; }
  void progressed(std::uint64_t messages) {
    if (push_.told_) push_.told_(messages, 0);
  }
  StoreWriter& writer() { return writer_; }
  [[nodiscard]] const UploadItem& upload(std::uint64_t token) const { return *push_.uploadOrder_[token]; }

 private:
  EndpointPush& push_;
  StoreWriter& writer_;
  std::vector<StoreWriter::Job> jobs_;
};

/// Request `i` is place `places[i]`; keys are those of its items of one kind.
template <class Item>
class ItemReceipts : public PushReceipts {
 public:
  ItemReceipts(EndpointPush& push, StoreWriter& writer, const std::vector<std::size_t>& places,
               std::vector<Item> PlaceWork::*items)
      : PushReceipts(push, writer), places_(places) {
    for (const std::size_t place : places_) {
      auto& byKey = items_.emplace_back();
      for (const Item& item : work().places[place].*items) byKey.emplace(item.key, &item);
    }
  }

 protected:
  [[nodiscard]] const Item* itemOf(std::size_t index, const mailstore::RemoteKey& key) const {
    const auto found = items_[index].find(key);
    return found == items_[index].end() ? nullptr : found->second;
  }
  [[nodiscard]] mailstore::EntryId entryOf(std::size_t index, const mailstore::RemoteKey& key) const override {
    const Item* item = itemOf(index, key);
    return item == nullptr ? mailstore::EntryId{} : item->entry;
  }
  [[nodiscard]] const std::string& placeName(std::size_t index) const { return work().places[places_[index]].name; }

 private:
  const std::vector<std::size_t>& places_;
  std::vector<std::map<mailstore::RemoteKey, const Item*>> items_;
};

class FlagReceipts final : public ItemReceipts<FlagItem> {
 public:
  FlagReceipts(EndpointPush& push, StoreWriter& writer, const std::vector<std::size_t>& places)
      : ItemReceipts(push, writer, places, &PlaceWork::flags) {}
  void onFlags(std::size_t index, const mailstore::RemoteKey& key, const mailstore::Flags& flags) override;
  void onChangedMeanwhile(std::size_t index, const mailstore::RemoteKey& key) override;
};

/// Request `i` is transfer `transfers[i]`.
class TransferReceipts final : public PushReceipts {
 public:
  TransferReceipts(EndpointPush& push, StoreWriter& writer, const std::vector<std::size_t>& transfers);
  void onTransferred(std::size_t index, const mailstore::RemoteKey& from,
                     const std::optional<mailstore::RemoteKey>& to) override;
  void onMarked(std::size_t index, const mailstore::RemoteKey& key) override;

 private:
  [[nodiscard]] mailstore::EntryId entryOf(std::size_t index, const mailstore::RemoteKey& key) const override;
  void moved(const TransferWork& transfer, const TransferItem& item, const std::optional<mailstore::RemoteKey>& to);
  void copied(const TransferWork& transfer, const TransferItem& item, const std::optional<mailstore::RemoteKey>& to);
  const std::vector<std::size_t>& transfers_;
  std::vector<std::map<mailstore::RemoteKey, std::vector<const TransferItem*>>> items_;
};

/// Request `i` is place `places[i]`.
class UploadReceipts final : public PushReceipts {
 public:
  UploadReceipts(EndpointPush& push, StoreWriter& writer, const std::vector<std::size_t>& places)
      : PushReceipts(push, writer), places_(places) {}
  void onAppending(std::size_t index, mailstore::UidValidity uidValidity, mailstore::Uid uidNext) override;
  void onAppended(std::size_t index, std::uint64_t token, const std::optional<mailstore::RemoteKey>& key,
                  const mailstore::Flags& flags) override;
  void onRepairing(std::size_t index, std::uint64_t token, const mailstore::MessageForm& form) override;
  void onRepaired(std::size_t index, std::uint64_t token, const mailstore::Repairs& repairs) override;
  void onAppendRefused(std::size_t index, std::uint64_t token, const mailstore::Error& error) override;

 private:
  const std::vector<std::size_t>& places_;
};

class RemovalReceipts final : public ItemReceipts<RemovalItem> {
 public:
  RemovalReceipts(EndpointPush& push, StoreWriter& writer, const std::vector<std::size_t>& places)
      : ItemReceipts(push, writer, places, &PlaceWork::removals) {}
  void onRemoved(std::size_t index, const mailstore::RemoteKey& key) override;
  void onMarked(std::size_t index, const mailstore::RemoteKey& key) override;
  void onVanished(std::size_t index, const mailstore::RemoteKey& key) override;

 private:
  void settled(const RemovalItem& item) {
    if (item.stray) {
      strayIsGone(item.entry);
    } else {
      PushReceipts::settled(item.entry);
    }
  }
};

}  // namespace mailbraid::sync::exec
