#include "mailstore/formats/output_file.h"

#include "mailstore/types/error.h"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mailbraid::mailstore {
void failExport(const std::filesystem::path& path, const char* doing, int problem) {
  const std::string hint = problem == EEXIST ? ": it exists already. Export into an empty directory."
                                             : ": " + std::generic_category().message(problem) + ".";
  throw Error(ErrorKind::NotWritable, Scope::Run, Retry::Never, path.string() + " " + doing + hint);
}

OutputFile::OutputFile(std::filesystem::path path, Kind kind)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(),
                         O_WRONLY | O_NOFOLLOW | O_CLOEXEC | (kind == Kind::New ? O_CREAT | O_EXCL : O_APPEND), 0600)) {
  if (descriptor_ < 0) failExport(path_, "cannot be made", errno);
  buffer_.reserve(kBuffer);
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void OutputFile::write(std::string_view octets) {
  while (!octets.empty()) {
    if (buffer_.size() == kBuffer) flush();
    const std::string_view taken = octets.substr(0, kBuffer - buffer_.size());
    buffer_ += taken;
    octets.remove_prefix(taken.size());
  }
}

void OutputFile::flush() {
  std::string_view rest(buffer_);
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) failExport(path_, "cannot be written", errno);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  buffer_.clear();
}

void OutputFile::closeDescriptor() {
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0) failExport(path_, "cannot be written", errno);
}

void OutputFile::close(InternalDate date) {
  flush();
  if (date.seconds != 0) {
    const timespec time{static_cast<time_t>(date.seconds), 0};
    const std::array<timespec, 2> times{time, time};
    // A file system that cannot keep such a date keeps the message all the same.
    static_cast<void>(::futimens(descriptor_, times.data()));
  }
  closeDescriptor();
}

void makeExportDirectory(const std::filesystem::path& root, const std::filesystem::path& below) {
  std::error_code error;
  if (root.has_parent_path()) std::filesystem::create_directories(root.parent_path(), error);
  std::filesystem::path path = root;
  const auto make = [&path] {
    if (::mkdir(path.c_str(), 0700) == 0) return;
    const int problem = errno;
    std::error_code unused;
    if (problem != EEXIST || !std::filesystem::is_directory(path, unused)) failExport(path, "cannot be made", problem);
  };
  make();
  for (const auto& level : below) {
    path /= level;
    make();
  }
}

void syncExport(const std::filesystem::path& directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) failExport(directory, "cannot be opened", errno);
  const int result = ::syncfs(descriptor);
  const int problem = errno;
  ::close(descriptor);
  if (result != 0) failExport(directory, "cannot be written", problem);
}

}  // namespace mailbraid::mailstore
