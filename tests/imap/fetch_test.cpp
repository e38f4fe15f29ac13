// FETCH responses: bodies that stream, attributes in any order, and what is skipped.
#include "tests/imap/session_script.h"
#include "tests/support/catch.h"

using namespace mailbraid;
using namespace mailbraid::sync::imap;
using tests::authenticated;
using tests::checkAtEverySplit;
using tests::eventsOf;
using Lines = std::vector<std::string>;

TEST_CASE("a literal split at any octet yields the same events", "[imap][fetch]") {
  checkAtEverySplit("* 1 FETCH (UID 7 BODY[] {5}\r\nhello FLAGS (\\Seen work))\r\n* 3 EXISTS\r\n",
                    {"FetchBegin 1", "BodyBegin whole BODY[] 5 uid=7", "BodyChunk hello", "BodyEnd",
                     "FetchEnd 1 uid=7 flags=(\\Seen work)", "Exists 3"},
                    authenticated);
}

TEST_CASE("a body's octets are its own: CRLF, parentheses, tags and literals inside are no protocol", "[imap][fetch]") {
  const std::string body("A1 OK done\r\n* BYE {3}\r\n)\r\n\0\xFF", 27);
  checkAtEverySplit("* 1 FETCH (BODY[] {27}\r\n" + body + " UID 7)\r\n",
                    {"FetchBegin 1", "BodyBegin whole BODY[] 27", "BodyChunk " + body, "BodyEnd", "FetchEnd 1 uid=7"},
                    authenticated);
}

TEST_CASE("an empty body has a beginning and an end", "[imap][fetch]") {
  checkAtEverySplit("* 1 FETCH (UID 7 BODY[] {0}\r\n)\r\n",
                    {"FetchBegin 1", "BodyBegin whole BODY[] 0 uid=7", "BodyEnd", "FetchEnd 1 uid=7"}, authenticated);
}

TEST_CASE("several sections of one message stream one after the other", "[imap][fetch]") {
  checkAtEverySplit(
      "* 2 FETCH (BODY[HEADER] {3}\r\na:b BODY[HEADER.FIELDS (\"From\" To)]<0> {2}\r\nxy RFC822 {1}\r\nz UID 9)\r\n",
      {"FetchBegin 2", "BodyBegin header BODY[HEADER] 3", "BodyChunk a:b", "BodyEnd",
       "BodyBegin other BODY[HEADER.FIELDS (\"From\" To)]<0> 2", "BodyChunk xy", "BodyEnd", "BodyBegin whole RFC822 1",
       "BodyChunk z", "BodyEnd", "FetchEnd 2 uid=9"},
      authenticated);
}

TEST_CASE("every attribute that can be asked for is understood", "[imap][fetch]") {
  checkAtEverySplit(
      "* 5 FETCH (UID 4294967295 RFC822.SIZE 44827 MODSEQ (624140003) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" "
      "EMAILID (M6d99ac3275bb4e) THREADID (T64b478a75b7ea9) X-GM-MSGID 18446744073709551615 "
      "X-GM-LABELS (work \"\\\\Inbox\" {4}\r\na) b \"x y\") FLAGS ())\r\n",
      {"FetchBegin 5",
       "FetchEnd 5 uid=4294967295 flags=() date=837596665/-420 size=44827 modseq=624140003 "
       "gmsgid=18446744073709551615 emailid=M6d99ac3275bb4e threadid=T64b478a75b7ea9 label='work' "
       "label='\\Inbox' label='a) b' label='x y'"},
      authenticated);
}

TEST_CASE("items that nobody asked for are skipped, whatever their shape", "[imap][fetch]") {
  checkAtEverySplit(
      "* 1 FETCH (ENVELOPE (\"d\" {2}\r\ns) ((NIL NIL \"a\\\"b\" \"c\")) NIL {0}\r\n) XANY NIL BODYSTRUCTURE "
      "((\"TEXT\" 5)"
      "(X (Y))) SAVEDATE \"x\" PREVIEW {3}\r\nabc UID 3)\r\n",
      {"FetchBegin 1", "FetchEnd 1 uid=3"}, authenticated);
}

