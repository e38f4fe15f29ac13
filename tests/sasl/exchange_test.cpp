#include "sync/sasl/exchange.h"

#include "tests/sasl/scram_server.h"
#include "tests/support/catch.h"

#include <gsasl.h>

#include <cstring>
#include <string>
#include <variant>

using namespace mailbraid::sync::sasl;
using mailbraid::tests::ScramServer;

namespace {

/// Set by the test with the vectors of RFC 5802, whose client nonce is given. Test programs run in one thread.
std::string fixedNonce;  // NOLINT

struct Asked {
  int times = 0;
};

Credentials credentials(std::string user, std::string password, Asked* asked = nullptr) {
  return Credentials{std::move(user), [password = std::move(password), asked] {
                       if (asked != nullptr) ++asked->times;
                       return Secret(password);
                     }};
}

Exchange make(Mechanism mechanism, Credentials who, std::optional<ChannelBinding> binding = std::nullopt) {
  return Exchange(mechanism, std::move(who), Target{"imap", "server.example.com", 143}, std::move(binding));
}

std::string text(const Step& step) {
  if (const auto* respond = std::get_if<Respond>(&step)) return std::string(respond->octets.reveal());
  return "ABORT " + std::get<Abort>(step).reason;
}

bool aborted(const Step& step) {
  return std::holds_alternative<Abort>(step);
}

}  // namespace

/// Takes the place of the library's own: the vectors need the nonce that the RFC's author drew.
extern "C" int gsasl_nonce(char* data, size_t length) {
  if (fixedNonce.size() != length) return gsasl_random(data, length);
  std::memcpy(data, fixedNonce.data(), length);
  return GSASL_OK;
}

