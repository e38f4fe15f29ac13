#include "sync/imap/cursor.h"

#include <array>
#include <charconv>
#include <cstring>

namespace mailbraid::sync::imap {

namespace {

constexpr char upper(char octet) {
  return octet >= 'a' && octet <= 'z' ? static_cast<char>(octet - 'a' + 'A') : octet;
}

constexpr std::array<bool, 256> wordEnds() {
  std::array<bool, 256> ends{};
  for (const char octet : {' ', '(', ')', '"', '\r', '\n'}) ends[static_cast<unsigned char>(octet)] = true;
  return ends;
}
constexpr auto kWordEnds = wordEnds();

}  // namespace

bool equalsIgnoringCase(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (upper(left[i]) != upper(right[i])) return false;
  }
  return true;
}

std::string upperCase(std::string_view text) {
  std::string out(text);
  for (char& octet : out) octet = upper(octet);
  return out;
}

bool Cursor::fail(std::string_view reason) {
  if (reason_.empty()) reason_ = reason;
  return false;
}

std::string_view Cursor::word() {
  const std::size_t start = at_;
  while (at_ < text_.size() && !kWordEnds[static_cast<unsigned char>(text_[at_])]) ++at_;
  return text_.substr(start, at_ - start);
}

std::optional<std::uint64_t> Cursor::number(std::uint64_t maximum) {
  std::uint64_t value = 0;
  const char* const first = text_.data() + at_;
  const auto [end, error] = std::from_chars(first, text_.data() + text_.size(), value);
  if (error == std::errc::invalid_argument) {
    fail("a number is missing");
    return std::nullopt;
  }
  if (error != std::errc{} || value > maximum) {
    fail("a number is out of range");
    return std::nullopt;
  }
  at_ += static_cast<std::size_t>(end - first);
  return value;
}

std::optional<std::string_view> Cursor::quoted(std::string& scratch) {
  const std::size_t start = at_ + 1;
  std::size_t end = text_.find_first_of("\"\\", start);
  if (end != std::string_view::npos && text_[end] == '"') {
    at_ = end + 1;
    return text_.substr(start, end - start);
  }
  scratch.assign(text_.substr(start, end == std::string_view::npos ? 0 : end - start));
  while (end < text_.size() && text_[end] != '"') {
    if (text_[end] == '\\') ++end;
    if (end < text_.size()) scratch.push_back(text_[end++]);
  }
  if (end >= text_.size()) {
    fail("a quoted string does not end");
    return std::nullopt;
  }
  at_ = end + 1;
  return std::string_view(scratch);
}

std::optional<std::string_view> Cursor::literal() {
  std::uint64_t size = 0;
  const char* const first = text_.data() + at_ + 1;
  const char* const last = text_.data() + text_.size();
  const auto [end, error] = std::from_chars(first, last, size);
  const char* tail = end;
  if (error == std::errc{} && tail != last && *tail == '+') ++tail;
  if (error != std::errc{} || last - tail < 3 || std::memcmp(tail, "}\r\n", 3) != 0 ||
      static_cast<std::uint64_t>(last - tail - 3) < size) {
    fail("a literal is malformed");
    return std::nullopt;
  }
  const std::size_t start = static_cast<std::size_t>(tail - text_.data()) + 3;
  at_ = start + static_cast<std::size_t>(size);
  return text_.substr(start, static_cast<std::size_t>(size));
}

std::optional<std::string> Cursor::astring() {
  std::string scratch;
  if (peek() == '"') {
    const auto text = quoted(scratch);
    return text ? std::optional<std::string>(std::string(*text)) : std::nullopt;
  }
  if (peek() == '{') {
    const auto text = literal();
    return text ? std::optional<std::string>(std::string(*text)) : std::nullopt;
  }
  const std::string_view atom = word();
  if (atom.empty()) {
    fail("a string is missing");
    return std::nullopt;
  }
  return std::string(atom);
}

std::optional<std::string> Cursor::nstring() {
  const bool isAtom = peek() != '"' && peek() != '{';
  auto text = astring();
  if (isAtom && text && equalsIgnoringCase(*text, "NIL")) text->clear();
  return text;
}

bool Cursor::skipString() {
  std::string scratch;
  return peek() == '"' ? quoted(scratch).has_value() : literal().has_value();
}

bool Cursor::skipValue(unsigned maximumNesting) {
  unsigned depth = 0;
  do {
    spaces();
    if (atEnd()) return fail("a list does not end");
    const char octet = peek();
    if (octet == '(') {
      if (++depth > maximumNesting) return fail("lists are nested too deeply");
      ++at_;
    } else if (octet == ')') {
      if (depth == 0) return fail("a value is missing");
      --depth;
      ++at_;
    } else if (octet == '"' || octet == '{') {
      if (!skipString()) return false;
    } else if (word().empty()) {
      return fail("an octet that belongs to no value");
    }
  } while (depth != 0);
  return true;
}

}  // namespace mailbraid::sync::imap
