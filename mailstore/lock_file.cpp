#include "mailstore/lock_file.h"

#include "mailstore/sqlite_error.h"

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace mailbraid::mailstore {
namespace {

std::string holderOf(int descriptor) {
  std::array<char, 32> buffer{};
  const ssize_t size = ::pread(descriptor, buffer.data(), buffer.size(), 0);
  const std::string_view text(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::string digits(text.substr(0, text.find_first_not_of("0123456789")));
  // Between its locking and its writing the other one has not said yet who it is.
  return digits.empty() ? "another mailbraid" : "another mailbraid, process " + digits;
}

}  // namespace

LockFile::LockFile(const std::filesystem::path& file)
    : descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
  if (descriptor_ < 0) throw systemError(file, "cannot be made", errno);
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int problem = errno;
    const std::string holder = holderOf(descriptor_);
    ::close(descriptor_);
    if (problem != EWOULDBLOCK) throw systemError(file, "cannot be locked", problem);
    throw Error(ErrorKind::TemporaryFailure, Scope::Run, Retry::Later,
                "The store " + file.parent_path().string() + " is in use by " + holder +
                    ": wait until it is done, or stop it.");
  }
  // Only the other one's message depends on this; on a full disk the lock holds all the same.
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor_, 0) == 0) static_cast<void>(::pwrite(descriptor_, pid.data(), pid.size(), 0) > 0);
}

LockFile::~LockFile() {
  // The file stays: removing it would let two processes lock two files of one name.
  static_cast<void>(::ftruncate(descriptor_, 0) == 0);
  ::close(descriptor_);
}

}  // namespace mailbraid::mailstore
