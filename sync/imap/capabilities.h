// What a server announced in CAPABILITY (RFC 9051 section 7.2.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::sync::imap {

/// A set of capability names, upper case. A value type.
class Capabilities {
 public:
  /// Names separated by spaces; empty ones are ignored (a quirk: doubled spaces). At most `maximum` are kept.
  static Capabilities parse(std::string_view names, std::size_t maximum);

  /// True when the server announced `name` (any case), or announced IMAP4rev2, which contains it (RFC 9051 appendix E).
  [[nodiscard]] bool has(std::string_view name) const;
  /// True only when `name` itself was announced.
  [[nodiscard]] bool announces(std::string_view name) const;
  /// SASL mechanisms in upper case: the X of every AUTH=X.
  [[nodiscard]] std::vector<std::string> authMechanisms() const;
  /// APPENDLIMIT with a number (RFC 7889): the octets that the server takes at most.
  [[nodiscard]] std::optional<std::uint64_t> appendLimit() const;
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool empty() const { return names_.empty(); }
  friend bool operator==(const Capabilities&, const Capabilities&) = default;

 private:
  std::vector<std::string> names_;  // sorted, unique
};

}  // namespace mailbraid::sync::imap
