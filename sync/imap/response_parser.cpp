#include "sync/imap/response_parser.h"

#include "sync/imap/flag_list.h"
#include "sync/imap/list_parser.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace mailbraid::sync::imap {

namespace {

constexpr std::uint64_t kMaximumNumber63 = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

/// The rest of a response that must have no more to it.
bool finish(Cursor& cursor) {
  cursor.spaces();
  return cursor.atEnd() || cursor.fail("something follows a complete response");
}

std::optional<mailstore::UidSet> takeUidSet(Cursor& cursor, const Limits& limits) {
  auto set = mailstore::UidSet::parse(cursor.word(), limits.uidRanges);
  if (!set) cursor.fail("a set of UIDs is malformed or too long");
  return set;
}

std::optional<mailstore::Uid> takeUid(Cursor& cursor) {
  const auto number = cursor.numberOf<std::uint32_t>();
  if (!number) return std::nullopt;
  if (*number == 0) {
    cursor.fail("0 is no UID");
    return std::nullopt;
  }
  return mailstore::Uid{*number};
}

std::optional<mailstore::ModSeq> takeModSeq(Cursor& cursor) {
  const auto number = cursor.number(kMaximumNumber63);
  return number && *number != 0 ? std::optional(mailstore::ModSeq{*number}) : std::nullopt;
}

void parseFlags(Cursor& cursor, const ResponseContext& context) {
  cursor.spaces();
  auto list = takeFlagList(cursor, context.limits.listLength);
  if (list && finish(cursor)) context.events.emplace_back(MailboxFlags{std::move(list->flags)});
}

/// `(MODSEQ 5)` behind the numbers of SEARCH (RFC 7162 section 3.1.5).
bool takeSearchModSeq(Cursor& cursor, SearchResult& out) {
  if (!cursor.take('(')) return true;
  if (!equalsIgnoringCase(cursor.word(), "MODSEQ")) return cursor.fail("SEARCH has a list that is not MODSEQ");
  cursor.spaces();
  out.highestModSeq = takeModSeq(cursor);
  return cursor.expect(')', "MODSEQ does not end");
}

void parseSearch(Cursor& cursor, const ResponseContext& context) {
  SearchResult out;
  std::vector<std::uint32_t> numbers;
  for (cursor.spaces(); cursor.peek() >= '0' && cursor.peek() <= '9'; cursor.spaces()) {
    const auto uid = takeUid(cursor);
    if (!uid) return;
    if (numbers.size() >= context.limits.uidRanges) return void(cursor.fail("a SEARCH response is too long"));
    numbers.push_back(uid->value());
  }
  if (!takeSearchModSeq(cursor, out) || !finish(cursor)) return;
  // Quirk UnorderedSearch; and ascending is what UidSet takes in without a search.
  if (!std::is_sorted(numbers.begin(), numbers.end())) std::sort(numbers.begin(), numbers.end());
  for (const std::uint32_t number : numbers) out.uids.add(mailstore::Uid{number});
  context.events.emplace_back(std::move(out));
}

/// `(TAG "A5")`.
bool takeCorrelator(Cursor& cursor, SearchResult& out) {
  if (!cursor.take('(')) return true;
  const std::string_view name = cursor.word();
  cursor.spaces();
  const auto tag = cursor.astring();
  if (!tag || !equalsIgnoringCase(name, "TAG")) return cursor.fail("an ESEARCH correlator is malformed");
  Cursor number(*tag);
  if (number.take('A')) {
    if (const auto id = number.numberOf<std::uint32_t>()) out.id = CommandId{*id};
  }
  return cursor.expect(')', "an ESEARCH correlator does not end");
}

bool takeSearchData(Cursor& cursor, std::string_view name, SearchResult& out, const Limits& limits) {
  cursor.spaces();
  if (equalsIgnoringCase(name, "ALL")) {
    auto set = takeUidSet(cursor, limits);
    if (set) out.uids = std::move(*set);
  } else if (equalsIgnoringCase(name, "MIN")) {
    out.min = takeUid(cursor);
  } else if (equalsIgnoringCase(name, "MAX")) {
    out.max = takeUid(cursor);
  } else if (equalsIgnoringCase(name, "COUNT")) {
    out.count = cursor.numberOf<std::uint32_t>();
  } else if (equalsIgnoringCase(name, "MODSEQ")) {
    out.highestModSeq = takeModSeq(cursor);
  } else {
    cursor.skipValue(limits.nesting);
  }
  return !cursor.failed();
}

void parseExtendedSearch(Cursor& cursor, const ResponseContext& context) {
  SearchResult out;
  bool isUid = false;
  cursor.spaces();
  if (!takeCorrelator(cursor, out)) return;
  for (cursor.spaces(); !cursor.atEnd(); cursor.spaces()) {
    const std::string_view name = cursor.word();
    if (name.empty()) return void(cursor.fail("an ESEARCH item has no name"));
    if (equalsIgnoringCase(name, "UID")) {
      isUid = true;
    } else if (!takeSearchData(cursor, name, out, context.limits)) {
      return;
    }
  }
  // Without UID the numbers are sequence numbers, which nobody asked for.
  if (!isUid && !out.uids.empty()) return void(cursor.fail("an ESEARCH response without UID"));
  context.events.emplace_back(std::move(out));
}

void parseVanished(Cursor& cursor, const ResponseContext& context) {
  Vanished out;
  cursor.spaces();
  if (cursor.take('(')) {
    if (!equalsIgnoringCase(cursor.word(), "EARLIER")) return void(cursor.fail("VANISHED has an unknown tag"));
    if (!cursor.expect(')', "VANISHED is malformed")) return;
    out.when = VanishedWhen::Earlier;
    cursor.spaces();
  }
  auto set = takeUidSet(cursor, context.limits);
  if (!set || !finish(cursor)) return;
  out.uids = std::move(*set);
  context.events.emplace_back(std::move(out));
}

void parseEnabled(Cursor& cursor, const ResponseContext& context) {
  Enabled out;
  for (cursor.spaces(); !cursor.atEnd(); cursor.spaces()) {
    const std::string_view name = cursor.word();
    if (name.empty() || out.capabilities.size() >= context.limits.capabilities) {
      return void(cursor.fail("an ENABLED response is malformed or too long"));
    }
    out.capabilities.push_back(upperCase(name));
  }
  context.events.emplace_back(std::move(out));
}

void parseId(Cursor& cursor, const ResponseContext& context) {
  ServerId out;
  cursor.spaces();
  if (!cursor.take('(')) {
    if (!equalsIgnoringCase(cursor.word(), "NIL")) return void(cursor.fail("an ID response is malformed"));
    context.events.emplace_back(std::move(out));
    return;
  }
  for (cursor.spaces(); !cursor.take(')'); cursor.spaces()) {
    if (out.fields.size() >= context.limits.listLength) return void(cursor.fail("an ID response is too long"));
    auto name = cursor.astring();
    cursor.spaces();
    auto value = name ? cursor.nstring() : std::nullopt;
    if (!value) return;
    out.fields.emplace_back(std::move(*name), std::move(*value));
  }
  if (finish(cursor)) context.events.emplace_back(std::move(out));
}

using Parser = void (*)(Cursor&, const ResponseContext&);
struct Row {
  std::string_view name;
  Parser parse;
};
constexpr std::array kNamed = {
    Row{"FLAGS", parseFlags},         Row{"LIST", parseList},       Row{"LSUB", parseLsub},
    Row{"STATUS", parseStatus},       Row{"SEARCH", parseSearch},   Row{"ESEARCH", parseExtendedSearch},
    Row{"VANISHED", parseVanished},   Row{"ENABLED", parseEnabled}, Row{"ID", parseId},
    Row{"NAMESPACE", parseNamespace},
};

void parseNumbered(Cursor& cursor, const ResponseContext& context) {
  const auto number = cursor.numberOf<std::uint32_t>();
  if (!number) return;
  cursor.spaces();
  const std::string_view name = cursor.word();
  if (equalsIgnoringCase(name, "EXISTS")) {
    if (finish(cursor)) context.events.emplace_back(Exists{*number});
  } else if (equalsIgnoringCase(name, "RECENT")) {
    if (finish(cursor)) context.events.emplace_back(Recent{*number});
  } else if (equalsIgnoringCase(name, "EXPUNGE")) {
    if (*number == 0) return void(cursor.fail("0 is no sequence number"));
    if (finish(cursor)) context.events.emplace_back(Expunged{SequenceNumber{*number}});
  }
}

}  // namespace

void parseUntaggedData(Cursor& cursor, const ResponseContext& context) {
  if (cursor.peek() >= '0' && cursor.peek() <= '9') return parseNumbered(cursor, context);
  const std::string_view name = cursor.word();
  if (name.empty()) return void(cursor.fail("an untagged response has no name"));
  for (const Row& row : kNamed) {
    if (equalsIgnoringCase(row.name, name)) return row.parse(cursor, context);
  }
}

}  // namespace mailbraid::sync::imap
