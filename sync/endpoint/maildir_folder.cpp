#include "sync/endpoint/maildir_folder.h"

#include "mailstore/formats/maildir_message.h"
#include "mailstore/formats/output_file.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <system_error>
#include <thread>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mailbraid::sync::endpoint {

namespace fs = std::filesystem;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Flags;
using mailstore::MaildirName;
using mailstore::parseMaildirName;
using mailstore::Retry;
using mailstore::Scope;

namespace {

constexpr std::array<const char*, 2> kParts{"cur", "new"};
constexpr std::array<const char*, 3> kAllParts{"cur", "new", "tmp"};

[[noreturn]] void fail(const fs::path& path, const std::string& doing, int problem) {
  throw Error(ErrorKind::NotWritable, Scope::Mailbox, Retry::Later,
              path.string() + " " + doing + ": " + std::generic_category().message(problem) + ".");
}

/// Nanoseconds since 1970; 0: there is no such file.
std::uint64_t modified(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return 0;
  return static_cast<std::uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(status.st_mtim.tv_nsec);
}

/// As https://cr.yp.to/proto/maildir.html has it.
std::string uniqueName() {
  static std::atomic<unsigned> counter{0};
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  std::string name(host.data());
  for (char& c : name) c = c == '/' || c == ':' || static_cast<unsigned char>(c) <= ' ' ? '_' : c;
  const auto now =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  return std::to_string(now / 1'000'000) + ".M" + std::to_string(now % 1'000'000) + "P" + std::to_string(::getpid()) +
         "Q" + std::to_string(++counter) + "." + (name.empty() ? "localhost" : name);
}

/// Letters that mean nothing here stay where they are.
std::string withUnknown(std::string letters, std::string_view before, const mailstore::MaildirKeywords& keywords) {
  constexpr std::string_view kKnown = "DFPRST";
  for (const char letter : before) {
    const bool known = kKnown.find(letter) != std::string_view::npos ||
                       (letter >= 'a' && letter <= 'z' && keywords.knows({&letter, 1}));
    if (!known && letters.find(letter) == std::string::npos) letters.push_back(letter);
  }
  std::sort(letters.begin(), letters.end());
  return letters;
}

void syncDirectory(const fs::path& directory) {
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.value() < 0 || ::fsync(opened.value()) != 0) fail(directory, "cannot be written", errno);
}

std::uint64_t nowInNanoseconds() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

/// From when on a change gives a directory another time than `newest`: file systems count in ticks of the kernel (10 ms
/// at most, before Linux 6.13), and some in seconds.
std::uint64_t nextTick(std::uint64_t newest) {
  constexpr std::uint64_t kTick = 20'000'000;
  constexpr std::uint64_t kSecond = 1'000'000'000;
  return newest + kTick + (newest % kSecond == 0 ? kSecond : 0);
}

void waitUntil(std::uint64_t time) {
  constexpr std::uint64_t kLongest = 2'000'000'000;  // a time far in the future is nothing that waiting helps with
  const std::uint64_t now = nowInNanoseconds();
  if (time > now && time < now + kLongest) std::this_thread::sleep_for(std::chrono::nanoseconds(time - now));
}

}  // namespace

std::uint64_t MaildirFolder::changeNumber() const {
  constexpr std::uint64_t kCoarse = 2'000'000'000;
  std::uint64_t newest = modified(directory_ / "dovecot-keywords");
  for (const char* part : kParts) newest = std::max(newest, modified(directory_ / part));
  return newest + kCoarse > nowInNanoseconds() ? 0 : newest;
}

bool MaildirFolder::exists() const {
  std::error_code error;
  return fs::is_directory(directory_ / "cur", error);  // the others are made when they are needed
}

void MaildirFolder::make() const {
  std::error_code error;
  fs::create_directories(directory_.parent_path(), error);
  const auto makeOne = [](const fs::path& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) fail(path, "cannot be made", errno);
  };
  makeOne(directory_);
  for (const char* part : kAllParts) makeOne(directory_ / part);
}

bool MaildirFolder::scan(const std::set<std::string_view>& expected) {
  constexpr int kMostTries = 5;
  keywords_ = mailstore::MaildirKeywords::read(directory_);
  const auto newest = [&] { return std::max(modified(directory_ / "cur"), modified(directory_ / "new")); };
  const auto isThere = [&](std::string_view base) { return files_.contains(std::string(base)); };
  for (int tries = 0; tries < kMostTries; ++tries) {
    const std::uint64_t before = newest();
    // Names that are changed while they are listed may be listed neither before nor after. The directory's time tells,
    // unless it changed just before, in the same tick.
    if (tries > 0) waitUntil(nextTick(before));
    const bool tells = nextTick(before) <= nowInNanoseconds();
    if (!scanOnce()) return false;
    if (!expected.empty() && std::all_of(expected.begin(), expected.end(), isThere)) return true;
    if (tells && before == newest()) return true;
  }
  return false;
}

