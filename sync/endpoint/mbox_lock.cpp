#include "sync/endpoint/mbox_lock.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mailbraid::sync::endpoint {

using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;

namespace {

constexpr const char* kOwner = "mailbraid";

[[noreturn]] void failLocked(const std::filesystem::path& file) {
  throw Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later,
              file.string() + " is locked by another program; run again when it is done");
}

/// Tries until `take` succeeds.
template <class Take>
void waitFor(const std::filesystem::path& file, const LockPatience& patience, const Take& take) {
  constexpr std::chrono::milliseconds kPause{50};
  const auto end = std::chrono::steady_clock::now() + patience.timeout;
  while (!take()) {
    if (std::chrono::steady_clock::now() >= end || patience.stop.stop_requested()) failLocked(file);
    std::this_thread::sleep_for(kPause);
  }
}

std::string hostName() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return host.data();
}

bool runs(long process) {
  return process > 0 && (::kill(static_cast<pid_t>(process), 0) == 0 || errno != ESRCH);
}

bool isLeftBehind(const std::filesystem::path& lock) {
  constexpr long kOldSeconds = 300;
  struct stat status {};
  if (::stat(lock.c_str(), &status) != 0) return false;
  std::ifstream in(lock);
  long process = 0;
  std::string owner;
  std::string host;
  in >> process >> owner >> host;
  const bool ours = owner == kOwner && host == hostName();
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return !runs(process) && (ours || now - status.st_mtim.tv_sec > kOldSeconds);
}

}  // namespace

void lockMbox(int descriptor, const std::filesystem::path& file, MboxAccess access, const LockPatience& patience) {
  waitFor(file, patience, [&] {
    struct flock lock {};
    lock.l_type = static_cast<short>(access == MboxAccess::Read ? F_RDLCK : F_WRLCK);
    lock.l_whence = SEEK_SET;
    // Of the open file and not of the process: another descriptor that is closed does not take it away.
    if (::fcntl(descriptor, F_OFD_SETLK, &lock) == 0) return true;
    return errno != EAGAIN && errno != EACCES && errno != EINTR;
  });
}

DotLock::DotLock(const std::filesystem::path& file, const LockPatience& patience) : path_(file.string() + ".lock") {
  waitFor(file, patience, [&] { return take(); });
}

bool DotLock::take() {
  // It has its text from the first moment on, so that one whose owner was killed is known for what it is.
  const std::string text = std::to_string(::getpid()) + " " + kOwner + " " + hostName() + "\n";
  const std::filesystem::path written = path_.parent_path() / (".mailbraid-" + std::to_string(::getpid()) + ".lock");
  ::unlink(written.c_str());
  {
    const Descriptor file(::open(written.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.value() < 0) return true;  // no lock can be made there by anybody
    static_cast<void>(!::write(file.value(), text.data(), text.size()));
  }
  held_ = ::link(written.c_str(), path_.c_str()) == 0;
  const int problem = errno;
  ::unlink(written.c_str());
  if (held_) return true;
  if (problem != EEXIST) return takeWithoutLink(text);
  if (isLeftBehind(path_)) ::unlink(path_.c_str());
  return false;
}

/// Where the file system has no links.
bool DotLock::takeWithoutLink(const std::string& text) {
  const Descriptor lock(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (lock.value() < 0 && errno != EEXIST) return true;
  if (lock.value() < 0) {
    if (isLeftBehind(path_)) ::unlink(path_.c_str());
    return false;
  }
  held_ = true;
  static_cast<void>(!::write(lock.value(), text.data(), text.size()));
  return true;
}

DotLock::~DotLock() {
  if (held_) ::unlink(path_.c_str());
}

}  // namespace mailbraid::sync::endpoint
