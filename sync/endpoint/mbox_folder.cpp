#include "sync/endpoint/mbox_folder.h"

#include "mailstore/sha256.h"
#include "sync/endpoint/mbox_index.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mailbraid::sync::endpoint {

using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::MboxReader;
using mailstore::Retry;
using mailstore::Scope;

namespace {

constexpr std::uint64_t kTail = 4096;

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& doing) {
  throw Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later, file.string() + " " + doing);
}

std::string problemText(int problem) {
  return std::generic_category().message(problem);
}

std::string tailOf(int descriptor, std::uint64_t end) {
  const std::uint64_t begin = end - std::min(end, kTail);
  std::string out(static_cast<std::size_t>(end - begin), '\0');
  const ssize_t count = ::pread(descriptor, out.data(), out.size(), static_cast<off_t>(begin));
  out.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return out;
}

/// Names messages while they are read.
class Indexer final : public mailstore::MboxVisitor {
 public:
  explicit Indexer(std::vector<MboxFolder::Message>& messages) : messages_(messages) {}
  void begin() override {
    digest_.reset();
    header_ = {};
  }
  void octets(std::string_view octets) override {
    digest_.append(octets);
    header_.append(octets);
  }
  void end(const mailstore::MboxMessage& found) override {
    MboxFolder::Message& message = messages_.emplace_back();
    message.found = found;
    message.digest.bytes = digest_.finish();
    message.header = header_.finish();
    message.hasMessageId = header_.hadMessageId();
  }

 private:
  std::vector<MboxFolder::Message>& messages_;
  mailstore::Sha256 digest_;
  mailstore::HeaderDigester header_;
};

}  // namespace

Error changedMeanwhile(const std::filesystem::path& file) {
  return {ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later,
          file.string() +
              " was changed by another program while it was read; nothing is removed because of that, run "
              "again"};
}

std::uint64_t MboxFolder::changeNumber() const {
  constexpr std::int64_t kCoarse = 2'000'000'000;
  struct stat status {};
  if (::stat(file_.c_str(), &status) != 0) return 0;
  const auto nanoseconds = [](const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + std::int64_t{time.tv_nsec};
  };
  // Mail programs set the modification time back (mutt); the time of the last change of any kind they cannot.
  const std::int64_t newest = std::max(nanoseconds(status.st_mtim), nanoseconds(status.st_ctim));
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  return newest <= 0 || newest + kCoarse > now ? 0 : static_cast<std::uint64_t>(newest);
}

MboxFolder::Mark MboxFolder::markOf(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return {};
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
          std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec,
          std::int64_t{status.st_ctim.tv_sec} * 1'000'000'000 + status.st_ctim.tv_nsec};
}

Descriptor MboxFolder::openLocked() const {
  Descriptor descriptor(::open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.value() < 0) fail(file_, "cannot be read: " + problemText(errno));
  lockMbox(descriptor.value(), file_, MboxAccess::Read, patience_);
  return descriptor;
}

void MboxFolder::scan() {
  const Descriptor file = openLocked();
  const Mark before = markOf(file.value());
  if (before == mark_) return;
  recall();
  const MboxReader reader(file.value(), quoting_);
  keepWhatIsThere(file.value(), reader);
  Indexer indexer(messages_);
  MboxReader::Outcome outcome = reader.scan(messages_.empty() ? 0 : messages_.back().found.place.end, indexer);
  if (outcome == MboxReader::Outcome::NotMbox && !messages_.empty()) {
    // Something was added that is no message of its own: it belongs to the last one.
    messages_.clear();
    outcome = reader.scan(0, indexer);
  }
  const int problem = errno;
  mark_ = {};
  if (outcome != MboxReader::Outcome::Complete) messages_.clear();
  if (outcome == MboxReader::Outcome::NotMbox) fail(file_, "is no mbox: it does not begin with a \"From \" line");
  if (outcome == MboxReader::Outcome::Unreadable) fail(file_, "cannot be read to its end: " + problemText(problem));
  if (markOf(file.value()) != before) throw changedMeanwhile(file_);
  nameAll();
  tail_ = tailOf(file.value(), before.size);
  mark_ = before;
  keep();
}

