#include "mailstore/formats/sinks.h"
#include "mailstore/types/error.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace mailbraid::mailstore {
namespace {

// Messages that wait in tmp for the disk, together. One wait a message takes a thousand times as long as writing it.
constexpr std::size_t kBatch = 512;

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
  if (file_) pending_.push_back({file_->path(), {}});
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
  place_ = maildir_ / "cur" / (unique + ":2," + keywords_[maildir_].letters(row.entry.flags));
  date_ = row.entry.internalDate;
  file_.emplace(maildir_ / "tmp" / unique);
}

void MaildirSink::octets(std::string_view octets) {
  file_->append(octets);
}

void MaildirSink::end() {
  file_->close(date_);
  pending_.push_back({file_->path(), place_});
  file_.reset();
  if (pending_.size() >= kBatch) deliver();
}

void MaildirSink::finish() {
  deliver();
  syncExport(directory_);
}

/// A message shows up in cur only when its octets are on the disk.
void MaildirSink::deliver() {
  for (auto& [maildir, known] : keywords_) {
    if (known.hasChanged()) known.write(maildir);
  }
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

}  // namespace mailbraid::mailstore
