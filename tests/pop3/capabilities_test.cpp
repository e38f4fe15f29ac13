#include "tests/pop3/wire.h"

using namespace mailbraid::tests;
using namespace mailbraid::sync::pop3;

namespace {

Capabilities capabilitiesOf(const std::vector<std::string>& lines) {
  Capabilities out;
  for (const std::string& line : lines) out.add(line);
  return out;
}

}  // namespace

TEST_CASE("the capabilities of RFC 2449's example are read", "[pop3][capa]") {
  const Capabilities capabilities = capabilitiesOf(
      {"TOP", "USER", "SASL CRAM-MD5 KERBEROS_V4", "RESP-CODES", "LOGIN-DELAY 900", "PIPELINING", "EXPIRE 60", "UIDL",
       "IMPLEMENTATION Shlemazle-Plotz-v302", "STLS", "AUTH-RESP-CODE", "UTF8 USER"});
  CHECK(capabilities.top);
  CHECK(capabilities.user);
  CHECK(capabilities.uidl);
  CHECK(capabilities.stls);
  CHECK(capabilities.pipelining);
  CHECK(capabilities.respCodes);
  CHECK(capabilities.authRespCode);
  CHECK(capabilities.utf8);
  CHECK(capabilities.utf8User);
  CHECK(capabilities.sasl == std::vector<std::string>{"CRAM-MD5", "KERBEROS_V4"});
  CHECK(capabilities.loginDelay == std::chrono::seconds(900));
  REQUIRE(capabilities.expire.has_value());
  CHECK(capabilities.expire->days == 60U);
  CHECK_FALSE(capabilities.expire->perUser);
  CHECK(capabilities.implementation == "Shlemazle-Plotz-v302");
}

TEST_CASE("EXPIRE and LOGIN-DELAY have their odd values", "[pop3][capa]") {
  CHECK_FALSE(capabilitiesOf({"EXPIRE NEVER"}).expire->days.has_value());
  CHECK(capabilitiesOf({"EXPIRE 0"}).expire->days == 0U);
  CHECK(capabilitiesOf({"EXPIRE 30 USER"}).expire->perUser);
  CHECK_FALSE(capabilitiesOf({"EXPIRE soon"}).expire.has_value());
  CHECK_FALSE(capabilitiesOf({"EXPIRE"}).expire.has_value());
  CHECK(capabilitiesOf({"LOGIN-DELAY 900 USER"}).loginDelay == std::chrono::seconds(900));
  CHECK_FALSE(capabilitiesOf({"LOGIN-DELAY 99999999999999"}).loginDelay.has_value());
}

TEST_CASE("names are read in any case, unknown and empty lines are left out", "[pop3][capa]") {
  const Capabilities capabilities = capabilitiesOf({"", "  ", "uidl", "Sasl plain login", "SASL", "X-TOP", "TOPX"});
  CHECK(capabilities.uidl);
  CHECK_FALSE(capabilities.top);
  CHECK(capabilities.sasl == std::vector<std::string>{"PLAIN", "LOGIN"});
}

TEST_CASE("a CAPA reply ends with its dot, and a refused one is a reply", "[pop3][capa]") {
  CHECK(eventsOf({Capa{}, Capa{}},
                 "+OK\r\n+OK list\r\nPIPELINING\r\n..odd\r\nSASL PLAIN LOGIN\r\n.\r\n-ERR unknown\r\n") ==
        Lines{"greeting+ ", "reply 1+ list", "capa 1 pipelining sasl=2", "reply 2- unknown",
              "closed within nothing, 0 unanswered"});
}
