#include "mailstore/formats/mbox_reader.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <unistd.h>

namespace mailbraid::mailstore {
namespace {

constexpr std::size_t kBuffer = 256UL * 1024;

/// Calls `sink` with the file's octets from `at` to `end`, until it returns false; false when they cannot be read.
template <class Sink>
bool forEachBlock(int descriptor, std::uint64_t at, std::uint64_t end, const Sink& sink) {
  std::vector<char> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(kBuffer, end - at)));
  while (at < end) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), end - at));
    const ssize_t count = ::pread(descriptor, buffer.data(), wanted, static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    if (count == 0) return true;
    at += static_cast<std::uint64_t>(count);
    if (!sink(std::string_view(buffer.data(), static_cast<std::size_t>(count)))) return true;
  }
  return true;
}

/// One message of which it is known where it stands.
class OneMessage final : public MboxParser::Events {
 public:
  explicit OneMessage(const std::function<void(std::string_view)>& sink) : sink_(sink) {}
  void begin() override {}
  void octets(std::string_view octets) override {
    if (!message) sink_(octets);
  }
  void end(const MboxMessage& told, bool) override {
    if (!message) message = told;
  }
  std::optional<MboxMessage> message;

 private:
  const std::function<void(std::string_view)>& sink_;
};

class Forwarder final : public MboxParser::Events {
 public:
  Forwarder(const MboxReader& reader, MboxVisitor& visitor) : reader_(reader), visitor_(visitor) {}
  void begin() override { visitor_.begin(); }
  void octets(std::string_view octets) override { visitor_.octets(octets); }
  void end(const MboxMessage& message, bool mixed) override {
    if (!mixed) {
      visitor_.end(message);
      return;
    }
    MboxMessage again = message;
    again.size = 0;
    visitor_.begin();
    readable = reader_.read(message.place, [&](std::string_view octets) {
      again.size += octets.size();
      visitor_.octets(octets);
    }) && readable;
    visitor_.end(again);
  }
  bool readable = true;

 private:
  const MboxReader& reader_;
  MboxVisitor& visitor_;
};

}  // namespace

MboxReader::Outcome MboxReader::scan(std::uint64_t offset, MboxVisitor& visitor) const {
  Forwarder events(*this, visitor);
  MboxParser parser(quoting_, offset, events);
  const bool read = forEachBlock(descriptor_, offset, UINT64_MAX,
                                 [&](std::string_view block) { return parser.feed(block) && events.readable; });
  if (!read || !events.readable) return Outcome::Unreadable;
  return parser.finish() && events.readable ? Outcome::Complete : Outcome::NotMbox;
}

bool MboxReader::read(const MboxPlace& place, const std::function<void(std::string_view)>& sink) const {
  OneMessage events(sink);
  MboxParser parser(quoting_, place.begin, events, place.asItIs);
  const bool read =
      forEachBlock(descriptor_, place.begin, place.end, [&](std::string_view block) { return parser.feed(block); });
  parser.finish();
  return read && events.message && events.message->place.end == place.end;
}

std::optional<MboxMessage> MboxReader::header(const MboxPlace& place,
                                              const std::function<void(std::string_view)>& sink) const {
  OneMessage events(sink);
  MboxParser parser(quoting_, place.begin, events, place.asItIs);
  const bool read = forEachBlock(descriptor_, place.begin, place.headerEnd,
                                 [&](std::string_view block) { return parser.feed(block); });
  parser.finish();
  if (!read || !events.message || events.message->place.begin != place.begin) return std::nullopt;
  // Nothing but the header was read, and all of it.
  if (events.message->place.headerEnd != place.headerEnd) return std::nullopt;
  return events.message;
}

}  // namespace mailbraid::mailstore
