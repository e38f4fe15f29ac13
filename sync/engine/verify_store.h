// What the store says that an endpoint shall hold (sync/engine's own).
#pragma once

#include "mailstore/store.h"
#include "sync/endpoint/endpoint.h"
#include "sync/plan/verification.h"
#include "sync/plan/window.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

namespace mailbraid::sync::engine {

/// A mailbox of the endpoint that takes part, and what the store has for it.
struct VerifyPlace {
  const endpoint::RemoteMailbox* remote = nullptr;  ///< none: the endpoint does not list it
  std::string name;                                 ///< as the endpoint calls it
  std::optional<mailstore::Mailbox> mailbox;
  std::optional<mailstore::EndpointMailbox> record;
};

/// Reads only. One thread. Throws Error (Cancelled) when it is stopped.
class VerifyStore {
 public:
  VerifyStore(mailstore::Store& store, const endpoint::EndpointSettings& settings, std::int64_t now,
              std::stop_token stop);

  [[nodiscard]] endpoint::Seal seal() const;
  [[nodiscard]] bool knowsEndpoint() const { return endpoint_.has_value(); }
  /// Mapped as a sync would; then those of the store that the endpoint does not list. `refuse` is told what takes no
  /// part because its name cannot be used.
  std::vector<VerifyPlace> places(const std::vector<endpoint::RemoteMailbox>& listed,
                                  const std::function<void(const std::string& name, const std::string& why)>& refuse);
  std::vector<plan::ExpectedMessage> expected(const VerifyPlace& place);
  /// Says of messages that the store may lack why that is so. In the order in which the endpoint told them.
  void excuse(const VerifyPlace& place, std::vector<plan::FoundMessage>& found);

 private:
  using Standing = plan::ExpectedMessage::Standing;
  /// What counts of a pair.
  struct Known {
    mailstore::RemoteKey key;
    bool held = false;
    bool expunged = false;
    bool markedApart = false;
    bool marked = false;  ///< as deleted, when both sides agreed last
  };
  struct Pairs {
    std::unordered_map<mailstore::EntryId, Known> byEntry;
    bool keysHold = false;  ///< the endpoint still means the same messages by them
  };
  [[nodiscard]] bool keysAreUids() const { return settings_.type == endpoint::EndpointType::Imap; }
  Pairs pairsOf(const VerifyPlace& place);
  std::optional<mailstore::Mailbox> targetOf(const std::string& storeName, mailstore::Role role) const;
  [[nodiscard]] bool getsMailbox(const mailstore::Mailbox& mailbox, const std::string& name);
  void judge(plan::ExpectedMessage& message, const mailstore::Entry& entry, const Known* pair,
             const std::optional<mailstore::Entry>& oldestTaken);
  void judgeUnpaired(plan::ExpectedMessage& message, const mailstore::Entry& entry,
                     const std::optional<mailstore::Entry>& oldestTaken);
  [[nodiscard]] bool movesThere() const;
  [[nodiscard]] bool isPairedElsewhere(mailstore::EntryId entry) const;
  void addRemoved(const VerifyPlace& place, const Pairs& pairs, std::vector<plan::ExpectedMessage>& out);
  [[nodiscard]] std::optional<std::string> whyNotRemoved(const VerifyPlace& place, mailstore::EntryId entry,
                                                         const Known& pair) const;
  void checkStop() const;
  void readUploads();

  mailstore::Store& store_;
  const endpoint::EndpointSettings& settings_;
  const std::int64_t now_;
  const std::stop_token stop_;
  const plan::Window window_;
  std::optional<mailstore::EndpointRecord> endpoint_;
  std::vector<mailstore::EndpointMailbox> records_;
  std::vector<mailstore::Mailbox> braid_;
  std::set<mailstore::MailboxId> taken_;
  std::unordered_map<mailstore::EntryId, mailstore::WaitingRow> waiting_;
  struct Uploads {
    mailstore::UidSet uids;
    std::set<std::string> names;
    bool closed = false;  ///< older ones are of keys that mean something else by now
  };
  std::map<std::string, Uploads> uploads_;  ///< by the endpoint's mailbox, as the history tells
};

}  // namespace mailbraid::sync::engine
