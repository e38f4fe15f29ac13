#include "mailstore/formats/mbox_parser.h"

#include "mailstore/header_fields.h"

#include <algorithm>
#include <utility>

namespace mailbraid::mailstore {
namespace {

constexpr std::size_t kLongestLine = 64UL * 1024;
constexpr std::size_t kBlock = 64UL * 1024;

std::string_view withoutReturn(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

struct Field {
  std::string_view name;
  std::string_view value;
};

/// None: the line is no field of a header (RFC 5322 section 2.2).
std::optional<Field> fieldOf(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const std::string_view name = line.substr(0, colon);
  if (!std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7F; })) return std::nullopt;
  return Field{name, line.substr(colon + 1)};
}

bool isFolded(std::string_view line) {
  return line.starts_with(' ') || line.starts_with('\t');
}

}  // namespace

MboxParser::MboxParser(MboxQuoting quoting, std::uint64_t offset, Events& events, std::optional<bool> asItIs)
    : quoting_(quoting), events_(events), knownAsItIs_(asItIs), offset_(offset) {}

bool MboxParser::feed(std::string_view octets) {
  while (!octets.empty() && !notMbox_) {
    const std::size_t newline = octets.find('\n');
    const bool hasEnd = newline != std::string_view::npos;
    std::string_view part = octets.substr(0, newline);
    const std::size_t used = part.size() + (hasEnd ? 1 : 0);
    octets.remove_prefix(used);
    if (longLine_) {
      emit(part);
      if (hasEnd) lineEnd_ = "\n";
      longLine_ = !hasEnd;
    } else if (hasEnd && carry_.empty()) {
      lineAt_ = offset_;
      line(part, true);
    } else {
      if (carry_.empty()) lineAt_ = offset_;
      carry_ += part;
      longLine_ = !hasEnd && carry_.size() > kLongestLine;
      if (hasEnd || longLine_) {
        const std::string whole = std::exchange(carry_, {});
        line(whole, hasEnd);
      }
    }
    offset_ += used;
  }
  return !notMbox_;
}

bool MboxParser::finish() {
  if (!carry_.empty() && !notMbox_) {
    const std::string whole = std::exchange(carry_, {});
    line(whole, false);
  }
  decideCandidate({});
  if (open_) closeMessage(offset_);
  return !notMbox_;
}

void MboxParser::decideCandidate(std::string_view next) {
  if (candidate_.empty()) return;
  const std::string postmark = std::exchange(candidate_, {});
  if (fieldOf(next)) {
    border(postmark, candidateAt_, {std::nullopt, false, true, false});
  } else {
    content(postmark, true);
  }
}

void MboxParser::line(std::string_view raw, bool hasEnd) {
  const std::uint64_t at = lineAt_;
  decideCandidate(withoutReturn(raw));
  const std::string_view text = withoutReturn(raw);
  const std::optional<MboxPostmark> postmark = text.starts_with("From ") ? parsePostmark(text) : std::nullopt;
  if (postmark && (postmark->date || !open_)) {
    border(raw, at, *postmark);
  } else if (postmark && postmark->bare && afterEmpty_ && hasEnd) {
    candidate_ = raw;
    candidateAt_ = at;
  } else if (open_) {
    content(raw, hasEnd);
  } else {
    notMbox_ = !text.empty();
  }
}

void MboxParser::border(std::string_view raw, std::uint64_t at, const MboxPostmark& postmark) {
  static_cast<void>(raw);
  if (open_) closeMessage(at);
  open_ = true;
  message_ = {};
  message_.place.begin = at;
  message_.date = postmark.date;
  message_.isThunderbirds = postmark.isThunderbirds;
  openEnd_ = postmark.openEnd;
  inHeader_ = inTop_ = true;
  topFound_ = false;
  top_.clear();
  status_ = {};
  lastTakenOut_ = {};
  lineEnd_.clear();
  emptyLine_.clear();
  ends_ = !knownAsItIs_ ? Ends::Unknown : *knownAsItIs_ ? Ends::AsItIs : Ends::LineFeed;
  mixed_ = false;
  afterEmpty_ = false;
  events_.begin();
}

void MboxParser::closeMessage(std::uint64_t end) {
  if (inTop_) endTop();
  if (!openEnd_) emit(lineEnd_);
  if (!out_.empty()) events_.octets(out_);
  out_.clear();
  message_.place.end = end;
  if (inHeader_) message_.place.headerEnd = end;
  message_.place.asItIs = ends_ == Ends::AsItIs || mixed_;
  message_.flags = status_.flags();
  message_.hidden = status_.isExpunged() || status_.isInternal();
  open_ = false;
  events_.end(message_, mixed_);
}

void MboxParser::content(std::string_view raw, bool hasEnd) {
  afterEmpty_ = withoutReturn(raw).empty();
  if (inHeader_) {
    headerLine(raw, hasEnd);
  } else {
    bodyLine(raw, hasEnd);
  }
}

