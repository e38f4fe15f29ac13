#include "mailstore/formats/mbox_writer.h"

namespace mailbraid::mailstore {
namespace {
constexpr std::string_view kFrom = "From ";
constexpr std::size_t kBlock = 64UL * 1024;
}  // namespace

void MboxSurvey::append(std::string_view octets) {
  for (const char c : octets) {
    lone_ = lone_ || carriageReturn_ != (c == '\n');
    carriageReturn_ = c == '\r';
  }
  if (octets.empty()) return;
  any_ = true;
  last_ = octets.back();
}

void MboxWriter::begin(const Form& form) {
  asItIs_ = form.asItIs;
  buffer_ += mboxPostmark(form.from, form.date, form.openEnd);
  buffer_ += form.status;
  atLineStart_ = true;
  quotes_ = 0;
  matched_ = 0;
  carriageReturn_ = false;
  lineOpen_ = false;
}

void MboxWriter::octets(std::string_view octets) {
  for (const char c : octets) {
    if (asItIs_) {
      put(c);
      continue;
    }
    if (carriageReturn_ && c != '\n') put('\r');
    carriageReturn_ = c == '\r';
    if (!carriageReturn_) put(c);
  }
  if (buffer_.size() >= kBlock) flush();
}

void MboxWriter::put(char c) {
  lineOpen_ = c != '\n';
  if (atLineStart_) {
    if (c == '>' && matched_ == 0) {
      ++quotes_;
      return;
    }
    if (c == kFrom[matched_]) {
      ++matched_;
      if (matched_ < kFrom.size()) return;
      if (quoting_ == MboxQuoting::Mboxrd || quotes_ == 0) buffer_.push_back('>');
      flushLineStart();
      return;
    }
    flushLineStart();
  }
  buffer_.push_back(c);
  if (c == '\n') atLineStart_ = true;
}

void MboxWriter::flushLineStart() {
  buffer_.append(quotes_, '>');
  quotes_ = 0;
  buffer_ += kFrom.substr(0, matched_);
  matched_ = 0;
  atLineStart_ = false;
}

void MboxWriter::end() {
  if (carriageReturn_) put('\r');
  if (atLineStart_) flushLineStart();
  // A reader takes "\nFrom " for the border, so a last line must end, and an empty line stands between the messages.
  buffer_ += lineOpen_ ? "\n\n" : "\n";
  flush();
}

void MboxWriter::flush() {
  sink_(buffer_);
  buffer_.clear();
}

}  // namespace mailbraid::mailstore
