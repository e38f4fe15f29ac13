#include "sync/imap/fetch_parser.h"

#include "sync/imap/flag_list.h"
#include "sync/imap/internal_date.h"

#include <array>
#include <limits>
#include <utility>

namespace mailbraid::sync::imap {

namespace {

constexpr std::uint64_t kMaximumModSeq = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
constexpr std::size_t kMaximumObjectId = 255;  // RFC 8474 section 4

struct SectionRow {
  std::string_view name;
  BodySection section;
};
constexpr std::array kSections = {
    SectionRow{"BODY[]", BodySection::Whole},      SectionRow{"BODY[HEADER]", BodySection::Header},
    SectionRow{"RFC822", BodySection::Whole},      SectionRow{"RFC822.HEADER", BodySection::Header},
    SectionRow{"RFC822.TEXT", BodySection::Other},
};

/// The section of an item that is a body; empty for other items.
std::optional<BodySection> sectionOf(std::string_view name) {
  for (const SectionRow& row : kSections) {
    if (equalsIgnoringCase(row.name, name)) return row.section;
  }
  const bool hasSection = name.find('[') != std::string_view::npos;
  return hasSection ? std::optional<BodySection>(BodySection::Other) : std::nullopt;
}

/// An item's name with its section and origin: FLAGS, BODY[HEADER.FIELDS (From)]<0>.
std::string_view takeName(Cursor& cursor) {
  const std::string_view text = cursor.rest();
  const std::size_t end = text.find_first_of(" ([)\"");
  if (end == std::string_view::npos || text[end] != '[') return cursor.word();
  std::size_t close = text.find(']', end);
  if (close == std::string_view::npos) return {};
  while (++close < text.size() && text[close] != ' ' && text[close] != '(' && text[close] != ')') {
  }
  cursor.skip(close);
  return text.substr(0, close);
}

}  // namespace

void FetchParser::begin(SequenceNumber number, std::vector<Event>& events) {
  attributes_ = FetchAttributes{};
  attributes_.sequence = number;
  where_ = Where::Start;
  depth_ = 0;
  labelOctets_ = 0;
  items_ = 0;
  closed_ = false;
  events.emplace_back(FetchBegin{number});
}

FetchParser::Outcome FetchParser::part(std::string_view text, std::optional<std::uint64_t> literal,
                                       std::uint64_t offset, std::vector<Event>& events) {
  events_ = &events;
  unquoted_.clear();
  literalIsBody_ = false;
  offset_ = offset;
  remarks_ = 0;
  Cursor cursor(text);
  bool good = true;
  if (where_ == Where::Skipping) good = skipping(cursor, literal.has_value());
  if (good && where_ == Where::Labels) good = labels(cursor, literal.has_value());
  if (good && where_ == Where::Start) {
    good = cursor.expect('(', "a FETCH response does not begin with (");
    where_ = Where::Items;
  }
  if (good && where_ == Where::Items && !literalIsBody_) good = items(cursor, literal.has_value());
  if (good && literal && closed_) good = cursor.fail("a literal behind the end of a FETCH response");
  if (good && !literal && !closed_) good = cursor.fail("a FETCH response does not end");
  if (good && literal && where_ == Where::Items && !literalIsBody_)
    good = cursor.fail("a literal without a FETCH item");
  Outcome out;
  out.problem = cursor.reason();
  out.at = cursor.at();
  out.remarks = remarks_;
  if (!good || !literal) return out;
  if (where_ == Where::Labels) out.literal = LiteralUse::Label;
  if (literalIsBody_) {
    out.skipped = !beginBody(pendingBody_, *literal);
    out.literal = out.skipped ? LiteralUse::Discard : LiteralUse::Stream;
  }
  return out;
}

void FetchParser::label(std::string_view text) {
  labelOctets_ += text.size();
  attributes_.gmailLabels.emplace_back(text);
}

void FetchParser::end(std::vector<Event>& events) {
  events.emplace_back(FetchEnd{std::move(attributes_)});
}

bool FetchParser::items(Cursor& cursor, bool literalFollows) {
  while (where_ == Where::Items && !literalIsBody_) {
    cursor.spaces();
    if (cursor.atEnd()) return true;
    if (cursor.take(')')) {
      cursor.spaces();
      closed_ = true;
      return cursor.atEnd() || cursor.fail("something follows a FETCH response");
    }
    const std::string_view name = takeName(cursor);
    if (name.empty()) return cursor.fail("a FETCH item has no name");
    if (++items_ > limits_.listLength) return cursor.fail("a FETCH response has too many items");
    cursor.spaces();
    if (!item(cursor, name, literalFollows)) return false;
  }
  return true;
}

bool FetchParser::item(Cursor& cursor, std::string_view name, bool literalFollows) {
  if (equalsIgnoringCase(name, "UID")) return uid(cursor);
  if (equalsIgnoringCase(name, "FLAGS")) return flags(cursor);
  if (equalsIgnoringCase(name, "MODSEQ")) return modSeq(cursor);
  if (equalsIgnoringCase(name, "RFC822.SIZE")) {
    attributes_.size = cursor.number(kMaximumModSeq);
    return attributes_.size.has_value();
  }
  if (equalsIgnoringCase(name, "INTERNALDATE")) return internalDate(cursor);
  if (equalsIgnoringCase(name, "EMAILID")) return objectId(cursor, attributes_.emailId);
  if (equalsIgnoringCase(name, "THREADID")) return objectId(cursor, attributes_.threadId);
  if (equalsIgnoringCase(name, "X-GM-MSGID")) {
    attributes_.gmailMessageId = cursor.number(std::numeric_limits<std::uint64_t>::max());
    return attributes_.gmailMessageId.has_value();
  }
  if (equalsIgnoringCase(name, "X-GM-LABELS") && cursor.take('(')) return labels(cursor, literalFollows);
  if (sectionOf(name)) return body(cursor, name, literalFollows);
  return skipping(cursor, literalFollows);  // quirk UnknownFetchItem
}

bool FetchParser::uid(Cursor& cursor) {
  const auto number = cursor.numberOf<std::uint32_t>();
  if (!number) return false;
  if (*number == 0) return cursor.fail("0 is no UID");
  if (attributes_.uid && attributes_.uid->value() != *number) return cursor.fail("a message has two UIDs");
  attributes_.uid = mailstore::Uid{*number};
  return true;
}

bool FetchParser::flags(Cursor& cursor) {
  auto list = takeFlagList(cursor, limits_.listLength);
  if (!list) return false;
  attributes_.flags = std::move(list->flags);
  return true;
}

bool FetchParser::internalDate(Cursor& cursor) {
  std::string scratch;
  const std::size_t at = cursor.at();
  if (cursor.peek() != '"') return cursor.fail("INTERNALDATE is not quoted");
  const auto text = cursor.quoted(scratch);
  if (!text) return false;
  attributes_.internalDate = parseInternalDate(*text);
  if (!attributes_.internalDate) {
    ++remarks_;
    events_->emplace_back(Malformed{offset_ + at, "INTERNALDATE is no date", Severity::LeftOut});
  }
  return true;
}

bool FetchParser::modSeq(Cursor& cursor) {
  const bool inParentheses = cursor.take('(');  // quirk ModSeqWithoutParentheses
  const auto number = cursor.number(kMaximumModSeq);
  if (!number) return false;
  if (*number != 0) attributes_.modSeq = mailstore::ModSeq{*number};  // quirk HighestModSeqZero
  return !inParentheses || cursor.expect(')', "MODSEQ does not end");
}

bool FetchParser::objectId(Cursor& cursor, std::string& out) {
  const bool inParentheses = cursor.take('(');
  const std::string_view id = cursor.word();
  if (id.empty() || id.size() > kMaximumObjectId) return cursor.fail("an object identifier is malformed");
  if (inParentheses) {
    out = id;
    return cursor.expect(')', "an object identifier does not end");
  }
  return equalsIgnoringCase(id, "NIL") || cursor.fail("an object identifier has no parentheses");
}

bool FetchParser::labels(Cursor& cursor, bool literalFollows) {
  where_ = Where::Items;
  std::string scratch;
  for (cursor.spaces(); !cursor.take(')'); cursor.spaces()) {
    if (attributes_.gmailLabels.size() >= limits_.listLength) return cursor.fail("a list of labels is too long");
    if (cursor.atEnd()) {
      where_ = Where::Labels;
      return literalFollows || cursor.fail("a list of labels does not end");
    }
    const bool isQuoted = cursor.peek() == '"';
    const auto text = isQuoted ? cursor.quoted(scratch) : std::optional<std::string_view>(cursor.word());
    if (!text) return false;
    if (text->empty() && !isQuoted) return cursor.fail("a label is malformed");
    if (labelOctets_ + text->size() > limits_.gatheredResponse) return cursor.fail("labels are too long");
    label(*text);
  }
  return true;
}

bool FetchParser::skipping(Cursor& cursor, bool literalFollows) {
  const bool resumes = where_ == Where::Skipping;
  where_ = Where::Items;
  // Resumed at depth 0 the value was the literal itself, and is over.
  if (resumes && depth_ == 0) return true;
  std::string scratch;
  do {
    cursor.spaces();
    if (cursor.atEnd()) {
      where_ = Where::Skipping;
      return literalFollows || cursor.fail("a FETCH item does not end");
    }
    if (cursor.take('(')) {
      if (++depth_ > limits_.nesting) return cursor.fail("lists are nested too deeply");
    } else if (cursor.peek() == ')') {
      if (depth_ == 0) return cursor.fail("a FETCH item has no value");
      --depth_;
      cursor.skip(1);
    } else if (cursor.peek() == '"') {
      if (!cursor.quoted(scratch)) return false;
    } else if (cursor.word().empty()) {
      return cursor.fail("an octet that belongs to no value");
    }
  } while (depth_ != 0);
  return true;
}

bool FetchParser::body(Cursor& cursor, std::string_view name, bool literalFollows) {
  if (cursor.atEnd()) {
    pendingBody_ = name;
    literalIsBody_ = literalFollows;
    return literalFollows || cursor.fail("a body is missing");
  }
  const BodySection section = *sectionOf(name);
  if (cursor.peek() != '"') {
    if (!equalsIgnoringCase(cursor.word(), "NIL")) return cursor.fail("a body is no string");
    events_->emplace_back(BodyMissing{section, name});  // quirk BodyNil
    return true;
  }
  unquoted_.emplace_back();
  const auto text = cursor.quoted(unquoted_.back());  // quirk BodyQuoted
  if (!text) return false;
  events_->emplace_back(BodyBegin{section, name, text->size(), attributes_.uid});
  if (!text->empty()) events_->emplace_back(BodyChunk{*text});
  events_->emplace_back(BodyEnd{});
  return true;
}

bool FetchParser::beginBody(std::string_view name, std::uint64_t size) {
  const BodySection section = *sectionOf(name);
  if (size > (section == BodySection::Header ? limits_.headerLiteral : limits_.bodyLiteral)) return false;
  events_->emplace_back(BodyBegin{section, name, size, attributes_.uid});
  return true;
}

}  // namespace mailbraid::sync::imap
