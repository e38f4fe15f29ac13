// Locks of mbox files, as other mail programs know them.
#pragma once

#include "sync/endpoint/disk_errors.h"

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>

namespace mailbraid::sync::endpoint {

/// How long to wait for a lock, and who may end the waiting.
struct LockPatience {
  std::chrono::milliseconds timeout{0};
  std::stop_token stop;
};

enum class MboxAccess : unsigned char { Read, Write };

/// Takes the fcntl lock of the whole open file; it goes with the descriptor. Where the file system has no such locks
/// nothing is locked. Throws Error (TemporaryFailure, scope mailbox) when another program holds it too long.
void lockMbox(int descriptor, const std::filesystem::path& file, MboxAccess access, const LockPatience& patience);

/// The file `FILE.lock`. One that was left behind is removed: at once when it is from a mailbraid of this machine that
/// does not run any more, else after five minutes unless its process runs. Where the directory may not be written there
/// is no such lock. Throws as lockMbox() does.
class DotLock {
 public:
  DotLock(const std::filesystem::path& file, const LockPatience& patience);
  ~DotLock();
  DotLock(const DotLock&) = delete;
  DotLock& operator=(const DotLock&) = delete;

 private:
  bool take();
  bool takeWithoutLink(const std::string& text);
  std::filesystem::path path_;
  bool held_ = false;
};

}  // namespace mailbraid::sync::endpoint
