#include "mailstore/message_octets.h"

#include "mailstore/sqlite_error.h"

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace mailbraid::mailstore {
namespace {

int openUnlinked(const std::filesystem::path& directory) {
  const int made = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (made >= 0) return made;
  // Not every file system has O_TMPFILE.
  std::string name = (directory / "spool.XXXXXX").string();
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) throw systemError(directory, "takes no temporary file", errno);
  ::unlink(name.c_str());
  return descriptor;
}

void writeAll(int descriptor, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t written = ::write(descriptor, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw systemError("A temporary file of the store", "cannot be written", errno);
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

PreparedMessage::Octets::~Octets() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void PreparedMessage::Octets::add(std::string_view frame, const SpoolOptions& options) {
  lengths_.push_back(frame.size());
  if (descriptor_ < 0 && memory_.size() + frame.size() > options.memoryLimit) spool(options.directory);
  if (descriptor_ < 0) {
    memory_ += frame;
  } else {
    writeAll(descriptor_, frame);
  }
}

void PreparedMessage::Octets::spool(const std::filesystem::path& directory) {
  descriptor_ = openUnlinked(directory);
  writeAll(descriptor_, memory_);
  memory_.clear();
  memory_.shrink_to_fit();
}

void PreparedMessage::Octets::forEach(const std::function<void(std::string_view)>& visit) const {
  std::string buffer;
  std::size_t offset = 0;
  for (const std::size_t length : lengths_) {
    if (descriptor_ < 0) {
      visit(std::string_view(memory_).substr(offset, length));
    } else {
      buffer.resize(length);
      for (std::size_t done = 0; done < length;) {
        const ssize_t got =
            ::pread(descriptor_, buffer.data() + done, length - done, static_cast<off_t>(offset + done));
        if (got <= 0) throw systemError("A temporary file of the store", "cannot be read", got < 0 ? errno : EIO);
        done += static_cast<std::size_t>(got);
      }
      visit(buffer);
    }
    offset += length;
  }
}

}  // namespace mailbraid::mailstore
