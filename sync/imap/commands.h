// IMAP commands as values. They are encoded in one place: encoder.cpp.
//
// Mailbox names in commands are wire names: ListEntry::wireName, or encodeMailboxName().
#pragma once

#include "mailstore/types/flags.h"
#include "mailstore/types/ids.h"
#include "mailstore/types/role.h"
#include "mailstore/types/uid_set.h"
#include "sync/imap/enum_set.h"
#include "sync/imap/secret_text.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace mailbraid::sync::imap {

struct Capability {};
struct Noop {};
struct Logout {};
/// RFC 9051 section 6.2.1. When it is answered with OK the client stops: see Client::forgetPlaintextState().
struct StartTls {};
/// RFC 9051 section 6.2.3.
struct Login {
  std::string user{};
  SecretText password{};
};
/// RFC 9051 section 6.2.2. `initialResponse` and the answers given to Client::respond() are base64 as they go onto the
/// wire. An initial response is sent with the command where the server has SASL-IR (RFC 4959), else after its first
/// "+". An empty initial response ("=" on the wire) is not the same as none.
struct Authenticate {
  std::string mechanism{};
  std::optional<SecretText> initialResponse{};
};
/// COMPRESS DEFLATE (RFC 4978). When it is answered with OK the client stops: see Client::takeUnprocessedInput().
struct Compress {};
/// RFC 2971; no fields: ID NIL.
struct Id {
  std::vector<std::pair<std::string, std::string>> fields{};
};
/// RFC 5161.
struct Enable {
  std::vector<std::string> capabilities{};
};
/// RFC 2342.
struct Namespace {};

enum class StatusItem : std::uint8_t {
  Messages,
  UidNext,
  UidValidity,
  Unseen,
  Deleted,
  Size,
  HighestModSeq,
  MailboxId,
  AppendLimit
};
using StatusItems = EnumSet<StatusItem>;

enum class ListSelection : std::uint8_t { Subscribed, Remote, RecursiveMatch, SpecialUse };
enum class ListReturn : std::uint8_t { Subscribed, Children, SpecialUse };
/// RFC 9051 section 6.3.9, RFC 5258, 5819, 6154. Without options, with one pattern, it is the LIST of RFC 3501.
struct List {
  std::string reference{};
  std::vector<std::string> patterns = {"*"};
  EnumSet<ListSelection> select{};
  EnumSet<ListReturn> returns{};
  StatusItems status{};  ///< not empty: RETURN (STATUS (...)), needs LIST-STATUS
};
/// RFC 3501 section 6.3.9, for servers without LIST-EXTENDED.
struct Lsub {
  std::string reference{};
  std::string pattern = "*";
};
/// RFC 9051 section 6.3.11.
struct Status {
  std::string mailbox{};
  StatusItems items{};
};

/// What the client knows of a mailbox (RFC 7162 section 3.2.5).
struct Qresync {
  mailstore::UidValidity uidValidity{};
  mailstore::ModSeq modSeq{};
  mailstore::UidSet knownUids{};  ///< empty: all
};
enum class SelectMode : std::uint8_t { ReadOnly /* EXAMINE */, ReadWrite /* SELECT */ };
enum class SelectExtension : std::uint8_t { None, Condstore };
/// RFC 9051 sections 6.3.2 and 6.3.3.
struct Select {
  std::string mailbox{};
  SelectMode mode = SelectMode::ReadOnly;
  std::optional<Qresync> qresync{};                   ///< needs ENABLE QRESYNC before (the same flight is fine)
  SelectExtension extension = SelectExtension::None;  ///< ignored when `qresync` is set, which implies it
};
struct Unselect {};  ///< RFC 3691
struct Close {};

/// `first:*`. Mind that it names the last message when `first` is above all UIDs (RFC 9051 section 9, seq-range).
struct UidsFrom {
  mailstore::Uid first;
};
using UidRange = std::variant<mailstore::UidSet, UidsFrom>;

