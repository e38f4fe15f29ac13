// What an endpoint can be told while pushing: changes to sets of messages, never to single ones.
#pragma once

#include "mailstore/message_form.h"
#include "mailstore/records.h"
#include "mailstore/types/error.h"
#include "sync/endpoint/remote.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailbraid::sync::endpoint {

/// What a kind of endpoint can take at all. What it cannot take is never planned: it is remembered in the store.
struct PushAbility {
  bool append = false;
  bool flags = false;
  bool transfers = false;  ///< moves and copies within the endpoint
  bool removals = false;
  bool mailboxes = false;  ///< create, rename, remove
};

/// A mailbox to be made, renamed or removed. Names are UTF-8 with `/` between the levels, as in RemoteMailbox::name.
struct MailboxChange {
  enum class Kind : std::uint8_t { Create, Rename, Remove };
  Kind kind = Kind::Create;
  const RemoteMailbox* mailbox = nullptr;  ///< Rename, Remove
  /// Create: its name. Rename: the new one; what is below the mailbox moves with it, unless each is a file of its own
  /// (mbox). One that has its new name by then is left as it is.
  std::string name;
  mailstore::Role role = mailstore::Role::None;  ///< Create: told where the endpoint can be told (CREATE-SPECIAL-USE)
};

/// What mailboxes are called while some are renamed, and all below them with them (RFC 9051 section 6.3.6).
class RenamedNames {
 public:
  void add(const std::string& from, const std::string& to) { renames_.emplace_back(from, to); }
  [[nodiscard]] std::string now(std::string name) const {
    for (const auto& [from, to] : renames_) {
      if (name == from || name.starts_with(from + "/")) name.replace(0, from.size(), to);
    }
    return name;
  }

 private:
  std::vector<std::pair<std::string, std::string>> renames_;
};

struct MailboxOutcome {
  /// Create, Rename: the mailbox as list() would tell it; valid as long as the endpoint. Its name differs from the one
  /// asked for where the endpoint cannot hold that: list() tells the same name for it ever after.
  const RemoteMailbox* mailbox = nullptr;
  std::optional<mailstore::Error> failure;  ///< scope mailbox; the others are not concerned
};

/// Messages of one mailbox that get the same change of flags.
struct FlagChange {
  mailstore::Flags add;
  mailstore::Flags remove;  ///< disjoint from `add`
  /// A message whose flags changed after it is not touched but told by onChangedMeanwhile() (RFC 7162 section 3.1.3);
  /// 0: does not matter.
  mailstore::ModSeq unchangedSince;
  KeySet keys;
};

struct FlagRequest {
  const RemoteMailbox* mailbox = nullptr;
  mailstore::UidValidity uidValidity;  ///< the mailbox must still have it
  std::vector<FlagChange> changes;
};

/// Messages that go, or are copied, to another mailbox of the same endpoint.
struct TransferRequest {
  enum class Kind : std::uint8_t { Move, Copy };
  Kind kind = Kind::Move;
  const RemoteMailbox* from = nullptr;
  mailstore::UidValidity uidValidity;  ///< of `from`
  const RemoteMailbox* to = nullptr;
  KeySet keys;
};

/// A message to be uploaded. `token` is the caller's name of it.
struct AppendItem {
  std::uint64_t token = 0;
  mailstore::Flags flags;
  mailstore::InternalDate date;
  std::uint64_t size = 0;  ///< octets
};

struct AppendRequest {
  const RemoteMailbox* mailbox = nullptr;
  std::vector<AppendItem> items;
  mailstore::Repairs repairs{};  ///< what may be changed of a message that is refused as it is
  /// Where set, an endpoint may ask it for further items as soon as all it has are sent, while answers are awaited, or
  /// done; empty: there are none now. Called on the endpoint's thread.
  std::function<std::vector<AppendItem>()> more{};
};

/// Gives the octets of an item in order, in pieces. Called on the endpoint's thread. Throws Error of scope message when
/// they cannot be read: that message is refused, the others go on; nothing of it may be left at the endpoint.
using OctetSource = std::function<void(const AppendItem& item, const std::function<void(std::string_view)>& sink)>;

