// What an IMAP server said, as values.
//
// Every std::string_view in an event is valid until the next call of nextEvent() or receive().
#pragma once

#include "mailstore/types/flags.h"
#include "mailstore/types/ids.h"
#include "mailstore/types/role.h"
#include "mailstore/types/uid_set.h"
#include "sync/imap/capabilities.h"
#include "sync/imap/commands.h"
#include "sync/imap/enum_set.h"
#include "sync/imap/response_code.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mailbraid::sync::imap {

/// A message sequence number: changes with every expunge, and is never stored.
using SequenceNumber = mailstore::Named<struct SequenceNumberTag, std::uint32_t>;

enum class StatusKind : std::uint8_t { Ok, No, Bad };
enum class GreetingKind : std::uint8_t { Ok, PreAuth, Bye };

/// The first event of a connection.
struct Greeting {
  GreetingKind kind = GreetingKind::Ok;
  ResponseCode code;
  std::string_view text;
};

enum class CommandResult : std::uint8_t {
  Ok,
  No,
  Bad,
  NotSent,  ///< it cannot be written (CR, LF or NUL in an argument, an empty set); `text` says why. Nothing was sent
};
/// A command is done. Answers may come in another order than commands, and behind data of later ones: Dovecot holds the
/// OK to UID SEARCH and UID FETCH back until it has sent what the next one asked for. So data is told apart by UID, not
/// by answers.
struct CommandDone {
  CommandId id{};
  CommandResult result = CommandResult::Ok;
  ResponseCode code;
  std::string_view text;
};

/// An untagged OK, NO or BAD: the codes of SELECT (UIDVALIDITY, UIDNEXT, HIGHESTMODSEQ, NOMODSEQ, MAILBOXID ...) and
/// warnings. PERMANENTFLAGS and CAPABILITY have events of their own and come only as those.
struct UntaggedStatus {
  StatusKind status = StatusKind::Ok;
  ResponseCode code;
  std::string_view text;
};

/// [ALERT] (RFC 9051 section 7.1): `text` shall be shown to the user. Comes before the event of the response that had
/// it.
struct Alert {
  std::string_view text;
};

/// The server will close the connection (RFC 9051 section 7.1.5). Also in answer to Logout.
struct Bye {
  ResponseCode code;
  std::string_view text;
};

/// Client::capabilities() has changed.
struct CapabilitiesChanged {};

/// `+` in answer to Authenticate; `text` is the challenge in base64. Answer with Client::respond().
struct Continuation {
  std::string_view text;
};

/// ENABLED (RFC 5161), upper case.
struct Enabled {
  std::vector<std::string> capabilities;
};

/// ID (RFC 2971).
struct ServerId {
  std::vector<std::pair<std::string, std::string>> fields;
};

struct NamespaceEntry {
  std::string prefix;  ///< wire name
  std::optional<char> delimiter;
};
/// NAMESPACE (RFC 2342).
struct Namespaces {
  std::vector<NamespaceEntry> personal;
  std::vector<NamespaceEntry> otherUsers;
  std::vector<NamespaceEntry> shared;
};

enum class ListAttribute : std::uint8_t {
  NoSelect,
  NonExistent,
  NoInferiors,
  HasChildren,
  HasNoChildren,
  Marked,
  Unmarked,
  Subscribed,
  Remote,
};
enum class ListOrigin : std::uint8_t { List, Lsub };
/// LIST or LSUB (RFC 9051 section 7.3.1).
struct ListEntry {
  ListOrigin origin = ListOrigin::List;
  std::string name;              ///< UTF-8, '/' between levels; empty when `nameProblem` is not
  std::string_view nameProblem;  ///< why the mailbox is refused: see DecodedName. Static text
  std::string wireName;          ///< for commands; INBOX in that spelling
  std::optional<char> delimiter;
  EnumSet<ListAttribute> attributes;
  mailstore::Role role = mailstore::Role::None;  ///< from SPECIAL-USE attributes only (and INBOX)
  EnumSet<ListSelection> childInfo;              ///< CHILDINFO (RFC 5258)
  std::string oldName;                           ///< OLDNAME (RFC 9051 section 6.3.9.7), wire name
};

/// STATUS (RFC 9051 section 7.3.4): what the server told and was understood.
struct StatusData {
  std::string mailbox;  ///< wire name; INBOX in that spelling
  std::optional<std::uint32_t> messages;
  std::optional<mailstore::Uid> uidNext;
  std::optional<mailstore::UidValidity> uidValidity;
  std::optional<std::uint32_t> unseen;
  std::optional<std::uint32_t> deleted;
  std::optional<std::uint64_t> size;
  std::optional<mailstore::ModSeq> highestModSeq;
  std::optional<std::uint64_t> appendLimit;
  std::string mailboxId;
};

