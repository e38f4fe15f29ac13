#include "sync/endpoint/disk_errors.h"

#include <optional>

namespace mailbraid::sync::endpoint {

namespace fs = std::filesystem;

namespace {

/// The place that may be that of a disk which is not mounted.
std::optional<fs::path> doubtful(const fs::path& place, const fs::path& top, const char* part) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(place, error);
  if (status.type() == fs::file_type::directory && part != nullptr) {
    const bool isEmpty = fs::is_empty(place, error);
    const bool hasPart = fs::symlink_status(place / part, error).type() != fs::file_type::not_found;
    return isEmpty || hasPart ? std::optional(place) : std::nullopt;
  }
  if (status.type() != fs::file_type::not_found) return place;
  for (fs::path above = place.parent_path(); above.has_relative_path(); above = above.parent_path()) {
    const fs::file_type type = fs::status(above, error).type();
    const bool isMissing =
        type == fs::file_type::not_found && fs::symlink_status(above, error).type() == fs::file_type::not_found;
    if (isMissing && above != top) continue;
    if (type != fs::file_type::directory || fs::is_empty(above, error) || error) return above;
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

bool isRemoved(const fs::path& place, const fs::path& top, const char* part) {
  return !doubtful(place, top, part);
}

std::string whyNotRemoved(const fs::path& place, const fs::path& top, const char* part) {
  const std::optional<fs::path> doubt = doubtful(place, top, part);
  if (!doubt) return {};
  std::error_code error;
  if (part != nullptr && fs::exists(*doubt / part, error)) return doubt->string() + " cannot be read as a mailbox";
  return doubt->string() +
         " is empty or leads nowhere (is a disk not mounted there?): nothing is concluded from that; "
         "if its mail was removed or moved on purpose, remove " +
         doubt->string() + ", too";
}

}  // namespace mailbraid::sync::endpoint
