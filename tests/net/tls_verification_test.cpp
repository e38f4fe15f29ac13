// Who is accepted as the server, and who is not: implicit TLS and STARTTLS alike.
#include "sync/net/certificate.h"
#include "tests/net/net_fixture.h"

#include <fstream>

namespace mailbraid::tests {
namespace {

/// Connects to a server with `identity`; the server's log is what it received inside TLS.
struct Trial {
  Outcome outcome;
  std::string received;
};

Trial tryServer(
    const Trust& trust, const ServerTls& tls, TlsMode mode,
    const std::function<void(ServerSettings&)>& adjust = [](ServerSettings&) {},
    const std::string& address = "127.0.0.1") {
  Trial trial;
  TestServer server(
      [&](ServerConnection& connection) {
        answerStartTls(connection, mode);
        if (connection.handshake(tls)) trial.received = connection.receiveAll();
      },
      1, address);
  ServerSettings settings = trust.settings(server, mode);
  settings.host = address;
  adjust(settings);
  trial.outcome = outcomeOf([&] { connectAndLogin(settings); });
  server.finish();
  return trial;
}

void toLocalhost(ServerSettings& settings) {
  settings.host = "localhost";
}

}  // namespace

TEST_CASE("a server with a good certificate is accepted and receives what is sent", "[net][tls]") {
  const Trust trust;
  const ServerTls tls(trust.issue());
  const TlsMode mode = GENERATE(TlsMode::Implicit, TlsMode::StartTls);
  const Trial byAddress = tryServer(trust, tls, mode);
  CHECK(byAddress.outcome.sentence == "");
  CHECK(byAddress.received == kLogin);
  const Trial byName = tryServer(trust, tls, mode, toLocalhost);
  CHECK(byName.outcome.sentence == "");
  CHECK(byName.received == kLogin);
}

TEST_CASE("an IPv6 address is verified against the certificate's addresses", "[net][tls]") {
  const Trust trust;
  const Trial good = tryServer(
      trust, ServerTls(trust.issue()), TlsMode::Implicit, [](ServerSettings&) {}, "::1");
  CHECK(good.outcome.sentence == "");
  CHECK(good.received == kLogin);
  const Trial bad = tryServer(
      trust, ServerTls(trust.issue({"localhost", "DNS:localhost,IP:127.0.0.1"})), TlsMode::Implicit,
      [](ServerSettings&) {}, "::1");
  CHECK(bad.outcome.error == ErrorKind::Refused);
  CHECK(bad.received == "");
}

TEST_CASE("P9: another host's certificate is refused, on loopback names and addresses too", "[net][tls]") {
  const Trust trust;
  const TlsMode mode = GENERATE(TlsMode::Implicit, TlsMode::StartTls);
  const ServerTls tls(trust.issue({"other.example", "DNS:other.example,DNS:more.example"}));
  for (const bool named : {false, true}) {
    CAPTURE(named);
    const Trial trial = tryServer(trust, tls, mode, [&](ServerSettings& s) { s.host = named ? "localhost" : s.host; });
    CHECK(trial.outcome.error == ErrorKind::Refused);
    CHECK(trial.outcome.tells("is for other.example, more.example, not for"));
    CHECK(trial.received == "");
  }
}

TEST_CASE("a common name does not count when the certificate names other hosts", "[net][tls]") {
  const Trust trust;
  const Trial trial =
      tryServer(trust, ServerTls(trust.issue({"localhost", "DNS:other.example"})), TlsMode::Implicit, toLocalhost);
  CHECK(trial.outcome.error == ErrorKind::Refused);
  CHECK(trial.outcome.tells("is for other.example, not for localhost"));
}

TEST_CASE("a common name that is cut by a NUL does not pass for the host", "[net][tls]") {
  const Trust trust;
  const std::string name("localhost\0.evil.example", 23);
  const Trial trial = tryServer(trust, ServerTls(trust.issue({name, ""})), TlsMode::Implicit, toLocalhost);
  CHECK(trial.outcome.error == ErrorKind::Refused);
  CHECK(trial.received == "");
}

TEST_CASE("P9: an expired certificate is refused with its date", "[net][tls]") {
  const Trust trust;
  const TlsMode mode = GENERATE(TlsMode::Implicit, TlsMode::StartTls);
  const Identity expired = trust.issue({"localhost", "IP:127.0.0.1", -30, -10});
  const Trial trial = tryServer(trust, ServerTls(expired), mode);
  CHECK(trial.outcome.error == ErrorKind::Refused);
  CHECK(trial.outcome.tells("expired on " + sync::net::dateOf(X509_get0_notAfter(expired.certificate.get()))));
  CHECK(trial.received == "");
}

TEST_CASE("a certificate that is not valid yet is refused", "[net][tls]") {
  const Trust trust;
  const Trial trial =
      tryServer(trust, ServerTls(trust.issue({"localhost", "IP:127.0.0.1", 10, 30})), TlsMode::Implicit);
  CHECK(trial.outcome.error == ErrorKind::Refused);
  CHECK(trial.outcome.tells("is not valid before"));
}

TEST_CASE("P9: a self-signed certificate is refused, and accepted when it is the CA file", "[net][tls]") {
  const Trust trust;
  const Identity alone = makeIdentity({}, nullptr);
  const Trial refused = tryServer(trust, ServerTls(alone), TlsMode::Implicit);
  CHECK(refused.outcome.error == ErrorKind::Refused);
  CHECK(refused.outcome.tells("is self-signed"));
  CHECK(refused.received == "");

  const std::filesystem::path own = trust.directory.path() / "own.pem";
  writeCertificate(own, alone.certificate.get());
  const Trial accepted =
      tryServer(trust, ServerTls(alone), TlsMode::Implicit, [&](ServerSettings& s) { s.caFile = own; });
  CHECK(accepted.outcome.sentence == "");
  CHECK(accepted.received == kLogin);
}

TEST_CASE("an issuer that is not trusted is refused by name, and the system's store does not know it either",
          "[net][tls]") {
  const Trust trust;
  const Identity stranger = makeAuthority("somebody else's CA");
  const ServerTls tls(makeIdentity({}, &stranger));
  const bool system = GENERATE(false, true);
  const Trial trial = tryServer(trust, tls, TlsMode::Implicit, [&](ServerSettings& s) {
    if (system) s.caFile.clear();
  });
  CHECK(trial.outcome.error == ErrorKind::Refused);
  CHECK(trial.outcome.tells("somebody else's CA"));
  CHECK(trial.received == "");
}

TEST_CASE("a pin is demanded beside the chain", "[net][tls]") {
  const Trust trust;
  const Identity identity = trust.issue();
  const ServerTls tls(identity);
  const TlsMode mode = GENERATE(TlsMode::Implicit, TlsMode::StartTls);
  const std::string right = sync::net::pinText(sync::net::pinOf(identity.certificate.get()));
  const std::string wrong = sync::net::pinText(sync::net::pinOf(trust.authority.certificate.get()));

  const Trial accepted = tryServer(trust, tls, mode, [&](ServerSettings& s) { s.pins = {wrong, right}; });
  CHECK(accepted.outcome.sentence == "");
  CHECK(accepted.received == kLogin);

  const Trial refused = tryServer(trust, tls, mode, [&](ServerSettings& s) { s.pins = {wrong}; });
  CHECK(refused.outcome.error == ErrorKind::Refused);
  CHECK(refused.outcome.tells(right));
  CHECK(refused.received == "");

  const Identity alone = makeIdentity({}, nullptr);
  const Trial chainless = tryServer(trust, ServerTls(alone), mode, [&](ServerSettings& s) {
    s.pins = {sync::net::pinText(sync::net::pinOf(alone.certificate.get()))};
  });
  CHECK(chainless.outcome.error == ErrorKind::Refused);
  CHECK(chainless.received == "");
}

TEST_CASE("P9: TLS older than 1.2 is refused", "[net][tls]") {
  const Trust trust;
  const TlsMode mode = GENERATE(TlsMode::Implicit, TlsMode::StartTls);
  const Trial trial = tryServer(trust, ServerTls(trust.issue()).only(TLS1_1_VERSION), mode);
  CHECK(trial.outcome.error == ErrorKind::Refused);
  CHECK(trial.outcome.tells("TLS 1.2"));
  CHECK(trial.received == "");
}

TEST_CASE("a client certificate is shown to a server that demands one", "[net][tls]") {
  const Trust trust;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const ServerTls tls = ServerTls(trust.issue()).only(version).demandClientOf(trust.authority);
  const Identity me = trust.issue({"me", ""});
  writeCertificate(trust.directory.path() / "me.pem", me.certificate.get());
  writeKey(trust.directory.path() / "me.key", me.key.get());
  const auto present = [&](ServerSettings& settings) {
    settings.clientCertificate = trust.directory.path() / "me.pem";
    settings.clientKey = trust.directory.path() / "me.key";
  };
  const Trial shown = tryServer(trust, tls, TlsMode::Implicit, present);
  CHECK(shown.outcome.sentence == "");
  CHECK(shown.received == kLogin);
}

TEST_CASE("a server that demands a client certificate is understood when there is none", "[net][tls]") {
  const Trust trust;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const ServerTls tls = ServerTls(trust.issue()).only(version).demandClientOf(trust.authority);
  TestServer server([&](ServerConnection& connection) { connection.handshake(tls); });
  const Outcome outcome = outcomeOf([&] { readLine(*Transport::connect(trust.settings(server), {})); });
  CHECK(outcome.error == ErrorKind::Refused);
  CHECK(outcome.tells("client_certificate"));
}

TEST_CASE("unusable TLS files are complaints about the configuration that name the path", "[net][tls]") {
  const Trust trust;
  TestServer server([](ServerConnection&) {}, 0);
  const std::filesystem::path missing = trust.directory.path() / "missing.pem";
  const std::filesystem::path garbage = trust.directory.path() / "garbage.pem";
  const std::filesystem::path otherKey = trust.directory.path() / "other.key";
  std::ofstream(garbage) << "not a certificate\n";
  writeKey(otherKey, makeKey().get());
  const auto complaint = [&](const std::function<void(ServerSettings&)>& adjust) {
    ServerSettings settings = trust.settings(server);
    adjust(settings);
    return outcomeOf([&] { Transport::connect(settings, {}); });
  };
  struct Case {
    std::function<void(ServerSettings&)> adjust;
    std::string part;
  };
  const Case cases[] = {
      {[&](ServerSettings& s) { s.caFile = missing; }, "missing.pem: no such file"},
      {[&](ServerSettings& s) { s.caFile = garbage; }, "garbage.pem: it holds no certificate"},
      {[&](ServerSettings& s) { s.caFile = trust.directory.path(); }, "it holds no certificate"},
      {[&](ServerSettings& s) { s.clientCertificate = missing; }, "client_certificate"},
      {[&](ServerSettings& s) { s.clientCertificate = garbage; }, "garbage.pem"},
      {[&](ServerSettings& s) { s.clientCertificate = trust.caFile; }, "client_key"},
      {[&](ServerSettings& s) { s.clientCertificate = trust.caFile, s.clientKey = missing; },
       "missing.pem: no such file"},
      {[&](ServerSettings& s) { s.clientCertificate = trust.caFile, s.clientKey = otherKey; }, "it is not the key of"},
      {[&](ServerSettings& s) { s.clientKey = otherKey; }, "client_certificate is not"},
      {[&](ServerSettings& s) { s.pins = {"sha256/short"}; }, "sha256/short"},
      {[&](ServerSettings& s) { s.host = ""; }, "neither a name nor an address"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.part);
    const Outcome outcome = complaint(one.adjust);
    CHECK(outcome.error == ErrorKind::Configuration);
    CAPTURE(outcome.sentence);
    CHECK(outcome.tells(one.part));
  }
}

TEST_CASE("pins are read in base64 and in hexadecimal and in nothing else", "[net][tls]") {
  const sync::net::Pin pin = sync::net::pinOf(makeAuthority("x").certificate.get());
  std::string hex;
  std::string colons;
  for (const std::uint8_t octet : pin) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    const std::string two{kDigits[octet >> 4U], kDigits[octet & 15U]};
    hex += two;
    colons += (colons.empty() ? "" : ":") + two;
  }
  const std::string text = sync::net::pinText(pin);
  CHECK(sync::net::parsePin(text) == pin);
  CHECK(sync::net::parsePin(text.substr(7)) == pin);
  CHECK(sync::net::parsePin(hex) == pin);
  CHECK(sync::net::parsePin("sha256:" + hex) == pin);
  CHECK(sync::net::parsePin(colons) == pin);
  for (const std::string& bad : {std::string(), hex.substr(1), hex + "0", text + "=", text.substr(0, text.size() - 1),
                                 std::string(44, '='), std::string(43, '*') + "=", "sha1/" + hex}) {
    CAPTURE(bad);
    CHECK_FALSE(sync::net::parsePin(bad));
  }
}

}  // namespace mailbraid::tests
