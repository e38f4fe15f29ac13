// Whatever a file holds: no crash, the same messages whole and cut in pieces; and what the writer makes of the octets
// is read back as they are. The first octet of an input chooses the quoting and the style of flags.
#include "mailstore/formats/mbox_parser.h"
#include "mailstore/formats/mbox_writer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace mailbraid::mailstore;

class Log final : public MboxParser::Events {
 public:
  void begin() override { octets_.clear(); }
  void octets(std::string_view octets) override { octets_ += octets; }
  void end(const MboxMessage& message, bool mixed) override {
    const MboxPlace& place = message.place;
    if (place.begin > place.headerEnd || place.headerEnd > place.end) std::abort();
    if (!mixed && message.size != octets_.size()) std::abort();
    text += std::to_string(place.begin) + "-" + std::to_string(place.headerEnd) + "-" + std::to_string(place.end) +
            (mixed ? "mixed" : octets_) + message.flags.keywordColumn() + "|";
    last = mixed ? std::string() : octets_;
    lastMixed = mixed;
    ++count;
  }
  std::string text;
  std::string last;
  bool lastMixed = false;
  int count = 0;

 private:
  std::string octets_;
};

std::string read(MboxQuoting quoting, std::string_view text, std::size_t step) {
  Log log;
  MboxParser parser(quoting, 0, log);
  for (std::size_t at = 0; at < text.size(); at += step) {
    if (!parser.feed(text.substr(at, step))) break;
  }
  return (parser.finish() ? "" : "no mbox ") + log.text;
}

void writeAndRead(std::string_view message, MboxStyle style) {
  MboxSurvey survey;
  survey.append(message);
  // A message that has LF and no CR at all comes back with CRLF, as the writer says.
  if (survey.isAsItIs() && message.find('\r') == std::string_view::npos) return;
  std::string file;
  MboxWriter writer(MboxQuoting::Mboxrd, [&](std::string_view octets) { file += octets; });
  writer.begin({"a@b.c", {1037000000, 0}, survey.isAsItIs(), survey.isOpenEnd(), mboxStatusLines({}, style)});
  writer.octets(message);
  writer.end();
  Log log;
  MboxParser parser(MboxQuoting::Mboxrd, 0, log);
  parser.feed(file);
  if (!parser.finish() || log.count != 1) std::abort();
  if (log.lastMixed) {
    log = {};
    MboxParser again(MboxQuoting::Mboxrd, 0, log, true);
    again.feed(file);
    again.finish();
  }
  const std::string_view volatileFields[] = {"X-UID", "X-IMAP"};  // an IMAP server's notes are no octets of a message
  const auto has = [&](std::string_view name) {
    return std::search(message.begin(), message.end(), name.begin(), name.end(),
                       [](char a, char b) { return (a | 0x20) == (b | 0x20); }) != message.end();
  };
  if (std::any_of(std::begin(volatileFields), std::end(volatileFields), has)) return;
  if (log.last != message) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto quoting = (data[0] & 1U) != 0 ? MboxQuoting::Mboxo : MboxQuoting::Mboxrd;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = read(quoting, text, text.size() + 1);
  if (read(quoting, text, 1) != whole || read(quoting, text, 7) != whole) std::abort();
  writeAndRead(text, (data[0] & 2U) != 0 ? MboxStyle::Thunderbird : MboxStyle::Plain);
  return 0;
}
