#include "sync/endpoint/pop3_endpoint.h"

#include "tests/endpoint/pull_log.h"
#include "tests/support/catch.h"
#include "tests/support/fake_pop3.h"
#include "tests/support/temp_dir.h"

#include <algorithm>
#include <string>
#include <vector>

using namespace mailbraid;
using namespace mailbraid::sync::endpoint;
using mailbraid::tests::FakeMaildrop;
using mailbraid::tests::FakePop3;
using mailbraid::tests::PullLog;
using mailbraid::tests::TestServer;
using mailstore::Uidl;

namespace {

std::string message(const std::string& id, const std::string& body = "body\r\n") {
  return "Subject: s\r\nMessage-ID: <" + id + "@x>\r\n\r\n" + body;
}

FakeMaildrop three() {
  FakeMaildrop drop;
  drop.messages = {{"a", message("1")}, {"b", message("2", "longer body\r\n")}, {"c", message("3")}};
  return drop;
}

/// A server of one connection and an endpoint that talks to it.
class Fixture {
 public:
  explicit Fixture(FakeMaildrop offered)
      : drop(std::move(offered)), server(FakePop3(drop, log)), endpoint(settings(), environment()) {}

  EndpointSettings settings() const {
    EndpointSettings out;
    out.name = "old";
    out.type = EndpointType::Pop3;
    out.server.host = "127.0.0.1";
    out.server.port = server.port();
    out.server.tls = sync::net::TlsMode::None;
    out.user = "me";
    out.password = [] { return sync::sasl::Secret("secret"); };
    return out;
  }
  Environment environment() const {
    Environment out;
    out.spool.directory = directory.path();
    out.maxMessageSize = 10'000;
    return out;
  }
  Delta changes(std::vector<Uidl> skip = {}) {
    request = {};
    request.mailbox = &endpoint.list().front();
    request.skip = std::move(skip);
    request.due = std::vector<Uidl>{};
    return endpoint.changes(std::span(&request, 1), sink).front();
  }
  void fetch(const KeySet& keys) {
    const KeyRequest wanted{&endpoint.list().front(), {}, keys};
    endpoint.fetch(std::span(&wanted, 1), sink);
  }
  std::vector<std::string> fetched() const {
    std::vector<std::string> out;
    for (const PullLog::Message& one : sink.messages) out.push_back(one.key);
    return out;
  }

  test::TempDir directory;
  FakeMaildrop drop;
  std::vector<std::string> log;
  TestServer server;
  Pop3Endpoint endpoint;
  PullLog sink;
  DeltaRequest request;
};

std::vector<std::string> uidlsIn(const KeySet& keys) {
  std::vector<std::string> out;
  for (const Uidl& uidl : std::get<std::vector<Uidl>>(keys)) out.push_back(uidl.value());
  return out;
}

const std::vector<std::string> kAll = {"a", "b", "c"};

}  // namespace

TEST_CASE("a POP3 endpoint lists INBOX and brings every message", "[endpoint][pop3]") {
  Fixture fixture(three());
  fixture.endpoint.open();
  const std::vector<RemoteMailbox>& mailboxes = fixture.endpoint.list();
  REQUIRE(mailboxes.size() == 1);
  CHECK(mailboxes[0].name == "INBOX");
  CHECK(mailboxes[0].status->messages == 3);
  CHECK(mailboxes[0].status->uidValidity.value() != 0);
  const Delta delta = fixture.changes();
  CHECK(uidlsIn(delta.fresh) == kAll);
  REQUIRE(delta.present.has_value());
  CHECK(uidlsIn(*delta.present) == kAll);
  CHECK(delta.incomplete.empty());
  fixture.fetch(delta.fresh);
  CHECK(fixture.fetched() == kAll);
  CHECK(fixture.sink.messages[1].size == message("2", "longer body\r\n").size());
  CHECK(fixture.sink.octets == 3 * message("1").size() + 7);
  fixture.endpoint.close();
  fixture.server.finish();
  CHECK(fixture.log == std::vector<std::string>{"CAPA", "USER me", "PASS secret", "STAT", "UIDL", "LIST", "RETR 1",
                                                "RETR 2", "RETR 3", "QUIT"});
}

