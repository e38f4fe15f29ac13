// A set of the values of one enum, as bits.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace mailbraid::sync::imap {

/// Holds values of E, an enum class that counts from 0 to at most 31. A value type.
template <class E>
class EnumSet {
 public:
  constexpr EnumSet() = default;
  constexpr EnumSet(std::initializer_list<E> values) {
    for (const E value : values) add(value);
  }
  constexpr void add(E value) { bits_ |= bit(value); }
  constexpr void remove(E value) { bits_ &= ~bit(value); }
  [[nodiscard]] constexpr bool has(E value) const { return (bits_ & bit(value)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(const EnumSet&, const EnumSet&) = default;

 private:
  static constexpr std::uint32_t bit(E value) { return std::uint32_t{1} << static_cast<unsigned>(value); }
  std::uint32_t bits_ = 0;
};

}  // namespace mailbraid::sync::imap
