// Flags and keywords of one message (RFC 9051 section 2.3.2).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::mailstore {

/// System flags as bits. \Recent is not kept: it belongs to a session, not to a message.
enum class SystemFlag : std::uint8_t { Seen = 1, Answered = 2, Flagged = 4, Deleted = 8, Draft = 16 };

/// A set of system flags and keywords. Keywords compare without regard to ASCII case and keep the spelling first seen.
/// They are held sorted, so that equal sets have equal text. A value type; copies are cheap while there are no
/// keywords.
class Flags {
 public:
  Flags() = default;
  /// `\Seen`, `$Forwarded`, `work` ...; `\Recent`, `\*`, empty and unknown backslash flags are left out.
  static Flags parse(const std::vector<std::string>& names);
  /// From the store's two columns: the bits and the keywords joined by one space.
  static Flags fromColumns(std::uint8_t bits, std::string_view keywords);

  static Flags of(SystemFlag flag) {
    Flags out;
    out.add(flag);
    return out;
  }

  void add(SystemFlag flag) { bits_ = static_cast<std::uint8_t>(bits_ | static_cast<std::uint8_t>(flag)); }
  /// True when `name` was taken in: see parse().
  bool add(std::string_view name);
  [[nodiscard]] bool has(SystemFlag flag) const { return (bits_ & static_cast<std::uint8_t>(flag)) != 0; }
  [[nodiscard]] bool hasKeyword(std::string_view name) const;
  [[nodiscard]] bool empty() const { return bits_ == 0 && keywords_.empty(); }

  [[nodiscard]] std::uint8_t bits() const { return bits_; }
  /// Keywords joined by one space: the store's column.
  [[nodiscard]] std::string keywordColumn() const;
  /// As IMAP writes them, system flags first: {"\\Seen", "$Forwarded"}.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] const std::vector<std::string>& keywords() const { return keywords_; }

  /// Flags of this set that `other` does not have.
  [[nodiscard]] Flags without(const Flags& other) const;
  [[nodiscard]] Flags unitedWith(const Flags& other) const;
  friend bool operator==(const Flags& left, const Flags& right);

 private:
  std::uint8_t bits_ = 0;
  std::vector<std::string> keywords_;
};

}  // namespace mailbraid::mailstore