TEST_CASE("messages that are known are neither told as new nor fetched", "[endpoint][pop3]") {
  Fixture fixture(three());
  fixture.endpoint.open();
  const Delta delta = fixture.changes({Uidl("a"), Uidl("c"), Uidl("gone")});
  CHECK(uidlsIn(delta.fresh) == std::vector<std::string>{"b"});
  CHECK(uidlsIn(*delta.present) == kAll);
}

TEST_CASE("a listing shorter than STAT's count tells no presence", "[endpoint][pop3]") {
  FakeMaildrop drop = three();
  drop.missing = 1;
  Fixture fixture(drop);
  fixture.endpoint.open();
  const Delta delta = fixture.changes({Uidl("a")});
  CHECK_FALSE(delta.present.has_value());
  CHECK(delta.incomplete.find("fewer messages") != std::string::npos);
  CHECK(uidlsIn(delta.fresh) == std::vector<std::string>{"b"});
}

TEST_CASE("a connection that ends in a message delivers no part of it and says at which it was", "[endpoint][pop3]") {
  FakeMaildrop drop = three();
  drop.breaksAt = 2;
  Fixture fixture(drop);
  fixture.endpoint.open();
  const Delta delta = fixture.changes();
  try {
    fixture.fetch(delta.fresh);
    FAIL("no error");
  } catch (const mailstore::Error& error) {
    CHECK(error.kind() == mailstore::ErrorKind::Unreachable);
    CHECK(error.scope() == mailstore::Scope::Connection);
    CHECK(std::string(error.what()).find("in the middle of message 3") != std::string::npos);
  }
  CHECK(fixture.fetched() == std::vector<std::string>{"a", "b"});
  REQUIRE(fixture.endpoint.inProgress().has_value());
  CHECK(std::get<Uidl>(fixture.endpoint.inProgress()->key) == Uidl("c"));
}