struct RemoveRequest {
  enum class Kind : std::uint8_t {
    Expunge,  ///< exactly these messages; where that cannot be done without taking others along, they are only marked
    Mark,     ///< \Deleted
  };
  Kind kind = Kind::Expunge;
  const RemoteMailbox* mailbox = nullptr;
  mailstore::UidValidity uidValidity;
  KeySet keys;
};

/// A message of a maildrop (POP3) that the store holds durably, and that the server need not keep any more.
struct StoredMessage {
  mailstore::Uidl key;
  mailstore::HeaderDigest header;
  mailstore::ContentKey content;
};

/// What became of messages that were to be deleted from a maildrop.
struct DeletionOutcome {
  std::vector<mailstore::Uidl> deleted;   ///< the server has confirmed it: +OK to DELE, and +OK to QUIT
  std::vector<mailstore::Uidl> vanished;  ///< not listed any more: somebody else deleted them
  std::vector<mailstore::Uidl> replaced;  ///< another message has the key now
  std::vector<std::pair<mailstore::Uidl, std::string>> refused;  ///< and why, as a clause
  /// The session did not end well: whether these were deleted is not known, and seen in the next listing.
  std::vector<mailstore::Uidl> unconfirmed;
  std::string unconfirmedReason;  ///< a clause
};

/// Learns what was done, as it is done: what is told here has happened at the endpoint, though a crash may come before
/// it is recorded. Called on the endpoint's thread. `index` is the request's place in its span.
class PushSink {
 public:
  virtual ~PushSink() = default;
  /// The flags that the message has now, as far as the endpoint tells: those it cannot hold, or dropped, are missing.
  virtual void onFlags(std::size_t index, const mailstore::RemoteKey& key, const mailstore::Flags& flags) = 0;
  virtual void onChangedMeanwhile(std::size_t index, const mailstore::RemoteKey& key) = 0;
  /// The message is in the other mailbox; `to` is its key there, none where the endpoint does not tell (no UIDPLUS).
  virtual void onTransferred(std::size_t index, const mailstore::RemoteKey& from,
                             const std::optional<mailstore::RemoteKey>& to) = 0;
  /// Before the first octet of uploads to a mailbox: a message that it gets from now on has at least this UID (0:
  /// unknown). The caller makes this durable before it returns.
  virtual void onAppending(std::size_t index, mailstore::UidValidity uidValidity, mailstore::Uid uidNext) = 0;
  /// Before the first octet of a repaired message: what will be there in place of the item's octets. The caller makes
  /// this durable before it returns.
  virtual void onRepairing(std::size_t index, std::uint64_t token, const mailstore::MessageForm& form) = 0;
  /// `flags` as of onFlags(): none where the endpoint does not tell before it is read.
  virtual void onAppended(std::size_t index, std::uint64_t token, const std::optional<mailstore::RemoteKey>& key,
                          const mailstore::Flags& flags) = 0;
  /// Before onAppended(): what is there now differs from the item's octets, or its date, by these repairs.
  virtual void onRepaired(std::size_t index, std::uint64_t token, const mailstore::Repairs& repairs) = 0;
  virtual void onRemoved(std::size_t index, const mailstore::RemoteKey& key) = 0;
  /// It could only be marked \Deleted, or, with Kind::Mark, was to be.
  virtual void onMarked(std::size_t index, const mailstore::RemoteKey& key) = 0;
  /// The endpoint no longer has this message: somebody else removed it. Not an error; the next pull sees it.
  virtual void onVanished(std::size_t index, const mailstore::RemoteKey& key) = 0;
  /// This message could not be changed, moved, removed, and why.
  virtual void onRefused(std::size_t index, const mailstore::RemoteKey& key, const mailstore::Error& error) = 0;
  /// This message could not be uploaded, and why: in the endpoint's own words.
  virtual void onAppendRefused(std::size_t index, std::uint64_t token, const mailstore::Error& error) = 0;
  /// Octets of message bodies that were uploaded since the last call.
  virtual void onOctets(std::uint64_t octets) = 0;
};

/// One outcome a request: an error of scope mailbox when the rest of it was given up (quota, read-only, another
/// UIDVALIDITY, mailbox gone); the other requests are not concerned. Of scope endpoint when none of the rest is taken.
using Outcomes = std::vector<std::optional<mailstore::Error>>;

}  // namespace mailbraid::sync::endpoint
