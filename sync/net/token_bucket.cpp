#include "sync/net/token_bucket.h"

#include <algorithm>
#include <cmath>

namespace mailbraid::sync::net {

TokenBucket::TokenBucket(std::uint64_t rate, std::uint64_t capacity, Time now)
    : rate_(static_cast<double>(rate)), capacity_(static_cast<double>(capacity)), since_(now) {}

double TokenBucket::levelAt(Time now) const {
  const std::chrono::duration<double> passed = std::max(now, since_) - since_;
  return std::min(capacity_, level_ + rate_ * passed.count());
}

std::uint64_t TokenBucket::available(Time now) const {
  return static_cast<std::uint64_t>(std::max(0.0, std::floor(levelAt(now))));
}

void TokenBucket::take(std::uint64_t count, Time now) {
  level_ = levelAt(now) - static_cast<double>(count);
  since_ = std::max(now, since_);
}

std::chrono::nanoseconds TokenBucket::waitFor(std::uint64_t count, Time now) const {
  const double missing = std::min(static_cast<double>(count), capacity_) - levelAt(now);
  if (missing <= 0) return std::chrono::nanoseconds(0);
  // One more, so that what is waited for is there in spite of rounding.
  constexpr double kLongest = 3600;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(kLongest, missing / rate_) * 1e9) + 1);
}

}  // namespace mailbraid::sync::net
