#include "mailstore/formats/maildir_message.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <string>
#include <utility>

#include <unistd.h>

namespace mailbraid::mailstore {

MaildirMessage::MaildirMessage(std::filesystem::path path) : path_(std::move(path)) {
  file_.emplace(path_);
}

void MaildirMessage::append(std::string_view octets) {
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (asItIs_) {
      file_->write(octets.substr(i));
      return;
    }
    const char c = octets[i];
    // CR may only stand before LF, and LF only after CR.
    if (carriageReturn_ != (c == '\n')) {
      keepAsItIs();
      --i;
      continue;
    }
    carriageReturn_ = c == '\r';
    if (!carriageReturn_) file_->put(c);
  }
}

/// What was written until now had CRLF throughout and was written with LF: it gets its CR back, and the rest keeps its
/// own.
void MaildirMessage::keepAsItIs() {
  file_->close({});
  std::ifstream in(path_, std::ios::binary);
  if (!in) failExport(path_, "cannot be read", EIO);
  file_.reset();
  ::unlink(path_.c_str());
  path_ += ".octets";
  file_.emplace(path_);
  std::array<char, 65536> buffer{};
  while (in.read(buffer.data(), buffer.size()) || in.gcount() > 0) {
    for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(in.gcount()))) {
      if (c == '\n') file_->put('\r');
      file_->put(c);
    }
  }
  if (in.bad()) failExport(path_, "cannot be written", EIO);
  if (carriageReturn_) file_->put('\r');
  asItIs_ = true;
}

void MaildirMessage::close(InternalDate date) {
  if (!asItIs_ && carriageReturn_) keepAsItIs();
  file_->close(date);
  file_.reset();
}

namespace {

/// Calls `sink` with each block of the file until it returns false; false when the file cannot be read.
template <class Sink>
bool forEachBlock(int descriptor, const Sink& sink) {
  std::array<char, 65536> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read() fills it
  off_t at = 0;
  while (true) {
    const ssize_t count = ::pread(descriptor, buffer.data(), buffer.size(), at);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    if (count == 0) return true;
    at += count;
    if (!sink(std::string_view(buffer.data(), static_cast<std::size_t>(count)))) return true;
  }
}

}  // namespace

std::optional<MaildirSize> measureMaildirMessage(int descriptor) {
  std::uint64_t octets = 0;
  std::uint64_t lineFeeds = 0;
  bool hasReturn = false;
  const bool read = forEachBlock(descriptor, [&](std::string_view block) {
    octets += block.size();
    lineFeeds += static_cast<std::uint64_t>(std::count(block.begin(), block.end(), '\n'));
    hasReturn = hasReturn || block.find('\r') != std::string_view::npos;
    return true;
  });
  if (!read) return std::nullopt;
  if (hasReturn) return MaildirSize{MaildirLines::AsTheyAre, octets};
  return MaildirSize{MaildirLines::LineFeed, octets + lineFeeds};
}

bool readMaildirMessage(int descriptor, MaildirLines lines, const std::function<bool(std::string_view)>& sink) {
  std::string converted;
  return forEachBlock(descriptor, [&](std::string_view block) {
    if (lines == MaildirLines::AsTheyAre) return sink(block);
    converted.clear();
    for (const char c : block) {
      if (c == '\n') converted.push_back('\r');
      converted.push_back(c);
    }
    return sink(converted);
  });
}

}  // namespace mailbraid::mailstore
