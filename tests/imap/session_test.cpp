// Scripted sessions: logging in, changing layers, literals that wait, mailboxes one after the other, and the end.
#include "tests/imap/session_script.h"
#include "tests/support/catch.h"

using namespace mailbraid;
using namespace mailbraid::sync::imap;
using tests::LoggedIn;
using tests::Script;
using Lines = std::vector<std::string>;

TEST_CASE("nothing is sent before the greeting", "[imap][session]") {
  Script script;
  script.client().send(Capability{});
  CHECK(script.client().pendingOutput().empty());
  CHECK(script.serverSays("* OK hi\r\n") == Lines{"Greeting OK 'hi'"});
  script.clientSends("A1 CAPABILITY");
}

TEST_CASE("a greeting may refuse, be logged in already, or be no IMAP at all", "[imap][session]") {
  Script refused;
  CHECK(refused.serverSays("* BYE [UNAVAILABLE] full\r\n") == Lines{"Greeting BYE [UNAVAILABLE] 'full'"});
  CHECK(refused.client().state() == SessionState::LoggedOut);
  Script preAuth;
  CHECK(preAuth.serverSays("* PREAUTH hi\r\n") == Lines{"Greeting PREAUTH 'hi'"});
  CHECK(preAuth.client().state() == SessionState::Authenticated);
  for (const std::string wire :
       {"+OK POP3 ready\r\n", "220 smtp\r\n", "HTTP/1.1 400 Bad Request\r\n", "\r\n", "* NO\r\n", "* 5 EXISTS\r\n"}) {
    Script other;
    CHECK(other.serverSays(wire) == Lines{"Malformed 0 fatal 'the server does not speak IMAP'"});
    CHECK(other.client().failed());
    CHECK(other.serverSays("* OK hi\r\n").empty());
  }
}

TEST_CASE("capabilities that nobody told again after LOGIN are forgotten", "[imap][session]") {
  Script script;
  script.serverSays("* OK [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n");
  script.client().send(Login{"me", SecretText("x")});
  script.clientSends("A1 LOGIN me x");
  CHECK(script.serverSays("A1 OK in\r\n") == Lines{"CapabilitiesChanged", "Done A1 OK 'in'"});
  CHECK(script.client().capabilities().empty());
}

TEST_CASE("capabilities told untagged during LOGIN stay, LOGINDISABLED and all", "[imap][session]") {
  Script script;
  script.serverSays("* OK [CAPABILITY IMAP4rev1] hi\r\n");
  script.client().send(Login{"me", SecretText("x")});
  script.clientSends("A1 LOGIN me x");
  CHECK(script.serverSays("* CAPABILITY IMAP4rev1 LOGINDISABLED QRESYNC\r\nA1 OK in\r\n") ==
        Lines{"CapabilitiesChanged", "Done A1 OK 'in'"});
  CHECK(script.client().capabilities().has("QRESYNC"));
  CHECK(script.client().state() == SessionState::Authenticated);
}

TEST_CASE("a wrong password is told with its code, and the session goes on", "[imap][session]") {
  Script script;
  script.serverSays("* OK hi\r\n");
  script.client().send(Login{"me", SecretText("x")});
  script.clientSends("A1 LOGIN me x");
  CHECK(script.serverSays("A1 NO [AUTHENTICATIONFAILED] no\r\n") == Lines{"Done A1 NO [AUTHENTICATIONFAILED] 'no'"});
  CHECK(script.client().state() == SessionState::NotAuthenticated);
}

TEST_CASE("a synchronising literal waits for the server, and what is behind it waits too", "[imap][literals]") {
  Script script;
  script.serverSays("* OK hi\r\n");
  script.client().send(Login{"me", SecretText("p\xC3\xA4ss")});
  script.client().send(Noop{});
  script.clientSends("A1 LOGIN me {5}");
  CHECK(script.client().pendingOutput().empty());
  CHECK(script.serverSays("+ go on\r\n").empty());
  CHECK(tests::takeOutput(script.client()) == "p\xC3\xA4ss\r\nA2 NOOP\r\n");
}

TEST_CASE("a literal that the server refuses is not sent, and the next command is", "[imap][literals]") {
  Script script;
  script.serverSays("* OK hi\r\n");
  script.client().send(Login{"me", SecretText("p\xC3\xA4ss")});
  script.client().send(Noop{});
  script.clientSends("A1 LOGIN me {5}");
  CHECK(script.serverSays("A1 BAD no literals\r\n") == Lines{"Done A1 BAD 'no literals'"});
  script.clientSends("A2 NOOP");
}

