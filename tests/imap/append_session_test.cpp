// Uploads whose octets are supplied while they are sent.
#include "tests/imap/session_script.h"
#include "tests/support/catch.h"

using namespace mailbraid;
using namespace mailbraid::sync::imap;
using namespace mailbraid::tests;

namespace {

Append later(std::uint64_t size) {
  AppendMessage message;
  message.date = {0, 0};
  message.size = size;
  return Append{"INBOX", {std::move(message)}};
}

constexpr const char* kHead = "A1 APPEND INBOX () \"01-Jan-1970 00:00:00 +0000\" ";

}  // namespace

TEST_CASE("a message is supplied in pieces, and what is behind it waits for its last octet", "[imap][append]") {
  Script script(LoggedIn{"IMAP4rev1 LITERAL+"});
  script.client().send(later(6));
  script.client().send(Noop{});
  CHECK(script.client().owedOctets() == 6);
  script.clientSends(std::string(kHead) + "{6+}");
  script.client().supply("abcd");
  CHECK(takeOutput(script.client()) == "abcd");
  CHECK(script.client().owedOctets() == 2);
  script.client().supply("ef");
  CHECK(script.client().owedOctets() == 0);
  CHECK(takeOutput(script.client()) == "ef\r\nA2 NOOP\r\n");
}

TEST_CASE("no octet of a message is taken before the server asks for it", "[imap][append]") {
  Script script(LoggedIn{"IMAP4rev1"});
  script.client().send(later(3));
  CHECK(script.client().owedOctets() == 0);
  script.clientSends(std::string(kHead) + "{3}");
  CHECK(script.client().owedOctets() == 0);
  script.serverSays("+ go on\r\n");
  CHECK(script.client().owedOctets() == 3);
  script.client().supply("abc");
  CHECK(takeOutput(script.client()) == "abc\r\n");
}

TEST_CASE("a message that the server refuses by its size is not supplied, and the next command is sent",
          "[imap][append]") {
  Script script(LoggedIn{"IMAP4rev1"});
  script.client().send(later(3));
  script.clientSends(std::string(kHead) + "{3}");
  CHECK(script.serverSays("A1 NO [TOOBIG] no\r\n").size() == 1);
  CHECK(script.client().owedOctets() == 0);
  script.client().send(Noop{});
  script.clientSends("A2 NOOP");
}

TEST_CASE("more octets than the message has are not taken", "[imap][append]") {
  Script script(LoggedIn{"IMAP4rev1 LITERAL+"});
  script.client().send(later(3));
  script.client().supply("abcdef");
  CHECK(takeOutput(script.client()) + takeOutput(script.client()) == std::string(kHead) + "{3+}\r\nabc\r\n");
}
