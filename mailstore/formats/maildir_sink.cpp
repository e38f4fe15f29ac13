#include "mailstore/formats/sinks.h"
#include "mailstore/types/error.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace mailbraid::mailstore {
namespace {

// Messages that wait in tmp for the disk, together. One wait a message takes a thousand times as long as writing it.
constexpr std::size_t kBatch = 512;

constexpr std::array<std::pair<SystemFlag, char>, 5> kLetters{{
    {SystemFlag::Draft, 'D'},
    {SystemFlag::Flagged, 'F'},
    {SystemFlag::Answered, 'R'},
    {SystemFlag::Seen, 'S'},
    {SystemFlag::Deleted, 'T'},
}};
constexpr std::string_view kForwarded = "$Forwarded";
constexpr std::size_t kMaxKeywords = 26;

/// A mailbox is exported into a Maildir of its own: names, flags and keyword letters of two would mix.
void requireUnused(const std::filesystem::path& maildir) {
  std::error_code absent;
  bool used = std::filesystem::exists(maildir / "dovecot-keywords", absent);
  for (const char* part : {"cur", "new", "tmp"}) {
    const std::filesystem::directory_iterator files(maildir / part, absent);
    used = used || files != std::filesystem::directory_iterator();
  }
  if (!used) return;
  throw Error(ErrorKind::NotWritable, Scope::Run, Retry::Never,
              maildir.string() + " has mail already. Export into an empty directory.");
}

}  // namespace

MaildirSink::~MaildirSink() {
  if (file_) pending_.push_back(current_);
  for (const Written& written : pending_) ::unlink(written.temporary.c_str());
}

void MaildirSink::begin(const EntryRow& row, std::string_view mailbox) {
  const std::filesystem::path below = exportPath(mailbox);
  maildir_ = directory_ / below;
  if (!keywords_.contains(maildir_)) {
    requireUnused(maildir_);
    for (const char* part : {"cur", "new", "tmp"}) makeExportDirectory(directory_, below / part);
    keywords_[maildir_];
  }
  const std::string unique = std::to_string(row.entry.internalDate.seconds) + ".E" +
                             std::to_string(row.entry.id.value()) + "_" + row.message.digest.hex().substr(0, 16) +
                             ".mailbraid";
  current_ = {maildir_ / "tmp" / unique, maildir_ / "cur" / (unique + ":2," + flagLetters(row.entry.flags))};
  date_ = row.entry.internalDate;
  asItIs_ = false;
  carriageReturn_ = false;
  file_.emplace(current_.temporary);
}

void MaildirSink::octets(std::string_view octets) {
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
void MaildirSink::keepAsItIs() {
  file_->close(date_);
  std::ifstream in(current_.temporary, std::ios::binary);
  if (!in) failExport(current_.temporary, "cannot be read", EIO);
  file_.reset();
  ::unlink(current_.temporary.c_str());
  current_.temporary += ".octets";
  file_.emplace(current_.temporary);
  std::array<char, 65536> buffer{};
  while (in.read(buffer.data(), buffer.size()) || in.gcount() > 0) {
    for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(in.gcount()))) {
      if (c == '\n') file_->put('\r');
      file_->put(c);
    }
  }
  if (in.bad()) failExport(current_.temporary, "cannot be written", EIO);
  if (carriageReturn_) file_->put('\r');
  asItIs_ = true;
}

void MaildirSink::end() {
  if (!asItIs_ && carriageReturn_) keepAsItIs();
  file_->close(date_);
  file_.reset();
  pending_.push_back(std::move(current_));
  if (pending_.size() >= kBatch) deliver();
}

void MaildirSink::finish() {
  deliver();
  syncExport(directory_);
}

/// A message shows up in cur only when its octets are on the disk.
void MaildirSink::deliver() {
  writeKeywords();
  if (pending_.empty()) return;
  syncExport(directory_);
  for (const Written& written : pending_) {
    // link() and not rename(), which would take the place of another file.
    if (::link(written.temporary.c_str(), written.place.c_str()) != 0)
      failExport(written.place, "cannot be made", errno);
    ::unlink(written.temporary.c_str());
  }
  pending_.clear();
}

std::string MaildirSink::flagLetters(const Flags& flags) {
  std::string out;
  for (const auto& [flag, letter] : kLetters) {
    if (flags.has(flag)) out.push_back(letter);
  }
  std::vector<std::string>& known = keywords_[maildir_];
  for (const std::string& keyword : flags.keywords()) {
    if (keyword == kForwarded) {
      out.push_back('P');
      continue;
    }
    auto place = std::find(known.begin(), known.end(), keyword);
    if (place == known.end() && known.size() == kMaxKeywords) continue;
    if (place == known.end()) place = known.insert(known.end(), keyword);
    out.push_back(static_cast<char>('a' + (place - known.begin())));
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// Dovecot's file: a line a letter, "0 work" for a.
void MaildirSink::writeKeywords() {
  for (const auto& [maildir, known] : keywords_) {
    if (known.empty()) continue;
    const std::filesystem::path fresh = maildir / "dovecot-keywords.new";
    ::unlink(fresh.c_str());
    OutputFile file(fresh);
    for (std::size_t i = 0; i < known.size(); ++i) file.write(std::to_string(i) + " " + known[i] + "\n");
    file.close({});
    const std::filesystem::path place = maildir / "dovecot-keywords";
    if (::rename(fresh.c_str(), place.c_str()) != 0) failExport(place, "cannot be made", errno);
  }
}

}  // namespace mailbraid::mailstore
