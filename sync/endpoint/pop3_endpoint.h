// The POP3 endpoint (RFC 1939): one mailbox, INBOX, whose messages are known by UIDL, or by their headers where a
// server has none or gives the same one twice.
#pragma once

#include "sync/endpoint/endpoint.h"
#include "sync/endpoint/pop3_connection.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace mailbraid::sync::endpoint {

/// There are no flags, no dates and no UIDs. UIDVALIDITY is told as 1: ids that all changed show as keys that are gone
/// and others that are new, which pair by content. What `present` of a Delta tells, and whether it does, follows
/// pop3::analyse(): an incomplete listing proves no removal.
class Pop3Endpoint final : public Endpoint {
 public:
  Pop3Endpoint(const EndpointSettings& settings, Environment environment);
  ~Pop3Endpoint() override;

  void open() override;
  void reconnect() override;
  const std::vector<RemoteMailbox>& list() override;
  /// Takes a new session: one sees the maildrop as it was when it began (RFC 1939 section 3).
  void refresh() override;
  std::vector<Delta> changes(std::span<const DeltaRequest> requests, PullSink& sink) override;
  std::vector<std::optional<mailstore::Error>> identify(std::span<const KeyRequest> requests,
                                                        const IdentitySink& sink) override;
  std::vector<std::optional<mailstore::Error>> measure(std::span<const KeyRequest> requests,
                                                       const IdentitySink& sink) override;
  std::vector<std::optional<mailstore::Error>> fetch(std::span<const KeyRequest> requests, PullSink& sink) override;
  bool isGone(const std::string& mailboxName) override;
  DeletionOutcome deleteStored(std::span<const StoredMessage> messages) override;
  [[nodiscard]] bool listsInParts() const override;
  void close() noexcept override;
  [[nodiscard]] WireTotals wireTotals() const override;
  [[nodiscard]] EndpointFacts facts() const override;
  [[nodiscard]] std::optional<MessagePlace> inProgress() const override;

 private:
  struct HeaderFacts {
    mailstore::HeaderDigest digest;
    bool hasMessageId = false;
    std::optional<mailstore::HeaderIndex> index;  ///< where Environment::describes asks for it
  };

  void startSession();
  void ensureListing();
  void identifyUnnamed();
  /// Tells each message once; without facts when the server will not show it.
  using HeaderSink = std::function<void(const pop3::ListedMessage&, const std::optional<HeaderFacts>&)>;
  void readHeaders(const std::vector<const pop3::ListedMessage*>& messages, const HeaderSink& sink);
  [[nodiscard]] RemoteStatus status() const;
  [[nodiscard]] std::vector<const pop3::ListedMessage*> find(const KeySet& keys) const;
  [[nodiscard]] static RemoteMessage describe(const pop3::ListedMessage& message);
  Delta change(std::size_t index, const DeltaRequest& request, PullSink& sink);
  void fetchMessages(std::size_t index, const std::vector<const pop3::ListedMessage*>& messages, PullSink& sink);
  class Fetching;
  // pop3_deletion.cpp
  struct Candidate {
    const pop3::ListedMessage* listed = nullptr;
    const StoredMessage* stored = nullptr;
  };
  /// Of these messages those that are there and are what the store has; the others are told.
  std::vector<const pop3::ListedMessage*> confirm(std::span<const StoredMessage> messages, DeletionOutcome& outcome);
  /// What is not certain by its header is looked at as a whole.
  void compareHeaders(const std::vector<Candidate>& doubtful, std::vector<const pop3::ListedMessage*>& same,
                      DeletionOutcome& outcome);
  void compareContents(const std::vector<Candidate>& doubtful, std::vector<const pop3::ListedMessage*>& same,
                       DeletionOutcome& outcome);
  void mark(const std::vector<const pop3::ListedMessage*>& messages, DeletionOutcome& outcome);

  const EndpointSettings settings_;
  const Environment environment_;
  std::shared_ptr<net::TlsSessionCache> cache_;
  Restraint restraint_;
  std::unique_ptr<Pop3Connection> connection_;
  WireTotals earlier_;  ///< of connections that are gone
  std::vector<RemoteMailbox> mailboxes_;
  std::optional<pop3::Listing> listing_;                      ///< of this connection: numbers mean nothing in another
  std::unordered_map<std::string_view, std::size_t> byUidl_;  ///< into listing_, whose strings it sees
  std::unordered_set<pop3::MessageNumber> fetched_;           ///< in this connection
  std::optional<mailstore::RemoteKey> inProgress_;
};

}  // namespace mailbraid::sync::endpoint
