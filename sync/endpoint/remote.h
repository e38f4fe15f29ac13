// Mailboxes of an endpoint and sets of their messages.
#pragma once

#include "mailstore/records.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mailbraid::sync::endpoint {

/// Messages of one mailbox by their keys: UIDs (IMAP) or UIDLs (POP3, names of files).
using KeySet = std::variant<mailstore::UidSet, std::vector<mailstore::Uidl>>;
[[nodiscard]] bool isEmpty(const KeySet& keys);
[[nodiscard]] std::uint64_t countOf(const KeySet& keys);
/// The keys of the kind that is asked for; none where they are of the other kind.
[[nodiscard]] const mailstore::UidSet& uidsOf(const KeySet& keys);
[[nodiscard]] const std::vector<mailstore::Uidl>& namesOf(const KeySet& keys);
[[nodiscard]] KeySet emptyLike(const KeySet& keys);  ///< none, of the same kind
/// These take keys of the set's kind only.
void addTo(KeySet& keys, const mailstore::RemoteKey& key);
[[nodiscard]] KeySet without(const KeySet& keys, const std::vector<mailstore::RemoteKey>& some);

/// False for a name that was made here, of a message that a POP3 server gives no unique-id of its own.
[[nodiscard]] bool isServersName(const mailstore::Uidl& key);

/// What a server tells of a mailbox without, or on, opening it. 0 where it does not tell.
struct RemoteStatus {
  mailstore::UidValidity uidValidity;
  mailstore::Uid uidNext;
  mailstore::ModSeq highestModSeq;
  std::uint32_t messages = 0;
  friend bool operator==(const RemoteStatus&, const RemoteStatus&) = default;
};

struct RemoteMailbox {
  std::string wireName;  ///< what the server calls it
  std::string name;      ///< UTF-8, `/` between the levels, without the personal namespace's prefix
  mailstore::Role role = mailstore::Role::None;
  std::string calledThere;  ///< of a mailbox that was just made: its name, where the endpoint cannot hold that
  std::string objectId;     ///< MAILBOXID (RFC 8474)
  bool selectable = true;
  std::optional<std::uint64_t> appendLimit;  ///< octets of a message that it takes at most (RFC 7889); none: not told
  std::optional<RemoteStatus> status;        ///< none: the server would not tell; `refusal` may say why
  std::string
      refusal;  ///< not empty: it cannot be synced, and why (a name that is invalid or would leave its directory)
};

}  // namespace mailbraid::sync::endpoint
