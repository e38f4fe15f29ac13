// Small readers of reply lines. Internal to sync/pop3.
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mailbraid::sync::pop3 {

/// Takes the next word off `rest`: skips spaces and tabs, reads up to the next. Tells by `skipped` how many it skipped.
struct Word {
  std::string_view text;
  std::size_t skipped = 0;
};
inline Word takeWord(std::string_view& rest) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t start = rest.find_first_not_of(kBlank);
  if (start == std::string_view::npos) {
    const std::size_t skipped = rest.size();
    rest = {};
    return {{}, skipped};
  }
  const std::size_t end = rest.find_first_of(kBlank, start);
  const Word word{rest.substr(start, end == std::string_view::npos ? end : end - start), start};
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  return word;
}

/// The whole text as a decimal number that fits; else empty.
template <class Number>
std::optional<Number> parseNumber(std::string_view text) {
  Number value{};
  const auto [at, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || status != std::errc() || at != text.data() + text.size()) return std::nullopt;
  return value;
}

inline char upperAscii(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
inline std::string upperAscii(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = upperAscii(c);
  return out;
}

/// A server's words for people: control characters become `?`, so that a terminal is not steered by them.
inline std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return out;
}

}  // namespace mailbraid::sync::pop3
