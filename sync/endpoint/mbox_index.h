// What is known of a large mbox, kept from run to run (sync/endpoint's own).
#pragma once

#include "sync/endpoint/mbox_folder.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mailbraid::sync::endpoint {

/// Places and names of the messages, and the file's tail; no flags, for those are read from the file each time. It only
/// saves time: what is missing, damaged or cannot be written costs a reading of the whole mbox.
struct MboxIndex {
  std::vector<MboxFolder::Message> messages;
  std::string tail;
  static MboxIndex load(const std::filesystem::path& file);
  void save(const std::filesystem::path& file) const;
};

}  // namespace mailbraid::sync::endpoint
