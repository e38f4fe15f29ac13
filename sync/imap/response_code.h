// Response codes: the [CODE ...] of a status response (RFC 9051 section 7.1, RFC 5530 and the extensions).
#pragma once

#include "mailstore/types/uid_set.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace mailbraid::sync::imap {

enum class ResponseCodeKind : std::uint8_t {
  None,     ///< the response has no code
  Unknown,  ///< a code that is not in the table, or whose arguments are not what it needs
  // RFC 3501 and 9051
  Alert,
  BadCharset,
  Capability,
  Parse,
  PermanentFlags,
  ReadOnly,
  ReadWrite,
  TryCreate,
  UidNext,
  UidValidity,
  Unseen,
  AppendUid,
  CopyUid,
  UidNotSticky,
  Closed,
  HasChildren,
  // RFC 5530
  Unavailable,
  AuthenticationFailed,
  AuthorizationFailed,
  Expired,
  PrivacyRequired,
  ContactAdmin,
  NoPerm,
  InUse,
  ExpungeIssued,
  Corruption,
  ServerBug,
  ClientBug,
  Cannot,
  Limit,
  OverQuota,
  AlreadyExists,
  NonExistent,
  // RFC 7162, 3516, 4469, 4978, 5182, 5255, 5257, 5259, 5464, 5465, 5466, 6154, 7889, 8474, 9585, 2193, 2221
  HighestModSeq,
  NoModSeq,
  Modified,
  UnknownCte,
  TooBig,
  CompressionActive,
  NotSaved,
  BadComparator,
  Annotate,
  Annotations,
  TempFail,
  MaxConvertMessages,
  MaxConvertParts,
  Metadata,
  NoUpdate,
  NotificationOverflow,
  BadEvent,
  UndefinedFilter,
  UseAttr,
  UrlMech,
  BadUrl,
  Referral,
  NewName,
  MailboxId,
  AppendLimit,
  InProgress,
  Throttled,
};

/// One code. Views are valid as long as those of the event that carries it.
struct ResponseCode {
  ResponseCodeKind kind = ResponseCodeKind::None;
  std::string_view name;       ///< as sent
  std::string_view arguments;  ///< as sent, without the space before; may be empty
  /// UIDNEXT, UIDVALIDITY, UNSEEN, HIGHESTMODSEQ, APPENDLIMIT: the number. A quirk: UIDNEXT 0 and HIGHESTMODSEQ 0 stay
  /// 0, "not known".
  std::uint64_t number = 0;
};

/// `inside` is what stands between the brackets.
ResponseCode parseResponseCode(std::string_view inside);

/// True when `name` (any case) is in the table.
bool isKnownResponseCode(std::string_view name);

/// The wire's name of a kind: "UIDVALIDITY"; empty for None and Unknown.
std::string_view responseCodeName(ResponseCodeKind kind);

/// What a failed command with this code means for the caller.
enum class FailureAdvice : std::uint8_t {
  None,      ///< the code says nothing about it
  TryLater,  ///< the server is busy or broken now: UNAVAILABLE, INUSE, SERVERBUG, LIMIT ...
  Refused,   ///< credentials or rights: AUTHENTICATIONFAILED, AUTHORIZATIONFAILED, EXPIRED, NOPERM ...
  Never,     ///< as it is, it will not work: CANNOT, NONEXISTENT, BADCHARSET, TOOBIG ...
};
FailureAdvice adviceOf(ResponseCodeKind kind);

/// APPENDUID (RFC 4315 section 3, RFC 3502): the UIDs in the order of the messages.
struct AppendUid {
  mailstore::UidValidity uidValidity;
  mailstore::UidSet uids;
};
std::optional<AppendUid> parseAppendUid(std::string_view arguments);

/// COPYUID (RFC 4315 section 3): which message became which. Pairs in the order told.
struct CopyUid {
  mailstore::UidValidity uidValidity;
  std::vector<std::pair<mailstore::Uid, mailstore::Uid>> uids;
};
/// None when the two sets do not have the same, bounded number of messages.
std::optional<CopyUid> parseCopyUid(std::string_view arguments);

/// MODIFIED (RFC 7162 section 3.1.3).
std::optional<mailstore::UidSet> parseModified(std::string_view arguments);

}  // namespace mailbraid::sync::imap
