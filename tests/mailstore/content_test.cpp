// Recognising messages: header digests, content keys, the header index.
#include "mailstore/header_index.h"
#include "tests/mailstore/store_fixture.h"
#include "tests/support/catch.h"

#include <string>
#include <tuple>

using namespace mailbraid::mailstore;
using mailbraid::tests::prepared;

namespace {

const std::string kHead = "From: a@example.org\r\nDate: Mon, 2 Dec 2002 03:04:05 +0100\r\n";

ContentKey keyOf(const std::string& octets) {
  return prepared(octets).contentKey;
}

HeaderDigest digestOf(const std::string& header, std::size_t step) {
  HeaderDigester digester;
  for (std::size_t at = 0; at < header.size(); at += step) digester.append(std::string_view(header).substr(at, step));
  return digester.finish();
}

}  // namespace

TEST_CASE("P5: the content key is the same across what transport adds", "[content][P5]") {
  const std::string mail = kHead + "Message-ID: <1@x>\r\nSubject: s\r\n\r\nbody\r\n";
  const ContentKey key = keyOf(mail);
  CHECK(keyOf("Received: from a by b; Mon, 2 Dec 2002 04:00:00 +0000\r\n" + mail) == key);
  CHECK(keyOf("Return-Path: <a@b>\r\nDelivered-To: me\r\nX-Spam: no\r\nDKIM-Signature: v=1\r\n" + mail) == key);
  CHECK(keyOf("Status: RO\r\nARC-Seal: i=1\r\nAuthentication-Results: x\r\nReceived-SPF: pass\r\n" + mail) == key);
}

TEST_CASE("P5: without a Message-ID, too", "[content][P5]") {
  const std::string mail = kHead + "Subject: s\r\n\r\nbody\r\n";
  const ContentKey key = keyOf(mail);
  CHECK(keyOf("Received: from a by b; Mon, 2 Dec 2002 04:00:00 +0000\r\nX-UIDL: 7\r\n" + mail) == key);
  CHECK(keyOf("Status: RO\r\nX-Status: F\r\nContent-Length: 6\r\n" + mail) == key);
  CHECK_FALSE(keyOf(kHead + "Subject: other\r\n\r\nbody\r\n") == key);
}

TEST_CASE("P5: POP3's final line end and another folding make no difference to the content key", "[content][P5]") {
  CHECK(keyOf(kHead + "Message-ID: <1@x>\r\n\r\nbody") == keyOf(kHead + "Message-ID: <1@x>\r\n\r\nbody\r\n"));
  CHECK(keyOf(kHead + "Message-ID: <1@x>\r\n\r\nbody") == keyOf(kHead + "Message-ID: <1@x>\r\n\r\nbody\r\n\r\n"));
  CHECK(keyOf(kHead + "Message-ID:\r\n <1@x>\r\n\r\nbody") == keyOf(kHead + "Message-ID: <1@x>\r\n\r\nbody"));
}

TEST_CASE("another body is another content, whatever the Message-ID says", "[content]") {
  const ContentKey key = keyOf(kHead + "Message-ID: <1@x>\r\n\r\nbody");
  CHECK_FALSE(keyOf(kHead + "Message-ID: <1@x>\r\n\r\nbody, and a footer") == key);
  CHECK_FALSE(keyOf(kHead + "Message-ID: <2@x>\r\n\r\nbody") == key);
  CHECK_FALSE(keyOf("From: b@example.org\r\nMessage-ID: <1@x>\r\n\r\nbody") == key);
  CHECK_FALSE(keyOf(kHead + "Message-ID: <1@x>\r\n\r\n\r\nbody") == key);
}

TEST_CASE("a header alone has the header digest of its message, at every cut", "[content]") {
  const std::string header = kHead + "Message-ID: <1@x>\r\n";
  const HeaderDigest whole = prepared(header + "\r\nbody\r\n").headerDigest;
  for (std::size_t step = 1; step <= header.size() + 2; ++step) {
    CAPTURE(step);
    CHECK(digestOf(header, step) == whole);
    CHECK(digestOf(header + "\r\n", step) == whole);
    CHECK(digestOf(header + "\r\nsome lines of the body that TOP gave\r\n", step) == whole);
  }
}

