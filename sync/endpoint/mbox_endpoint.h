// The mbox endpoint: a tree of mbox files on this machine's disk.
#pragma once

#include "sync/endpoint/endpoint.h"
#include "sync/endpoint/mbox_append.h"
#include "sync/endpoint/mbox_folder.h"
#include "sync/endpoint/mbox_tree.h"
#include "sync/endpoint/tree_seal.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mailbraid::sync::endpoint {

/// Read and appended to: mailboxes are made and renamed, messages are added with their flags; flags of messages that
/// are there, moves and removals are not written back, and stay a difference that the store remembers.
///
/// Keys are MboxFolder's. The time of a file's last change stands for HIGHESTMODSEQ: a file that did not change is not
/// read. The tree has a mark as a Maildir tree has (TreeSeal).
class MboxEndpoint : public Endpoint {
 public:
  MboxEndpoint(const EndpointSettings& settings, Environment environment);

  void open() override;
  void reconnect() override {}
  const std::vector<RemoteMailbox>& list() override;
  void refresh() override;
  std::vector<Delta> changes(std::span<const DeltaRequest> requests, PullSink& sink) override;
  Outcomes identify(std::span<const KeyRequest> requests, const IdentitySink& sink) override;
  Outcomes fetch(std::span<const KeyRequest> requests, PullSink& sink) override;
  bool isGone(const std::string& mailboxName) override;
  std::string whyNotGone(const std::string& mailboxName) override;

  [[nodiscard]] PushAbility pushAbility() const override { return {true, false, false, false, true}; }
  std::vector<MailboxOutcome> changeMailboxes(std::span<const MailboxChange> changes) override;
  Outcomes append(std::span<const AppendRequest> requests, const OctetSource& octets, PushSink& sink) override;
  bool seal(std::int64_t run) override;

  void close() noexcept override {}
  [[nodiscard]] WireTotals wireTotals() const override { return {}; }
  [[nodiscard]] bool hasLostState() const override { return lostState_; }
  [[nodiscard]] EndpointFacts facts() const override;
  [[nodiscard]] std::optional<MessagePlace> inProgress() const override { return std::nullopt; }

 private:
  struct Batch;
  void checkStop() const;
  MboxFolder& folder(const RemoteMailbox& mailbox);
  [[nodiscard]] RemoteStatus statusOf(const MboxFolder& folder) const;
  Delta read(const DeltaRequest& request, PullSink& sink, std::size_t index);
  [[nodiscard]] bool isBelievable(mailstore::InternalDate date) const;
  /// Of its postmark, where that tells it; none: its header may (see fetch()).
  [[nodiscard]] std::optional<mailstore::InternalDate> deliveryOf(const MboxFolder::Message& message) const;
  /// Its date: of the delivery, else of the header once that is read, else when Thunderbird put it there, else of the
  /// file's last change.
  [[nodiscard]] RemoteMessage described(const MboxFolder& folder, const MboxFolder::Message& message) const;
  void fetchAll(const KeyRequest& request, std::size_t index, PullSink& sink, mailstore::MessageBuilder& builder);
  void upload(const AppendRequest& request, std::size_t index, const OctetSource& octets, PushSink& sink);
  void spool(const AppendItem& item, const OctetSource& octets, Batch& batch);
  void deliver(Batch& batch, std::size_t index, PushSink& sink);
  MailboxOutcome changeMailbox(const MailboxChange& change);
  void renameFile(const std::filesystem::path& from, const std::filesystem::path& to) const;
  [[nodiscard]] mailstore::MboxStyle style() const;

  const EndpointSettings settings_;
  const Environment environment_;
  const MboxTree tree_;
  const TreeSeal seal_;
  mailstore::UidValidity uidValidity_;
  bool lostState_ = false;
  bool isListed_ = false;
  std::vector<RemoteMailbox> mailboxes_;
  std::map<std::string, std::unique_ptr<MboxFolder>> folders_;  ///< by path: what is known outlives refresh()
  std::vector<std::unique_ptr<RemoteMailbox>> made_;
  MboxAppender appender_;
};

}  // namespace mailbraid::sync::endpoint
