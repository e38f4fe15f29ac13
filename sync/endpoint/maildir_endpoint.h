// The Maildir endpoint: a tree of mailboxes on this machine's disk.
#pragma once

#include "sync/endpoint/endpoint.h"
#include "sync/endpoint/maildir_folder.h"
#include "sync/endpoint/tree_seal.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mailbraid::sync::endpoint {

/// Nested trees: mailbox `A/B` is the directory PATH/A/B, INBOX is PATH/INBOX, or PATH itself where that is a Maildir.
/// Maildir++: INBOX is PATH, `A/B` is PATH/.A.B, in modified UTF-7 as Dovecot has it.
///
/// Keys are base names. A mailbox whose directories did not change is not read: its status has their newest
/// modification time as HIGHESTMODSEQ. A file `.mailbraid` in PATH says which endpoint of which store this is and which
/// run was the last here: where it is missing, or older than the store's, the tree was wiped, restored or replaced, and
/// every mailbox has another UIDVALIDITY, so that nothing of it is taken for a removal.
class MaildirEndpoint : public Endpoint {
 public:
  MaildirEndpoint(const EndpointSettings& settings, Environment environment);

  void open() override;
  void reconnect() override {}
  const std::vector<RemoteMailbox>& list() override;
  void refresh() override;
  std::vector<Delta> changes(std::span<const DeltaRequest> requests, PullSink& sink) override;
  Outcomes identify(std::span<const KeyRequest> requests, const IdentitySink& sink) override;
  Outcomes fetch(std::span<const KeyRequest> requests, PullSink& sink) override;
  bool isGone(const std::string& mailboxName) override;
  std::string whyNotGone(const std::string& mailboxName) override;

  [[nodiscard]] PushAbility pushAbility() const override { return {true, true, true, true, true}; }
  std::vector<MailboxOutcome> changeMailboxes(std::span<const MailboxChange> changes) override;
  Outcomes storeFlags(std::span<const FlagRequest> requests, PushSink& sink) override;
  Outcomes transfer(std::span<const TransferRequest> requests, PushSink& sink) override;
  Outcomes append(std::span<const AppendRequest> requests, const OctetSource& octets, PushSink& sink) override;
  Outcomes remove(std::span<const RemoveRequest> requests, PushSink& sink) override;
  bool seal(std::int64_t run) override;

  void close() noexcept override {}
  [[nodiscard]] WireTotals wireTotals() const override { return {}; }
  [[nodiscard]] bool hasLostState() const override { return lostState_; }
  [[nodiscard]] EndpointFacts facts() const override;
  [[nodiscard]] std::optional<MessagePlace> inProgress() const override { return std::nullopt; }

 private:
  void checkStop() const;
  void walk(const std::filesystem::path& directory, const std::string& name, int depth);
  void listFlat();
  void addMailbox(const std::string& name, const std::filesystem::path& directory, std::string refusal = {});
  [[nodiscard]] std::filesystem::path directoryFor(const std::string& name) const;
  MaildirFolder& folder(const RemoteMailbox& mailbox);
  [[nodiscard]] RemoteStatus statusOf(const MaildirFolder& folder) const;
  Delta read(const DeltaRequest& request, PullSink& sink, std::size_t index);
  void identifyOne(MaildirFolder& folder, const std::string& base, std::size_t index, const IdentitySink& sink);
  void fetchOne(MaildirFolder& folder, const std::string& base, std::size_t index, PullSink& sink,
                mailstore::MessageBuilder& builder);
  /// Changes each message by itself; what came of it is told when a batch of them is on the disk.
  static void inBatches(const KeySet& keys, const std::function<std::function<void()>(const mailstore::Uidl&)>& change,
                        std::initializer_list<MaildirFolder*> folders);
  void upload(const AppendRequest& request, std::size_t index, const OctetSource& octets, PushSink& sink);
  MailboxOutcome changeMailbox(const MailboxChange& change, RenamedNames& renames);
  void renameDirectories(const std::filesystem::path& from, const std::filesystem::path& to) const;

  const EndpointSettings settings_;
  const Environment environment_;
  const TreeSeal seal_;
  mailstore::UidValidity uidValidity_;
  bool lostState_ = false;
  std::vector<RemoteMailbox> mailboxes_;
  std::map<std::string, std::filesystem::path> directories_;  ///< by mailbox name
  std::map<std::string, std::unique_ptr<MaildirFolder>> folders_;
  std::vector<std::unique_ptr<RemoteMailbox>> made_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> seen_;  ///< device and inode of directories walked
  bool isListed_ = false;
};

}  // namespace mailbraid::sync::endpoint
