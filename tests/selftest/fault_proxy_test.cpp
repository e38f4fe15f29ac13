#include "tests/support/fault_proxy.h"

#include "tests/support/catch.h"
#include "tests/support/dovecot.h"
#include "tests/support/mail_account.h"

#include <string>

using namespace mailbraid::test;

TEST_CASE("the fault proxy does one named harm at one named octet", "[proxy]") {
  const Dovecot server;
  MailAccount(server.imap(), "user1", "secret").append("INBOX", {std::string(100'000, 'x')});
  FaultProxy proxy(server.imap());
  const MailAccount through(proxy.port(), "user1", "secret");

  SECTION("without a fault it is not there") {
    const auto messages = through.dump();
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].digest == MailAccount(server.imap(), "user1", "secret").dump()[0].digest);
    CHECK(proxy.octets(Toward::Client) > 100'000);
    CHECK(proxy.seen(Toward::Server).find("AUTHENTICATE PLAIN") != std::string::npos);
  }
  SECTION("a cut ends the connection, and only as many connections as wanted") {
    proxy.set(Fault{Fault::Kind::Cut, Toward::Client, 50'000, {}, 1});
    CHECK_THROWS(through.dump());
    CHECK(proxy.octets(Toward::Client) == 50'000);
    CHECK(through.dump().size() == 1);
  }
  SECTION("a cut at the first octet hides the greeting") {
    proxy.set(Fault{Fault::Kind::Cut, Toward::Client, 0, {}});
    CHECK_THROWS(through.dump());
    CHECK(proxy.octets(Toward::Client) == 0);
  }
  SECTION("a corrupted octet changes the message") {
    proxy.set(Fault{Fault::Kind::Corrupt, Toward::Client, 50'000, {}});
    CHECK(through.dump()[0].digest != MailAccount(server.imap(), "user1", "secret").dump()[0].digest);
  }
  SECTION("injected octets come before the greeting") {
    proxy.set(Fault{Fault::Kind::Inject, Toward::Client, 0, "* BYE not today\r\n"});
    CHECK(proxy.seen(Toward::Client).empty());
    (void)through.dump();
    CHECK(proxy.seen(Toward::Client).substr(0, 15) == "* BYE not today");
  }
  SECTION("what is held goes on when it is released") {
    proxy.set(Fault{Fault::Kind::Hold, Toward::Client, 50'000, {}});
    std::size_t count = 0;
    std::thread client([&] { count = through.dump().size(); });
    CHECK(proxy.waitForOctets(Toward::Client, 50'000));
    CHECK(proxy.octets(Toward::Client) == 50'000);
    proxy.release();
    client.join();
    CHECK(count == 1);
  }
}
