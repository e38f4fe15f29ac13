// "did you mean": the known name that is closest to what was typed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::cli {

/// Insertions, deletions, replacements and swaps of neighbours that turn one into the other, ASCII case aside.
std::size_t editDistance(std::string_view left, std::string_view right);

/// The closest of `known`, the first of equals; none when nothing is close (more than a third of it, and more than 2,
/// differs).
std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& known);

/// ` did you mean "user"?` with a leading space, or empty.
std::string didYouMean(std::string_view name, const std::vector<std::string>& known);

}  // namespace mailbraid::cli
