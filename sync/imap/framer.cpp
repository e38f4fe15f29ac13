#include "sync/imap/framer.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace mailbraid::sync::imap {

namespace {

/// A line longer than this leaves no buffer of its size behind.
constexpr std::size_t kKeptCarry = 64U << 10U;

std::string_view withoutLineEnd(std::string_view line) {
  line.remove_suffix(1);
  // Quirk BareLineFeed: a line without CR is a line.
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

}  // namespace

std::optional<LiteralAnnouncement> announcedLiteral(std::string_view line) {
  if (line.empty() || line.back() != '}') return std::nullopt;
  const std::size_t open = line.find_last_not_of("0123456789", line.size() - (line.ends_with("+}") ? 3 : 2));
  const std::size_t end = line.size() - (line.ends_with("+}") ? 2 : 1);
  if (open == std::string_view::npos || line[open] != '{' || open + 1 >= end) return std::nullopt;
  LiteralAnnouncement out;
  const auto [at, error] = std::from_chars(line.data() + open + 1, line.data() + end, out.size);
  out.overflows = error != std::errc{} || at != line.data() + end;
  out.lineLength = open > 0 && line[open - 1] == '~' ? open - 1 : open;
  return out;
}

void Framer::receive(std::string_view octets) {
  if (input_.empty()) {
    input_ = octets;
    return;
  }
  std::string joined(input_);
  joined += octets;
  own_ = std::move(joined);
  input_ = own_;
}

Framer::Frame Framer::next(std::size_t maximumLine) {
  if (carryIsDone_) {
    carry_.clear();
    if (carry_.capacity() > kKeptCarry) carry_.shrink_to_fit();
    carryIsDone_ = false;
  }
  if (input_.empty()) return {};
  if (literalLeft_ == 0) return nextLine(maximumLine);
  const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(literalLeft_, input_.size()));
  const std::string_view chunk = input_.substr(0, size);
  frameOffset_ = offset_;
  offset_ += size;
  input_.remove_prefix(size);
  literalLeft_ -= size;
  return {FrameKind::LiteralChunk, chunk};
}

Framer::Frame Framer::nextLine(std::size_t maximumLine) {
  frameOffset_ = offset_ - carry_.size();
  const void* const found = std::memchr(input_.data(), '\n', input_.size());
  const std::size_t length =
      found == nullptr ? input_.size() : static_cast<std::size_t>(static_cast<const char*>(found) - input_.data()) + 1;
  if (length + carry_.size() > maximumLine) return {FrameKind::LineTooLong, {}};
  const std::string_view part = input_.substr(0, length);
  input_.remove_prefix(length);
  offset_ += length;
  if (found != nullptr && carry_.empty()) return {FrameKind::Line, withoutLineEnd(part)};
  carry_.append(part);
  if (found == nullptr) return {};
  carryIsDone_ = true;
  return {FrameKind::Line, withoutLineEnd(carry_)};
}

std::string Framer::takeInput() {
  std::string out = carryIsDone_ ? std::string() : std::exchange(carry_, {});
  out += input_;
  *this = Framer();
  return out;
}

}  // namespace mailbraid::sync::imap
