// The brake: a large share of removals is held back until the user allows it (promise P7).
#pragma once

#include <cstdint>

namespace mailbraid::sync::plan {

inline constexpr std::uint64_t kBrakeCount = 20;   ///< up to so many removals are never held
inline constexpr std::uint64_t kBrakeDivisor = 4;  ///< more than one in so many is

/// `before` is how many messages were there before the removals. The same rule holds for a mailbox and for an endpoint.
constexpr bool brakes(std::uint64_t removals, std::uint64_t before) {
  return removals > kBrakeCount && removals > before / kBrakeDivisor;
}

/// With so many before them, `removals` are not held, so nobody need count further.
constexpr std::uint64_t neverBrakedFrom(std::uint64_t removals) {
  return removals * kBrakeDivisor;
}

}  // namespace mailbraid::sync::plan