enum class FetchItem : std::uint8_t {
  Flags,
  InternalDate,
  Size,
  ModSeq,
  EmailId,         ///< RFC 8474
  ThreadId,        ///< RFC 8474
  GmailMessageId,  ///< X-GM-MSGID
  GmailLabels,     ///< X-GM-LABELS
  HeaderPeek,      ///< BODY.PEEK[HEADER]
  BodyPeek,        ///< BODY.PEEK[]: the whole message, last, so that what is short comes first
};
using FetchItems = EnumSet<FetchItem>;
enum class VanishedMode : std::uint8_t { None, Vanished };
/// RFC 9051 section 6.4.9, RFC 7162 sections 3.1.4.1 and 3.2.6. UID is always asked for (it comes with UID FETCH).
struct UidFetch {
  UidRange uids{};
  FetchItems items{};
  std::optional<mailstore::ModSeq> changedSince{};
  VanishedMode vanished = VanishedMode::None;  ///< needs `changedSince` and QRESYNC
};

enum class SearchReturn : std::uint8_t { All, Min, Max, Count };
/// RFC 9051 section 6.4.4 with ESEARCH (RFC 4731) when `returns` is not empty.
struct UidSearch {
  std::optional<UidRange> uids{};  ///< none: all messages
  EnumSet<SearchReturn> returns{};
};

enum class StoreMode : std::uint8_t { Add, Remove };
enum class StoreAnswer : std::uint8_t { Flags, Silent };
/// RFC 9051 section 6.4.6, RFC 7162 section 3.1.3.
struct UidStore {
  mailstore::UidSet uids{};
  StoreMode mode = StoreMode::Add;
  mailstore::Flags flags{};
  StoreAnswer answer = StoreAnswer::Flags;
  std::optional<mailstore::ModSeq> unchangedSince{};  ///< needs CONDSTORE
};
/// RFC 9051 section 6.4.7.
struct UidCopy {
  mailstore::UidSet uids{};
  std::string mailbox{};
};
/// RFC 6851.
struct UidMove {
  mailstore::UidSet uids{};
  std::string mailbox{};
};
/// RFC 4315 section 2.1. There is no plain EXPUNGE here: it would take messages along that others have marked.
struct UidExpunge {
  mailstore::UidSet uids{};
};

enum class LiteralKind : std::uint8_t { Text, Binary /* literal8, RFC 3516: NULs are allowed */ };
/// One message of an APPEND. Its octets are in `octets`, or they are given by Client::supply() when it is their turn.
struct AppendMessage {
  mailstore::Flags flags{};
  mailstore::InternalDate date{};
  std::uint64_t size = 0;
  std::optional<std::string> octets{};
  LiteralKind literal = LiteralKind::Text;
};
/// RFC 9051 section 6.3.12; more than one message: MULTIAPPEND (RFC 3502).
struct Append {
  std::string mailbox{};
  std::vector<AppendMessage> messages{};
};

/// RFC 9051 section 6.3.4; a role other than None needs CREATE-SPECIAL-USE (RFC 6154 section 3).
struct Create {
  std::string mailbox{};
  mailstore::Role role = mailstore::Role::None;
};
struct Rename {
  std::string from{};
  std::string to{};
};
struct Delete {
  std::string mailbox{};
};
struct Subscribe {
  std::string mailbox{};
};
struct Unsubscribe {
  std::string mailbox{};
};

using Command = std::variant<Capability, Noop, Logout, StartTls, Login, Authenticate, Compress, Id, Enable, Namespace,
                             List, Lsub, Status, Select, Unselect, Close, UidFetch, UidSearch, UidStore, UidCopy,
                             UidMove, UidExpunge, Append, Create, Rename, Delete, Subscribe, Unsubscribe>;

/// Names a command that was given to the client; never reused within a connection. On the wire: its tag.
enum class CommandId : std::uint32_t {};

}  // namespace mailbraid::sync::imap