TEST_CASE("AUTHENTICATE without SASL-IR holds the initial response back", "[imap][auth]") {
  Script script;
  script.serverSays("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n");
  script.client().send(Authenticate{"PLAIN", SecretText("AGEAYg==")});
  script.client().send(Noop{});
  script.clientSends("A1 AUTHENTICATE PLAIN");
  CHECK(script.serverSays("+ \r\n").empty());
  script.clientSends("AGEAYg==");
  CHECK(script.serverSays("A1 OK [CAPABILITY IMAP4rev1] in\r\n") ==
        Lines{"CapabilitiesChanged", "Done A1 OK [CAPABILITY IMAP4rev1] 'in'"});
  script.clientSends("A2 NOOP");
}

TEST_CASE("challenges come as events and are answered one by one", "[imap][auth]") {
  Script script;
  script.serverSays("* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n");
  script.client().send(Authenticate{"SCRAM-SHA-256", SecretText("biws")});
  script.clientSends("A1 AUTHENTICATE SCRAM-SHA-256 biws");
  CHECK(script.serverSays("+ cj1h\r\n") == Lines{"Continuation 'cj1h'"});
  script.client().respond("Yz1i");
  script.client().respond("not asked for");
  script.clientSends("Yz1i");
  CHECK(script.serverSays("+ dj1j\r\n") == Lines{"Continuation 'dj1j'"});
  script.client().respond("*");
  script.clientSends("*");
  CHECK(script.serverSays("A1 BAD cancelled\r\n") == Lines{"Done A1 BAD 'cancelled'"});
}

TEST_CASE("a trace shows what is sent, but no secret", "[imap][auth]") {
  Script script;
  Client& client = script.client();
  script.serverSays("* OK [CAPABILITY SASL-IR] hi\r\n");
  client.send(Id{});
  CHECK(client.redactedOutput() == "A1 ID NIL\r\n");
  tests::takeOutput(client);
  script.serverSays("A1 OK\r\n");
  client.send(Authenticate{"PLAIN", SecretText("c2VjcmV0")});
  CHECK(client.redactedOutput() == "A2 AUTHENTICATE PLAIN <redacted>\r\n");
  client.consumeOutput(5);
  CHECK(client.redactedOutput() == "<redacted>");
  tests::takeOutput(client);
  script.serverSays("+ YQ==\r\n");
  client.respond("c2VjcmV0");
  CHECK(client.redactedOutput() == "<redacted>\r\n");
}

TEST_CASE("a command that cannot be written is done at once and nothing is sent", "[imap][session]") {
  Script script(LoggedIn{"IMAP4rev1"});
  script.client().send(Select{"a\r\nA2 LOGOUT"});
  CHECK(script.client().pendingOutput().empty());
  CHECK(script.serverSays("") == Lines{"Done A1 NotSent 'an argument has a CR, LF or NUL in it'"});
}

TEST_CASE("after the OK to STARTTLS the client stops and shows what was injected", "[imap][starttls]") {
  Script script;
  Client& client = script.client();
  script.serverSays("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n");
  client.send(StartTls{});
  client.send(Login{"me", SecretText("x")});
  script.clientSends("A1 STARTTLS");
  CHECK(script.serverSays("A1 OK go\r\n* CAPABILITY AUTH=PLAIN\r\nA2 OK in\r\n") == Lines{"Done A1 OK 'go'"});
  CHECK(client.stopped());
  CHECK(client.hasUnprocessedInput());
  CHECK(client.pendingOutput().empty());
}

TEST_CASE("after STARTTLS what was told in the clear is forgotten", "[imap][starttls]") {
  Script script;
  Client& client = script.client();
  script.serverSays("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hi\r\n");
  client.send(StartTls{});
  client.send(Capability{});
  script.clientSends("A1 STARTTLS");
  script.serverSays("A1 OK go\r\n");
  CHECK(client.stopped());
  CHECK_FALSE(client.hasUnprocessedInput());
  CHECK(client.pendingOutput().empty());
  client.forgetPlaintextState();
  CHECK(client.capabilities().empty());
  CHECK(client.state() == SessionState::NotAuthenticated);
  script.clientSends("A2 CAPABILITY");
  CHECK(script.serverSays("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nA2 OK\r\n") ==
        Lines{"CapabilitiesChanged", "Done A2 OK ''"});
}

TEST_CASE("a refused STARTTLS stops nothing", "[imap][starttls]") {
  Script script;
  script.serverSays("* OK hi\r\n");
  script.client().send(StartTls{});
  script.clientSends("A1 STARTTLS");
  CHECK(script.serverSays("A1 BAD no\r\n* 1 EXISTS\r\n") == Lines{"Done A1 BAD 'no'", "Exists 1"});
  CHECK_FALSE(script.client().stopped());
}

