#include "sync/plan/day_budget.h"

#include <algorithm>
#include <chrono>

namespace mailbraid::sync::plan {

std::vector<bool> fitting(std::span<const Load> loads, const DayBudget& budget) {
  std::vector<bool> out(loads.size(), false);
  std::uint64_t left = budget.left();
  const auto tooLarge = [&](const Load& load) { return load.size + kMessageOverhead > left; };
  auto alone =
      std::find_if(loads.begin(), loads.end(), [&](const Load& load) { return tooLarge(load) && !load.refused; });
  if (alone == loads.end() && std::all_of(loads.begin(), loads.end(), tooLarge)) {
    const auto isLongerAgo = [](const Load& a, const Load& b) { return a.refused < b.refused; };
    alone = std::min_element(loads.begin(), loads.end(), isLongerAgo);
  }
  if (!budget.touched && alone != loads.end()) {
    out[static_cast<std::size_t>(alone - loads.begin())] = true;
    return out;
  }
  for (std::size_t i = 0; i < loads.size(); ++i) {
    if (tooLarge(loads[i])) continue;
    left -= loads[i].size + kMessageOverhead;
    out[i] = true;
  }
  return out;
}

std::vector<bool> fitting(std::span<const std::uint64_t> sizes, const DayBudget& budget) {
  std::vector<Load> loads;
  loads.reserve(sizes.size());
  for (const std::uint64_t size : sizes) loads.push_back({size});
  return fitting(loads, budget);
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
