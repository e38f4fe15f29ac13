// The POP3 endpoint against a real server.
#include "sync/endpoint/pop3_endpoint.h"

#include "tests/endpoint/pull_log.h"
#include "tests/support/catch.h"
#include "tests/support/dovecot.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/mail_account.h"
#include "tests/support/temp_dir.h"

#include <algorithm>
#include <string>
#include <vector>

using namespace mailbraid;
using namespace mailbraid::sync::endpoint;
using mailbraid::tests::PullLog;
using mailstore::Uidl;
using sync::net::TlsMode;

namespace {

struct Account {
  std::string user;
  std::string secret;
  std::vector<std::string> auth;
};

EndpointSettings settingsFor(const test::Dovecot& server, TlsMode tls, const Account& account) {
  EndpointSettings out;
  out.name = "old";
  out.type = EndpointType::Pop3;
  out.server.host = "127.0.0.1";
  out.server.port = tls == TlsMode::Implicit ? server.pop3s() : server.pop3();
  out.server.tls = tls;
  out.server.caFile = server.caFile();
  out.user = account.user;
  out.password = [secret = account.secret] { return sync::sasl::Secret(secret); };
  out.auth = account.auth;
  return out;
}

Environment environmentIn(const test::TempDir& directory) {
  Environment out;
  out.spool.directory = directory.path();
  return out;
}

Delta changes(Pop3Endpoint& endpoint, PullLog& sink) {
  DeltaRequest request;
  request.mailbox = &endpoint.list().front();
  request.skip = std::vector<Uidl>{};
  request.due = std::vector<Uidl>{};
  return endpoint.changes(std::span(&request, 1), sink).front();
}

void fetchAll(Pop3Endpoint& endpoint, PullLog& sink) {
  const KeyRequest wanted{&endpoint.list().front(), {}, changes(endpoint, sink).fresh};
  endpoint.fetch(std::span(&wanted, 1), sink);
}

std::string mechanismOf(const EndpointSettings& settings, const test::TempDir& directory) {
  Pop3Endpoint endpoint(settings, environmentIn(directory));
  endpoint.open();
  CHECK(endpoint.list().front().status->messages == 0);
  return endpoint.facts().mechanism;
}

}  // namespace

TEST_CASE("POP3 logs in at Dovecot with every mechanism, plain, over TLS and after STLS", "[endpoint][pop3][dovecot]") {
  const test::Dovecot server;
  const test::TempDir directory;
  for (const TlsMode tls : {TlsMode::None, TlsMode::Implicit, TlsMode::StartTls}) {
    CAPTURE(static_cast<int>(tls));
    CHECK(mechanismOf(settingsFor(server, tls, {"bob", server.password("bob"), {}}), directory) == "SCRAM-SHA-256");
    for (const std::string name : {"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"}) {
      for (const std::string user : {"alice", "bob", "carol", "dave"}) {
        CAPTURE(name, user);
        CHECK(mechanismOf(settingsFor(server, tls, {user, server.password(user), {name}}), directory) == name);
      }
    }
    for (const std::string name : {"OAUTHBEARER", "XOAUTH2"}) {
      CHECK(mechanismOf(settingsFor(server, tls, {"alice", server.token("alice"), {name}}), directory) == name);
    }
    CHECK(mechanismOf(settingsFor(server, tls, {"user1", "secret", {"USER"}}), directory) == "USER");
  }
  CHECK(mechanismOf(settingsFor(server, TlsMode::Implicit, {"user1", "secret", {"APOP"}}), directory) == "APOP");
}

TEST_CASE("a wrong password and an expired token are refused with a sentence", "[endpoint][pop3][dovecot]") {
  const test::Dovecot server;
  const test::TempDir directory;
  const auto refusal = [&](const Account& account) {
    try {
      mechanismOf(settingsFor(server, TlsMode::Implicit, account), directory);
    } catch (const mailstore::Error& error) {
      CHECK(error.kind() == mailstore::ErrorKind::Refused);
      CHECK(error.scope() == mailstore::Scope::Endpoint);
      return std::string(error.what());
    }
    return std::string();
  };
  for (const std::string name : {"SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN", "USER", "APOP"}) {
    CAPTURE(name);
    CHECK(refusal({"user1", "wrong", {name}}).find("user1") != std::string::npos);
  }
  CHECK(refusal({"alice", server.expiredToken("alice"), {"OAUTHBEARER"}}).find("access token") != std::string::npos);
}

TEST_CASE("the octets of odd messages are what POP3 gives to others", "[endpoint][pop3][dovecot]") {
  const test::Dovecot server;
  const test::TempDir directory;
  const test::MailAccount imap(server.imap(), "user1", "secret");
  imap.append("INBOX", {"Subject: dots\r\n\r\n.\r\n..\r\n.a\r\n", "Subject: x\r\n\r\nno final newline",
                        "no header \xFF\xFE", "Subject: x\r\n\r\na\rb\nc\r\n" + std::string(100'000, 'l') + "\r\n",
                        "\r\n", "Subject: big\r\n\r\n" + std::string(3'000'000, '.') + "\r\n"});
  const test::MailAccount pop3(server.pop3(), "user1", "secret");
  const std::vector<test::Pop3Message> expected = pop3.dumpPop3();
  REQUIRE(expected.size() == 6);
  Pop3Endpoint endpoint(settingsFor(server, TlsMode::Implicit, {"user1", "secret", {}}), environmentIn(directory));
  endpoint.open();
  PullLog sink;
  fetchAll(endpoint, sink);
  REQUIRE(sink.messages.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(sink.messages[i].key == expected[i].uidl);
    CHECK(sink.messages[i].digest == expected[i].digest);
    CHECK(sink.messages[i].size == expected[i].size);
  }
}

TEST_CASE("wherever the line is cut, no message is told that is not whole, and reconnecting brings the rest",
          "[endpoint][pop3][dovecot]") {
  const test::Dovecot server;
  const test::TempDir directory;
  const test::MailAccount imap(server.imap(), "user1", "secret");
  std::vector<std::string> mails;
  for (int i = 0; i < 20; ++i)
    mails.push_back("Subject: " + std::to_string(i) + "\r\n\r\n" + std::string(2000, 'x') + "\r\n");
  imap.append("INBOX", mails);
  const std::vector<test::Pop3Message> expected = test::MailAccount(server.pop3(), "user1", "secret").dumpPop3();
  test::FaultProxy proxy(server.pop3());
  EndpointSettings settings = settingsFor(server, TlsMode::None, {"user1", "secret", {"PLAIN"}});
  settings.server.port = proxy.port();
  for (std::uint64_t after = 0; after < 40'000; after += 1'777) {
    CAPTURE(after);
    proxy.set(test::Fault{test::Fault::Kind::Cut, test::Toward::Client, after, {}, 1});
    Pop3Endpoint endpoint(settings, environmentIn(directory));
    PullLog sink;
    try {
      endpoint.open();
      fetchAll(endpoint, sink);
      FAIL_CHECK("the cut was not noticed");
    } catch (const mailstore::Error& error) {
      CHECK(error.scope() == mailstore::Scope::Connection);
    }
    proxy.set(std::nullopt);
    endpoint.reconnect();
    fetchAll(endpoint, sink);
    for (const PullLog::Message& message : sink.messages) {
      const auto same = [&](const test::Pop3Message& one) {
        return one.uidl == message.key && one.digest == message.digest;
      };
      CHECK(std::any_of(expected.begin(), expected.end(), same));
    }
    CHECK(sink.messages.size() >= expected.size());
  }
}
