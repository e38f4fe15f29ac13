#include "mailstore/formats/maildir_flags.h"
#include "mailstore/formats/maildir_message.h"
#include "tests/support/catch.h"
#include "tests/support/scratch.h"

#include <fstream>
#include <random>
#include <string>

#include <fcntl.h>
#include <unistd.h>

using namespace mailbraid::mailstore;
using mailbraid::tests::Scratch;

namespace {

/// The octets of the file, and of the message that is read from it, after `message` was written in pieces of `step`.
std::pair<std::string, std::string> writtenAndRead(const std::string& message, std::size_t step) {
  const Scratch scratch;
  MaildirMessage file(scratch.path() / "m");
  for (std::size_t at = 0; at < message.size(); at += step) file.append(std::string_view(message).substr(at, step));
  file.close({});
  const int descriptor = ::open(file.path().c_str(), O_RDONLY | O_CLOEXEC);
  std::string read;
  const auto size = measureMaildirMessage(descriptor);
  REQUIRE(size.has_value());
  CHECK(readMaildirMessage(descriptor, size->lines, [&](std::string_view octets) {
    read += octets;
    return true;
  }));
  CHECK(size->octets == read.size());
  ::close(descriptor);
  std::ifstream in(file.path(), std::ios::binary);
  return {std::string(std::istreambuf_iterator<char>(in), {}), read};
}

Flags flags(const std::vector<std::string>& names) {
  return Flags::parse(names);
}

}  // namespace

TEST_CASE("P2: lines that end in CRLF are written with LF and read with CRLF", "[formats][maildir][P2]") {
  const std::string message = "Subject: x\r\n\r\nbody\r\n\r\n";
  for (std::size_t step = 1; step <= message.size(); ++step) {
    CAPTURE(step);
    const auto [file, read] = writtenAndRead(message, step);
    CHECK(file == "Subject: x\n\nbody\n\n");
    CHECK(read == message);
  }
}

TEST_CASE("P2: odd line ends, NULs and no line end at all come back octet for octet", "[formats][maildir][P2]") {
  for (const std::string& message :
       {std::string("a\r\nb"), std::string("a\rb\r\n"), std::string("a\nb\r\n"), std::string("a\r\n\n"),
        std::string("x\r"), std::string("\r\n"), std::string("\n\r"), std::string("a\0b\r\n", 5),
        std::string("\xFF\xFE\r\n"), std::string()}) {
    for (std::size_t step = 1; step <= message.size() + 1; ++step) {
      CAPTURE(message, step);
      CHECK(writtenAndRead(message, step).second == message);
    }
  }
}

TEST_CASE("P2: random messages come back, but for those whose lines end in LF alone", "[formats][maildir][P2]") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    std::string message;
    const std::size_t size = random() % 40;
    for (std::size_t i = 0; i < size; ++i) message.push_back("ab\r\n"[random() % 4]);
    if (message.find('\r') == std::string::npos && message.find('\n') != std::string::npos) continue;
    CAPTURE(message);
    CHECK(writtenAndRead(message, 1 + random() % 5).second == message);
  }
}

TEST_CASE("flags are letters in the order of the alphabet, keywords by Dovecot's file", "[formats][maildir]") {
  const Scratch scratch;
  std::ofstream(scratch.path() / "dovecot-keywords") << "0 work\n2 later\nnonsense\n99 far\n";
  MaildirKeywords keywords = MaildirKeywords::read(scratch.path());
  CHECK(keywords.letters(flags({"\\Seen", "\\Deleted", "\\Answered", "\\Draft", "\\Flagged", "$Forwarded"})) ==
        "DFPRST");
  CHECK(keywords.letters(flags({"WORK", "later"})) == "ac");
  CHECK_FALSE(keywords.hasChanged());
  CHECK(keywords.letters(flags({"fresh"})) == "d");
  CHECK(keywords.hasChanged());
  keywords.write(scratch.path());
  CHECK(MaildirKeywords::read(scratch.path()).flags("Sacd") == flags({"\\Seen", "work", "later", "fresh"}));
  CHECK(MaildirKeywords::read(scratch.path()).flags("bz?") == flags({}));
}

TEST_CASE("a keyword beyond the 26th is left out", "[formats][maildir]") {
  MaildirKeywords keywords;
  for (int i = 0; i < 26; ++i) CHECK(keywords.letters(flags({"k" + std::to_string(i)})).size() == 1);
  CHECK(keywords.letters(flags({"one-too-many", "\\Seen"})) == "S");
}

TEST_CASE("a file's name is its base and its letters", "[formats][maildir]") {
  CHECK(parseMaildirName("1.a.host:2,FS").base == "1.a.host");
  CHECK(parseMaildirName("1.a.host:2,FS").letters == "FS");
  CHECK(parseMaildirName("1.a.host").base == "1.a.host");
  CHECK(parseMaildirName("1.a.host:1,x").base == "1.a.host");
  CHECK(parseMaildirName("1.a.host:2,").letters.empty());
}
