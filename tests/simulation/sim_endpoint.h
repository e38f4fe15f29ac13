// A connection to a SimServer. It tells, and takes, what the real endpoints of its kind do.
#pragma once

#include "sync/endpoint/endpoint.h"
#include "tests/simulation/stage.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mailbraid::simulation {

namespace endpoint = sync::endpoint;

class SimEndpoint final : public endpoint::Endpoint {
 public:
  SimEndpoint(SimServer& server, Stage& stage, endpoint::Environment environment);

  void open() override;
  void reconnect() override;
  const std::vector<endpoint::RemoteMailbox>& list() override;
  void refresh() override;
  std::vector<endpoint::Delta> changes(std::span<const endpoint::DeltaRequest> requests,
                                       endpoint::PullSink& sink) override;
  endpoint::Outcomes identify(std::span<const endpoint::KeyRequest> requests,
                              const endpoint::IdentitySink& sink) override;
  endpoint::Outcomes fetch(std::span<const endpoint::KeyRequest> requests, endpoint::PullSink& sink) override;
  [[nodiscard]] bool hasLostState() const override { return lostState_; }
  bool isGone(const std::string& mailboxName) override;

  [[nodiscard]] endpoint::PushAbility pushAbility() const override;
  std::vector<endpoint::MailboxOutcome> changeMailboxes(std::span<const endpoint::MailboxChange> changes) override;
  endpoint::Outcomes storeFlags(std::span<const endpoint::FlagRequest> requests, endpoint::PushSink& sink) override;
  endpoint::Outcomes transfer(std::span<const endpoint::TransferRequest> requests, endpoint::PushSink& sink) override;
  endpoint::Outcomes append(std::span<const endpoint::AppendRequest> requests, const endpoint::OctetSource& octets,
                            endpoint::PushSink& sink) override;
  endpoint::Outcomes remove(std::span<const endpoint::RemoveRequest> requests, endpoint::PushSink& sink) override;
  endpoint::DeletionOutcome deleteStored(std::span<const endpoint::StoredMessage> messages) override;
  bool seal(std::int64_t run) override;

  void close() noexcept override {}
  [[nodiscard]] endpoint::WireTotals wireTotals() const override { return {}; }
  [[nodiscard]] endpoint::EndpointFacts facts() const override { return {}; }
  [[nodiscard]] std::optional<endpoint::MessagePlace> inProgress() const override { return inProgress_; }

 private:
  /// Another endpoint's turn may come, and somebody else's hand.
  void pass();
  [[nodiscard]] endpoint::RemoteMailbox describe(const std::string& name);
  [[nodiscard]] endpoint::RemoteMessage describe(const SimMessage& message) const;
  [[nodiscard]] SimMailbox* find(const endpoint::RemoteMailbox* mailbox);
  /// The mailbox, if it is there and has this UIDVALIDITY; else why not.
  SimMailbox* opened(const endpoint::RemoteMailbox* mailbox, mailstore::UidValidity validity,
                     std::optional<mailstore::Error>& failure);
  endpoint::Delta readImap(const endpoint::DeltaRequest& request, std::size_t index, endpoint::PullSink& sink);
  endpoint::Delta readNames(const endpoint::DeltaRequest& request, std::size_t index, endpoint::PullSink& sink);
  void tell(std::size_t index, const endpoint::RemoteMailbox* mailbox, const SimMessage& message,
            endpoint::PullSink& sink);
  endpoint::MailboxOutcome change(const endpoint::MailboxChange& change);
  void storeOne(const endpoint::FlagRequest& request, const endpoint::FlagChange& change, std::size_t index,
                SimMailbox& mailbox, const mailstore::RemoteKey& key, endpoint::PushSink& sink);
  void transferOne(const endpoint::TransferRequest& request, std::size_t index, endpoint::PushSink& sink,
                   const mailstore::RemoteKey& key);
  void appendAll(const endpoint::AppendRequest& request, std::size_t index, const endpoint::OctetSource& octets,
                 endpoint::PushSink& sink, std::optional<mailstore::Error>& failure);
  void removeOne(const endpoint::RemoveRequest& request, std::size_t index, endpoint::PushSink& sink,
                 const mailstore::RemoteKey& key);
  void expunge(const std::string& mailbox, const mailstore::RemoteKey& key);
  [[nodiscard]] bool isImap() const { return server_.abilities().isImap(); }

  SimServer& server_;
  Stage& stage_;
  endpoint::Environment environment_;
  std::vector<endpoint::RemoteMailbox> listed_;
  std::vector<std::unique_ptr<endpoint::RemoteMailbox>> made_;
  bool isListed_ = false;
  bool lostState_ = false;
  std::uint32_t treeValidity_ = 0;
  std::optional<endpoint::MessagePlace> inProgress_;
};

/// The keys of a set, one by one.
std::vector<mailstore::RemoteKey> keysOf(const endpoint::KeySet& keys);

}  // namespace mailbraid::simulation
