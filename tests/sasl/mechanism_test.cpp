#include "sync/sasl/mechanism.h"

#include "tests/support/catch.h"

#include <string>
#include <variant>
#include <vector>

using namespace mailbraid::sync::sasl;

namespace {

const std::vector<std::string> kEverything = {"PLAIN",         "LOGIN",       "CRAM-MD5",           "DIGEST-MD5",
                                              "SCRAM-SHA-1",   "XOAUTH2",     "SCRAM-SHA-1-PLUS",   "EXTERNAL",
                                              "SCRAM-SHA-256", "OAUTHBEARER", "SCRAM-SHA-256-PLUS", "GSSAPI"};

Choice encrypted(std::vector<std::string> announced, std::vector<std::string> allowed = {}) {
  Choice choice;
  choice.announced = std::move(announced);
  choice.allowed = std::move(allowed);
  choice.transport = TransportSecurity::Encrypted;
  return choice;
}

std::string chosen(const Choice& choice) {
  const auto result = chooseMechanism(choice);
  if (const auto* mechanism = std::get_if<Mechanism>(&result)) return std::string(factsOf(*mechanism).name);
  return "-";
}

std::string reason(const Choice& choice) {
  const auto result = chooseMechanism(choice);
  const auto* refusal = std::get_if<Refusal>(&result);
  return refusal == nullptr ? "" : refusal->reason;
}

}  // namespace

TEST_CASE("the table of mechanisms stands in the order of the enumeration", "[sasl]") {
  for (const MechanismFacts& facts : kMechanisms) {
    CAPTURE(std::string(facts.name));
    CHECK(factsOf(facts.mechanism).name == facts.name);
    CHECK(mechanismFromName(facts.name) == facts.mechanism);
  }
  CHECK(mechanismFromName("scram-sha-256") == Mechanism::ScramSha256);
  CHECK_FALSE(mechanismFromName("DIGEST-MD5").has_value());
}

TEST_CASE("the strongest announced mechanism is chosen, one after the other as they go missing", "[sasl]") {
  Choice choice = encrypted(kEverything);
  choice.binding = ChannelBinding{"tls-exporter", "binding"};
  choice.clientCertificate = true;
  std::vector<std::string> order;
  for (std::string name = chosen(choice); name != "-"; name = chosen(choice)) {
    order.push_back(name);
    std::erase(choice.announced, name);
  }
  CHECK(order == std::vector<std::string>{"EXTERNAL", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256",
                                          "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"});
}

TEST_CASE("no mechanism that shows the password is chosen without TLS", "[sasl]") {
  Choice choice = encrypted({"PLAIN", "LOGIN"});
  choice.transport = TransportSecurity::Plaintext;
  CHECK(chosen(choice) == "-");
  CHECK(reason(choice).find("would show the password without TLS") != std::string::npos);
  CHECK_FALSE(passwordCommandAllowed(choice, "LOGIN"));
  choice.announced.emplace_back("CRAM-MD5");
  CHECK(chosen(choice) == "CRAM-MD5");
  choice.allowed = {"XOAUTH2"};
  choice.announced.emplace_back("XOAUTH2");
  CHECK(chosen(choice) == "-");
}

TEST_CASE("what the user wrote may show the password without TLS, but stronger ones come first", "[sasl]") {
  Choice choice = encrypted({"PLAIN", "LOGIN"});
  choice.transport = TransportSecurity::PlaintextAllowed;
  CHECK(chosen(choice) == "PLAIN");
  choice.announced.emplace_back("SCRAM-SHA-1");
  CHECK(chosen(choice) == "SCRAM-SHA-1");
  CHECK(passwordCommandAllowed(choice, "LOGIN"));
}

TEST_CASE("a token mechanism is used only when the configuration names it, and then no other", "[sasl]") {
  CHECK(chosen(encrypted({"XOAUTH2", "OAUTHBEARER"})) == "-");
  CHECK(chosen(encrypted(kEverything, {"XOAUTH2", "OAUTHBEARER"})) == "OAUTHBEARER");
  CHECK(chosen(encrypted({"XOAUTH2", "PLAIN"}, {"xoauth2", "PLAIN"})) == "XOAUTH2");
  CHECK(chosen(encrypted({"PLAIN", "LOGIN"}, {"XOAUTH2", "PLAIN"})) == "-");
  CHECK_FALSE(passwordCommandAllowed(encrypted({}, {"XOAUTH2", "LOGIN"}), "LOGIN"));
}

TEST_CASE("channel binding is used only where the connection has it", "[sasl]") {
  Choice choice = encrypted({"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"});
  CHECK(chosen(choice) == "SCRAM-SHA-256");
  choice.binding = ChannelBinding{"tls-server-end-point", "x"};
  CHECK(chosen(choice) == "SCRAM-SHA-256");
  choice.binding = ChannelBinding{"tls-unique", "x"};
  CHECK(chosen(choice) == "SCRAM-SHA-256-PLUS");
}

TEST_CASE("a refusal says what the server offers and what the configuration allows", "[sasl]") {
  CHECK(reason(encrypted({"GSSAPI", "X\r\nY"})) ==
        "the server offers GSSAPI, X??Y, none of which mailbraid can use here");
  CHECK(reason(encrypted({"PLAIN"}, {"CRAM-MD5"})) ==
        "the server offers PLAIN, but the configuration allows only CRAM-MD5");
  CHECK(reason(encrypted({})) == "the server offers no SASL mechanism");
  CHECK(reason(encrypted({"EXTERNAL"})).find("needs a client certificate") != std::string::npos);
}
