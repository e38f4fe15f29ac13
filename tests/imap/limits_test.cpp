// What a server cannot make the client hold.
#include "sync/imap/output_queue.h"
#include "tests/imap/session_script.h"
#include "tests/support/catch.h"

using namespace mailbraid;
using namespace mailbraid::sync::imap;
using tests::authenticated;
using tests::checkAtEverySplit;
using tests::eventsOf;
using Lines = std::vector<std::string>;

TEST_CASE("a line beyond the limit ends the connection", "[imap][limits]") {
  Limits limits;
  limits.line = 40;
  checkAtEverySplit("* OK " + std::string(33, 'x') + "\r\n", {"Status OK '" + std::string(33, 'x') + "'"},
                    authenticated, limits);
  checkAtEverySplit("* OK " + std::string(34, 'x') + "\r\n", {"Malformed 17 fatal 'a line is too long'"}, authenticated,
                    limits);
  CHECK(eventsOf(std::string(1000, 'x'), authenticated, limits) == Lines{"Malformed 17 fatal 'a line is too long'"});
}

TEST_CASE("lines are shorter while nobody is logged in", "[imap][limits]") {
  Limits limits;
  limits.lineBeforeLogin = 40;
  CHECK(eventsOf("* OK " + std::string(50, 'x') + "\r\n", tests::greeted, limits) ==
        Lines{"Malformed 12 fatal 'a line is too long'"});
  CHECK(eventsOf("* OK " + std::string(50, 'x') + "\r\n", authenticated, limits).size() == 1);
}

TEST_CASE("a body beyond the limit is skipped and the next message is well", "[imap][limits]") {
  Limits limits;
  limits.bodyLiteral = 4;
  limits.headerLiteral = 2;
  checkAtEverySplit(
      "* 1 FETCH (BODY[] {5}\r\nhello UID 1)\r\n* 2 FETCH (BODY[] {4}\r\nhell UID 2 BODY[HEADER] {3}\r\na:b)\r\n",
      {"FetchBegin 1", "Malformed 35 'a body is larger than the limit'", "FetchEnd 1 uid=1", "FetchBegin 2",
       "BodyBegin whole BODY[] 4", "BodyChunk hell", "BodyEnd", "Malformed 101 'a body is larger than the limit'",
       "FetchEnd 2 uid=2"},
      authenticated, limits);
}

TEST_CASE("the size of a literal that no number holds ends the connection", "[imap][limits]") {
  checkAtEverySplit("* 1 FETCH (BODY[] {18446744073709551616}\r\n",
                    {"FetchBegin 1", "Malformed 35 fatal 'the size of a literal is out of range'"}, authenticated);
  checkAtEverySplit("* LIST () \"/\" {99999999999999999999}\r\n",
                    {"Malformed 31 fatal 'the size of a literal is out of range'"}, authenticated);
}

TEST_CASE("a gathered literal beyond the limit is skipped, not held", "[imap][limits]") {
  Limits limits;
  limits.gatheredLiteral = 4;
  checkAtEverySplit("* LIST () \"/\" {5}\r\nhello\r\n* 1 EXISTS\r\n",
                    {"Malformed 17 'a response with literals is larger than the limit'", "Exists 1"}, authenticated,
                    limits);
  checkAtEverySplit("* 1 FETCH (X-GM-LABELS ({5}\r\nhello a) UID 1)\r\n",
                    {"FetchBegin 1", "Malformed 41 'a label is larger than the limit'", "FetchEnd 1 uid=1 label='a'"},
                    authenticated, limits);
}

TEST_CASE("literals in one response, lists and nesting have their bounds", "[imap][limits]") {
  Limits limits;
  limits.literalsPerResponse = 2;
  limits.listLength = 3;
  limits.nesting = 2;
  limits.uidRanges = 2;
  CHECK(eventsOf("* XNEW {0}\r\n {0}\r\n {0}\r\n\r\n", authenticated, limits) ==
        Lines{"Malformed 35 fatal 'a response has too many literals'"});
  CHECK(eventsOf("* FLAGS (a b c)\r\n", authenticated, limits) == Lines{"MailboxFlags (a b c)"});
  CHECK(eventsOf("* FLAGS (a b c d)\r\n", authenticated, limits) == Lines{"Malformed 33 'a flag list is too long'"});
  CHECK(eventsOf("* 1 FETCH (A 1 B 2 C 3 D 4)\r\n", authenticated, limits) ==
        Lines{"FetchBegin 1", "Malformed 41 'a FETCH response has too many items'", "FetchEnd 1"});
  CHECK(eventsOf("* 1 FETCH (A ((1)))\r\n", authenticated, limits) == Lines{"FetchBegin 1", "FetchEnd 1"});
  CHECK(eventsOf("* 1 FETCH (A (((1))))\r\n", authenticated, limits) ==
        Lines{"FetchBegin 1", "Malformed 33 'lists are nested too deeply'", "FetchEnd 1"});
  CHECK(eventsOf("* VANISHED 1,3\r\n", authenticated, limits) == Lines{"Vanished 1,3"});
  CHECK(eventsOf("* VANISHED 1,3,5\r\n", authenticated, limits) ==
        Lines{"Malformed 33 'a set of UIDs is malformed or too long'"});
  CHECK(eventsOf("* SEARCH 1 3 5\r\n", authenticated, limits) == Lines{"Malformed 31 'a SEARCH response is too long'"});
}

TEST_CASE("a server that says nothing but nonsense is left after a while", "[imap][limits]") {
  Limits limits;
  limits.malformedResponses = 2;
  CHECK(eventsOf("* SEARCH x\r\n* SEARCH x\r\n* SEARCH x\r\n", authenticated, limits).back() ==
        "Malformed 41 fatal 'too many responses are malformed'");
}

TEST_CASE("commands beyond the window wait", "[imap][limits]") {
  Limits limits;
  limits.commandsInFlight = 2;
  tests::Script script(tests::LoggedIn{"IMAP4rev1"}, limits);
  for (int i = 0; i < 3; ++i) script.client().send(Noop{});
  script.clientSends("A1 NOOP\r\nA2 NOOP");
  script.serverSays("A1 OK\r\n");
  script.clientSends("A3 NOOP");
}

TEST_CASE("a secret is wiped from the queue when it is written", "[imap][secrets]") {
  OutputQueue queue;
  queue.add("A1 LOGIN me a-long-secret-that-is-on-the-heap\r\n", "A1 LOGIN <redacted>\r\n");
  queue.add("A2 NOOP\r\n", {});
  CHECK(queue.pending() == "A1 LOGIN me a-long-secret-that-is-on-the-heap\r\n");
  queue.consume(queue.pending().size());
  CHECK(queue.pending() == "A2 NOOP\r\n");
  CHECK(queue.written() + queue.pending().size() == queue.added());
}
