#include "sync/imap/list_parser.h"

#include <array>
#include <limits>
#include <utility>

namespace mailbraid::sync::imap {

namespace {

constexpr std::uint64_t kMaximumNumber63 = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

struct AttributeRow {
  std::string_view name;
  ListAttribute attribute;
};
constexpr std::array kAttributes = {
    AttributeRow{"\\NoSelect", ListAttribute::NoSelect},
    AttributeRow{"\\NonExistent", ListAttribute::NonExistent},
    AttributeRow{"\\NoInferiors", ListAttribute::NoInferiors},
    AttributeRow{"\\HasChildren", ListAttribute::HasChildren},
    AttributeRow{"\\HasNoChildren", ListAttribute::HasNoChildren},
    AttributeRow{"\\Marked", ListAttribute::Marked},
    AttributeRow{"\\Unmarked", ListAttribute::Unmarked},
    AttributeRow{"\\Subscribed", ListAttribute::Subscribed},
    AttributeRow{"\\Remote", ListAttribute::Remote},
};

struct SelectionRow {
  std::string_view name;
  ListSelection selection;
};
constexpr std::array kSelections = {
    SelectionRow{"SUBSCRIBED", ListSelection::Subscribed},
    SelectionRow{"REMOTE", ListSelection::Remote},
    SelectionRow{"RECURSIVEMATCH", ListSelection::RecursiveMatch},
    SelectionRow{"SPECIAL-USE", ListSelection::SpecialUse},
};

void addAttribute(std::string_view name, ListEntry& out) {
  for (const AttributeRow& row : kAttributes) {
    if (!equalsIgnoringCase(row.name, name)) continue;
    out.attributes.add(row.attribute);
    // RFC 9051 section 7.3.1: these say that and more.
    if (row.attribute == ListAttribute::NonExistent) out.attributes.add(ListAttribute::NoSelect);
    if (row.attribute == ListAttribute::NoInferiors) out.attributes.add(ListAttribute::HasNoChildren);
    return;
  }
  // Quirk LowerCaseSpecialUse: roles are compared in any case.
  const mailstore::Role role = mailstore::roleFromSpecialUse(name);
  if (role != mailstore::Role::None && out.role == mailstore::Role::None) out.role = role;
}

/// A wire name as other code compares it: INBOX has one spelling (quirk InboxInAnyCase).
std::string canonicalName(std::string name) {
  if (equalsIgnoringCase(name, "INBOX")) name = "INBOX";
  return name;
}

bool takeAttributes(Cursor& cursor, ListEntry& out, const Limits& limits) {
  if (!cursor.expect('(', "LIST does not begin with its attributes")) return false;
  std::size_t count = 0;
  for (cursor.spaces(); !cursor.take(')'); cursor.spaces()) {
    const std::string_view name = cursor.word();
    if (name.empty()) return cursor.fail("a list of mailbox attributes is malformed");
    if (++count > limits.listLength) return cursor.fail("a list of mailbox attributes is too long");
    addAttribute(name, out);
  }
  return true;
}

bool takeDelimiter(Cursor& cursor, std::optional<char>& out) {
  cursor.spaces();
  if (cursor.peek() != '"') {
    return equalsIgnoringCase(cursor.word(), "NIL") || cursor.fail("a mailbox delimiter is neither quoted nor NIL");
  }
  std::string scratch;
  const auto text = cursor.quoted(scratch);
  if (!text) return false;
  if (text->size() > 1) return cursor.fail("a mailbox delimiter has more than one character");
  if (text->empty()) return true;  // quirk DelimiterNilUnquoted
  const auto octet = static_cast<unsigned char>(text->front());
  if (octet < 0x20 || octet > 0x7E) return cursor.fail("a mailbox delimiter is no printable ASCII");
  out = text->front();
  return true;
}

bool takeChildInfo(Cursor& cursor, ListEntry& out, const Limits& limits) {
  if (!cursor.expect('(', "CHILDINFO is no list")) return false;
  std::size_t count = 0;
  for (cursor.spaces(); !cursor.take(')'); cursor.spaces()) {
    const auto name = cursor.astring();
    if (!name) return false;
    if (++count > limits.listLength) return cursor.fail("CHILDINFO is too long");
    for (const SelectionRow& row : kSelections) {
      if (equalsIgnoringCase(row.name, *name)) out.childInfo.add(row.selection);
    }
  }
  return true;
}

bool takeOldName(Cursor& cursor, ListEntry& out) {
  if (!cursor.expect('(', "OLDNAME is no list")) return false;
  auto name = cursor.astring();
  if (!name) return false;
  out.oldName = canonicalName(std::move(*name));
  cursor.spaces();
  return cursor.expect(')', "OLDNAME does not end");
}

/// The extended data of a LIST response (RFC 5258 section 3): ("CHILDINFO" ("SUBSCRIBED") other (...)).
bool takeExtendedData(Cursor& cursor, ListEntry& out, const Limits& limits) {
  cursor.spaces();
  if (!cursor.take('(')) return cursor.atEnd() || cursor.fail("something follows a mailbox name");
  for (cursor.spaces(); !cursor.take(')'); cursor.spaces()) {
    const auto name = cursor.astring();
    if (!name) return false;
    cursor.spaces();
    if (equalsIgnoringCase(*name, "CHILDINFO")) {
      if (!takeChildInfo(cursor, out, limits)) return false;
    } else if (equalsIgnoringCase(*name, "OLDNAME")) {
      if (!takeOldName(cursor, out)) return false;
    } else if (!cursor.skipValue(limits.nesting)) {
      return false;
    }
  }
  cursor.spaces();
  return cursor.atEnd() || cursor.fail("something follows a LIST response");
}

void parseEntry(ListOrigin origin, Cursor& cursor, const ResponseContext& context) {
  ListEntry out;
  out.origin = origin;
  cursor.spaces();
  if (!takeAttributes(cursor, out, context.limits) || !takeDelimiter(cursor, out.delimiter)) return;
  cursor.spaces();
  auto wire = cursor.astring();
  if (!wire || !takeExtendedData(cursor, out, context.limits)) return;
  out.wireName = canonicalName(std::move(*wire));
  DecodedName decoded = decodeMailboxName(out.wireName, out.delimiter, context.names);
  out.name = std::move(decoded.name);
  out.nameProblem = decoded.problem;
  if (out.wireName == "INBOX") out.role = mailstore::Role::Inbox;
  context.events.emplace_back(std::move(out));
}

template <class Value>
void takeNumberInto(Cursor& cursor, std::optional<Value>& out) {
  out = cursor.numberOf<Value>();
}

template <class Name>
void takeNamedInto(Cursor& cursor, std::optional<Name>& out, std::uint64_t maximum) {
  const auto number = cursor.number(maximum);
  // 0 means not known (quirks UidNextZero, HighestModSeqZero).
  if (number && *number != 0) out = Name{static_cast<typename Name::Value>(*number)};
}

bool takeObjectId(Cursor& cursor, std::string& out) {
  if (!cursor.expect('(', "MAILBOXID has no parentheses")) return false;
  out = cursor.word();
  return cursor.expect(')', "MAILBOXID does not end");
}

bool takeAppendLimit(Cursor& cursor, std::optional<std::uint64_t>& out) {
  if (cursor.peek() >= '0' && cursor.peek() <= '9') {
    takeNumberInto(cursor, out);
    return !cursor.failed();
  }
  return equalsIgnoringCase(cursor.word(), "NIL") || cursor.fail("APPENDLIMIT is neither a number nor NIL");
}

bool takeStatusItem(Cursor& cursor, std::string_view name, StatusData& out, const Limits& limits) {
  constexpr std::uint64_t kMaximum32 = std::numeric_limits<std::uint32_t>::max();
  if (equalsIgnoringCase(name, "MESSAGES")) {
    takeNumberInto(cursor, out.messages);
  } else if (equalsIgnoringCase(name, "UIDNEXT")) {
    takeNamedInto(cursor, out.uidNext, kMaximum32);
  } else if (equalsIgnoringCase(name, "UIDVALIDITY")) {
    takeNamedInto(cursor, out.uidValidity, kMaximum32);
  } else if (equalsIgnoringCase(name, "UNSEEN")) {
    takeNumberInto(cursor, out.unseen);
  } else if (equalsIgnoringCase(name, "DELETED")) {
    takeNumberInto(cursor, out.deleted);
  } else if (equalsIgnoringCase(name, "SIZE")) {
    takeNumberInto(cursor, out.size);
  } else if (equalsIgnoringCase(name, "HIGHESTMODSEQ")) {
    takeNamedInto(cursor, out.highestModSeq, kMaximumNumber63);
  } else if (equalsIgnoringCase(name, "MAILBOXID")) {
    return takeObjectId(cursor, out.mailboxId);
  } else if (equalsIgnoringCase(name, "APPENDLIMIT")) {
    return takeAppendLimit(cursor, out.appendLimit);
  } else {
    return cursor.skipValue(limits.nesting);
  }
  return !cursor.failed();
}

/// The name of a STATUS response. Quirk StatusNameUnquoted: unquoted it goes up to the first list.
std::optional<std::string> takeStatusName(Cursor& cursor) {
  if (cursor.peek() == '"' || cursor.peek() == '{') return cursor.astring();
  const std::string_view rest = cursor.rest();
  const std::size_t open = rest.find(" (");
  if (open == std::string_view::npos || open == 0) return cursor.astring();
  cursor.skip(open);
  return std::string(rest.substr(0, open));
}

bool takeNamespaceEntry(Cursor& cursor, NamespaceEntry& out, const Limits& limits) {
  if (!cursor.expect('(', "a namespace is no list")) return false;
  auto prefix = cursor.astring();
  if (!prefix) return false;
  out.prefix = std::move(*prefix);
  if (!takeDelimiter(cursor, out.delimiter)) return false;
  for (cursor.spaces(); !cursor.take(')'); cursor.spaces()) {
    if (!cursor.skipValue(limits.nesting)) return false;
  }
  return true;
}

bool takeNamespaces(Cursor& cursor, std::vector<NamespaceEntry>& out, const Limits& limits) {
  cursor.spaces();
  if (!cursor.take('(')) return equalsIgnoringCase(cursor.word(), "NIL") || cursor.fail("a namespace is malformed");
  for (cursor.spaces(); !cursor.take(')'); cursor.spaces()) {
    if (out.size() >= limits.listLength) return cursor.fail("there are too many namespaces");
    out.emplace_back();
    if (!takeNamespaceEntry(cursor, out.back(), limits)) return false;
  }
  return true;
}

}  // namespace

void parseList(Cursor& cursor, const ResponseContext& context) {
  parseEntry(ListOrigin::List, cursor, context);
}

void parseLsub(Cursor& cursor, const ResponseContext& context) {
  parseEntry(ListOrigin::Lsub, cursor, context);
}

void parseStatus(Cursor& cursor, const ResponseContext& context) {
  StatusData out;
  cursor.spaces();
  auto name = takeStatusName(cursor);
  if (!name) return;
  out.mailbox = canonicalName(std::move(*name));
  cursor.spaces();
  if (!cursor.expect('(', "STATUS has no list of items")) return;
  std::size_t count = 0;
  for (cursor.spaces(); !cursor.take(')'); cursor.spaces()) {
    const std::string_view item = cursor.word();
    if (item.empty() || ++count > context.limits.listLength) return void(cursor.fail("a STATUS item is malformed"));
    cursor.spaces();
    if (!takeStatusItem(cursor, item, out, context.limits)) return;
  }
  context.events.emplace_back(std::move(out));
}

void parseNamespace(Cursor& cursor, const ResponseContext& context) {
  Namespaces out;
  if (!takeNamespaces(cursor, out.personal, context.limits)) return;
  if (!takeNamespaces(cursor, out.otherUsers, context.limits)) return;
  if (!takeNamespaces(cursor, out.shared, context.limits)) return;
  context.events.emplace_back(std::move(out));
}

}  // namespace mailbraid::sync::imap
