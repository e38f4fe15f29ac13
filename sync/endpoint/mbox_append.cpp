#include "sync/endpoint/mbox_append.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mailbraid::sync::endpoint {

namespace fs = std::filesystem;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;

namespace {

constexpr std::string_view kVersion = "mailbraid-append-1";
constexpr std::size_t kBlock = 256UL * 1024;

[[noreturn]] void fail(const fs::path& path, const std::string& doing, int problem) {
  throw Error(ErrorKind::NotWritable, Scope::Mailbox, Retry::Later,
              path.string() + " " + doing + ": " + std::generic_category().message(problem));
}

void writeAt(int descriptor, std::string_view octets, std::uint64_t at, const fs::path& path) {
  while (!octets.empty()) {
    const ssize_t written = ::pwrite(descriptor, octets.data(), octets.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path, "cannot be written", errno);
    octets.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
}

/// As many octets as there are; fewer at the file's end.
std::string readAt(int descriptor, std::uint64_t at, std::size_t count) {
  std::string out(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const ssize_t got = ::pread(descriptor, out.data() + have, count - have, static_cast<off_t>(at + have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  out.resize(have);
  return out;
}

/// True while the open file is the one of this name.
bool isAt(int descriptor, const fs::path& path) {
  struct stat open {};
  struct stat named {};
  return ::fstat(descriptor, &open) == 0 && ::stat(path.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

std::uint64_t sizeOf(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

/// What has to stand between the last message and the next: its line end, and an empty line.
std::string_view borderAfter(int descriptor, std::uint64_t size) {
  const std::string end = readAt(descriptor, size - std::min<std::uint64_t>(size, 3), 3);
  if (size == 0 || end.ends_with("\n\n") || end == "\n\r\n") return "";
  return end.ends_with('\n') ? "\n" : "\n\n";
}

void syncDirectory(const fs::path& file) {
  const Descriptor directory(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.value() >= 0) ::fsync(directory.value());
}

struct Note {
  std::uint64_t before = 0;
  std::uint64_t length = 0;
  std::string border;
  fs::path file;
};

std::optional<Note> readNote(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string version;
  std::size_t border = 0;
  Note note;
  if (!(in >> version >> note.before >> note.length >> border) || version != kVersion || border > 2)
    return std::nullopt;
  in.get();
  note.border.assign(border, '\n');
  note.file = std::string(std::istreambuf_iterator<char>(in), {});
  return note;
}

/// True when [before, end) of the file is the beginning of the copy, and not all of it.
bool isCutOff(int file, int spool, const Note& note) {
  const std::uint64_t size = sizeOf(file);
  if (size <= note.before || size >= note.before + note.border.size() + note.length) return false;
  const std::uint64_t have = size - note.before;
  const auto inBorder = static_cast<std::size_t>(std::min<std::uint64_t>(have, note.border.size()));
  if (readAt(file, note.before, inBorder) != note.border.substr(0, inBorder)) return false;
  for (std::uint64_t at = inBorder; at < have; at += kBlock) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, have - at));
    if (readAt(file, note.before + at, count) != readAt(spool, at - note.border.size(), count)) return false;
  }
  return true;
}

}  // namespace

MboxAppender::MboxAppender(const fs::path& base)
    : spoolPath_(base.string() + ".mbox"), notePath_(base.string() + ".note") {}

MboxAppender::~MboxAppender() {
  if (spool_.value() < 0) return;
  std::error_code error;
  if (!fs::exists(notePath_, error)) ::unlink(spoolPath_.c_str());
}

void MboxAppender::recover(const LockPatience& patience) {
  const std::optional<Note> note = readNote(notePath_);
  if (note) {
    const Descriptor spool(::open(spoolPath_.c_str(), O_RDONLY | O_CLOEXEC));
    const Descriptor file(::open(note->file.c_str(), O_RDWR | O_CLOEXEC));
    if (spool.value() >= 0 && file.value() >= 0) {
      const DotLock dotLock(note->file, patience);
      lockMbox(file.value(), note->file, MboxAccess::Write, patience);
      if (isCutOff(file.value(), spool.value(), *note) &&
          (::ftruncate(file.value(), static_cast<off_t>(note->before)) != 0 || ::fsync(file.value()) != 0)) {
        fail(note->file, "cannot be written", errno);
      }
    }
  }
  ::unlink(notePath_.c_str());
  ::unlink(spoolPath_.c_str());
}

void MboxAppender::openSpool() {
  spool_ = Descriptor(::open(spoolPath_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (spool_.value() < 0) fail(spoolPath_, "cannot be made", errno);
}

void MboxAppender::write(std::string_view octets) {
  if (spool_.value() < 0) openSpool();
  writeAt(spool_.value(), octets, size_, spoolPath_);
  size_ += octets.size();
}

void MboxAppender::cutTo(std::uint64_t size) {
  size_ = size;
}

void MboxAppender::note(const fs::path& file, std::uint64_t before, std::string_view border) {
  if (::ftruncate(spool_.value(), static_cast<off_t>(size_)) != 0 || ::fsync(spool_.value()) != 0) {
    fail(spoolPath_, "cannot be written", errno);
  }
  const fs::path fresh = notePath_.string() + ".new";
  const Descriptor out(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (out.value() < 0) fail(fresh, "cannot be made", errno);
  writeAt(out.value(),
          std::string(kVersion) + " " + std::to_string(before) + " " + std::to_string(size_) + " " +
              std::to_string(border.size()) + " " + fs::absolute(file).string(),
          0, fresh);
  if (::fsync(out.value()) != 0 || ::rename(fresh.c_str(), notePath_.c_str()) != 0) {
    fail(notePath_, "cannot be made", errno);
  }
  syncDirectory(notePath_);
}

void MboxAppender::forgetNote() {
  ::unlink(notePath_.c_str());
  syncDirectory(notePath_);
  size_ = 0;
}

void MboxAppender::copy(int to, std::uint64_t at) const {
  for (std::uint64_t done = 0; done < size_; done += kBlock) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, size_ - done));
    const std::string block = readAt(spool_.value(), done, count);
    if (block.size() != count) fail(spoolPath_, "cannot be read", EIO);
    writeAt(to, block, at + done, "the mbox");
  }
}

Descriptor MboxAppender::openLocked(const MboxFolder& folder) {
  constexpr int kMostTries = 10;
  const fs::path& path = folder.file();
  for (int tries = 0; tries < kMostTries; ++tries) {
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (file.value() < 0) fail(path, "cannot be opened for writing", errno);
    lockMbox(file.value(), path, MboxAccess::Write, folder.patience());
    if (isAt(file.value(), path)) return file;
    // Who had the lock has put another file in its place.
  }
  fail(path, "is replaced again and again", EBUSY);
}

std::uint64_t MboxAppender::appendTo(const MboxFolder& folder) {
  const fs::path& path = folder.file();
  const DotLock dotLock(path, folder.patience());
  const Descriptor file = openLocked(folder);
  const std::uint64_t before = sizeOf(file.value());
  const std::string_view border = borderAfter(file.value(), before);
  note(path, before, border);
  try {
    writeAt(file.value(), border, before, path);
    copy(file.value(), before + border.size());
    if (::fsync(file.value()) != 0) fail(path, "cannot be written", errno);
  } catch (const Error& error) {
    // A full disk, most likely: nothing of it stays. When even that fails the note stays, too, for the next run.
    if (::ftruncate(file.value(), static_cast<off_t>(before)) == 0) forgetNote();
    throw Error(error.kind(), error.scope(), error.retry(),
                path.string() + ": nothing was added to it: " + error.what());
  }
  syncDirectory(path);
  forgetNote();
  if (!isAt(file.value(), path)) fail(path, "was replaced, without a lock, while messages were added to it", EBUSY);
  return before + border.size();
}

}  // namespace mailbraid::sync::endpoint