TEST_CASE("an answer that comes before the command was written is refused", "[imap][starttls]") {
  Script script;
  script.serverSays("* OK hi\r\n");
  script.client().send(StartTls{});
  CHECK(script.serverSays("A1 OK go\r\n") == Lines{"Malformed 9 fatal 'an answer to a command that was not sent yet'"});
}

TEST_CASE("what comes behind the OK to COMPRESS goes into the inflater", "[imap][compress]") {
  Script script(LoggedIn{"COMPRESS=DEFLATE"});
  Client& client = script.client();
  client.send(Compress{});
  client.send(Noop{});
  script.clientSends("A1 COMPRESS DEFLATE");
  CHECK(script.serverSays("A1 OK on\r\nZIPPED") == Lines{"Done A1 OK 'on'"});
  CHECK(client.stopped());
  CHECK(client.takeUnprocessedInput() == "ZIPPED");
  CHECK_FALSE(client.stopped());
  script.clientSends("A2 NOOP");
  CHECK(script.serverSays("A2 OK x\r\n") == Lines{"Done A2 OK 'x'"});
}

TEST_CASE("two mailboxes in one flight are told apart by CLOSED", "[imap][select]") {
  Script script(LoggedIn{"IMAP4rev1 QRESYNC"});
  Client& client = script.client();
  client.send(Select{"a"});
  client.send(UidFetch{.uids = UidsFrom{mailstore::Uid{1}}, .items = {FetchItem::Flags}});
  client.send(Select{"b"});
  script.clientSends("A1 EXAMINE a\r\nA2 UID FETCH 1:* (UID FLAGS)\r\nA3 EXAMINE b");
  script.serverSays(
      "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 0] x\r\n* OK [NOMODSEQ] x\r\nA1 OK [READ-ONLY] x\r\n");
  REQUIRE(client.selected() != nullptr);
  CHECK(client.selected()->mailbox == "a");
  CHECK(client.selected()->uidValidity == mailstore::UidValidity{7});
  CHECK_FALSE(client.selected()->uidNext.has_value());
  CHECK(client.selected()->noModSeq);
  script.serverSays(
      "* 1 FETCH (UID 1 FLAGS ())\r\nA2 OK x\r\n* OK [CLOSED] x\r\n* 9 EXISTS\r\n* OK [MAILBOXID (F2)] x\r\n");
  REQUIRE(client.selected() != nullptr);
  CHECK(client.selected()->mailbox == "b");
  CHECK(client.selected()->exists == 9U);
  CHECK(client.selected()->mailboxId == "F2");
  CHECK_FALSE(client.selected()->uidValidity.has_value());
  script.serverSays("A3 OK x\r\n");
  CHECK(client.state() == SessionState::Selected);
}

TEST_CASE("a SELECT that fails leaves no mailbox selected", "[imap][select]") {
  Script script(LoggedIn{"IMAP4rev1"});
  Client& client = script.client();
  client.send(Select{"a"});
  script.clientSends("A1 EXAMINE a");
  script.serverSays("* 3 EXISTS\r\nA1 OK x\r\n");
  client.send(Select{"b"});
  script.clientSends("A2 EXAMINE b");
  CHECK(script.serverSays("A2 NO [NONEXISTENT] gone\r\n") == Lines{"Done A2 NO [NONEXISTENT] 'gone'"});
  CHECK(client.selected() == nullptr);
  CHECK(client.state() == SessionState::Authenticated);
}

TEST_CASE("an UNSELECT that is answered before the SELECT breaks nothing", "[imap][select]") {
  Script script(LoggedIn{"IMAP4rev1"});
  Client& client = script.client();
  client.send(Select{"a"});
  client.send(Unselect{});
  script.clientSends("A1 EXAMINE a\r\nA2 UNSELECT");
  script.serverSays("A2 OK x\r\nA1 OK [READ-ONLY] x\r\n");
  REQUIRE(client.selected() != nullptr);
  CHECK(client.selected()->mailbox == "a");
}

TEST_CASE("a name command waits until ENABLE said how names are written", "[imap][pipelining]") {
  Script script(LoggedIn{"IMAP4rev1 UTF8=ACCEPT"});
  script.client().send(Enable{{"UTF8=ACCEPT"}});
  script.client().send(Select{"caf\xC3\xA9"});
  script.clientSends("A1 ENABLE UTF8=ACCEPT");
  script.serverSays("* ENABLED UTF8=ACCEPT\r\nA1 OK x\r\n");
  script.clientSends("A2 EXAMINE \"caf\xC3\xA9\"");
}