TEST_CASE("SCRAM-SHA-1 gives the messages of RFC 5802 section 5", "[sasl][scram]") {
  fixedNonce = *decodeBase64("fyko+d2lbbFgONRv9qkxdawL");
  Exchange exchange = make(Mechanism::ScramSha1, credentials("user", "pencil"));
  CHECK(text(exchange.initialResponse()) == "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
  fixedNonce.clear();
  CHECK(text(exchange.respond("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096")) ==
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
  CHECK(exchange.accepted().has_value());
  CHECK(text(exchange.respond("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")).empty());
  CHECK_FALSE(exchange.accepted().has_value());
}

TEST_CASE("the test's SCRAM server computes the vector of RFC 7677 section 3", "[sasl][scram]") {
  ScramServer server(
      {EVP_sha256(), "pencil", *decodeBase64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", ""});
  CHECK(server.first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO") ==
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  CHECK(server.last("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=") ==
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST_CASE("every SCRAM mechanism logs in and asks for the password once", "[sasl][scram]") {
  struct Row {
    Mechanism mechanism;
    const EVP_MD* hash;
    std::string type;
    std::string gs2;
  };
  const Row rows[] = {{Mechanism::ScramSha1, EVP_sha1(), "", "n,,"},
                      {Mechanism::ScramSha256, EVP_sha256(), "", "n,,"},
                      {Mechanism::ScramSha256, EVP_sha256(), "tls-exporter", "n,,"},
                      {Mechanism::ScramSha1Plus, EVP_sha1(), "tls-exporter", "p=tls-exporter,,"},
                      {Mechanism::ScramSha256Plus, EVP_sha256(), "tls-exporter", "p=tls-exporter,,"},
                      {Mechanism::ScramSha256Plus, EVP_sha256(), "tls-unique", "p=tls-unique,,"}};
  for (const Row& row : rows) {
    CAPTURE(std::string(factsOf(row.mechanism).name), row.type);
    std::optional<ChannelBinding> binding;
    if (!row.type.empty()) binding = ChannelBinding{row.type, std::string("b\0i\xFFn", 5)};
    ScramServer::Settings settings;
    settings.hash = row.hash;
    settings.password = "p,=\xC3\xA4 x";
    if (factsOf(row.mechanism).needsBinding) settings.bindingData = binding->data;
    ScramServer server(settings);
    Asked asked;
    Exchange exchange = make(row.mechanism, credentials("us,er=", settings.password, &asked), binding);
    const std::string first = text(exchange.initialResponse());
    CHECK(first.rfind(row.gs2 + "n=us=2Cer=3D,r=", 0) == 0);
    CHECK(asked.times == 0);
    const std::string last = text(exchange.respond(server.first(first)));
    CHECK(asked.times == 1);
    const std::string proof = server.last(last);
    CHECK(proof.substr(0, 2) == "v=");
    CHECK(text(exchange.respond(proof)).empty());
    CHECK_FALSE(exchange.accepted().has_value());
    CHECK(asked.times == 1);
  }
}

TEST_CASE("an OK before the server's proof is not believed", "[sasl][scram]") {
  ScramServer server({});
  Exchange exchange = make(Mechanism::ScramSha256, credentials("user", "pencil"));
  CHECK(exchange.accepted().has_value());
  const std::string first = text(exchange.initialResponse());
  CHECK(exchange.accepted().has_value());
  exchange.respond(server.first(first));
  CHECK(exchange.accepted()->find("has not proved") != std::string::npos);
}

TEST_CASE("a server that proves nothing, or something else, is not believed", "[sasl][scram]") {
  const std::string proofs[] = {"v=cm1GOXBxVjhTN3N1QW9aV2phNGRKUmtGc0tR",        "", "v=", "OK", "e=invalid-proof",
                                "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
  for (const std::string& proof : proofs) {
    CAPTURE(proof);
    ScramServer server({});
    Exchange exchange = make(Mechanism::ScramSha256, credentials("user", "pencil"));
    exchange.respond(server.first(text(exchange.initialResponse())));
    const Step step = exchange.respond(proof);
    CHECK(aborted(step));
    CHECK(exchange.accepted().has_value());
    // It stays so, whatever comes.
    CHECK(aborted(exchange.respond("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")));
    CHECK(exchange.accepted().has_value());
  }
}

TEST_CASE("a nonce that is not ours is refused", "[sasl][scram]") {
  Exchange exchange = make(Mechanism::ScramSha256, credentials("user", "pencil"));
  exchange.initialResponse();
  CHECK(aborted(exchange.respond("r=anotherClientsNonceAndTheServers,s=QSXCR+Q6sek8bf92,i=4096")));
}

TEST_CASE("iteration counts out of bounds are refused before the password is asked for", "[sasl][scram]") {
  for (const std::string count : {"1", "4095", "1000001", "4294967295", "99999999999999999999999"}) {
    CAPTURE(count);
    Asked asked;
    Exchange exchange = make(Mechanism::ScramSha256, credentials("user", "pencil", &asked));
    const std::string first = text(exchange.initialResponse());
    const std::string nonce = first.substr(first.find(",r=") + 3);
    const Step step = exchange.respond("r=" + nonce + "server,s=QSXCR+Q6sek8bf92,i=" + count);
    REQUIRE(aborted(step));
    CHECK(text(step).find("iterations") != std::string::npos);
    CHECK(asked.times == 0);
  }
}

TEST_CASE("the highest iteration count that is allowed is computed", "[sasl][scram]") {
  ScramServer::Settings settings;
  settings.iterations = Exchange::kMaxIterations;
  ScramServer server(settings);
  Exchange exchange = make(Mechanism::ScramSha256, credentials("user", "pencil"));
  const std::string first = text(exchange.initialResponse());
  CHECK(server.last(text(exchange.respond(server.first(first)))).substr(0, 2) == "v=");
}

TEST_CASE("malformed SCRAM challenges are refused with a sentence", "[sasl][scram]") {
  for (const std::string challenge :
       {"", ",,,", "r=x", "i=4096", "r=,s=,i=", "m=ext,r=a,s=b,i=4096", "i=-1", "i=4096x"}) {
    CAPTURE(challenge);
    Exchange exchange = make(Mechanism::ScramSha1, credentials("user", "pencil"));
    exchange.initialResponse();
    const Step step = exchange.respond(challenge);
    REQUIRE(aborted(step));
    CHECK(text(step).find("SCRAM-SHA-1 login given up: ") != std::string::npos);
  }
  Exchange exchange = make(Mechanism::ScramSha1, credentials("user", "pencil"));
  exchange.initialResponse();
  CHECK(aborted(exchange.respond(std::string(Exchange::kMaxChallenge + 1, 'x'))));
}

TEST_CASE("CRAM-MD5 gives the answer of RFC 2195 section 2", "[sasl]") {
  Exchange exchange = make(Mechanism::CramMd5, credentials("tim", "tanstaaftanstaaf"));
  CHECK_FALSE(exchange.hasInitialResponse());
  CHECK(exchange.accepted().has_value());
  CHECK(text(exchange.respond("<1896.697170952@postoffice.reston.mci.net>")) == "tim b913a602c7eda7a495b4e6e7334d3890");
  CHECK_FALSE(exchange.accepted().has_value());
  CHECK(aborted(exchange.respond("<once more>")));
}

TEST_CASE("PLAIN gives the message of RFC 4616, with and without an initial response", "[sasl]") {
  Asked asked;
  Exchange initial = make(Mechanism::Plain, credentials("tim", "tanstaaftanstaaf", &asked));
  CHECK(initial.hasInitialResponse());
  CHECK(text(initial.initialResponse()) == std::string("\0tim\0tanstaaftanstaaf", 21));
  CHECK_FALSE(initial.accepted().has_value());
  CHECK(asked.times == 1);
  Exchange challenged = make(Mechanism::Plain, credentials("tim", "pass w\xC3\xB6rd"));
  CHECK(text(challenged.respond("")) == std::string("\0tim\0pass w\xC3\xB6rd", 15));
}

TEST_CASE("a password with a NUL is refused instead of being cut", "[sasl]") {
  Exchange exchange = make(Mechanism::Plain, credentials("tim", std::string("a\0b", 3)));
  CHECK(text(exchange.initialResponse()).find("NUL") != std::string::npos);
}

TEST_CASE("LOGIN answers the two prompts, whatever they say", "[sasl]") {
  Asked asked;
  Exchange exchange = make(Mechanism::Login, credentials("tim", "secret", &asked));
  CHECK_FALSE(exchange.hasInitialResponse());
  CHECK(text(exchange.respond("User Name")) == "tim");
  CHECK(asked.times == 0);
  CHECK(exchange.accepted().has_value());
  CHECK(text(exchange.respond("")) == "secret");
  CHECK_FALSE(exchange.accepted().has_value());
}

TEST_CASE("EXTERNAL names the user and never asks for a secret", "[sasl]") {
  Asked asked;
  Exchange exchange = make(Mechanism::External, credentials("tim", "secret", &asked));
  CHECK(text(exchange.initialResponse()) == "tim");
  CHECK(asked.times == 0);
  CHECK_FALSE(exchange.accepted().has_value());
  Exchange nameless = make(Mechanism::External, credentials("", "secret"));
  CHECK(text(nameless.initialResponse()).empty());
}

TEST_CASE("OAUTHBEARER gives the message of RFC 7628 section 4.1", "[sasl][oauth]") {
  Exchange exchange =
      make(Mechanism::OAuthBearer, credentials("user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="));
  CHECK(encodeBase64(text(exchange.initialResponse())) ==
        "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52"
        "YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB");
  CHECK_FALSE(exchange.accepted().has_value());
}

TEST_CASE("the error challenge of OAUTHBEARER becomes a sentence and is acknowledged", "[sasl][oauth]") {
  Exchange exchange = make(Mechanism::OAuthBearer, credentials("u", "token"));
  exchange.initialResponse();
  CHECK(text(exchange.respond(R"({"status":"invalid_token","scope":"example_scope"})")) == "\x01");
  CHECK(exchange.failureReason() ==
        "the server refuses the access token (invalid_token): it is expired, revoked or not for this server");
  CHECK(exchange.accepted().has_value());
}

TEST_CASE("XOAUTH2 gives Google's message and answers an error with an empty line", "[sasl][oauth]") {
  Exchange exchange =
      make(Mechanism::XOAuth2, credentials("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"));
  CHECK(text(exchange.initialResponse()) ==
        "user=someuser@example.com\x01"
        "auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01");
  CHECK(text(exchange.respond(R"({"status" : "401", "schemes":"bearer"})")).empty());
  CHECK(exchange.failureReason() == "the server refuses the access token (401): it is expired or revoked");
}

TEST_CASE("whatever a server says about a token, the sentence is printable and short", "[sasl][oauth]") {
  for (const std::string& json :
       {std::string("{\"status\":\"a\x1B[2J\n\"}"), std::string("{\"status\""), std::string("\"status\":"),
        std::string("\"status\": 7"), std::string("\"status\":\""), "{\"status\":\"" + std::string(5000, 'x') + "\"}",
        std::string()}) {
    Exchange exchange = make(Mechanism::XOAuth2, credentials("u", "t"));
    exchange.initialResponse();
    exchange.respond(json);
    const std::string reason = exchange.failureReason();
    CHECK(reason.find("refuses the access token") != std::string::npos);
    CHECK(reason.size() < 300);
    for (const char c : reason) CHECK((c >= ' ' && c < 0x7F));
  }
}

TEST_CASE("a token or user that could forge a field is refused", "[sasl][oauth]") {
  CHECK(aborted(make(Mechanism::XOAuth2, credentials("u\x01x", "t")).initialResponse()));
  CHECK(aborted(make(Mechanism::OAuthBearer, credentials("u", "t\x01x")).initialResponse()));
  CHECK(aborted(make(Mechanism::OAuthBearer, credentials("u", "")).initialResponse()));
  CHECK(text(make(Mechanism::OAuthBearer, credentials("a,b=c", "t")).initialResponse()).rfind("n,a=a=2Cb=3Dc,", 0) ==
        0);
}