bool MaildirFolder::scanOnce() {
  files_.clear();
  // new comes first: what is moved from there to cur meanwhile is then seen twice rather than never.
  for (const char* part : {"new", "cur"}) {
    const fs::path path = directory_ / part;
    DIR* const directory = ::opendir(path.c_str());
    if (directory == nullptr && errno == ENOENT && part == std::string_view("new")) continue;
    if (directory == nullptr) {
      throw Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later,
                  path.string() + " cannot be read: " + std::generic_category().message(errno) + ".");
    }
    errno = 0;
    while (const dirent* entry = ::readdir(directory)) {
      const std::string_view name(entry->d_name);
      if (name.front() == '.' || entry->d_type == DT_DIR) continue;
      files_[std::string(parseMaildirName(name).base)] = path / name;
      errno = 0;
    }
    const int problem = errno;
    ::closedir(directory);
    if (problem != 0) return false;
  }
  scanned_ = true;
  return true;
}

std::optional<fs::path> MaildirFolder::find(const std::string& base) {
  if (!scanned_) scan();
  const auto known = files_.find(base);
  if (known == files_.end()) return std::nullopt;
  if (::access(known->second.c_str(), F_OK) == 0) return known->second;
  const bool proven = scan({base});  // another program gave it other flags
  const auto again = files_.find(base);
  if (again != files_.end()) return again->second;
  if (proven) return std::nullopt;
  throw Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later,
              directory_.string() + " changes again and again: " + base + " is not found in it.");
}

mailstore::MaildirKeywords& MaildirFolder::keywords() {
  if (!keywords_) keywords_ = mailstore::MaildirKeywords::read(directory_);
  return *keywords_;
}

std::string MaildirFolder::lettersFor(const Flags& flags) {
  std::string letters = keywords().letters(flags);
  if (!keywords().hasChanged()) return letters;
  // A letter that is new here: another program may have given it away since the file was read.
  const DotLock lock(directory_ / "dovecot-uidlist", patience_);
  keywords_ = mailstore::MaildirKeywords::read(directory_);
  letters = keywords_->letters(flags);
  if (keywords_->hasChanged()) atEndpoint([&] { keywords_->write(directory_); });
  return letters;
}

Flags MaildirFolder::meaningOf(std::string_view letters) {
  if (!keywords().knows(letters)) keywords_ = mailstore::MaildirKeywords::read(directory_);
  return keywords_->flags(letters);
}

void MaildirFolder::settle() {
  if (!unsettled_) return;
  for (const char* part : kParts) syncDirectory(directory_ / part);
  unsettled_ = false;
}

Flags MaildirFolder::flagsOf(const fs::path& file) const {
  const std::string name = file.filename();
  if (!keywords_) return mailstore::MaildirKeywords::read(directory_).flags(parseMaildirName(name).letters);
  return keywords_->flags(parseMaildirName(name).letters);
}

MaildirFolder::Opened MaildirFolder::open(const std::string& base) {
  for (int tries = 0; tries < 2; ++tries) {
    const std::optional<fs::path> file = find(base);
    if (!file) return {};
    const int descriptor = ::open(file->c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) return {descriptor, {}};
    if (errno != ENOENT) return {-1, file->string() + " cannot be read: " + std::generic_category().message(errno)};
  }
  return {};
}

std::optional<Flags> MaildirFolder::change(const std::string& base, const Flags& add, const Flags& remove) {
  for (int tries = 0; tries < 5; ++tries) {
    const std::optional<fs::path> file = find(base);
    if (!file) return std::nullopt;
    const std::string name = file->filename();
    const std::string before(parseMaildirName(name).letters);
    // A letter means something before it is used.
    const std::string letters =
        withUnknown(lettersFor(meaningOf(before).without(remove).unitedWith(add)), before, keywords());
    std::string fresh = base;
    fresh += ":2,";
    fresh += letters;
    const fs::path place = directory_ / "cur" / fresh;
    if (place == *file || ::rename(file->c_str(), place.c_str()) == 0) {
      files_[base] = place;
      unsettled_ = true;
      return keywords().flags(letters);
    }
    if (errno != ENOENT) fail(*file, "cannot be renamed", errno);
  }
  return std::nullopt;
}

