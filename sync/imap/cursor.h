// Reading the words of one response. Internal to sync/imap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace mailbraid::sync::imap {

/// ASCII case-insensitive comparison, the one that IMAP's words need.
bool equalsIgnoringCase(std::string_view left, std::string_view right);
std::string upperCase(std::string_view text);

/// Walks over a text. The first failure stays, with its place and reason; every read after it fails. Literals stand in
/// the text as they came, `{5}` CRLF and the octets.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  [[nodiscard]] bool atEnd() const { return at_ == text_.size(); }
  /// The next octet, NUL at the end.
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  void skip(std::size_t count) { at_ += count; }

  [[nodiscard]] bool failed() const { return !reason_.empty(); }
  [[nodiscard]] std::string_view reason() const { return reason_; }
  /// Notes a failure here; `reason` is static text. Always false, to be returned.
  bool fail(std::string_view reason);

  bool take(char octet) {
    if (peek() != octet || atEnd()) return false;
    ++at_;
    return true;
  }
  bool expect(char octet, std::string_view reason) { return take(octet) || fail(reason); }
  /// Any number of spaces, none too (quirk ExtraSpaces).
  void spaces() {
    while (take(' ')) {
    }
  }
  /// Octets up to a space, parenthesis, quote or the end; may be empty.
  std::string_view word();
  /// Digits, at most `maximum`.
  std::optional<std::uint64_t> number(std::uint64_t maximum);
  template <class Value>
  std::optional<Value> numberOf() {
    const auto value = number(std::numeric_limits<Value>::max());
    return value ? std::optional<Value>(static_cast<Value>(*value)) : std::nullopt;
  }
  /// A quoted string, the cursor being on its first quote. Views the text when nothing is escaped, else `scratch`.
  std::optional<std::string_view> quoted(std::string& scratch);
  /// Quoted, literal or atom (RFC 9051 astring, with what servers send besides).
  std::optional<std::string> astring();
  /// NIL, quoted or literal; a NIL comes out as an empty text.
  std::optional<std::string> nstring();
  /// One value of any shape: atom, string, literal, list.
  bool skipValue(unsigned maximumNesting);

 private:
  bool skipString();
  std::optional<std::string_view> literal();

  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view reason_;
};

}  // namespace mailbraid::sync::imap