void MboxFolder::recall() {
  if (std::exchange(remembered_, true) || memory_.file.empty()) return;
  MboxIndex index = MboxIndex::load(memory_.file);
  messages_ = std::move(index.messages);
  tail_ = std::move(index.tail);
}

void MboxFolder::keep() const {
  if (memory_.file.empty() || mark_.size < memory_.leastSize) return;
  MboxIndex{messages_, tail_}.save(memory_.file);
}

void MboxFolder::forget() {
  messages_.clear();
  byKey_.clear();
  mark_ = {};
  remembered_ = true;
  if (!memory_.file.empty()) ::unlink(memory_.file.c_str());
}

void MboxFolder::keepWhatIsThere(int descriptor, const MboxReader& reader) {
  const std::uint64_t end = messages_.empty() ? 0 : messages_.back().found.place.end;
  std::size_t kept = 0;
  for (Message& message : messages_) {
    mailstore::HeaderDigester header;
    const auto now = reader.header(message.found.place, [&](std::string_view octets) { header.append(octets); });
    if (!now || header.finish() != message.header) break;
    message.found.flags = now->flags;
    message.found.hidden = now->hidden;
    message.found.date = now->date;
    message.found.isThunderbirds = now->isThunderbirds;
    ++kept;
  }
  if (kept == messages_.size() && tailOf(descriptor, end) != tail_) kept -= kept == 0 ? 0 : 1;
  messages_.resize(kept);
  // The next one begins where the last one that is kept ends, or that one is another, too.
  if (kept == 0 || messages_.back().found.place.end == end) return;
  char first = 0;
  if (::pread(descriptor, &first, 1, static_cast<off_t>(messages_.back().found.place.end)) != 1 || first != 'F') {
    messages_.pop_back();
  }
}

void MboxFolder::nameAll() {
  byKey_.clear();
  std::map<mailstore::Digest, std::size_t> copies;
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    Message& message = messages_[i];
    message.key.clear();
    if (message.found.hidden) continue;
    const std::size_t number = ++copies[message.digest];
    message.key = message.digest.hex();
    if (number > 1) message.key += "-" + std::to_string(number);
    byKey_.emplace(message.key, i);
  }
}

const MboxFolder::Message* MboxFolder::find(const std::string& key) const {
  const auto found = byKey_.find(key);
  return found == byKey_.end() ? nullptr : &messages_[found->second];
}

const MboxFolder::Message* MboxFolder::findAt(std::uint64_t begin) const {
  const auto found =
      std::lower_bound(messages_.begin(), messages_.end(), begin,
                       [](const Message& message, std::uint64_t at) { return message.found.place.begin < at; });
  return found == messages_.end() || found->found.place.begin != begin ? nullptr : &*found;
}

MboxFolder::Session::Session(const MboxFolder& folder) : folder_(folder), descriptor_(folder.openLocked()) {
  if (markOf(descriptor_.value()) != folder_.mark_) throw changedMeanwhile(folder_.file_);
}

bool MboxFolder::Session::read(const Message& message, const std::function<void(std::string_view)>& sink) const {
  return MboxReader(descriptor_.value(), folder_.quoting_).read(message.found.place, sink);
}

std::optional<mailstore::HeaderIndex> MboxFolder::Session::describe(const Message& message) const {
  mailstore::HeaderDigester header;
  const bool isThere = MboxReader(descriptor_.value(), folder_.quoting_)
                           .header(message.found.place, [&](std::string_view octets) { header.append(octets); })
                           .has_value();
  if (!isThere || header.finish() != message.header) return std::nullopt;
  return header.index();
}

}  // namespace mailbraid::sync::endpoint