TEST_CASE("a header whose end lies beyond the first chunk has the digest of the whole header", "[content]") {
  const std::string header = "X: " + std::string(3'000'000, 'x') + "\r\n" + std::string(2'000'000, '\r') + "\r\n";
  CHECK(digestOf(header, 70'000) == prepared(header + "\r\nbody").headerDigest);
  CHECK_FALSE(digestOf(header, 70'000) == prepared("X: x\r\n\r\nbody").headerDigest);
}

TEST_CASE("line ends at the end do not count, however many and however cut", "[content]") {
  const ContentKey key = keyOf("A: b\r\n\r\nbody");
  CHECK(keyOf("A: b\r\n\r\nbody" + std::string(10'000, '\n')) == key);
  CHECK(prepared("A: b\r\n\r\nbody" + std::string(3'000'000, '\r')).contentKey == key);
  CHECK_FALSE(keyOf("A: b\r\n\r\nbody" + std::string(10'000, '\n') + "x") == key);
  CHECK(keyOf("A: b\r\n\r\n" + std::string(2'000'000, '\n') + "x") ==
        keyOf("A: b\r\n\r\n" + std::string(2'000'000, '\n') + "x\r\n"));
}

TEST_CASE("a header digester says whether there was a Message-ID", "[content]") {
  HeaderDigester digester;
  digester.append("Subject: x\r\nmessage-id : <1@x>\r\n\r\n");
  digester.finish();
  CHECK(digester.hadMessageId());
  digester.append("Message-ID:  \r\nSubject: Message-ID: 1\r\n\r\nMessage-ID: <in the body>\r\n");
  digester.finish();
  CHECK_FALSE(digester.hadMessageId());
}

TEST_CASE("a header alone says the same as the whole message", "[content]") {
  const std::string header = kHead + "Message-ID: <1@x>\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\nTo: b@x\r\n\r\n";
  const HeaderIndex whole = prepared(header + "body\r\n").header;
  HeaderDigester digester;
  digester.append(header);
  digester.finish();
  const HeaderIndex alone = digester.index();
  CHECK(alone.subject == "caf\xC3\xA9");
  CHECK(std::tie(alone.messageId, alone.from, alone.to, alone.subject, alone.date) ==
        std::tie(whole.messageId, whole.from, whole.to, whole.subject, whole.date));
}

TEST_CASE("a message whose octets are not wanted has the same names", "[content]") {
  const std::string mail = kHead + "Message-ID: <1@x>\r\n\r\n" + std::string(3'000'000, 'x');
  SpoolOptions options;
  options.keepsOctets = false;
  MessageBuilder builder(options);
  builder.append(mail);
  const PreparedMessage names = builder.finish();
  const PreparedMessage whole = prepared(mail);
  CHECK(names.digest == whole.digest);
  CHECK(names.contentKey == whole.contentKey);
  CHECK(names.headerDigest == whole.headerDigest);
  CHECK(names.size == whole.size);
  CHECK(names.memoryUse() < 4096);
}

TEST_CASE("encoded and raw header text is decoded to UTF-8", "[index]") {
  const auto subjectOf = [](const std::string& raw) { return prepared("Subject: " + raw + "\r\n\r\n").header.subject; };
  CHECK(subjectOf("plain") == "plain");
  CHECK(subjectOf("=?utf-8?q?Gr=C3=BC=C3=9Fe?=") == "Grüße");
  CHECK(subjectOf("=?iso-8859-1?Q?Gr=FC=DFe?= =?iso-8859-1?Q?_an_alle?=") == "Grüße an alle");
  CHECK(subjectOf("=?iso-2022-jp?B?GyRCRnxLXDhsGyhC?=") == "日本語");
  CHECK(subjectOf("=?koi8-r?B?8NLJ18XU?=") == "Привет");
  CHECK(subjectOf("Gr\xC3\xBC\xC3\x9F"
                  "e") == "Grüße");
  CHECK(subjectOf("folded\r\n  text") == "folded text");
  CHECK(prepared("From: =?utf-8?q?M=C3=BCller?= <m@example.org>\r\n\r\n").header.from == "Müller <m@example.org>");
  CHECK(prepared("To: a@b,\r\n\tc@d\r\n\r\n").header.to == "a@b, c@d");
  CHECK(prepared("Message-ID: <1@x> (comment)\r\n\r\n").header.messageId == "1@x");
  CHECK(prepared("Message-ID: 1@x\r\n\r\n").header.messageId == "1@x");
}

TEST_CASE("what cannot be decoded is stored all the same, as valid UTF-8 without control characters", "[index]") {
  const auto subjectOf = [](const std::string& raw) {
    return prepared("Subject: " + raw + "\r\n\r\nbody").header.subject;
  };
  const auto isClean = [](const std::string& text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20U; });
  };
  CHECK(isClean(subjectOf("=?no-such-charset?B?/////w==?=")));
  CHECK(isClean(subjectOf("=?utf-8?B?/////w==?=")));
  CHECK(isClean(subjectOf("\x1B[31mred\x07")));
  CHECK(isClean(subjectOf("=?utf-8?q?=1B[31mred=0A?=")));
  CHECK(isClean(subjectOf("\xFF\xFE\x80")));
  CHECK(isClean(subjectOf(std::string("a\0b", 3))));
  CHECK(subjectOf(std::string(5000, 'x')).size() == 1000);
  CHECK(subjectOf("=?utf-8?q?" + std::string(3000, 'x') + "=C3=BC?=").size() <= 1000);
}

TEST_CASE("lines that are no fields do not hide those that are", "[index]") {
  const PreparedMessage message =
      prepared("From bob@example.org Mon Dec  2 03:04:05 2002\r\n>From x\r\nno field here\r\nSubject: found\r\n\r\n");
  CHECK(message.header.subject == "found");
  CHECK(message.header.from.empty());
}
