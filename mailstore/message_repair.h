// Changes that make a message acceptable to a server that refuses it as it is. Pure. Made only where the user asked for
// them by name; the store keeps the message as it came.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailbraid::mailstore {

enum class Repair : std::uint8_t {
  Nul,          ///< NUL octets are left out: the size then tells the two apart
  EightBit,     ///< octets above 127 in the header become encoded words (RFC 2047)
  BareNewline,  ///< a CR or LF by itself becomes CRLF
  Date,         ///< an internal date before 1970 or after now becomes the nearest one between them
};

/// As in the configuration, by the enum's order.
inline constexpr std::array<std::string_view, 4> kRepairNames{"nul", "8bit-header", "bare-newline", "date"};
constexpr std::string_view repairName(Repair repair) {
  return kRepairNames[static_cast<std::size_t>(repair)];
}

/// A set of repairs.
class Repairs {
 public:
  void add(Repair repair) { bits_ = static_cast<std::uint8_t>(bits_ | bit(repair)); }
  void add(const Repairs& others) { bits_ = static_cast<std::uint8_t>(bits_ | others.bits_); }
  [[nodiscard]] bool has(Repair repair) const { return (bits_ & bit(repair)) != 0; }
  [[nodiscard]] bool empty() const { return bits_ == 0; }
  /// "nul, date"
  [[nodiscard]] std::string names() const;
  friend bool operator==(const Repairs&, const Repairs&) = default;

 private:
  static constexpr std::uint8_t bit(Repair repair) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(repair));
  }
  std::uint8_t bits_ = 0;
};

/// Octets of a message that may be repaired: it lies in memory meanwhile, more than once.
inline constexpr std::uint64_t kMostRepaired = std::uint64_t{8} << 20U;

/// The message with one kind of fault mended; none: it has no such fault. Not for Date.
std::optional<std::string> repaired(std::string_view octets, Repair repair);

/// With all of `repairs` that it is in need of, in the enum's order.
std::string repaired(std::string_view octets, const Repairs& repairs);

}  // namespace mailbraid::mailstore
