#include "sync/plan/day_budget.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

using namespace mailbraid::sync::plan;

namespace {

/// "x" where a message goes, "-" where it waits.
std::string goes(const std::vector<std::uint64_t>& sizes, const DayBudget& budget) {
  std::string out;
  for (const bool one : fitting(sizes, budget)) out += one ? 'x' : '-';
  return out;
}

}  // namespace

TEST_CASE("messages go as long as the day's budget lasts", "[plan][budget]") {
  struct Row {
    std::string what;
    std::vector<std::uint64_t> sizes;
    DayBudget budget;
    std::string expected;
  };
  const std::vector<Row> rows{
      {"nothing to do", {}, {10'000, 0, false}, ""},
      {"all fit", {1000, 1000, 1000}, {10'000, 0, false}, "xxx"},
      {"first come, first served", {4000, 4000, 4000}, {10'000, 0, true}, "xx-"},
      {"a smaller one goes though one before it waits", {4000, 8000, 1000}, {10'000, 0, true}, "x-x"},
      {"what was spent before counts", {4000, 4000}, {10'000, 5000, true}, "x-"},
      {"used up", {1, 1}, {10'000, 10'000, true}, "--"},
      {"more than used up", {1}, {10'000, 12'000, true}, "-"},
      {"too large for any day, on a fresh one: alone", {1000, 20'000, 1000}, {10'000, 0, false}, "-x-"},
      {"the first of several", {20'000, 30'000}, {10'000, 0, false}, "x-"},
      {"too large for any day, on another", {1000, 20'000, 1000}, {10'000, 1400, true}, "x-x"},
      {"what the listing has cost does not keep it away for ever", {9'900}, {10'000, 3000, false}, "x"},
      {"the size of a message is what a server says",
       {std::numeric_limits<std::uint64_t>::max() / 2},
       {10'000, 1, true},
       "-"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(goes(row.sizes, row.budget) == row.expected);
  }
}

TEST_CASE("what was refused before keeps nobody waiting", "[plan][budget]") {
  const DayBudget fresh{10'000, 0, false};
  const auto goes = [&](const std::vector<Load>& loads) { return fitting(loads, fresh); };
  CHECK(goes({{1000}, {20'000, 1}, {1000}}) == std::vector<bool>{true, false, true});
  CHECK(goes({{20'000, 1}, {30'000}}) == std::vector<bool>{false, true});
  CHECK(goes({{20'000, 1}}) == std::vector<bool>{true});
}

TEST_CASE("of messages that were refused before, the one that was refused longest ago is tried", "[plan][budget]") {
  std::vector<Load> loads{{20'000, 7}, {30'000, 5}, {40'000, 6}};
  std::vector<std::size_t> tried;
  for (std::int64_t day = 8; day < 12; ++day) {
    const std::vector<bool> goes = fitting(loads, {10'000, 0, false});
    REQUIRE(std::count(goes.begin(), goes.end(), true) == 1);
    tried.push_back(static_cast<std::size_t>(std::find(goes.begin(), goes.end(), true) - goes.begin()));
    loads[tried.back()].refused = day;
  }
  CHECK(tried == std::vector<std::size_t>{1, 2, 0, 1});
}

TEST_CASE("no more than what is left goes on a day", "[plan][budget]") {
  const std::vector<std::uint64_t> sizes(100, 1000);
  for (std::uint64_t spent = 0; spent <= 60'000; spent += 999) {
    const DayBudget budget{50'000, spent, true};
    std::uint64_t sum = 0;
    for (const bool one : fitting(sizes, budget)) sum += one ? 1000 : 0;
    CHECK(spent + sum <= std::max<std::uint64_t>(50'000, spent));
  }
}

TEST_CASE("a day is one of UTC", "[plan][budget]") {
  CHECK(dayOf(0) == 0);
  CHECK(dayOf(86'399) == 0);
  CHECK(dayOf(86'400) == 1);
  CHECK(dayOf(-1) == -1);
  CHECK(dayOf(1'795'651'200) == 20'783);
  CHECK(endOfDay(20'783) == "2026-11-27 00:00 UTC");
  CHECK(endOfDay(dayOf(1'798'675'200)) == "2027-01-01 00:00 UTC");
}
