#include "cli/text/nearest.h"

#include <algorithm>

namespace mailbraid::cli {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr std::size_t kLongest = 256;

}  // namespace

std::size_t editDistance(std::string_view left, std::string_view right) {
  // What people type is short; what is longer is not worth quadratic time.
  left = left.substr(0, kLongest);
  right = right.substr(0, kLongest);
  std::vector<std::size_t> beforeLast(right.size() + 1);
  std::vector<std::size_t> last(right.size() + 1);
  std::vector<std::size_t> row(right.size() + 1);
  for (std::size_t j = 0; j <= right.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::swap(beforeLast, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const bool same = lower(left[i - 1]) == lower(right[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped =
          i > 1 && j > 1 && lower(left[i - 1]) == lower(right[j - 2]) && lower(left[i - 2]) == lower(right[j - 1]);
      if (swapped) row[j] = std::min(row[j], beforeLast[j - 2] + 1);
    }
  }
  return row[right.size()];
}

std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  std::size_t bestDistance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = editDistance(name, candidate);
    // Of two short words everything is two steps apart: at least half has to be right.
    if (distance >= bestDistance || 2 * distance > std::max(name.size(), candidate.size())) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

std::string didYouMean(std::string_view name, const std::vector<std::string>& known) {
  const std::optional<std::string> found = nearest(name, known);
  return found ? " did you mean \"" + *found + "\"?" : std::string();
}

}  // namespace mailbraid::cli
