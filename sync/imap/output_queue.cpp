#include "sync/imap/output_queue.h"

#include "sync/imap/secret_text.h"

#include <algorithm>
#include <utility>

namespace mailbraid::sync::imap {

OutputQueue::~OutputQueue() {
  for (Segment& segment : segments_) wipe(segment.text);
}

void OutputQueue::push(Segment segment) {
  if (segment.text.empty()) return;
  added_ += segment.text.size();
  if (segment.after == After::Wait) ++waitsInQueue_;
  // Commands that hold no secret are written together: one system call, one TLS record.
  const bool joins = !segments_.empty() && segments_.back().owed == 0 && segments_.back().redacted.empty() &&
                     segment.redacted.empty() && segments_.back().after == After::GoOn;
  if (!joins) {
    segments_.push_back(std::move(segment));
    return;
  }
  segments_.back().text += segment.text;
  segments_.back().after = segment.after;
}

void OutputQueue::add(std::string text, std::string redacted) {
  push({std::move(text), std::move(redacted), After::GoOn});
}

void OutputQueue::addAndWait(std::string text, std::string redacted) {
  push({std::move(text), std::move(redacted), After::Wait});
}

void OutputQueue::addOwed(std::uint64_t octets) {
  if (octets == 0) return;
  added_ += octets;
  ++owedInQueue_;
  segments_.push_back({{}, {}, After::GoOn, octets});
}

std::uint64_t OutputQueue::owed() const {
  for (const Segment& segment : segments_) {
    if (segment.after == After::Wait) return 0;
    if (segment.owed != 0) return segment.owed;
  }
  return 0;
}

void OutputQueue::supply(std::string_view octets) {
  const auto place =
      std::find_if(segments_.begin(), segments_.end(), [](const Segment& segment) { return segment.owed != 0; });
  if (place == segments_.end() || octets.empty()) return;
  octets = octets.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(octets.size(), place->owed)));
  place->owed -= octets.size();
  if (place->owed == 0) {
    --owedInQueue_;
    place->text = octets;
    return;
  }
  // A trace shows commands, not mail.
  segments_.insert(place, {std::string(octets), {}, After::GoOn, 0});
}

std::string_view OutputQueue::pending() const {
  return segments_.empty() ? std::string_view{} : std::string_view(segments_.front().text).substr(sent_);
}

std::string OutputQueue::redactedPending() const {
  if (pending().empty()) return {};
  const Segment& first = segments_.front();
  if (first.redacted.empty()) return std::string(pending());
  return sent_ == 0 ? first.redacted : "<redacted>";
}

void OutputQueue::consume(std::size_t count) {
  while (count != 0 && !pending().empty()) {
    const std::size_t taken = std::min(count, pending().size());
    sent_ += taken;
    written_ += taken;
    count -= taken;
    Segment& first = segments_.front();
    if (sent_ != first.text.size()) return;
    if (!first.redacted.empty()) wipe(first.text);
    if (first.after == After::Wait) {
      first.text.clear();
      sent_ = 0;
      return;
    }
    segments_.pop_front();
    sent_ = 0;
  }
}

bool OutputQueue::waits() const {
  return !segments_.empty() && segments_.front().after == After::Wait && segments_.front().text.empty();
}

void OutputQueue::proceed() {
  segments_.pop_front();
  --waitsInQueue_;
}

void OutputQueue::dropRest() {
  while (!segments_.empty()) {
    added_ -= segments_.back().text.size() + segments_.back().owed;
    wipe(segments_.back().text);
    segments_.pop_back();
  }
  waitsInQueue_ = 0;
  owedInQueue_ = 0;
  sent_ = 0;
}

}  // namespace mailbraid::sync::imap