struct Exists {
  std::uint32_t count = 0;
};
struct Recent {
  std::uint32_t count = 0;
};
struct Expunged {
  SequenceNumber sequence;
};
enum class VanishedWhen : std::uint8_t {
  Now,      ///< renumbers, like EXPUNGE
  Earlier,  ///< VANISHED (EARLIER): told for catching up, renumbers nothing
};
/// VANISHED (RFC 7162 section 3.2.10).
struct Vanished {
  mailstore::UidSet uids;
  VanishedWhen when = VanishedWhen::Now;
};

/// FLAGS: the flags that exist in the selected mailbox.
struct MailboxFlags {
  mailstore::Flags flags;
};
enum class NewKeywords : std::uint8_t { Refused, Allowed /* the list has \* */ };
/// PERMANENTFLAGS: what the client can change for good.
struct PermanentFlags {
  mailstore::Flags flags;
  NewKeywords newKeywords = NewKeywords::Refused;
};

/// What a FETCH response said of one message; complete only at FetchEnd, since servers may send UID after the body.
struct FetchAttributes {
  SequenceNumber sequence;
  std::optional<mailstore::Uid> uid;
  std::optional<mailstore::Flags> flags;
  std::optional<mailstore::InternalDate> internalDate;
  std::optional<std::uint64_t> size;  ///< RFC822.SIZE
  std::optional<mailstore::ModSeq> modSeq;
  std::optional<std::uint64_t> gmailMessageId;
  std::string emailId;
  std::string threadId;
  std::vector<std::string> gmailLabels;  ///< as sent, unquoted
};
/// A FETCH response: FetchBegin, then for each section BodyBegin BodyChunk* BodyEnd or BodyMissing, then FetchEnd.
/// Nothing else comes in between but Malformed: not fatal, it is about this message, and FetchEnd still comes; fatal,
/// nothing comes any more.
struct FetchBegin {
  SequenceNumber sequence;
};
enum class BodySection : std::uint8_t { Whole /* BODY[], RFC822 */, Header /* BODY[HEADER], RFC822.HEADER */, Other };
struct BodyBegin {
  BodySection section = BodySection::Whole;
  std::string_view name;              ///< BODY[...] as sent
  std::uint64_t size = 0;             ///< exactly as many octets follow in chunks
  std::optional<mailstore::Uid> uid;  ///< when it was told before the body
};
/// A part of the body: a view into the block given to receive() wherever it came as a literal.
struct BodyChunk {
  std::string_view octets;  ///< never empty
};
struct BodyEnd {};
/// The server sent NIL for a body: it does not have it (any more).
struct BodyMissing {
  BodySection section = BodySection::Whole;
  std::string_view name;
};
struct FetchEnd {
  FetchAttributes attributes;
};

/// SEARCH or ESEARCH (RFC 9051 section 7.3.4), only of UID SEARCH.
struct SearchResult {
  std::optional<CommandId> id;  ///< ESEARCH says which command
  mailstore::UidSet uids;       ///< ALL
  std::optional<mailstore::Uid> min;
  std::optional<mailstore::Uid> max;
  std::optional<std::uint32_t> count;
  std::optional<mailstore::ModSeq> highestModSeq;
};

enum class Severity : std::uint8_t {
  LeftOut,  ///< one attribute of a message was not understood and is left out; the others stand
  Skipped,  ///< one response was not understood and is skipped; the framing is intact
  Fatal,    ///< nothing after it can be trusted; nextEvent() gives nothing more
};
struct Malformed {
  std::uint64_t offset = 0;  ///< octets of the connection (of its current layer) before the mistake, or before its line
  std::string_view reason;   ///< static text
  Severity severity = Severity::Skipped;
};

using Event = std::variant<Greeting, CommandDone, UntaggedStatus, Alert, Bye, CapabilitiesChanged, Continuation,
                           Enabled, ServerId, Namespaces, ListEntry, StatusData, Exists, Recent, Expunged, Vanished,
                           MailboxFlags, PermanentFlags, FetchBegin, BodyBegin, BodyChunk, BodyEnd, BodyMissing,
                           FetchEnd, SearchResult, Malformed>;

}  // namespace mailbraid::sync::imap
