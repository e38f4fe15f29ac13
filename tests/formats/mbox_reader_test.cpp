#include "mailstore/formats/mbox_reader.h"

#include "mailstore/formats/mbox_writer.h"
#include "tests/support/catch.h"
#include "tests/support/scratch.h"

#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

using namespace mailbraid::mailstore;
using mailbraid::tests::Scratch;

namespace {

struct Read {
  std::vector<std::string> octets;
  std::vector<MboxMessage> messages;
  MboxReader::Outcome outcome = MboxReader::Outcome::Complete;
};

class Collector final : public MboxVisitor {
 public:
  explicit Collector(Read& read) : read_(read) {}
  void begin() override { current_.clear(); }
  void octets(std::string_view octets) override { current_ += octets; }
  void end(const MboxMessage& message) override {
    read_.octets.push_back(current_);
    read_.messages.push_back(message);
    CHECK(message.size == current_.size());
  }

 private:
  Read& read_;
  std::string current_;
};

Read readAll(const std::string& text, MboxQuoting quoting = MboxQuoting::Mboxrd) {
  const Scratch scratch;
  std::ofstream(scratch.path() / "m", std::ios::binary) << text;
  const int descriptor = ::open((scratch.path() / "m").c_str(), O_RDONLY | O_CLOEXEC);
  const MboxReader reader(descriptor, quoting);
  Read out;
  Collector collector(out);
  out.outcome = reader.scan(0, collector);
  for (std::size_t i = 0; i < out.messages.size(); ++i) {
    std::string again;
    CHECK(reader.read(out.messages[i].place, [&](std::string_view octets) { again += octets; }));
    CHECK(again == out.octets[i]);
    const auto header = reader.header(out.messages[i].place, [](std::string_view) {});
    REQUIRE(header.has_value());
    CHECK(header->flags == out.messages[i].flags);
  }
  ::close(descriptor);
  return out;
}

std::string written(const std::vector<std::string>& messages, MboxStyle style, const Flags& flags = {}) {
  std::string out;
  MboxWriter writer(MboxQuoting::Mboxrd, [&](std::string_view octets) { out += octets; });
  for (const std::string& message : messages) {
    MboxSurvey survey;
    survey.append(message);
    writer.begin(
        {"a@example.org", {1037000000, 0}, survey.isAsItIs(), survey.isOpenEnd(), mboxStatusLines(flags, style)});
    writer.octets(message);
    writer.end();
  }
  return out;
}

using Texts = std::vector<std::string>;
const std::string kFrom = "From a@example.org Mon Nov 11 07:33:20 2002\n";

Flags flagsOf(const std::string& header) {
  const Read read = readAll(kFrom + header + "\nbody\n");
  REQUIRE(read.messages.size() == 1);
  return read.messages[0].flags;
}

/// The structure of what a parser tells, however its input is cut.
class Log final : public MboxParser::Events {
 public:
  void begin() override { current_.clear(); }
  void octets(std::string_view octets) override { current_ += octets; }
  void end(const MboxMessage& message, bool mixed) override {
    text += std::to_string(message.place.begin) + "-" + std::to_string(message.place.headerEnd) + "-" +
            std::to_string(message.place.end) + (mixed ? "mixed" : current_) + message.flags.keywordColumn() + "|";
  }
  std::string text;

 private:
  std::string current_;
};

std::string logOf(const std::string& text, std::size_t cut) {
  Log log;
  MboxParser parser(MboxQuoting::Mboxrd, 0, log);
  parser.feed(std::string_view(text).substr(0, cut));
  parser.feed(std::string_view(text).substr(cut));
  parser.finish();
  return log.text;
}

}  // namespace

TEST_CASE("P2: what the writer wrote is read back octet for octet", "[mbox][P2]") {
  const Texts messages{"A: b\r\n\r\nbody\r\n",
                       "A: b\r\n\r\nno end",
                       "",
                       "\r\n",
                       "x",
                       "A: b\r\n\r\nFrom x\r\n>From y\r\n>>From Mon Nov 11 07:33:20 2002\r\n",
                       "A: b\r\n\r\nends empty\r\n\r\n\r\n",
                       "A: b\r\n\r\na\rb\r\nc\n",
                       "A: b\r\n\r\nlast\r",
                       "A: b\r\n\r\n\r",
                       std::string("A: b\r\n\r\n\0nul\0\r\n", 16),
                       "Status: RO\r\nX-Status: A\r\nA: b\r\n\r\nits own\r\n",
                       "X-Keywords: own\r\nStatus: resolved\r\n\r\nits own\r\n",
                       "X-Mozilla-Status: 0001\r\nX-UIDL: 7\r\nContent-Length: 4\r\nLines: 1\r\n\r\nabcd",
                       " folded first\r\n\r\n",
                       "From the beginning\r\n"};
  for (const MboxStyle style : {MboxStyle::Plain, MboxStyle::Thunderbird}) {
    const Flags flags = Flags::parse({"\\Seen", "\\Flagged", "\\Answered", "$Forwarded", "work"});
    const Read read = readAll(written(messages, style, flags));
    CHECK(read.octets == messages);
    for (const MboxMessage& message : read.messages) {
      CHECK(message.flags == flags);
      CHECK(message.date == InternalDate{1037000000, 0});
    }
  }
}

