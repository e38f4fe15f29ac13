#include "sync/endpoint/mbox_tree.h"

#include "mailstore/types/error.h"
#include "sync/endpoint/disk_errors.h"
#include "sync/imap/mailbox_name.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

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

constexpr int kDeepest = 32;
constexpr std::size_t kMostMailboxes = 100'000;
constexpr std::string_view kSubdirectory = ".sbd";
constexpr std::string_view kMboxEnding = ".mbox";

// What Thunderbird and others keep beside mail, and what locks are called.
constexpr std::array<std::string_view, 12> kOtherEndings{".msf",  ".dat", ".html", ".lock", ".log", ".rdf",
                                                         ".json", ".toc", ".snm",  ".bak",  "~",    ".sqlite"};

bool isPassedOver(std::string_view level) {
  if (level.starts_with('.') || level.starts_with('#')) return true;
  return std::any_of(kOtherEndings.begin(), kOtherEndings.end(),
                     [&](std::string_view ending) { return level.ends_with(ending); });
}

/// Empty: the file begins as an mbox, or is empty.
std::string whyNoMbox(const fs::path& file) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::array<char, 512> buffer{};
  const ssize_t count = descriptor.value() < 0 ? -1 : ::pread(descriptor.value(), buffer.data(), buffer.size(), 0);
  if (count < 0) return "its file cannot be read: " + std::generic_category().message(errno);
  std::string_view text(buffer.data(), static_cast<std::size_t>(count));
  text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
  if (text.empty() || text.starts_with("From ")) return {};
  return "its file is no mbox: it does not begin with a \"From \" line";
}

}  // namespace

struct MboxTree::Walk {
  std::vector<Place> places;
  std::set<std::string> names;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;  ///< device and inode of directories: a link may lead back
};

bool MboxTree::isOneFile() const {
  std::error_code error;
  return fs::is_regular_file(path_, error);
}

std::vector<MboxTree::Place> MboxTree::list() const {
  Walk out;
  if (isOneFile()) {
    take(path_, "INBOX", out);
  } else {
    walk(path_, {}, 0, out);
  }
  // What is a mailbox comes first: a name that something else has, too, is the mailbox's.
  std::stable_partition(out.places.begin(), out.places.end(), [](const Place& place) { return place.refusal.empty(); });
  return std::move(out.places);
}

void MboxTree::take(const fs::path& file, const std::string& name, Walk& walk) const {
  if (walk.places.size() >= kMostMailboxes) {
    throw Error(ErrorKind::TemporaryFailure, Scope::Endpoint, Retry::Never,
                path_.string() + " has more than " + std::to_string(kMostMailboxes) + " mailboxes");
  }
  const imap::DecodedName decoded = imap::decodeMailboxName(name, '/', imap::NameEncoding::Utf8);
  Place place{decoded.problem.empty() ? decoded.name : name, file, std::string(decoded.problem)};
  struct stat status {};
  if (place.refusal.empty() && ::stat(file.c_str(), &status) != 0) {
    place.refusal = "its file cannot be read: " + std::generic_category().message(errno);
  } else if (place.refusal.empty() && !S_ISREG(status.st_mode)) {
    place.refusal = "it is no file";
  }
  if (place.refusal.empty()) place.refusal = whyNoMbox(file);
  if (place.refusal.empty() && !walk.names.insert(place.name).second) {
    place.refusal = "another mailbox of this tree has the same name: rename one of the two";
  }
  walk.places.push_back(std::move(place));
}

void MboxTree::walk(const fs::path& directory, const std::string& name, int depth, Walk& out) const {
  struct stat status {};
  if (depth > kDeepest || ::stat(directory.c_str(), &status) != 0) return;
  if (!out.seen.emplace(status.st_dev, status.st_ino).second) return;
  std::error_code error;
  std::vector<fs::path> below;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) below.push_back(entry.path());
  if (error && depth == 0) {
    throw Error(ErrorKind::Unreachable, Scope::Endpoint, Retry::Later,
                path_.string() + " cannot be read: " + error.message());
  }
  if (error) {
    out.places.push_back({name, directory, "its directory cannot be read: " + error.message()});
    return;
  }
  std::sort(below.begin(), below.end());
  for (const fs::path& path : below) {
    std::string level = path.filename();
    if (isPassedOver(level)) continue;
    std::error_code unreadable;
    const bool isDirectory = fs::is_directory(path, unreadable);
    const bool thunderbird = style_ == SubfolderStyle::Thunderbird;
    const std::string_view ending = thunderbird && isDirectory ? kSubdirectory : kMboxEnding;
    const bool ends = level.size() > ending.size() && level.ends_with(ending);
    // Other directories of a Thunderbird profile hold no mailboxes.
    if (isDirectory && thunderbird && !ends) continue;
    if (ends && isDirectory == thunderbird) level.resize(level.size() - ending.size());
    const std::string whole = name.empty() ? level : name + "/" + level;
    if (isDirectory) {
      walk(path, whole, depth + 1, out);
    } else {
      take(path, whole, out);
    }
  }
}

fs::path MboxTree::fileFor(const std::string& name) const {
  constexpr std::size_t kLongest = 240;
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Never,
                name + ": this mbox tree cannot have a mailbox of that name, since " + why +
                    "; give it another one with \"map\", or leave it out with \"mailboxes\"");
  };
  if (isOneFile() && name != "INBOX") refuse("it is one file");
  if (isOneFile()) return path_;
  fs::path file = path_;
  std::string_view rest(name);
  std::error_code error;
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string level(rest.substr(0, slash));
    const bool odd = level.empty() || isPassedOver(level) || level.size() > kLongest ||
                     level.ends_with(kSubdirectory) || level.ends_with(kMboxEnding) ||
                     std::any_of(level.begin(), level.end(), [](char c) {
                       return static_cast<unsigned char>(c) < 0x20U || c == 0x7F || c == '\\';
                     });
    if (odd) refuse("\"" + level + "\" cannot be the name of its file");
    file /= level;
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
    if (style_ == SubfolderStyle::Thunderbird) {
      file += kSubdirectory;
    } else if (fs::is_regular_file(file, error)) {
      refuse(file.string() + " is a mailbox, and can have none below it (subfolders = \"thunderbird\" allows that)");
    }
  }
  if (name == "INBOX" && style_ == SubfolderStyle::Thunderbird) file = path_ / "Inbox";
  if (style_ == SubfolderStyle::Nested && fs::is_directory(file, error)) file += kMboxEnding;
  return file;
}

}  // namespace mailbraid::sync::endpoint