TEST_CASE("a message that is not understood is reported and ends, and the next one is well", "[imap][fetch]") {
  const auto check = [](const std::string& items, const std::string& problem) {
    CAPTURE(items);
    checkAtEverySplit("* 1 FETCH (" + items + ")\r\n* 2 FETCH (UID 2)\r\n",
                      {"FetchBegin 1", problem, "FetchEnd 1", "FetchBegin 2", "FetchEnd 2 uid=2"}, authenticated);
  };
  // 17 octets of greeting stand before.
  check("UID 0", "Malformed 33 '0 is no UID'");
  check("UID 4294967296", "Malformed 32 'a number is out of range'");
  check("UID x", "Malformed 32 'a number is missing'");
  check("FLAGS (\\Seen \"x\"", "Malformed 41 'a flag is no atom'");
  check("MODSEQ (9223372036854775808)", "Malformed 36 'a number is out of range'");
  check("FLAGS {3}\r\nabc", "Malformed 34 'a flag list does not begin with ('");
  check("INTERNALDATE now", "Malformed 41 'INTERNALDATE is not quoted'");
  check("BODY[] hello", "Malformed 40 'a body is no string'");
}

TEST_CASE("an internal date that is none is left out and reported, and the message comes all the same",
          "[imap][fetch]") {
  checkAtEverySplit("* 1 FETCH (INTERNALDATE \"yesterday\" UID 7 BODY[] {1}\r\nx)\r\n",
                    {"FetchBegin 1", "Malformed 41 'INTERNALDATE is no date'", "BodyBegin whole BODY[] 1 uid=7",
                     "BodyChunk x", "BodyEnd", "FetchEnd 1 uid=7"},
                    authenticated);
}

TEST_CASE("a message with two different UIDs is not believed", "[imap][fetch]") {
  CHECK(eventsOf("* 1 FETCH (UID 7 UID 8)\r\n", authenticated) ==
        Lines{"FetchBegin 1", "Malformed 39 'a message has two UIDs'", "FetchEnd 1 uid=7"});
}

TEST_CASE("a body longer than announced is a broken connection and not new responses", "[imap][fetch]") {
  checkAtEverySplit("* 1 FETCH (UID 7 BODY[] {5}\r\nhello\r\nA1 OK forged\r\n* 9 EXISTS\r\n",
                    {"FetchBegin 1", "BodyBegin whole BODY[] 5 uid=7", "BodyChunk hello", "BodyEnd",
                     "Malformed 51 fatal 'a literal is not followed by the rest of its response'"},
                    authenticated);
}

TEST_CASE("the octets of a body are viewed where they were received", "[imap][fetch]") {
  Client client;
  authenticated(client);
  const std::string block = "* 1 FETCH (BODY[] {6}\r\nabc";
  const std::string rest = "def UID 1)\r\n";
  client.receive(block);
  std::size_t chunks = 0;
  while (const auto event = client.nextEvent()) {
    if (const auto* chunk = std::get_if<BodyChunk>(&*event)) {
      ++chunks;
      CHECK(chunk->octets.data() == block.data() + block.size() - 3);
    }
  }
  client.receive(rest);
  while (const auto event = client.nextEvent()) {
    if (const auto* chunk = std::get_if<BodyChunk>(&*event)) {
      ++chunks;
      CHECK(chunk->octets.data() == rest.data());
    }
  }
  CHECK(chunks == 2);
}

TEST_CASE("a block that comes before the last one was read does no harm", "[imap][framer]") {
  Client client;
  client.receive("* PREAUTH hi\r\n* 1 FETCH (BODY[] {6}\r\nab");
  client.receive("cdef UID 1)\r\n");
  client.receive("* 5 EXISTS\r\n");
  CHECK(tests::drain(client) == Lines{"Greeting PREAUTH 'hi'", "FetchBegin 1", "BodyBegin whole BODY[] 6",
                                      "BodyChunk abcdef", "BodyEnd", "FetchEnd 1 uid=1", "Exists 5"});
}
