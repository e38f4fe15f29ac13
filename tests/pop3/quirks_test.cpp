// One transcript a quirk (sync/pop3/quirks.h).
#include "tests/pop3/wire.h"

using namespace mailbraid::tests;
using namespace mailbraid::sync::pop3;

namespace {

QuirkSet quirksOf(const std::vector<Command>& commands, std::string_view wire) {
  Client client;
  for (const Command& command : commands) client.send(command);
  client.receive(wire);
  while (client.nextEvent()) {
  }
  return client.quirks();
}

QuirkSet only(Quirk quirk) {
  QuirkSet set;
  set.add(quirk);
  return set;
}

}  // namespace

TEST_CASE("a session by the book shows no quirk", "[pop3][quirks]") {
  CHECK(quirksOf({List{}, Uidl{}}, "+OK hi <1@b>\r\n+OK 1\r\n1 5\r\n.\r\n+OK 1\r\n1 a\r\n.\r\n") == QuirkSet{});
}

TEST_CASE("every quirk stands in the table once, in order", "[pop3][quirks]") {
  for (std::size_t i = 0; i < kQuirks.size(); ++i) CHECK(static_cast<std::size_t>(kQuirks[i].quirk) == i);
}

TEST_CASE("bare-ok: status lines without text are taken", "[pop3][quirks]") {
  const std::string wire = "+OK\r\n+OK\r\nab\r\n.\r\n-ERR\r\n";
  CHECK(eventsOf({Retr{1}, Retr{2}}, wire) == Lines{"greeting+ ", "reply 1+ ", "body 1:ab\r\n", "end 1 octets=4",
                                                    "reply 2- ", "closed within nothing, 0 unanswered"});
  CHECK(quirksOf({Retr{1}, Retr{2}}, wire) == only(Quirk::BareOk));
}

TEST_CASE("padded-listing: spaces and tabs around the columns are skipped", "[pop3][quirks]") {
  const std::string wire = "+OK hi\r\n+OK 2\r\n1   abc\r\n  2\tdef\r\n.\r\n+OK 1\r\n1  77\r\n.\r\n";
  CHECK(eventsOf({Uidl{}, List{}}, wire) == Lines{"greeting+ hi", "reply 1+ 2", "uidl 1 abc", "uidl 2 def", "end 1 2",
                                                  "reply 2+ 1", "size 1 77", "end 2 1",
                                                  "closed within nothing, 0 unanswered"});
  CHECK(quirksOf({Uidl{}, List{}}, wire) == only(Quirk::PaddedListing));
}

TEST_CASE("text-after-uidl: the id is the first word", "[pop3][quirks]") {
  const std::string wire = "+OK hi\r\n+OK 1\r\n1 abc (seen)\r\n.\r\n";
  CHECK(eventsOf({Uidl{}}, wire)[2] == "uidl 1 abc");
  CHECK(quirksOf({Uidl{}}, wire) == only(Quirk::TextAfterUidl));
}

TEST_CASE("columns-after-size: the size is the second word", "[pop3][quirks]") {
  const std::string wire = "+OK hi\r\n+OK 1\r\n1 120 octets extra\r\n.\r\n";
  CHECK(eventsOf({List{}}, wire)[2] == "size 1 120");
  CHECK(quirksOf({List{}}, wire) == only(Quirk::ColumnsAfterSize));
}

TEST_CASE("angle-brackets-in-greeting: what has spaces is no timestamp", "[pop3][quirks]") {
  const std::string wire = "+OK Welcome <to our mail server @ home>\r\n";
  CHECK(eventsOf({}, wire)[0] == "greeting+ Welcome <to our mail server @ home>");
  CHECK(quirksOf({}, wire) == only(Quirk::AngleBracketsInGreeting));
}

TEST_CASE("lf-only-lines: a greeting that ends in LF makes LF the end of every line", "[pop3][quirks]") {
  const std::string wire = "+OK hi\n+OK 1\n1 5\n.\n+OK 5\na\n..b\r\nc\n.\n+OK bye\n";
  CHECK(eventsOf({List{}, Retr{1}, Quit{}}, wire) == Lines{"greeting+ hi", "reply 1+ 1", "size 1 5", "end 1 1",
                                                           "reply 2+ 5", "body 2:a\n.b\r\nc\n", "end 2 octets=8",
                                                           "reply 3+ bye", "closed within nothing, 0 unanswered"});
  CHECK(quirksOf({List{}, Retr{1}, Quit{}}, wire) == only(Quirk::LfOnlyLines));
}

TEST_CASE("a server of CRLF lines cannot be made to end a message by LF dot LF in a mail", "[pop3][quirks]") {
  CHECK(eventsOf({Retr{1}}, "+OK hi\r\n+OK 5\r\na\n.\n+OK forged\r\n.\r\n") ==
        Lines{"greeting+ hi", "reply 1+ 5", "body 1:a\n.\n+OK forged\r\n", "end 1 octets=16",
              "closed within nothing, 0 unanswered"});
}

TEST_CASE("long-uidl: more than 70 characters are kept", "[pop3][quirks]") {
  const std::string uidl(200, 'u');
  const std::string wire = "+OK hi\r\n+OK 1\r\n1 " + uidl + "\r\n.\r\n";
  CHECK(eventsOf({Uidl{}}, wire)[2] == "uidl 1 " + uidl);
  CHECK(quirksOf({Uidl{}}, wire) == only(Quirk::LongUidl));
}

TEST_CASE("lists-in-parts: Gmail is known by its greeting", "[pop3][quirks]") {
  CHECK(quirksOf({}, "+OK Gpop ready for requests from 192.0.2.7 a1mb2\r\n") == only(Quirk::ListsInParts));
  CHECK(quirksOf({}, "+OK not Gpop ready\r\n") == QuirkSet{});
}

TEST_CASE("unreadable-listing-line: the listing goes on and says that it is not whole", "[pop3][quirks]") {
  const std::string wire = "+OK hi\r\n+OK 2\r\n1 a\r\n*** maintenance tonight ***\r\n2 b\r\n.\r\n";
  CHECK(eventsOf({Uidl{}}, wire) == Lines{"greeting+ hi", "reply 1+ 2", "uidl 1 a", "uidl 2 b", "end 1 2 unreadable=1",
                                          "closed within nothing, 0 unanswered"});
  CHECK(quirksOf({Uidl{}}, wire) == only(Quirk::UnreadableListingLine));
}
