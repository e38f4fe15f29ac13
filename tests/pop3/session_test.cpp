// Sessions as scripts: what the server says, and what must have been sent before it may say so.
#include "sync/pop3/session.h"

#include "tests/support/catch.h"

#include <string>
#include <variant>
#include <vector>

using namespace mailbraid::sync::pop3;

namespace {

struct SessionEventText {
  std::string operator()(const TlsWanted&) const { return "tls"; }
  std::string operator()(const LoginWanted&) const { return "login"; }
  std::string operator()(const PasswordWanted&) const { return "password"; }
  std::string operator()(const Challenge& e) const { return "challenge " + e.text; }
  std::string operator()(const LoginRefused& e) const {
    return std::string("refused ") + (e.credentials ? "credentials " : "") + e.text;
  }
  std::string operator()(const LoggedIn&) const { return "in"; }
  std::string operator()(const ListingDone& e) const {
    return "listing " + std::to_string(e.listing.messages.size()) + (e.listing.complete ? " complete" : "") +
           (e.listing.identified ? " identified" : "");
  }
  std::string operator()(const MessageBegin& e) const { return "begin " + std::to_string(e.number); }
  std::string operator()(const MessageOctets& e) const { return "octets " + std::string(e.octets); }
  std::string operator()(const MessageEnd& e) const {
    return "end " + std::to_string(e.number) + " " + std::to_string(e.size);
  }
  std::string operator()(const MessageRefused& e) const { return "refused " + std::to_string(e.number) + " " + e.text; }
  std::string operator()(const MessageMarked& e) const { return "marked " + std::to_string(e.number); }
  std::string operator()(const QuitDone& e) const { return e.ok ? "quit" : "quit failed"; }
  std::string operator()(const Failure& e) const { return "failure " + e.reason; }
};

/// The two verbs of a script: the client must have sent exactly this; the server says that. `events` are what came of
/// it.
class Script {
 public:
  explicit Script(TlsUpgrade tls = TlsUpgrade::None, WindowLimits window = {}) : session(tls, {}, window) {}

  Script& client(const std::string& expected) {
    CHECK(std::string(session.pendingOutput()) == expected);
    session.consumeOutput(session.pendingOutput().size());
    return *this;
  }
  Script& server(const std::string& says) {
    events.clear();
    for (const char c : says) {
      session.receive(std::string_view(&c, 1));
      while (const auto event = session.nextEvent()) {
        const auto* octets = std::get_if<MessageOctets>(&*event);
        if (octets != nullptr && !events.empty() && events.back().rfind("octets ", 0) == 0) {
          events.back() += octets->octets;
        } else {
          events.push_back(std::visit(SessionEventText{}, *event));
        }
      }
    }
    return *this;
  }
  Script& end() {
    events.clear();
    session.endOfInput();
    while (const auto event = session.nextEvent()) events.push_back(std::visit(SessionEventText{}, *event));
    return *this;
  }
  void gives(const std::vector<std::string>& expected) { CHECK(events == expected); }

  Session session;
  std::vector<std::string> events;
};

const std::string kCapa = "+OK\r\nTOP\r\nUIDL\r\nPIPELINING\r\nSASL PLAIN CRAM-MD5\r\nSTLS\r\n.\r\n";

/// Logged in at a server with PIPELINING.
Script loggedIn(WindowLimits window = {}) {
  Script script(TlsUpgrade::None, window);
  script.client("").server("+OK hi <1@b>\r\n").client("CAPA\r\n").server(kCapa).gives({"login"});
  CHECK(script.session.authenticate("PLAIN", "AGEAYg=="));
  script.client("AUTH PLAIN AGEAYg==\r\n").server("+OK in\r\n").gives({"in"});
  return script;
}

}  // namespace

TEST_CASE("with PIPELINING the listing is one flight after CAPA and one AUTH", "[pop3][session]") {
  Script script = loggedIn();
  CHECK(script.session.timestamp() == "<1@b>");
  script.session.requestListing();
  script.client("STAT\r\nUIDL\r\nLIST\r\n");
  script.server("+OK 2 300\r\n+OK\r\n1 a\r\n2 b\r\n.\r\n+OK\r\n1 100\r\n2 200\r\n.\r\n")
      .gives({"listing 2 complete identified"});
}

