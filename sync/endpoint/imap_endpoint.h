// The IMAP endpoint: RFC 9051 and 3501, with QRESYNC or CONDSTORE (RFC 7162) where offered.
#pragma once

#include "sync/endpoint/endpoint.h"
#include "sync/endpoint/imap_session.h"
#include "sync/endpoint/imap_steps.h"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mailbraid::sync::endpoint {

/// How changes since an anchor are found on this server.
enum class ChangeTracking : std::uint8_t {
  Qresync,    ///< the server tells changed flags and vanished messages
  Condstore,  ///< changed flags; vanished ones by comparing the UIDs that are there
  None,       ///< the flags of all messages, each run
};

class ImapEndpoint final : public Endpoint {
 public:
  ImapEndpoint(const EndpointSettings& settings, Environment environment);
  ~ImapEndpoint() override;

  void open() override;
  void reconnect() override;
  const std::vector<RemoteMailbox>& list() override;
  void refresh() override;
  std::vector<Delta> changes(std::span<const DeltaRequest> requests, PullSink& sink) override;
  std::vector<std::optional<mailstore::Error>> identify(std::span<const KeyRequest> requests,
                                                        const IdentitySink& sink) override;
  std::vector<std::optional<mailstore::Error>> measure(std::span<const KeyRequest> requests,
                                                       const IdentitySink& sink) override;
  std::vector<std::optional<mailstore::Error>> fetch(std::span<const KeyRequest> requests, PullSink& sink) override;
  bool isGone(const std::string& mailboxName) override;
  [[nodiscard]] PushAbility pushAbility() const override;
  std::vector<MailboxOutcome> changeMailboxes(std::span<const MailboxChange> changes) override;
  Outcomes storeFlags(std::span<const FlagRequest> requests, PushSink& sink) override;
  Outcomes transfer(std::span<const TransferRequest> requests, PushSink& sink) override;
  Outcomes append(std::span<const AppendRequest> requests, const OctetSource& octets, PushSink& sink) override;
  Outcomes remove(std::span<const RemoveRequest> requests, PushSink& sink) override;
  void close() noexcept override;
  [[nodiscard]] WireTotals wireTotals() const override;
  [[nodiscard]] EndpointFacts facts() const override;
  [[nodiscard]] std::optional<MessagePlace> inProgress() const override;

 private:
  void startSession();
  void enableExtensions();
  void take(const imap::Event& event);
  void takeListed(const imap::ListEntry& entry);
  void takeStatus(const imap::StatusData& data);
  void askStatuses();
  void nameMailboxes();
  [[nodiscard]] imap::StatusItems statusItems() const;
  [[nodiscard]] ChangeTracking tracking() const;
  [[nodiscard]] imap::FetchItems identityItems(imap::FetchItem section) const;
  void addObjectIds(imap::FetchItems& items) const;
  void runSteps(ImapStepSink& sink, std::vector<ImapStep> steps);
  class Reading;
  class Fetching;
  class Measuring;
  [[nodiscard]] std::string prefix() const;     ///< of the personal namespace
  [[nodiscard]] std::string forbidden() const;  ///< what no level of a name can have in it here
  /// `held`: see held_name.h.
  [[nodiscard]] std::optional<std::string> wireNameFor(const std::string& held) const;
  [[nodiscard]] bool isThereInOtherSpelling(const std::string& name) const;
  /// True when it is another mailbox of this account, whose name is spelled otherwise.
  [[nodiscard]] bool isAnothers(const RemoteMailbox& made) const;
  MailboxOutcome makeAs(const MailboxChange& change, const std::string& held);
  RemoteMailbox askFor(const std::string& wireName, const std::string& name, mailstore::Role role);
  MailboxOutcome make(const MailboxChange& change);
  MailboxOutcome rename(const MailboxChange& change, RenamedNames& renames);
  MailboxOutcome removeMailbox(const MailboxChange& change);

  const EndpointSettings settings_;
  const Environment environment_;
  std::shared_ptr<net::TlsSessionCache> cache_;
  Restraint restraint_;
  std::unique_ptr<ImapSession> session_;
  WireTotals earlier_;  ///< of connections that are gone
  std::optional<MessagePlace> inProgress_;

  struct Listed {
    imap::ListEntry entry;
    std::optional<imap::StatusData> status;
  };
  std::vector<Listed> listed_;
  std::map<std::string, std::size_t> listedByWireName_;
  std::optional<imap::Namespaces> namespaces_;
  std::vector<std::pair<std::string, std::string>> serverId_;
  std::vector<RemoteMailbox> mailboxes_;
  std::vector<std::unique_ptr<RemoteMailbox>> made_;  ///< since list()
  bool isListed_ = false;
  bool isIntroduced_ = false;  ///< ENABLE, ID and NAMESPACE were sent
  std::optional<char> delimiter_;
};

}  // namespace mailbraid::sync::endpoint
