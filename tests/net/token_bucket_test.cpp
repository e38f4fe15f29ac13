#include "sync/net/token_bucket.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using mailbraid::sync::net::TokenBucket;

namespace {

using Time = TokenBucket::Time;

struct Taken {
  Time at;
  std::uint64_t count = 0;
};

/// Of a reader who takes all that it may, `most` at a time, for a minute, looking every now and then.
std::vector<Taken> greedy(std::uint64_t rate, std::uint64_t capacity, std::uint64_t most, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Taken> all;
  Time now{};
  TokenBucket bucket(rate, capacity, now);
  while (now < Time{} + 60s) {
    if (const std::uint64_t there = std::min(bucket.available(now), most); there > 0) {
      bucket.take(there, now);
      all.push_back({now, there});
    }
    now += std::chrono::microseconds(random() % 300'000);
  }
  return all;
}

/// The most that was taken within any ten seconds.
std::uint64_t mostInTenSeconds(const std::vector<Taken>& all) {
  std::uint64_t most = 0;
  std::uint64_t sum = 0;
  std::size_t first = 0;
  for (const Taken& one : all) {
    sum += one.count;
    for (; all[first].at + 10s <= one.at; ++first) sum -= all[first].count;
    most = std::max(most, sum);
  }
  return most;
}

}  // namespace

TEST_CASE("a bucket fills at its rate up to its capacity", "[net][pace]") {
  const Time begin{};
  TokenBucket bucket(1000, 500, begin);
  CHECK(bucket.available(begin) == 0);
  CHECK(bucket.waitFor(500, begin) >= 500ms);
  CHECK(bucket.waitFor(500, begin) < 501ms);
  CHECK(bucket.available(begin + 100ms) == 100);
  CHECK(bucket.available(begin + 5s) == 500);
  bucket.take(200, begin + 5s);
  CHECK(bucket.available(begin + 5s) == 300);
  CHECK(bucket.waitFor(300, begin + 5s) == 0ms);
  SECTION("what is taken beyond it is owed") {
    bucket.take(1300, begin + 5s);
    CHECK(bucket.available(begin + 5500ms) == 0);
    CHECK(bucket.available(begin + 6100ms) == 100);
  }
  SECTION("a clock that goes back gives nothing") {
    CHECK(bucket.available(begin) == 300);
  }
  SECTION("more than the capacity is not waited for") {
    CHECK(bucket.waitFor(10'000, begin + 5s) <= 201ms);
  }
}

TEST_CASE("in no ten seconds more goes than a tenth above the rate", "[net][pace]") {
  const std::uint64_t rate = GENERATE(std::uint64_t{1}, std::uint64_t{100}, std::uint64_t{64'000},
                                      std::uint64_t{1'000'000}, std::uint64_t{100'000'000});
  const std::uint64_t buffer = GENERATE(std::uint64_t{1}, std::uint64_t{4096}, std::uint64_t{262'144});
  const unsigned seed = GENERATE(1U, 2U, 3U);
  CAPTURE(rate, buffer, seed);
  const std::uint64_t most = mostInTenSeconds(greedy(rate, std::max<std::uint64_t>(rate / 2, 1), buffer, seed));
  CHECK(most <= rate * 11 + 1);
  if (buffer >= rate) CHECK(most >= rate * 9);
}
