#include "tests/pop3/wire.h"

using namespace mailbraid::tests;
using namespace mailbraid::sync::pop3;

namespace {

std::string operator""_s(const char* text, std::size_t size) {
  return std::string(text, size);
}

Lines body(const std::string& wire) {
  Lines lines = eventsOf({Retr{1}}, "+OK hi\r\n+OK\r\n" + wire);
  lines.erase(lines.begin(), lines.begin() + 2);
  lines.pop_back();
  return lines;
}

}  // namespace

TEST_CASE("a session of RFC 1939 becomes its events", "[pop3][client]") {
  const std::string wire =
      "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n"
      "+OK mrose's maildrop has 2 messages (320 octets)\r\n"
      "+OK 2 320\r\n"
      "+OK 2 messages (320 octets)\r\n1 120\r\n2 200\r\n.\r\n"
      "+OK\r\n1 whqtswO00WBw418f9t5JxYwZ\r\n2 QhdPYR:00WBw1Ph7x7\r\n.\r\n"
      "+OK 120 octets\r\nSubject: x\r\n\r\n..dot\r\n.\r\n"
      "-ERR no such message\r\n"
      "+OK dewey POP3 server signing off (maildrop empty)\r\n";
  CHECK(eventsOf({Apop{"mrose", "c4c9334bac560ecc979e58001b3e22fb"}, Stat{}, List{}, Uidl{}, Retr{1}, Dele{9}, Quit{}},
                 wire) ==
        Lines{"greeting+ POP3 server ready <1896.697170952@dbc.mtview.ca.us> apop=<1896.697170952@dbc.mtview.ca.us>",
              "reply 1+ mrose's maildrop has 2 messages (320 octets)", "reply 2+ 2 320",
              "reply 3+ 2 messages (320 octets)", "size 1 120", "size 2 200", "end 3 2", "reply 4+ ",
              "uidl 1 whqtswO00WBw418f9t5JxYwZ", "uidl 2 QhdPYR:00WBw1Ph7x7", "end 4 2", "reply 5+ 120 octets",
              "body 5:Subject: x\r\n\r\n.dot\r\n", "end 5 octets=20", "reply 6- no such message",
              "reply 7+ dewey POP3 server signing off (maildrop empty)", "closed within nothing, 0 unanswered"});
}