TEST_CASE("messages go in flights, DELE counts when QUIT is accepted", "[pop3][session]") {
  Script script = loggedIn({1'000'000, 2});
  script.session.requestMessage(1, 10);
  script.session.requestMessage(2, 10);
  script.session.requestMessage(3, 10);
  script.client("RETR 1\r\nRETR 2\r\n");
  script.server("+OK\r\nab\r\n..\r\n.\r\n").gives({"begin 1", "octets ab\r\n.\r\n", "end 1 7"});
  script.client("RETR 3\r\n");
  script.server("-ERR gone\r\n+OK 3\r\nc\r\n.\r\n").gives({"refused 2 gone", "begin 3", "octets c\r\n", "end 3 3"});
  script.session.requestDeletion(1);
  script.session.requestQuit();
  script.client("DELE 1\r\nQUIT\r\n")
      .server("+OK\r\n-ERR some deleted messages not removed\r\n")
      .gives({"marked 1", "quit failed"});
}

TEST_CASE("a server without CAPA is asked one thing at a time", "[pop3][session]") {
  Script script;
  script.server("+OK hi\r\n").client("CAPA\r\n").server("-ERR unknown command\r\n").gives({"login"});
  CHECK(script.session.quirks().has(Quirk::NoCapa));
  CHECK(script.session.user("me"));
  script.client("USER me\r\n").server("+OK\r\n").gives({"password"});
  CHECK(script.session.password("secret"));
  script.client("PASS secret\r\n").server("+OK\r\n").gives({"in"});
  script.session.requestListing();
  script.client("STAT\r\n").server("+OK 1 5\r\n").client("UIDL\r\n").server("-ERR\r\n").client("LIST\r\n");
  script.server("+OK\r\n1 5\r\n.\r\n").gives({"listing 1 complete"});
  CHECK(script.session.quirks().has(Quirk::NoUidl));
  script.session.requestHeader(1);
  script.session.requestHeader(2);
  script.client("TOP 1 0\r\n").server("-ERR what\r\n").gives({"refused 1 what"});
  CHECK_FALSE(script.session.topWorks());
  script.client("TOP 2 0\r\n");
}

TEST_CASE("capabilities are asked again after the login when PIPELINING was not among them", "[pop3][session]") {
  Script script;
  script.server("+OK hi\r\n").client("CAPA\r\n").server("+OK\r\nUSER\r\n.\r\n").gives({"login"});
  script.session.apop("me", "00");
  script.client("APOP me 00\r\n").server("+OK\r\n").gives({});
  script.client("CAPA\r\n").server(kCapa).gives({"in"});
  script.session.requestListing();
  script.client("STAT\r\nUIDL\r\nLIST\r\n");
}

TEST_CASE("STLS comes first, and what was told in the clear is forgotten", "[pop3][session][tls]") {
  Script script(TlsUpgrade::Stls);
  script.server("+OK hi <1@b>\r\n").client("STLS\r\n").server("+OK begin\r\n").gives({"tls"});
  CHECK(script.session.unread().empty());
  script.session.tlsEstablished();
  CHECK(script.session.timestamp().empty());
  script.client("CAPA\r\n").server(kCapa).gives({"login"});
}

TEST_CASE("octets injected behind the answer to STLS can be seen before the handshake", "[pop3][session][tls]") {
  Session session(TlsUpgrade::Stls);
  session.receive("+OK hi\r\n");
  CHECK_FALSE(session.nextEvent().has_value());
  session.receive("+OK begin\r\n+OK\r\nUIDL\r\n.\r\n");
  const auto event = session.nextEvent();
  REQUIRE(event.has_value());
  CHECK(std::holds_alternative<TlsWanted>(*event));
  CHECK(session.unread() == "+OK\r\nUIDL\r\n.\r\n");
}

TEST_CASE("a server that refuses STLS gets no login", "[pop3][session][tls]") {
  Script script(TlsUpgrade::Stls);
  script.server("+OK hi\r\n").client("STLS\r\n").server("-ERR no\r\n").gives({"failure the server refuses STLS: no"});
  script.client("");
}

