// One writer a store (mailstore's own).
#pragma once

#include <filesystem>

namespace mailbraid::mailstore {

/// Holds `store.lock` while it lives. The lock is the kernel's (flock), so that it ends with the process, however that
/// dies; the process id in the file is for the other one's message. Throws Error: TemporaryFailure naming the process
/// that holds it, NotWritable when the file cannot be made.
class LockFile {
 public:
  explicit LockFile(const std::filesystem::path& file);
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

 private:
  int descriptor_;
};

}  // namespace mailbraid::mailstore
