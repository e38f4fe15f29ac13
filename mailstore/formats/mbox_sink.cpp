#include "mailstore/formats/sinks.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace mailbraid::mailstore {
namespace {

constexpr std::string_view kFrom = "From ";

/// The address for the `From ` line (RFC 4155): from the From field when there is one without spaces.
std::string senderOf(const HeaderIndex& header) {
  std::string_view from(header.from);
  const std::size_t open = from.rfind('<');
  if (open != std::string_view::npos) {
    from.remove_prefix(open + 1);
    from = from.substr(0, from.find('>'));
  }
  const bool plain = !from.empty() && from.find('@') != std::string_view::npos &&
                     std::all_of(from.begin(), from.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  return plain ? std::string(from) : "MAILER-DAEMON";
}

/// asctime() without a locale, in UTC.
std::string dateOf(InternalDate date) {
  const auto seconds = static_cast<time_t>(date.seconds);
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return "Thu Jan  1 00:00:00 1970";
  std::array<char, 64> buffer{};
  ::asctime_r(&parts, buffer.data());
  std::string out(buffer.data());
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

}  // namespace

void MboxSink::begin(const EntryRow& row, std::string_view mailbox) {
  std::filesystem::path below = exportPath(mailbox);
  below += ".mbox";
  const std::filesystem::path path = directory_ / below;
  if (!file_ || file_->path() != path) {
    if (file_) file_->close({});
    file_.reset();
    makeExportDirectory(directory_, below.parent_path());
    const bool first = made_.insert(path).second;
    file_.emplace(path, first ? OutputFile::Kind::New : OutputFile::Kind::Continued);
  }
  file_->write("From " + senderOf(row.message.header) + " " + dateOf(row.entry.internalDate) + "\n");
  atLineStart_ = true;
  quotes_ = 0;
  matched_ = 0;
  carriageReturn_ = false;
  lineOpen_ = false;
}

void MboxSink::octets(std::string_view octets) {
  for (const char c : octets) {
    if (carriageReturn_ && c != '\n') put('\r');
    carriageReturn_ = c == '\r';
    if (!carriageReturn_) put(c);
  }
}

void MboxSink::put(char c) {
  lineOpen_ = c != '\n';
  if (atLineStart_) {
    if (c == '>' && matched_ == 0) {
      ++quotes_;
      return;
    }
    if (c == kFrom[matched_]) {
      ++matched_;
      if (matched_ < kFrom.size()) return;
      file_->put('>');
      flushLineStart();
      return;
    }
    flushLineStart();
  }
  file_->put(c);
  if (c == '\n') atLineStart_ = true;
}

void MboxSink::flushLineStart() {
  for (; quotes_ > 0; --quotes_) file_->put('>');
  file_->write(kFrom.substr(0, matched_));
  matched_ = 0;
  atLineStart_ = false;
}

void MboxSink::end() {
  if (carriageReturn_) put('\r');
  if (atLineStart_) flushLineStart();
  // A reader takes "\nFrom " for the border, so a last line must end, and an empty line stands between the messages.
  file_->write(lineOpen_ ? "\n\n" : "\n");
}

void MboxSink::finish() {
  if (file_) file_->close({});
  file_.reset();
  syncExport(directory_);
}

}  // namespace mailbraid::mailstore
