#include "sync/plan/day_budget.h"

#include <algorithm>
#include <chrono>

namespace mailbraid::sync::plan {

std::vector<bool> fitting(std::span<const std::uint64_t> sizes, const DayBudget& budget) {
  std::vector<bool> out(sizes.size(), false);
  std::uint64_t left = budget.left();
  const auto tooLarge = [&](std::uint64_t size) { return size + kMessageOverhead > left; };
  const auto alone = budget.touched ? sizes.end() : std::find_if(sizes.begin(), sizes.end(), tooLarge);
  if (alone != sizes.end()) {
    out[static_cast<std::size_t>(alone - sizes.begin())] = true;
    return out;
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (tooLarge(sizes[i])) continue;
    left -= sizes[i] + kMessageOverhead;
    out[i] = true;
  }
  return out;
}

std::int64_t dayOf(std::int64_t seconds) {
  return std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(seconds)))
      .time_since_epoch()
      .count();
}

std::string endOfDay(std::int64_t day) {
  const std::chrono::year_month_day next{std::chrono::sys_days(std::chrono::days(day + 1))};
  const auto twoDigits = [](unsigned number) { return (number < 10 ? "-0" : "-") + std::to_string(number); };
  return std::to_string(static_cast<int>(next.year())) + twoDigits(static_cast<unsigned>(next.month())) +
         twoDigits(static_cast<unsigned>(next.day())) + " 00:00 UTC";
}

}  // namespace mailbraid::sync::plan
