// What of a day's budget is left, and which messages fit into it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mailbraid::sync::plan {

/// Of octets that an account may be asked for in a day of UTC.
struct DayBudget {
  std::uint64_t whole = 0;  ///< octets
  std::uint64_t spent = 0;
  bool touched = false;  ///< a message went through today
  [[nodiscard]] std::uint64_t left() const { return whole - (spent < whole ? spent : whole); }
};

/// What the protocol needs around a message, on the safe side.
inline constexpr std::uint64_t kMessageOverhead = 400;

/// A message that is to go.
struct Load {
  std::uint64_t size = 0;  ///< octets
  /// By when it was refused last, of several: the smallest is the one of longest ago. None: it never was. It may be for
  /// nothing that others wait for it.
  std::optional<std::int64_t> refused = std::nullopt;
};

/// For each message whether it goes today, first come, first served; a smaller one goes though one before it does not
/// fit. One that does not fit though nothing went before on this day goes then, alone: otherwise it never would. One
/// that was refused before does so only when nothing else could go; of several, the one that was refused longest ago.
std::vector<bool> fitting(std::span<const Load> loads, const DayBudget& budget);
std::vector<bool> fitting(std::span<const std::uint64_t> sizes, const DayBudget& budget);

/// Messages that wait for another day.
struct Leftover {
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;
};

/// Days since 1970-01-01, of seconds since then.
std::int64_t dayOf(std::int64_t seconds);
/// "2026-11-27 00:00 UTC": when that day is over.
std::string endOfDay(std::int64_t day);

}  // namespace mailbraid::sync::plan
