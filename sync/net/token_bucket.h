// How much may go now so that a rate is kept. Pure: the time is an argument.
#pragma once

#include <chrono>
#include <cstdint>

namespace mailbraid::sync::net {

/// Fills at `rate` tokens a second up to `capacity`, and begins empty: what is taken in any time T is no more than
/// rate x T + capacity, and what the last take() owed. Who takes more than is there owes the rest.
class TokenBucket {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// Neither is 0.
  TokenBucket(std::uint64_t rate, std::uint64_t capacity, Time now);

  /// Whole tokens that are there; 0 while some are owed.
  [[nodiscard]] std::uint64_t available(Time now) const;
  void take(std::uint64_t count, Time now);
  /// How long until `count` (the capacity at most) are there.
  [[nodiscard]] std::chrono::nanoseconds waitFor(std::uint64_t count, Time now) const;

 private:
  [[nodiscard]] double levelAt(Time now) const;

  double rate_;
  double capacity_;
  double level_ = 0;  ///< at `since_`; below 0: owed
  Time since_;
};

}  // namespace mailbraid::sync::net
