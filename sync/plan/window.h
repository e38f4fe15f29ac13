// Which messages an endpoint takes part with: `max_size`, `max_age`, `max_messages`. What is outside is left out, which
// is never a removal.
#pragma once

#include "mailstore/types/ids.h"

#include <cstdint>
#include <optional>
#include <string>

namespace mailbraid::sync::plan {

struct Window {
  std::optional<std::uint64_t> maxSize;      ///< octets
  std::optional<std::int64_t> maxAge;        ///< seconds, by internal date
  std::optional<std::uint64_t> maxMessages;  ///< the newest so many of each mailbox

  [[nodiscard]] bool isOpen() const { return !maxSize && !maxAge && !maxMessages; }
  /// `size` 0 and no date mean "not known": such a message is inside.
  [[nodiscard]] bool leavesOut(std::uint64_t size, const std::optional<mailstore::InternalDate>& date,
                               std::int64_t now) const {
    if (maxSize && size > *maxSize) return true;
    return maxAge && date && date->seconds != 0 && date->seconds < now - *maxAge;
  }
  /// Equal for equal windows.
  [[nodiscard]] std::string text() const {
    const auto one = [](const auto& value) { return value ? std::to_string(*value) : std::string("-"); };
    return one(maxSize) + " " + one(maxAge) + " " + one(maxMessages);
  }
};

}  // namespace mailbraid::sync::plan