TEST_CASE("a message that the server refuses, or that is too large, does not stop the others", "[endpoint][pop3]") {
  FakeMaildrop drop = three();
  drop.refuses = 0;
  drop.messages[1].octets = message("2", std::string(20'000, 'x') + "\r\n");
  Fixture fixture(drop);
  fixture.endpoint.open();
  fixture.fetch(fixture.changes().fresh);
  CHECK(fixture.fetched() == std::vector<std::string>{"c"});
  REQUIRE(fixture.sink.refused.size() == 2);
  const auto reasonOf = [&](const std::string& key) {
    for (const auto& [name, reason] : fixture.sink.refused) {
      if (name == key) return reason;
    }
    return std::string();
  };
  CHECK(reasonOf("a").find("cannot") != std::string::npos);
  CHECK(reasonOf("b").find("more than the limit") != std::string::npos);
}

TEST_CASE("without UIDL, or with one id for all, messages keep a key made of their headers", "[endpoint][pop3]") {
  std::vector<std::vector<std::string>> keys;
  for (const bool uidl : {false, true}) {
    for (const bool top : {true, false}) {
      FakeMaildrop drop = three();
      drop.messages.push_back(drop.messages[0]);
      for (auto& one : drop.messages) one.uidl = "same";
      drop.uidl = uidl;
      drop.top = top;
      if (!top) drop.capabilities = "UIDL\r\nUSER\r\n";
      Fixture fixture(drop);
      fixture.endpoint.open();
      const Delta delta = fixture.changes();
      keys.push_back(uidlsIn(delta.fresh));
      CHECK(delta.present.has_value());
      fixture.fetch(delta.fresh);
      CHECK(fixture.fetched() == keys.back());
    }
  }
  REQUIRE(keys[0].size() == 4);
  std::vector<std::string> unique = keys[0];
  std::sort(unique.begin(), unique.end());
  CHECK(std::unique(unique.begin(), unique.end()) == unique.end());
  for (const auto& other : keys) CHECK(other == keys[0]);
}

TEST_CASE("identify tells header digests that the messages themselves have", "[endpoint][pop3]") {
  Fixture fixture(three());
  fixture.endpoint.open();
  const KeyRequest wanted{&fixture.endpoint.list().front(), {}, std::vector<Uidl>{Uidl("b"), Uidl("gone"), Uidl("a")}};
  std::vector<RemoteMessage> told;
  fixture.endpoint.identify(std::span(&wanted, 1),
                            [&](std::size_t, RemoteMessage&& one) { told.push_back(std::move(one)); });
  REQUIRE(told.size() == 2);
  CHECK(PullLog::keyOf(told[0]) == "b");
  CHECK(told[0].hasMessageId);
  CHECK(told[0].size == message("2", "longer body\r\n").size());
  mailstore::HeaderDigester digester;
  digester.append(message("2", "another body\r\n"));
  CHECK(told[0].header == digester.finish());
}

TEST_CASE("APOP is preferred to showing the password, and its refusal is not the end", "[endpoint][pop3][login]") {
  for (const bool works : {true, false}) {
    FakeMaildrop drop = three();
    drop.greeting = "+OK <1896.697170952@dbc.mtview.ca.us>";
    drop.apop = works;
    Fixture fixture(drop);
    fixture.endpoint.open();
    CHECK(fixture.endpoint.facts().mechanism == (works ? "APOP" : "USER"));
    fixture.endpoint.close();
    fixture.server.finish();
    CHECK(fixture.log[1].rfind("APOP me ", 0) == 0);
  }
}

TEST_CASE("a refused login names the user, not the password, and tells blame from bad luck",
          "[endpoint][pop3][login]") {
  const auto errorOf = [](const std::string& answer) -> std::pair<mailstore::ErrorKind, std::string> {
    FakeMaildrop drop = three();
    drop.passAnswer = answer;
    Fixture fixture(drop);
    try {
      fixture.endpoint.open();
    } catch (const mailstore::Error& error) {
      return {error.kind(), error.what()};
    }
    return {mailstore::ErrorKind::Internal, "no error"};
  };
  const auto refused = errorOf("-ERR [AUTH] wrong password");
  CHECK(refused.first == mailstore::ErrorKind::Refused);
  CHECK(refused.second.find("user me") != std::string::npos);
  CHECK(refused.second.find("secret") == std::string::npos);
  CHECK(errorOf("-ERR [IN-USE] another session").first == mailstore::ErrorKind::TemporaryFailure);
}

TEST_CASE("a server without CAPA, UIDL text or PIPELINING is read to the end, one command at a time",
          "[endpoint][pop3]") {
  FakeMaildrop drop = three();
  drop.capabilities.clear();
  Fixture fixture(drop);
  fixture.endpoint.open();
  fixture.fetch(fixture.changes().fresh);
  CHECK(fixture.fetched() == kAll);
  const std::vector<std::string> remarks = fixture.endpoint.facts().remarks;
  CHECK(std::any_of(remarks.begin(), remarks.end(),
                    [](const std::string& remark) { return remark.find("no-capa") != std::string::npos; }));
}

TEST_CASE("another protocol on the port is named", "[endpoint][pop3]") {
  FakeMaildrop drop;
  drop.greeting = "* OK [CAPABILITY IMAP4rev1] ready";
  Fixture fixture(drop);
  try {
    fixture.endpoint.open();
    FAIL("no error");
  } catch (const mailstore::Error& error) {
    CHECK(error.kind() == mailstore::ErrorKind::Protocol);
    CHECK(std::string(error.what()).find("speaks IMAP, not POP3") != std::string::npos);
  }
}