TEST_CASE("P2: random octets come back through an mbox", "[mbox][P2]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const Texts pieces{"\r\n",
                     "\r\n",
                     "\r",
                     "From ",
                     ">",
                     "Status: O\r\n",
                     "X-Status: A\r\n",
                     "A: b\r\n",
                     "x",
                     " ",
                     std::string(1, '\0'),
                     "From a Mon Nov 11 07:33:20 2002"};
  for (int round = 0; round < 300; ++round) {
    Texts messages;
    for (int m = 0; m < 4; ++m) {
      std::string text;
      const auto count = random() % 12;
      for (auto i = count; i > 0; --i) text += pieces[random() % pieces.size()];
      messages.push_back(text);
    }
    const MboxStyle style = round % 2 == 0 ? MboxStyle::Plain : MboxStyle::Thunderbird;
    REQUIRE(readAll(written(messages, style)).octets == messages);
  }
}

TEST_CASE("an mbox split at any octet yields the same messages", "[mbox]") {
  const std::string text = "\n" + kFrom + "Status: RO\nX-Keywords: work\nA: b\n\nbody\n>From x\n\n\n" +
                           "From \nX-Mozilla-Status: 0001\r\nB: c\r\n\r\nFrom here\r\n\r\nFrom \r\nno header\r\n" +
                           kFrom + "C: d\n\nmixed\rline\n\n" + kFrom;
  const std::string whole = logOf(text, 0);
  CHECK(std::count(whole.begin(), whole.end(), '|') == 4);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CAPTURE(cut);
    REQUIRE(logOf(text, cut) == whole);
  }
}

TEST_CASE("LF is given as CRLF, and a message that has a CR keeps its line ends", "[mbox]") {
  CHECK(readAll(kFrom + "A: b\n\nbody\n\n").octets == Texts{"A: b\r\n\r\nbody\r\n"});
  CHECK(readAll(kFrom + "A: b\n\nbo\rdy\n\n").octets == Texts{"A: b\n\nbo\rdy\n"});
  CHECK(readAll(kFrom + "A: b\r\n\r\nbody\r\n\r\n").octets == Texts{"A: b\r\n\r\nbody\r\n"});
  CHECK(readAll(kFrom + "A: b\n\nbody").octets == Texts{"A: b\r\n\r\nbody\r\n"});
}

TEST_CASE("a line is a postmark when it has a date, or none at all and a header behind it", "[mbox]") {
  const std::string message = "A: b\n\nbody\n";
  for (const std::string postmark :
       {"From - Mon Nov 11 07:33:20 2002", "From x@y  Mon Nov 11 07:33 2002", "From x Mon Nov 11 07:33:20 CET 2002",
        "From x Mon Nov 11 07:33:20 2002 +0100", "From ???@??? Mon Nov 11 07:33:20 2002"}) {
    CAPTURE(postmark);
    CHECK(readAll(kFrom + message + "\n" + postmark + "\n" + message).octets.size() == 2);
    CHECK(readAll(kFrom + message + postmark + "\n" + message).octets.size() == 2);
  }
  CHECK(readAll(kFrom + message + "\nFrom \n" + message).octets.size() == 2);
  CHECK(readAll(kFrom + message + "\nFrom -\r\n" + message).octets.size() == 2);
  CHECK(readAll(kFrom + message + "\nFrom \nhere on\n").octets.size() == 1);
  CHECK(readAll(kFrom + message + "\nFrom here on\nSubject: no\n").octets.size() == 1);
  CHECK(readAll("From \n" + message).octets == Texts{"A: b\r\n\r\nbody\r\n"});
}

