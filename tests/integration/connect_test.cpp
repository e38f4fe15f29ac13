#include "tests/integration/workspace.h"
#include "tests/support/catch.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/mail_account.h"

#include <string>
#include <vector>

using namespace mailbraid::test;

namespace {

const std::string kMessage = "From: a@example.org\r\nSubject: here\r\nMessage-ID: <1@example.org>\r\n\r\nHello\r\n";

bool mentions(const Finished& finished, const std::string& text) {
  return (finished.out + finished.err).find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("mail arrives over IMAP and POP3, plain, over TLS and after STARTTLS", "[integration][connect]") {
  const Dovecot server;
  const std::string password = server.password("user1");
  MailAccount(server.imap(), "user1", password).append("INBOX", {kMessage});
  const Way way = GENERATE(Way::Plain, Way::Tls, Way::StartTls);
  Workspace workspace;
  workspace.endpoint("imap", imapEndpoint(workspace, server, "user1", way));
  workspace.endpoint("pop", pop3Endpoint(workspace, server, "user1", way));
  CHECK(workspace.sync() == Totals{.fresh = 2});
  CHECK(workspace.digests("imap/INBOX") == std::vector{sha256(kMessage)});
  CHECK(workspace.digests("pop/INBOX") == std::vector{sha256(kMessage)});
  CHECK(workspace.sync() == kNothing);
}

TEST_CASE("every mechanism that the server offers logs in, with odd passwords too", "[integration][connect]") {
  const Dovecot server;
  const std::string user = GENERATE("alice", "bob", "carol", "dave");
  // Dovecot's processes deadlock in its list index when several sessions meet in an account that was never used.
  MailAccount(server.imap(), user, server.password(user)).append("INBOX", {kMessage});
  Workspace workspace;
  for (const std::string mechanism : {"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"}) {
    const std::string only = "auth = [\"" + mechanism + "\"]\n";
    workspace.endpoint("imap-" + mechanism, imapEndpoint(workspace, server, user, Way::Tls, only));
    workspace.endpoint("pop-" + mechanism, pop3Endpoint(workspace, server, user, Way::Tls, only));
  }
  workspace.endpoint("apop", pop3Endpoint(workspace, server, user, Way::Tls, "auth = [\"APOP\"]\n"));
  const Finished finished = workspace.mailbraid({"check"});
  CAPTURE(user, finished.out, finished.err, server.log());
  CHECK(finished.status == 0);
  CHECK_FALSE(mentions(finished, server.password(user)));
}

TEST_CASE("a token logs in by OAUTHBEARER and XOAUTH2, an expired one is refused", "[integration][connect]") {
  const Dovecot server;
  const std::string mechanism = GENERATE("OAUTHBEARER", "XOAUTH2");
  const std::string type = GENERATE("imap", "pop3");
  const bool expired = GENERATE(false, true);
  const std::string token = expired ? server.expiredToken("user1") : server.token("user1");
  Workspace workspace;
  workspace.endpoint("it", "type = \"" + type + "\"\nhost = \"localhost\"\nport = " +
                               std::to_string(type == "imap" ? server.imaps() : server.pop3s()) +
                               "\nuser = \"user1\"\nca_file = \"" + server.caFile() + "\"\nauth = [\"" + mechanism +
                               "\"]\npassword_command = [\"echo\", \"" + token + "\"]\n");
  const Finished finished = workspace.mailbraid({"check", "-vvv"});
  CAPTURE(mechanism, type, expired, finished.out, finished.err);
  CHECK(finished.status == (expired ? 77 : 0));
  CHECK_FALSE(mentions(finished, token));
}

TEST_CASE("P9: a wrong password is refused with one sentence and 77, and shows nowhere", "[integration][connect]") {
  const Dovecot server;
  const std::string type = GENERATE("imap", "pop3");
  Workspace workspace;
  workspace.endpoint("it", endpointAt(workspace, type, type == "imap" ? server.imap() : server.pop3()));
  writeFile(workspace.path("password-user1"), "wrong-and-never-shown\n");
  const Finished finished = workspace.mailbraid({"sync", "-vvv"});
  CAPTURE(type, finished.out, finished.err);
  CHECK(finished.status == 77);
  CHECK(mentions(finished, "it"));
  CHECK_FALSE(mentions(finished, "wrong-and-never-shown"));
}

TEST_CASE("P9: an expired, a self-signed and another host's certificate are refused before a login",
          "[integration][connect]") {
  const std::string certificate = GENERATE("expired", "wronghost", "selfsigned");
  const Dovecot server({"--certificate", certificate});
  const Way way = GENERATE(Way::Tls, Way::StartTls);
  Workspace workspace;
  workspace.endpoint("imap", imapEndpoint(workspace, server, "user1", way));
  workspace.endpoint("pop", pop3Endpoint(workspace, server, "user1", way));
  const Finished finished = workspace.mailbraid({"sync"});
  CAPTURE(certificate, finished.out, finished.err);
  CHECK(finished.status == 77);
  CHECK(server.log().find("method=") == std::string::npos);
}

TEST_CASE("P9: a certificate of an authority that was not named is refused", "[integration][connect]") {
  const Dovecot server;
  Workspace workspace;
  workspace.endpoint("it", endpointAt(workspace, "imap", server.imaps()));
  std::string toml = readFile(workspace.configurationFile());
  toml.replace(toml.find("tls = \"none\""), 12, "tls = \"implicit\"");
  workspace.configuration(toml);
  CHECK(workspace.mailbraid({"sync"}).status == 77);
}

TEST_CASE("a port where nobody listens is 69, the wrong protocol on the port 76", "[integration][connect]") {
  const Dovecot server;
  std::uint16_t closed = 0;
  {
    const FaultProxy proxy(server.imap());
    closed = proxy.port();
  }
  Workspace workspace;
  SECTION("nobody listens") {
    workspace.endpoint("it", endpointAt(workspace, "imap", closed));
    CHECK(workspace.mailbraid({"sync"}).status == 69);
  }
  SECTION("a name that does not exist") {
    workspace.endpoint(
        "it", "type = \"imap\"\nhost = \"no-such-host.invalid\"\nuser = \"u\"\npassword_command = [\"echo\", \"p\"]\n");
    CHECK(workspace.mailbraid({"sync"}).status == 69);
  }
  SECTION("POP3 on an IMAP port") {
    workspace.endpoint("it", endpointAt(workspace, "pop3", server.imap()));
    CHECK(workspace.mailbraid({"sync"}).status == 76);
  }
  SECTION("IMAP on a POP3 port") {
    workspace.endpoint("it", endpointAt(workspace, "imap", server.pop3()));
    CHECK(workspace.mailbraid({"sync"}).status == 76);
  }
}

TEST_CASE("P9: octets injected before the TLS handshake are refused", "[integration][connect]") {
  const Dovecot server;
  FaultProxy proxy(server.imap());
  Workspace workspace;
  // "* OK ... ready.\r\n" and what follows it up to the answer to STARTTLS go by unchanged; the octets ride behind the
  // answer.
  workspace.endpoint("it", endpointAt(workspace, "imap", proxy.port(), "ca_file = \"" + server.caFile() + "\"\n"));
  std::string toml = readFile(workspace.configurationFile());
  toml.replace(toml.find("tls = \"none\""), 12, "tls = \"starttls\"");
  workspace.configuration(toml);
  REQUIRE(workspace.mailbraid({"check"}).status == 0);
  const std::string seen = proxy.seen(Toward::Client);
  const std::size_t end = seen.find('\x16');  // the first octet of the server's handshake
  REQUIRE(end != std::string::npos);
  const std::size_t answer = seen.rfind("\r\n", end) + 2;
  // Tags may grow; the answer's place is the same in the next run.
  proxy.set(Fault{Fault::Kind::Inject, Toward::Client, answer - 2, "\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN"});
  const Finished finished = workspace.mailbraid({"check"});
  CAPTURE(finished.out, finished.err);
  CHECK((finished.status == 76 || finished.status == 77));
}

TEST_CASE("P10: the other endpoints finish when one fails", "[integration][connect]") {
  const Dovecot server;
  MailAccount(server.imap(), "user2", "secret").append("INBOX", {kMessage});
  Workspace workspace;
  workspace.endpoint("broken", endpointAt(workspace, "imap", server.pop3()));
  workspace.endpoint("good", imapEndpoint(workspace, server, "user2"));
  CHECK(workspace.sync() == Totals{.status = 76, .fresh = 1});
  CHECK(workspace.digests("good/INBOX").size() == 1);
}