TEST_CASE("BYE comes at any time, and nothing is sent after it", "[imap][session]") {
  Script script(LoggedIn{"IMAP4rev1"});
  script.client().send(Noop{});
  script.clientSends("A1 NOOP");
  CHECK(script.serverSays("* BYE [INUSE] idle for too long\r\n") == Lines{"Bye [INUSE] 'idle for too long'"});
  CHECK(script.client().state() == SessionState::LoggedOut);
  script.client().send(Noop{});
  CHECK(script.client().pendingOutput().empty());
  CHECK(script.client().unfinishedCommands() == 2);
}

TEST_CASE("answers may come in another order than the commands", "[imap][session]") {
  Script script(LoggedIn{"IMAP4rev1"});
  script.client().send(Noop{});
  script.client().send(List{});
  script.clientSends("A1 NOOP\r\nA2 LIST \"\" \"*\"");
  CHECK(script.serverSays("A2 OK b\r\nA1 OK a\r\n") == Lines{"Done A2 OK 'b'", "Done A1 OK 'a'"});
}

TEST_CASE("the answer to a UID SEARCH may come behind the messages of the next UID FETCH, as Dovecot does it",
          "[imap][session]") {
  Script script(LoggedIn{"IMAP4rev1 ESEARCH"});
  script.client().send(UidSearch{.returns = {SearchReturn::All}});
  script.client().send(UidFetch{.uids = UidsFrom{mailstore::Uid{1}}, .items = {FetchItem::Flags}});
  script.clientSends("A1 UID SEARCH RETURN (ALL) ALL\r\nA2 UID FETCH 1:* (UID FLAGS)");
  CHECK(script.serverSays("* ESEARCH (TAG \"A1\") UID ALL 1\r\n* 1 FETCH (UID 1 FLAGS ())\r\nA1 OK a\r\nA2 OK b\r\n") ==
        Lines{"Search A1 '1'", "FetchBegin 1", "FetchEnd 1 uid=1 flags=()", "Done A1 OK 'a'", "Done A2 OK 'b'"});
}

TEST_CASE("an answer to nothing is reported, a line that is none ends the connection", "[imap][session]") {
  Script script(LoggedIn{"IMAP4rev1"});
  CHECK(script.serverSays("A99 OK x\r\n") == Lines{"Malformed 40 'an answer to a command that is not in flight'"});
  CHECK(script.serverSays("+ x\r\n") == Lines{"Malformed 50 'a continuation request that nobody waits for'"});
  CHECK(script.serverSays("hello\r\n") == Lines{"Malformed 55 fatal 'a line that is no IMAP response'"});
}

TEST_CASE("an answer without text or with an unknown code is an answer", "[imap][session]") {
  Script script(LoggedIn{"IMAP4rev1"});
  for (int i = 0; i < 3; ++i) script.client().send(Noop{});
  tests::takeOutput(script.client());
  CHECK(script.serverSays("A1 BAD\r\nA2 NO [XPROXYREUSE a b]\r\nA3 ok\r\n") ==
        Lines{"Done A1 BAD ''", "Done A2 NO [?XPROXYREUSE a b] ''", "Done A3 OK ''"});
}

TEST_CASE("with the answer to a SELECT, its mailbox is told, though the next SELECT is in flight", "[imap][session]") {
  Client client;
  client.receive("* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n");
  while (client.nextEvent()) {
  }
  const CommandId first = client.send(Select{"a"});
  const CommandId second = client.send(Select{"b"});
  while (!client.pendingOutput().empty()) client.consumeOutput(client.pendingOutput().size());
  const std::string wire =
      "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [HIGHESTMODSEQ 12] ok\r\nA1 OK [READ-ONLY] done\r\n"
      "* OK [CLOSED] closed\r\n* 5 EXISTS\r\n* OK [UIDVALIDITY 8] ok\r\n* OK [HIGHESTMODSEQ 13] ok\r\nA2 OK done\r\n";
  client.receive(wire);
  std::vector<std::pair<CommandId, std::uint64_t>> told;
  while (const auto event = client.nextEvent()) {
    const auto* done = std::get_if<CommandDone>(&*event);
    if (done == nullptr) continue;
    REQUIRE(client.selected() != nullptr);
    told.emplace_back(done->id, client.selected()->highestModSeq.value().value());
  }
  REQUIRE(told.size() == 2);
  CHECK(told[0] == std::pair{first, std::uint64_t{12}});
  CHECK(told[1] == std::pair{second, std::uint64_t{13}});
}