TEST_CASE("challenges pass in both directions and a refusal leaves room for another try", "[pop3][session][login]") {
  Script script;
  script.server("+OK hi\r\n").client("CAPA\r\n").server(kCapa).gives({"login"});
  script.session.authenticate("CRAM-MD5", std::nullopt);
  script.client("AUTH CRAM-MD5\r\n").server("+ PDE+\r\n").gives({"challenge PDE+"});
  script.session.answer("Zm9v");
  script.client("Zm9v\r\n").server("-ERR [AUTH] wrong\r\n").gives({"refused credentials wrong"});
  script.session.authenticate("CRAM-MD5", std::nullopt);
  script.client("AUTH CRAM-MD5\r\n").server("+ PDE+\r\n");
  script.session.cancelLogin();
  script.client("*\r\n").server("-ERR cancelled\r\n");
}

TEST_CASE("a refusal that is not the password's fault says so", "[pop3][session][login]") {
  const auto refusal = [](const std::string& capa, const std::string& answer) {
    Script script;
    script.server("+OK hi\r\n").server(capa);
    script.session.apop("me", "00");
    script.server(answer);
    return script.events.empty() ? "" : script.events.front();
  };
  CHECK(refusal(kCapa, "-ERR [IN-USE] locked\r\n") == "refused locked");
  CHECK(refusal(kCapa, "-ERR [SYS/TEMP] later\r\n") == "refused later");
  CHECK(refusal(kCapa, "-ERR [LOGIN-DELAY] wait\r\n") == "refused wait");
  CHECK(refusal(kCapa, "-ERR no\r\n") == "refused credentials no");
  CHECK(refusal("+OK\r\nAUTH-RESP-CODE\r\n.\r\n", "-ERR no\r\n") == "refused no");
  CHECK(refusal("+OK\r\nAUTH-RESP-CODE\r\n.\r\n", "-ERR [AUTH] no\r\n") == "refused credentials no");
}

TEST_CASE("a password that would be two lines is not sent", "[pop3][session][login]") {
  Script script;
  script.server("+OK hi\r\n").client("CAPA\r\n").server(kCapa);
  CHECK_FALSE(script.session.user("me\r\nPASS x"));
  script.client("");
}

TEST_CASE("UTF8 is switched on in the flight of the login", "[pop3][session]") {
  Script script;
  script.server("+OK hi\r\n").client("CAPA\r\n").server("+OK\r\nPIPELINING\r\nUTF8\r\n.\r\n");
  script.session.apop("me", "00");
  script.client("UTF8\r\nAPOP me 00\r\n").server("-ERR no\r\n+OK\r\n").gives({"in"});
}

TEST_CASE("a connection that ends anywhere is a failure that says where", "[pop3][session]") {
  Script greeting;
  greeting.end().gives({"failure the server closed the connection"});
  Script login;
  login.server("+OK hi\r\n").end().gives({"failure the server closed the connection before it answered CAPA"});
  Script listing = loggedIn();
  listing.session.requestListing();
  listing.server("+OK 1 1\r\n+OK\r\n1 a\r\n")
      .end()
      .gives({"failure the server closed the connection in the middle of a listing"});
  Script message = loggedIn();
  message.session.requestMessage(7, 100);
  message.server("+OK\r\nSubject: half").end();
  message.gives({"failure the server closed the connection in the middle of message 7"});
  message.end().gives({});
}

TEST_CASE("a server that says goodbye or not now is quoted", "[pop3][session]") {
  Script busy;
  busy.server("-ERR [SYS/TEMP] too many connections\r\n")
      .gives({"failure the server refuses the connection: too many connections"});
  Script idle = loggedIn();
  idle.server("-ERR Disconnected for inactivity.\r\n")
      .gives({"failure the server ends the session: Disconnected for inactivity."});
  Script garbage = loggedIn();
  garbage.session.requestListing();
  garbage.server("\xFF\xFF\r\n");
  REQUIRE(garbage.events.size() == 1);
  CHECK(garbage.events[0].rfind("failure a reply that is neither +OK nor -ERR", 0) == 0);
}