std::optional<std::string> MaildirFolder::transfer(const std::string& base, MaildirFolder& target, Transfer how) {
  for (int tries = 0; tries < 5; ++tries) {
    const std::optional<fs::path> file = find(base);
    if (!file) return std::nullopt;
    const std::string name = how == Transfer::Copy || target.find(base) ? uniqueName() : base;
    const std::string before(parseMaildirName(file->filename().string()).letters);
    std::string others;  // the letters of keywords are a mailbox's own
    std::copy_if(before.begin(), before.end(), std::back_inserter(others), [](char c) { return c < 'a' || c > 'z'; });
    const std::string letters = withUnknown(target.lettersFor(meaningOf(before)), others, target.keywords());
    const fs::path place = target.directory_ / "cur" / (name + ":2," + letters);
    const int result =
        how == Transfer::Copy ? ::link(file->c_str(), place.c_str()) : ::rename(file->c_str(), place.c_str());
    if (result == 0) {
      if (how == Transfer::Move) files_.erase(base);
      target.files_[name] = place;
      unsettled_ = target.unsettled_ = true;
      return name;
    }
    if (errno != ENOENT) fail(place, "cannot be made", errno);
  }
  return std::nullopt;
}

bool MaildirFolder::remove(const std::string& base) {
  for (int tries = 0; tries < 5; ++tries) {
    const std::optional<fs::path> file = find(base);
    if (!file) return false;
    if (::unlink(file->c_str()) == 0) {
      files_.erase(base);
      unsettled_ = true;
      return true;
    }
    if (errno != ENOENT) fail(*file, "cannot be removed", errno);
  }
  return false;
}

bool MaildirFolder::removeIfEmpty() {
  for (const char* part : kAllParts) {
    std::error_code error;
    const fs::directory_iterator files(directory_ / part, error);
    if (!error && files != fs::directory_iterator()) return false;
  }
  for (const char* part : kAllParts) {
    if (::rmdir((directory_ / part).c_str()) == 0 || errno == ENOENT) continue;
    make();  // a message has just come
    return false;
  }
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("dovecot") || name == "maildirfolder" || name == "subscriptions")
      ::unlink(entry.path().c_str());
  }
  ::rmdir(directory_.c_str());  // stays when mailboxes are below it
  return true;
}

void MaildirFolder::sync() const {
  const Descriptor opened(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.value() < 0) fail(directory_, "cannot be opened", errno);
  if (::syncfs(opened.value()) != 0) fail(directory_, "cannot be written", errno);
}

MaildirFolder::Delivery::~Delivery() {
  for (const Waiting& waiting : waiting_) ::unlink(waiting.temporary.c_str());
}

void MaildirFolder::Delivery::add(std::uint64_t token, const Flags& flags, mailstore::InternalDate date,
                                  const Read& read) {
  const std::string base = uniqueName();
  fs::path temporary = folder_.directory_ / "tmp" / base;
  atEndpoint([&] {
    mailstore::MaildirMessage message(temporary);
    try {
      read([&](std::string_view octets) { message.append(octets); });
      message.close(date);
    } catch (...) {
      ::unlink(message.path().c_str());
      throw;
    }
    temporary = message.path();
  });
  waiting_.push_back({token, temporary, base, flags});
}

std::vector<MaildirFolder::Delivery::Delivered> MaildirFolder::Delivery::deliver() {
  std::vector<Delivered> out;
  if (waiting_.empty()) return out;
  std::vector<std::string> letters;
  for (const Waiting& waiting : waiting_) letters.push_back(folder_.lettersFor(waiting.flags));
  folder_.sync();
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const Waiting& waiting = waiting_[i];
    // What nobody has looked at yet stands in new, as a delivery agent leaves it.
    const bool fresh = letters[i].empty();
    const fs::path place = fresh ? folder_.directory_ / "new" / waiting.base
                                 : folder_.directory_ / "cur" / (waiting.base + ":2," + letters[i]);
    if (::link(waiting.temporary.c_str(), place.c_str()) != 0) fail(place, "cannot be made", errno);
    ::unlink(waiting.temporary.c_str());
    folder_.files_[waiting.base] = place;
    out.push_back({waiting.token, waiting.base, folder_.keywords().flags(letters[i])});
  }
  waiting_.clear();
  folder_.sync();
  return out;
}

}  // namespace mailbraid::sync::endpoint