TEST_CASE("the postmark's date is the internal date, in its zone", "[mbox]") {
  const auto dateOf = [](const std::string& postmark) { return parsePostmark(postmark)->date; };
  CHECK(dateOf("From a Mon Nov 11 07:33:20 2002") == InternalDate{1037000000, 0});
  CHECK(dateOf("From a Mon Nov 11 08:33:20 2002 +0100") == InternalDate{1037000000, 60});
  CHECK(dateOf("From a Mon Nov 11 08:33:20 +0100 2002") == InternalDate{1037000000, 60});
  CHECK(dateOf("From a Mon Nov 11 08:33:20 CET 2002") == InternalDate{1037000000, 60});
  CHECK_FALSE(dateOf("From a Mon Nov 31 08:33:20 2002").has_value());
  CHECK_FALSE(dateOf("From a friend").has_value());
}

TEST_CASE("flags are read from the fields of every mail program", "[mbox]") {
  CHECK(flagsOf("Status: RO\n") == Flags::parse({"\\Seen"}));
  CHECK(flagsOf("A: b\nStatus: O\nX-Status: AFT\n") == Flags::parse({"\\Answered", "\\Flagged", "\\Draft"}));
  CHECK(flagsOf("A: b\nX-Keywords: work\n  home\n") == Flags::parse({"work", "home"}));
  CHECK(flagsOf("X-Mozilla-Status: 1007\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: $label1    \nA: b\n") ==
        Flags::parse({"\\Seen", "\\Answered", "\\Flagged", "$Forwarded", "$label1"}));
  CHECK(flagsOf("A: b\nStatus: resolved\n").empty());
}

TEST_CASE("a flag that a mail program changes does not change the message", "[mbox]") {
  const std::string rest = "A: b\n\nbody\n";
  const Texts message{"A: b\r\n\r\nbody\r\n"};
  for (const std::string head :
       {"", "Status: O\n", "Status: RO\nX-Status: F\nX-Keywords: w\n", "X-Mozilla-Status: 0001\n",
        "X-Account-Key: account1\nX-UIDL: 9\nX-Mozilla-Status: 0000\nX-Mozilla-Keys: \n"}) {
    CHECK(readAll(kFrom + head + rest).octets == message);
  }
  CHECK(readAll(kFrom + "A: b\nStatus: RO\nContent-Length: 5\nLines: 1\n\nbody\n").octets == message);
  CHECK(readAll(kFrom + "A: b\nX-UID: 7\nX-IMAPbase: 1 2\n\nbody\n").octets == message);
}

TEST_CASE("a field below the mbox's own flags belongs to the message", "[mbox]") {
  CHECK(readAll(kFrom + "X-Mozilla-Status: 0001\nA: b\nStatus: RO\nContent-Length: 3\n\nx\n").octets ==
        Texts{"A: b\r\nStatus: RO\r\nContent-Length: 3\r\n\r\nx\r\n"});
  CHECK(readAll(kFrom + "X-UIDL: 9\nA: b\n\nx\n").octets == Texts{"X-UIDL: 9\r\nA: b\r\n\r\nx\r\n"});
}

TEST_CASE("what Thunderbird has removed, and what a server notes for itself, is hidden", "[mbox]") {
  const Read read =
      readAll(kFrom + "X-Mozilla-Status: 0009\nA: b\n\nx\n\n" + kFrom + "X-IMAP: 1 2\nStatus: RO\n\nnote\n");
  REQUIRE(read.messages.size() == 2);
  CHECK(read.messages[0].hidden);
  CHECK(read.messages[1].hidden);
}

TEST_CASE("mboxo takes one quote away and leaves two", "[mbox]") {
  const std::string text = kFrom + "A: b\n\n>From x\n>>From y\n";
  CHECK(readAll(text, MboxQuoting::Mboxo).octets == Texts{"A: b\r\n\r\nFrom x\r\n>>From y\r\n"});
  CHECK(readAll(text, MboxQuoting::Mboxrd).octets == Texts{"A: b\r\n\r\nFrom x\r\n>From y\r\n"});
}

TEST_CASE("a file that does not begin with a postmark is no mbox, an empty one is", "[mbox]") {
  CHECK(readAll("Subject: x\n\nFrom a Mon Nov 11 07:33:20 2002\n").outcome == MboxReader::Outcome::NotMbox);
  CHECK(readAll(std::string(200'000, '\0')).outcome == MboxReader::Outcome::NotMbox);
  CHECK(readAll("").outcome == MboxReader::Outcome::Complete);
  CHECK(readAll("\n\n").outcome == MboxReader::Outcome::Complete);
  CHECK(readAll("\n" + kFrom).octets == Texts{""});
}

TEST_CASE("a line of any length is given as it is", "[mbox]") {
  const std::string line(1'000'000, 'x');
  CHECK(readAll(written({line, "A: b\r\n\r\n" + line + "\r\n"}, MboxStyle::Plain)).octets ==
        Texts{line, "A: b\r\n\r\n" + line + "\r\n"});
}
