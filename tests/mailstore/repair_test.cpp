#include "mailstore/message_repair.h"
#include "tests/support/catch.h"

#include <string>

using mailbraid::mailstore::Repair;
using mailbraid::mailstore::repaired;

TEST_CASE("A repair mends one kind of fault and leaves all else as it is") {
  SECTION("NUL octets become spaces") {
    CHECK(repaired(std::string("Subject: a\r\n\r\nx\0y", 17), Repair::Nul) == "Subject: a\r\n\r\nxy");
    CHECK_FALSE(repaired("Subject: a\r\n\r\nxy", Repair::Nul));
  }
  SECTION("8-bit octets of the header become encoded words") {
    const std::string body =
        "\r\n\r\nGr\xC3\xBC\xC3\x9F"
        "e\r\n";
    CHECK(repaired("From: K\xC3\xA4the <k@example.org>" + body, Repair::EightBit) ==
          "From: =?utf-8?Q?K=C3=A4the?= <k@example.org>" + body);
    CHECK(repaired("From: \"Meier, K\xC3\xA4the\" <k@example.org>" + body, Repair::EightBit) ==
          "From: =?utf-8?Q?Meier=2C_K=C3=A4the?= <k@example.org>" + body);
    CHECK(repaired("Subject: \xFC"
                   "ber\r\n alles" +
                       body,
                   Repair::EightBit) == "Subject: =?iso-8859-1?Q?=FCber?=\r\n alles" + body);
    CHECK_FALSE(repaired("Subject: a" + body, Repair::EightBit));
    CHECK(repaired("Subject: Gr\xC3\xBC\xC3\x9F"
                   "e f\xC3\xBCr J\xC3\xBCrgen, ab" +
                       body,
                   Repair::EightBit) == "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_f=C3=BCr_J=C3=BCrgen?=, ab" + body);
    CHECK_FALSE(
        repaired("To: j\xC3\xBCrgen@example.org" + body, Repair::EightBit));  // no encoding makes that an address
  }
  SECTION("no encoded word is longer than RFC 2047 allows") {
    std::string word;
    for (int i = 0; i < 40; ++i) word += "\xE3\x81\x82";
    const std::string out = repaired("Subject: " + word + "\r\n\r\n", Repair::EightBit).value();
    std::size_t words = 0;
    for (std::size_t at = 0; (at = out.find("=?", at)) != std::string::npos; ++words) {
      const std::size_t end = out.find("?=", at + 10);
      CHECK(end + 2 - at <= 75);
      CHECK((end - at - 10) % 9 == 0);  // whole characters
      at = end + 2;
    }
    CHECK(words > 1);
  }
  SECTION("bare CR and LF become CRLF") {
    CHECK(repaired("a: b\n\nx\ry\r\nz\r", Repair::BareNewline) == "a: b\r\n\r\nx\r\ny\r\nz\r\n");
    CHECK_FALSE(repaired("a: b\r\n\r\nx\r\n", Repair::BareNewline));
  }
  SECTION("what is not like a message is taken as it is") {
    CHECK_FALSE(repaired("", Repair::EightBit));
    CHECK(repaired("\xFF", Repair::EightBit) == "=?iso-8859-1?Q?=FF?=");
    CHECK_FALSE(repaired("\r\n\xFF", Repair::EightBit));
  }
}
