// Deletes from a POP3 maildrop what need not stay there: plans it from pairs and entries, records what was confirmed.
#pragma once

#include "mailstore/store.h"
#include "sync/endpoint/push.h"
#include "sync/exec/op_log.h"
#include "sync/plan/pop3_deletion.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace mailbraid::sync::exec {

struct DeletionSettings {
  std::string endpointName;
  plan::KeepRules rules;
  /// Nothing is deleted before this endpoint is known to hold it, too; empty: the store is enough.
  std::string confirmedBy;
  /// Of that endpoint: its mailboxes that were read in this run, or have not changed.
  std::unordered_set<mailstore::EndpointMailboxId> confirming;
  struct Companion {
    bool keeps = false;      ///< messages stay there that were removed elsewhere
    bool leavesOut = false;  ///< it may hold messages that it was not asked for
    bool takesNew = true;    ///< what others have is uploaded there
  };
  std::map<std::string, Companion> companions;  ///< IMAP endpoints of the braid, by name
  /// Whether removals beyond the brake may go through in this mailbox (`--allow-removals`).
  std::function<bool(const std::string& mailbox)> removalsAllowed;
  /// Entries whose removal the user has allowed elsewhere in this run: no brake holds them again.
  std::unordered_set<mailstore::EntryId> allowedEntries;
  std::uint64_t removedEarlier = 0;  ///< in this run, by an earlier session of it: the brake counts them
  /// Midway: more of the run is to come, so what stays is not told, nor does it wait, yet.
  enum class Stage : std::uint8_t { Midway, AtEnd } stage = Stage::AtEnd;
  enum class Mode : std::uint8_t { Commit, Rehearse } mode = Mode::Commit;
};

struct Maildrop {
  mailstore::EndpointMailbox record;
  std::vector<mailstore::Uidl> listed;            ///< the whole of it, the newest last
  std::unordered_set<std::string> wouldBeStored;  ///< UIDLs of what a dry run would have fetched
};

/// plan() and record() are jobs of the StoreWriter; what is in items() may be deleted once the plan is durable.
class MaildropDeletion {
 public:
  MaildropDeletion(DeletionSettings settings, OpLog& log) : settings_(std::move(settings)), log_(log) {}

  /// Decides, from the store alone. Writes nothing but what waits for the user.
  void plan(mailstore::Store& store, const Maildrop& maildrop);
  [[nodiscard]] const std::vector<endpoint::StoredMessage>& items() const { return items_; }
  void record(mailstore::Store& store, const endpoint::DeletionOutcome& outcome);
  /// Where nothing is deleted (any more) nothing waits.
  static void forgetWaiting(mailstore::Store& store, mailstore::EndpointId endpoint,
                            const std::unordered_set<mailstore::EntryId>& but = {});

  [[nodiscard]] std::uint64_t deleted() const { return deleted_; }
  [[nodiscard]] std::uint64_t removed() const { return removed_; }  ///< of these, because they were removed elsewhere
  [[nodiscard]] std::uint64_t held() const { return held_; }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Planned {
    mailstore::PairId pair;
    mailstore::EntryId entry;
    plan::Deletion why = plan::Deletion::Leave;
    endpoint::StoredMessage message;
  };
  /// What the pairs of its entry tell of it.
  void lookElsewhere(mailstore::Store& store, const mailstore::Pair& pair, plan::ListedMessage& facts);
  struct ImapMailbox {
    mailstore::EndpointId endpoint;
    plan::ListedMessage::Sharing sharing;
  };
  struct ImapSide {
    std::unordered_map<mailstore::EndpointMailboxId, ImapMailbox> mailboxes;
    /// Companions that may hold any message without its being known.
    std::unordered_map<mailstore::EndpointId, plan::ListedMessage::Sharing> hiding;
  };
  const ImapSide& imapSide(mailstore::Store& store);
  [[nodiscard]] Planned look(mailstore::Store& store, const mailstore::Uidl& key, const mailstore::Pair& pair);
  [[nodiscard]] Planned lookAtFetched(const mailstore::Uidl& key) const;  ///< in a dry run
  /// What may go; the rest is counted.
  [[nodiscard]] std::vector<Planned> lookAtAll(mailstore::Store& store, const Maildrop& maildrop);
  void brake(mailstore::Store& store, std::vector<Planned>& planned);
  void tellWhatStays();
  void tellPlan(const std::vector<Planned>& planned);

  DeletionSettings settings_;
  OpLog& log_;
  mailstore::EndpointMailbox record_;
  std::optional<ImapSide> imap_;  ///< when asked for
  std::uint64_t staying_ = 0;
  std::uint64_t unnamed_ = 0;
  std::uint64_t shared_ = 0;
  std::uint64_t unconfirmed_ = 0;
  std::unordered_map<std::string, Planned> byKey_;
  std::vector<endpoint::StoredMessage> items_;
  std::uint64_t deleted_ = 0;
  std::uint64_t removed_ = 0;
  std::uint64_t held_ = 0;
  std::vector<std::string> notes_;
  std::vector<std::string> problems_;
};

}  // namespace mailbraid::sync::exec
