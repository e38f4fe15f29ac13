#include "sync/imap/response_code.h"

#include "sync/imap/cursor.h"

#include <algorithm>
#include <array>
#include <limits>

namespace mailbraid::sync::imap {

namespace {

using Kind = ResponseCodeKind;
using Advice = FailureAdvice;

/// What the arguments have to be for the code to be taken at its word.
enum class Argument : std::uint8_t { Any, Number32, NonZero32, Number63 };

struct Row {
  std::string_view name;
  Kind kind;
  Argument argument = Argument::Any;
  Advice advice = Advice::None;
};

constexpr std::array kRows = {
    // RFC 9051 section 7.1 and RFC 3501 section 7.1
    Row{"ALERT", Kind::Alert},
    Row{"BADCHARSET", Kind::BadCharset, Argument::Any, Advice::Never},
    Row{"CAPABILITY", Kind::Capability},
    Row{"PARSE", Kind::Parse},
    Row{"PERMANENTFLAGS", Kind::PermanentFlags},
    Row{"READ-ONLY", Kind::ReadOnly},
    Row{"READ-WRITE", Kind::ReadWrite},
    Row{"TRYCREATE", Kind::TryCreate, Argument::Any, Advice::Never},
    Row{"UIDNEXT", Kind::UidNext, Argument::Number32},
    Row{"UIDVALIDITY", Kind::UidValidity, Argument::NonZero32},
    Row{"UNSEEN", Kind::Unseen, Argument::Number32},
    Row{"UNKNOWN-CTE", Kind::UnknownCte, Argument::Any, Advice::Never},
    Row{"HASCHILDREN", Kind::HasChildren, Argument::Any, Advice::Never},
    Row{"CLOSED", Kind::Closed},
    // RFC 4315
    Row{"APPENDUID", Kind::AppendUid},
    Row{"COPYUID", Kind::CopyUid},
    Row{"UIDNOTSTICKY", Kind::UidNotSticky},
    // RFC 5530 section 3
    Row{"UNAVAILABLE", Kind::Unavailable, Argument::Any, Advice::TryLater},
    Row{"AUTHENTICATIONFAILED", Kind::AuthenticationFailed, Argument::Any, Advice::Refused},
    Row{"AUTHORIZATIONFAILED", Kind::AuthorizationFailed, Argument::Any, Advice::Refused},
    Row{"EXPIRED", Kind::Expired, Argument::Any, Advice::Refused},
    Row{"PRIVACYREQUIRED", Kind::PrivacyRequired, Argument::Any, Advice::Refused},
    Row{"CONTACTADMIN", Kind::ContactAdmin, Argument::Any, Advice::Refused},
    Row{"NOPERM", Kind::NoPerm, Argument::Any, Advice::Refused},
    Row{"INUSE", Kind::InUse, Argument::Any, Advice::TryLater},
    Row{"EXPUNGEISSUED", Kind::ExpungeIssued, Argument::Any, Advice::TryLater},
    Row{"CORRUPTION", Kind::Corruption, Argument::Any, Advice::TryLater},
    Row{"SERVERBUG", Kind::ServerBug, Argument::Any, Advice::TryLater},
    Row{"CLIENTBUG", Kind::ClientBug, Argument::Any, Advice::Never},
    Row{"CANNOT", Kind::Cannot, Argument::Any, Advice::Never},
    Row{"LIMIT", Kind::Limit, Argument::Any, Advice::TryLater},
    Row{"OVERQUOTA", Kind::OverQuota, Argument::Any, Advice::TryLater},
    Row{"ALREADYEXISTS", Kind::AlreadyExists, Argument::Any, Advice::Never},
    Row{"NONEXISTENT", Kind::NonExistent, Argument::Any, Advice::Never},
    // RFC 7162 (CONDSTORE, QRESYNC)
    Row{"HIGHESTMODSEQ", Kind::HighestModSeq, Argument::Number63},
    Row{"NOMODSEQ", Kind::NoModSeq},
    Row{"MODIFIED", Kind::Modified},
    // RFC 3516 (above), 4469, 4978, 5182, 5255, 5257, 5259, 5464, 5465, 5466, 6154, 7889, 8474, 9585
    Row{"TOOBIG", Kind::TooBig, Argument::Any, Advice::Never},
    Row{"BADURL", Kind::BadUrl, Argument::Any, Advice::Never},
    Row{"COMPRESSIONACTIVE", Kind::CompressionActive, Argument::Any, Advice::Never},
    Row{"NOTSAVED", Kind::NotSaved, Argument::Any, Advice::TryLater},
    Row{"BADCOMPARATOR", Kind::BadComparator, Argument::Any, Advice::Never},
    Row{"ANNOTATE", Kind::Annotate},
    Row{"ANNOTATIONS", Kind::Annotations},
    Row{"TEMPFAIL", Kind::TempFail, Argument::Any, Advice::TryLater},
    Row{"MAXCONVERTMESSAGES", Kind::MaxConvertMessages, Argument::Any, Advice::Never},
    Row{"MAXCONVERTPARTS", Kind::MaxConvertParts, Argument::Any, Advice::Never},
    Row{"METADATA", Kind::Metadata},
    Row{"NOUPDATE", Kind::NoUpdate},
    Row{"NOTIFICATIONOVERFLOW", Kind::NotificationOverflow},
    Row{"BADEVENT", Kind::BadEvent, Argument::Any, Advice::Never},
    Row{"UNDEFINED-FILTER", Kind::UndefinedFilter, Argument::Any, Advice::Never},
    Row{"USEATTR", Kind::UseAttr, Argument::Any, Advice::Never},
    Row{"APPENDLIMIT", Kind::AppendLimit, Argument::Number32},
    Row{"MAILBOXID", Kind::MailboxId},
    Row{"INPROGRESS", Kind::InProgress},
    // RFC 2221, 2193 and what servers say besides
    Row{"REFERRAL", Kind::Referral},
    Row{"NEWNAME", Kind::NewName, Argument::Any, Advice::Never},
    Row{"URLMECH", Kind::UrlMech},
    Row{"THROTTLED", Kind::Throttled, Argument::Any, Advice::TryLater},
};

const Row* rowOf(std::string_view name) {
  for (const Row& row : kRows) {
    if (equalsIgnoringCase(row.name, name)) return &row;
  }
  return nullptr;
}

std::optional<std::uint64_t> argumentOf(Argument argument, std::string_view text) {
  if (argument == Argument::Any) return 0;
  Cursor cursor(text);
  const std::uint64_t maximum = argument == Argument::Number63
                                    ? static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
                                    : std::numeric_limits<std::uint32_t>::max();
  const auto value = cursor.number(maximum);
  cursor.spaces();
  if (!value || !cursor.atEnd() || (argument == Argument::NonZero32 && *value == 0)) return std::nullopt;
  return value;
}

}  // namespace

ResponseCode parseResponseCode(std::string_view inside) {
  ResponseCode code;
  const std::size_t space = inside.find(' ');
  code.name = inside.substr(0, space);
  if (space != std::string_view::npos) {
    code.arguments = inside.substr(space);
    code.arguments.remove_prefix(std::min(code.arguments.find_first_not_of(' '), code.arguments.size()));
  }
  code.kind = Kind::Unknown;
  const Row* const row = rowOf(code.name);
  if (row == nullptr) return code;
  if (const auto number = argumentOf(row->argument, code.arguments)) {
    code.kind = row->kind;
    code.number = *number;
  }
  return code;
}

bool isKnownResponseCode(std::string_view name) {
  return rowOf(name) != nullptr;
}

std::string_view responseCodeName(ResponseCodeKind kind) {
  for (const Row& row : kRows) {
    if (row.kind == kind) return row.name;
  }
  return {};
}

FailureAdvice adviceOf(ResponseCodeKind kind) {
  for (const Row& row : kRows) {
    if (row.kind == kind) return row.advice;
  }
  return FailureAdvice::None;
}

std::optional<AppendUid> parseAppendUid(std::string_view arguments) {
  Cursor cursor(arguments);
  const auto uidValidity = cursor.numberOf<std::uint32_t>();
  cursor.spaces();
  auto uids = mailstore::UidSet::parse(cursor.rest());
  if (!uidValidity || *uidValidity == 0 || !uids) return std::nullopt;
  return AppendUid{mailstore::UidValidity{*uidValidity}, std::move(*uids)};
}

namespace {

/// A set in the order it was written: UidSet would sort it.
std::optional<std::vector<mailstore::Uid>> orderedUids(std::string_view text) {
  constexpr std::size_t kMost = 1'000'000;
  std::vector<mailstore::Uid> out;
  Cursor cursor(text);
  do {
    const auto first = cursor.numberOf<std::uint32_t>();
    auto last = first;
    if (first && cursor.take(':')) last = cursor.numberOf<std::uint32_t>();
    if (!first || !last || *first == 0 || *last == 0) return std::nullopt;
    const std::uint64_t low = std::min(*first, *last);
    const std::uint64_t high = std::max(*first, *last);
    if (high - low + 1 > kMost - out.size()) return std::nullopt;
    for (std::uint64_t uid = low; uid <= high; ++uid) out.emplace_back(static_cast<std::uint32_t>(uid));
  } while (cursor.take(','));
  if (!cursor.rest().empty()) return std::nullopt;
  return out;
}

}  // namespace

std::optional<CopyUid> parseCopyUid(std::string_view arguments) {
  Cursor cursor(arguments);
  const auto uidValidity = cursor.numberOf<std::uint32_t>();
  cursor.spaces();
  const std::string_view rest = cursor.rest();
  const std::size_t space = std::min(rest.find(' '), rest.size());
  const auto from = orderedUids(rest.substr(0, space));
  const auto to = orderedUids(rest.substr(std::min(space + 1, rest.size())));
  if (!uidValidity || *uidValidity == 0 || !from || !to || from->size() != to->size()) return std::nullopt;
  CopyUid out{mailstore::UidValidity{*uidValidity}, {}};
  out.uids.reserve(from->size());
  for (std::size_t i = 0; i < from->size(); ++i) out.uids.emplace_back((*from)[i], (*to)[i]);
  return out;
}

std::optional<mailstore::UidSet> parseModified(std::string_view arguments) {
  return mailstore::UidSet::parse(arguments);
}

}  // namespace mailbraid::sync::imap