void MboxParser::headerLine(std::string_view raw, bool hasEnd) {
  const std::string_view text = withoutReturn(raw);
  if (inTop_) {
    const std::optional<Field> field = fieldOf(text);
    if (field && joinsTop(field->name, hasEnd)) {
      top_.emplace_back(raw);
      return;
    }
    endTop();
  }
  if (text.empty()) {
    inHeader_ = false;
    message_.place.headerEnd = lineAt_ + raw.size() + (hasEnd ? 1 : 0);
  } else if (takesOut(text)) {
    return;
  }
  bodyLine(raw, hasEnd);
}

bool MboxParser::joinsTop(std::string_view name, bool hasEnd) const {
  using Kind = MboxStatus::Field;
  const auto family = [](std::string_view one) {
    const Kind kind = MboxStatus::kindOf(one);
    return kind == Kind::Account ? Kind::Thunderbird : kind;
  };
  const Kind kind = family(name);
  if (!hasEnd || (kind != Kind::Plain && kind != Kind::Thunderbird)) return false;
  return std::all_of(top_.begin(), top_.end(), [&](const std::string& line) {
    const std::string_view other = fieldOf(line)->name;
    return family(other) == kind && !equalIgnoringCase(other, name);
  });
}

void MboxParser::endTop() {
  inTop_ = false;
  const auto decides = [](const std::string& line) {
    const Field field = *fieldOf(line);
    return (equalIgnoringCase(field.name, "Status") || equalIgnoringCase(field.name, "X-Mozilla-Status")) &&
           MboxStatus::isPlausible(field.name, field.value);
  };
  topFound_ = std::any_of(top_.begin(), top_.end(), decides);
  const std::vector<std::string> lines = std::exchange(top_, {});
  for (const std::string& line : lines) {
    const Field field = *fieldOf(line);
    if (topFound_) {
      status_.take(field.name, field.value);
    } else if (!takesOut(withoutReturn(line))) {
      bodyLine(line, true);
    }
  }
}

/// Whether the line of the header is the mbox's own.
bool MboxParser::takesOut(std::string_view text) {
  using Kind = MboxStatus::Field;
  if (isFolded(text)) {
    if (lastTakenOut_ == "X-Keywords") status_.take(lastTakenOut_, text);
    return !lastTakenOut_.empty();
  }
  const std::string_view before = std::exchange(lastTakenOut_, {});
  const std::optional<Field> field = fieldOf(text);
  if (!field) return false;
  const Kind kind = MboxStatus::kindOf(field->name);
  const bool lines = before == "Content-Length" && equalIgnoringCase(field->name, "Lines");  // mutt writes both
  const bool ours = kind == Kind::Volatile || (!topFound_ && (lines || (kind != Kind::None && kind != Kind::Account)));
  if (!ours || !MboxStatus::isPlausible(field->name, field->value)) return false;
  status_.take(field->name, field->value);
  lastTakenOut_ = kind == Kind::Length                           ? "Content-Length"
                  : equalIgnoringCase(field->name, "X-Keywords") ? "X-Keywords"
                                                                 : "another";
  return true;
}

void MboxParser::bodyLine(std::string_view raw, bool hasEnd) {
  if (withoutReturn(raw).empty() && hasEnd) {
    if (!emptyLine_.empty()) {
      emit(lineEnd_);
      emit(std::string_view(emptyLine_).substr(0, emptyLine_.size() - 1));
      lineEnd_ = "\n";
    }
    emptyLine_ = raw;
    emptyLine_ += '\n';
    return;
  }
  emit(lineEnd_);
  emit(emptyLine_);
  emptyLine_.clear();
  const std::size_t quotes = std::min(raw.find_first_not_of('>'), raw.size());
  const bool quoted = quotes > 0 && raw.substr(quotes).starts_with("From ");
  if (quoted && (quoting_ == MboxQuoting::Mboxrd || quotes == 1)) raw.remove_prefix(1);
  emit(raw);
  lineEnd_ = "\n";
}

void MboxParser::emit(std::string_view octets) {
  if (octets.empty() || mixed_) return;
  if (ends_ == Ends::Unknown) {
    const std::size_t first = octets.find_first_of("\r\n");
    if (first != std::string_view::npos) ends_ = octets[first] == '\r' ? Ends::AsItIs : Ends::LineFeed;
  }
  if (ends_ == Ends::LineFeed) {
    mixed_ = octets.find('\r') != std::string_view::npos;
    if (mixed_) return;
    const std::size_t before = out_.size();
    for (std::size_t end = octets.find('\n'); end != std::string_view::npos; end = octets.find('\n')) {
      out_ += octets.substr(0, end);
      out_ += "\r\n";
      octets.remove_prefix(end + 1);
    }
    out_ += octets;
    message_.size += out_.size() - before;
  } else {
    out_ += octets;
    message_.size += octets.size();
  }
  if (out_.size() < kBlock) return;
  events_.octets(out_);
  out_.clear();
}

}  // namespace mailbraid::mailstore