TEST_CASE("the octets of a message are the server's with the dot-stuffing undone", "[pop3][body]") {
  struct Row {
    std::string wire;
    std::string message;
  };
  const Row rows[] = {
      {".\r\n", ""},
      {"\r\n.\r\n", "\r\n"},
      {"a\r\n.\r\n", "a\r\n"},
      {"..\r\n.\r\n", ".\r\n"},
      {"...\r\n..a\r\n....\r\n.\r\n", "..\r\n.a\r\n...\r\n"},
      {"a.\r\nb.c\r\n.\r\n", "a.\r\nb.c\r\n"},
      {".a\r\n.\r\n", "a\r\n"},
      {"\xFF\xFE\r\n\xFF.\r\n.\r\n", "\xFF\xFE\r\n\xFF.\r\n"},
      {"\0\0\r\n.\0\r\n.\r\n"_s, "\0\0\r\n\0\r\n"_s},
      {"a\n.\nb\r\n.\r\n", "a\n.\nb\r\n"},
      {"a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n"},
      {"a\r.\r\nb\r.\rc\r\n.\r\n", "a\r.\r\nb\r.\rc\r\n"},
      {"a\r\n\r\n\r\r\n.\r\n", "a\r\n\r\n\r\r\n"},
      {".\r.\r\n.\r\n", "\r.\r\n"},
      {".\n\r\n.\r\n", "\n\r\n"},
      {".\r\r\n.\r\n", "\r\r\n"},
      {"+OK not a reply\r\n-ERR neither\r\n.\r\n", "+OK not a reply\r\n-ERR neither\r\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.wire);
    Lines expected = {"end 1 octets=" + std::to_string(row.message.size())};
    if (!row.message.empty()) expected.insert(expected.begin(), "body 1:" + row.message);
    CHECK(body(row.wire) == expected);
  }
}

TEST_CASE("a connection that ends within a message, a listing or a line says so and completes nothing",
          "[pop3][client]") {
  CHECK(eventsOf({Retr{1}, Retr{2}}, "+OK\r\n+OK 9\r\nabc\r\n.\r") ==
        Lines{"greeting+ ", "reply 1+ 9", "body 1:abc\r\n", "closed within body, 2 unanswered"});
  CHECK(eventsOf({Retr{1}}, "+OK\r\n+OK 9\r\n") ==
        Lines{"greeting+ ", "reply 1+ 9", "closed within body, 1 unanswered"});
  CHECK(eventsOf({List{}}, "+OK\r\n+OK\r\n1 2\r\n2 3") ==
        Lines{"greeting+ ", "reply 1+ ", "size 1 2", "closed within listing, 1 unanswered"});
  CHECK(eventsOf({Stat{}}, "+OK\r\n+OK 1 2") == Lines{"greeting+ ", "closed within line, 1 unanswered"});
  CHECK(eventsOf({}, "") == Lines{"closed within nothing, 0 unanswered"});
}

TEST_CASE("what is not POP3 is malformed, with its offset, and ends everything", "[pop3][client]") {
  CHECK(eventsOf({}, "* OK [CAPABILITY IMAP4rev1] hi\r\n+OK\r\n") ==
        Lines{"malformed at 0: the server speaks IMAP, not POP3"});
  CHECK(eventsOf({}, "\x15\x03\x03\x00\x02\x02\x50"_s) == Lines{"malformed at 0: the server speaks TLS, not POP3"});
  CHECK(eventsOf({}, "hello\r\n") == Lines{"malformed at 0: the server does not greet as a POP3 server"});
  CHECK(eventsOf({Stat{}}, "+OK\r\nwhat?\r\n+OK\r\n") ==
        Lines{"greeting+ ", "malformed at 5: a reply that is neither +OK nor -ERR"});
  CHECK(eventsOf({}, "+OK\r\n+OK more\r\n") == Lines{"greeting+ ", "malformed at 5: a reply to no command"});
}

TEST_CASE("a -ERR that nobody asked for is a notice, not an answer", "[pop3][client]") {
  CHECK(eventsOf({}, "+OK\r\n-ERR Disconnected for inactivity.\r\n") ==
        Lines{"greeting+ ", "notice- Disconnected for inactivity.", "closed within nothing, 0 unanswered"});
}

TEST_CASE("response codes are told apart from text", "[pop3][client]") {
  CHECK(eventsOf({Stat{}, Stat{}, Stat{}, Stat{}, Stat{}, Stat{}, Stat{}},
                 "-ERR [SYS/TEMP] later\r\n-ERR [IN-USE] Do you have another POP session running?\r\n"
                 "-ERR [login-delay] wait\r\n-ERR [SYS/PERM/quota] no\r\n-ERR [AUTH] bad\r\n-ERR [X-ODD] x\r\n"
                 "-ERR [ open\r\n-ERR [UTF8]\r\n") ==
        Lines{"greeting-[SYS/TEMP] later", "reply 1-[IN-USE] Do you have another POP session running?",
              "reply 2-[LOGIN-DELAY] wait", "reply 3-[SYS/PERM] no", "reply 4-[AUTH] bad", "reply 5-[OTHER] x",
              "reply 6- [ open", "reply 7-[UTF8] ", "closed within nothing, 0 unanswered"});
}

TEST_CASE("control characters of a server do not reach a terminal", "[pop3][client]") {
  CHECK(eventsOf({Stat{}}, "+OK \x1B[2J\r\n-ERR a\nb\0c\r\n"_s) ==
        Lines{"greeting+ ?[2J", "reply 1- a?b?c", "closed within nothing, 0 unanswered"});
}

TEST_CASE("AUTH goes back and forth until a status line", "[pop3][client]") {
  CHECK(eventsOf({Auth{"CRAM-MD5", std::nullopt}}, "+OK\r\n+ PDE4OTY=\r\n+ \r\n+\r\n+OK done\r\n") ==
        Lines{"greeting+ ", "continue 1 PDE4OTY=", "continue 1 ", "continue 1 ", "reply 1+ done",
              "closed within nothing, 0 unanswered"});
  CHECK(eventsOf({Stat{}}, "+OK\r\n+ text\r\n")[1] == "malformed at 5: a reply that is neither +OK nor -ERR");
}

TEST_CASE("only a msg-id in the greeting is an APOP timestamp", "[pop3][apop]") {
  const auto greeting = [](const std::string& text) { return eventsOf({}, "+OK " + text + "\r\n")[0]; };
  CHECK(greeting("x <a@b> y") == "greeting+ x <a@b> y apop=<a@b>");
  CHECK(greeting("<hi> <a@b>") == "greeting+ <hi> <a@b> apop=<a@b>");
  for (const std::string text : {"<ab>", "<a @b>", "<a@b", "<>", "<@b>", "<a@>", "<a@b@c>", "<a\x80@b>"}) {
    CAPTURE(text);
    CHECK(greeting(text) == "greeting+ " + text);
  }
}

TEST_CASE("lines, listings and messages beyond the limits are malformed and not buffered", "[pop3][limits]") {
  Limits limits;
  limits.line = 20;
  limits.items = 3;
  limits.capabilityLines = 2;
  limits.body = 10;
  const auto last = [&](const Command& command, const std::string& wire) {
    const Lines lines = eventsOf({command}, "+OK\r\n" + wire, limits);
    return lines.back();
  };
  CHECK(last(Stat{}, "+OK " + std::string(16, 'x') + "\r\n") == "closed within nothing, 0 unanswered");
  CHECK(last(Stat{}, "+OK " + std::string(17, 'x') + "\r\n") == "malformed at 5: a line of more than 20 octets");
  CHECK(last(Stat{}, std::string(50, 'x')) == "malformed at 5: a line of more than 20 octets");
  CHECK(last(List{}, "+OK\r\n1 1\r\n2 1\r\n3 1\r\n1 1\r\n.\r\n") ==
        "malformed at 25: a listing of more than 3 messages");
  CHECK(last(Capa{}, "+OK\r\nA\r\nB\r\nC\r\n.\r\n") == "malformed at 16: too many capabilities");
  CHECK(last(Retr{1}, "+OK\r\n12345678\r\n.\r\n") == "closed within nothing, 0 unanswered");
  CHECK(last(Retr{1}, "+OK\r\n12345678\r\n9\r\n.\r\n") == "malformed at 20: a message of more than 10 octets");
}

TEST_CASE("listing lines that say nothing usable are counted, not taken", "[pop3][client]") {
  Limits limits;
  limits.items = 100;
  CHECK(eventsOf({List{}},
                 "+OK\r\n+OK\r\n0 1\r\n1\r\n\r\nx y\r\n101 1\r\n-1 1\r\n1 99999999999999999999\r\n7 5\r\n.\r\n",
                 limits) ==
        Lines{"greeting+ ", "reply 1+ ", "size 7 5", "end 1 1 unreadable=7", "closed within nothing, 0 unanswered"});
  limits.uidl = 8;
  CHECK(eventsOf({Uidl{}}, "+OK\r\n+OK\r\n1 12345678\r\n2 123456789\r\n3 a\x80\r\n4\r\n99999999999 a\r\n.\r\n",
                 limits) == Lines{"greeting+ ", "reply 1+ ", "uidl 1 12345678", "uidl 2 ", "uidl 3 ", "uidl 4 ",
                                  "end 1 4 unreadable=1", "closed within nothing, 0 unanswered"});
}

TEST_CASE("octets before the handshake of STLS are seen and do not survive it", "[pop3][tls]") {
  Client client;
  Collector collector;
  client.send(Stls{});
  client.receive("+OK hi\r\n+OK begin\r\n-ERR injected");
  collector.drain(client);
  CHECK(client.unread() == "-ERR injected");
  client.tlsEstablished();
  client.send(Stat{});
  client.receive("+OK 1 2\r\n");
  collector.drain(client);
  CHECK(collector.lines == Lines{"greeting+ hi", "reply 1+ begin", "reply 2+ 1 2"});
}

TEST_CASE("written octets are forgotten, secrets wiped from the buffer", "[pop3][client]") {
  Client client;
  client.send(User{"me"});
  client.send(Pass{"geheim und lang genug fuer den Heap, damit der Puffer nicht im Objekt liegt"});
  const std::string_view all = client.pendingOutput();
  CHECK(all.substr(0, 21) == "USER me\r\nPASS geheim ");
  client.consumeOutput(9);
  CHECK(client.pendingOutput().substr(0, 5) == "PASS ");
  client.consumeOutput(client.pendingOutput().size());
  CHECK(client.pendingOutput().empty());
  client.send(Noop{});
  CHECK(client.pendingOutput() == "NOOP\r\n");
}
