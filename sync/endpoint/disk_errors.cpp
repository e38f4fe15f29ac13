#include "sync/endpoint/disk_errors.h"

namespace mailbraid::sync::endpoint {

namespace fs = std::filesystem;

bool isRemoved(const fs::path& place, const fs::path& top, const char* part) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(place, error);
  if (status.type() == fs::file_type::directory && part != nullptr) {
    const bool isEmpty = fs::is_empty(place, error);
    return !error && !isEmpty && fs::symlink_status(place / part, error).type() == fs::file_type::not_found;
  }
  if (status.type() != fs::file_type::not_found) return false;
  for (fs::path above = place.parent_path(); above != top && above.has_relative_path(); above = above.parent_path()) {
    const fs::file_type type = fs::status(above, error).type();
    if (type == fs::file_type::not_found && fs::symlink_status(above, error).type() == fs::file_type::not_found)
      continue;
    if (type != fs::file_type::directory || fs::is_empty(above, error) || error) return false;
    return true;
  }
  return true;
}

}  // namespace mailbraid::sync::endpoint
