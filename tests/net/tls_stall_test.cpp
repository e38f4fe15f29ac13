// A server that stalls, injects or cuts: no octet of ours leaves before the server is verified.
#include "tests/net/net_fixture.h"

namespace mailbraid::tests {
namespace {

using namespace std::chrono_literals;

/// True when `octets` are what a client sends before it has seen all of the server's first flight: handshake records
/// and the empty ChangeCipherSpec for middleboxes (RFC 8446 appendix D.4), but no application data, encrypted or not.
bool isHandshakeOnly(const std::string& octets) {
  for (std::size_t at = 0; at < octets.size();) {
    if (octets.size() - at < 5) return false;
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(octets[at + i]); };
    if (octet(0) != 0x16 && octet(0) != 0x14 && octet(0) != 0x15) return false;
    at += 5U + static_cast<std::size_t>(octet(3)) * 256U + octet(4);
  }
  return true;
}

struct Stall {
  Outcome outcome;
  std::string afterHello;  ///< raw octets of the client, its first flight included
};

/// The server sends `share` of its first flight (of 8; 0: nothing, 8: all but the last octet) and falls silent.
Stall stall(const Trust& trust, const ServerTls& tls, TlsMode mode, std::size_t share) {
  Stall out;
  TestServer server([&](ServerConnection& connection) {
    answerStartTls(connection, mode);
    const std::string flight = connection.firstFlight(tls, out.afterHello);
    const std::size_t length = share == 8 ? flight.size() - 1 : flight.size() * share / 8;
    connection.send(std::string_view(flight).substr(0, length));
    out.afterHello += connection.receiveAll();
  });
  ServerSettings settings = trust.settings(server, mode);
  settings.timeout = 150ms;
  out.outcome = outcomeOf([&] { connectAndLogin(settings); });
  server.finish();
  return out;
}

}  // namespace

TEST_CASE("P9: a server that stalls the handshake never receives a LOGIN", "[net][tls][stall]") {
  const Trust trust;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const bool otherHost = GENERATE(true, false);
  const TlsMode mode = GENERATE(TlsMode::Implicit, TlsMode::StartTls);
  const CertificateWish wish = otherHost ? CertificateWish{"other.example", "DNS:other.example"} : CertificateWish{};
  const ServerTls tls = ServerTls(trust.issue(wish)).only(version);
  CAPTURE(version, otherHost, static_cast<int>(mode));
  for (const std::size_t share : {0U, 1U, 4U, 7U, 8U}) {
    CAPTURE(share);
    const Stall result = stall(trust, tls, mode, share);
    CAPTURE(result.outcome.sentence);
    // With most of the flight the certificate has arrived: another host's is refused at once.
    const bool known = result.outcome.error == ErrorKind::Unreachable || result.outcome.error == ErrorKind::Refused;
    CHECK(known);
    if (!otherHost) CHECK(result.outcome.error == ErrorKind::Unreachable);
    CHECK(result.afterHello.find("LOGIN") == std::string::npos);
    // Under TLS 1.3 even an alert looks like application data; without one it must be the ClientHello alone.
    if (result.outcome.error == ErrorKind::Unreachable) CHECK(isHandshakeOnly(result.afterHello));
  }
}

TEST_CASE("P9: a TLS 1.2 server that keeps its last flight back never receives a LOGIN", "[net][tls][stall]") {
  const Trust trust;
  const TlsMode mode = GENERATE(TlsMode::Implicit, TlsMode::StartTls);
  const ServerTls tls = ServerTls(trust.issue()).only(TLS1_2_VERSION);
  std::string raw;
  TestServer server([&](ServerConnection& connection) {
    answerStartTls(connection, mode);
    connection.send(connection.firstFlight(tls, raw));
    raw += connection.receiveAll();
  });
  ServerSettings settings = trust.settings(server, mode);
  settings.timeout = 150ms;
  const Outcome outcome = outcomeOf([&] { connectAndLogin(settings); });
  server.finish();
  CHECK(outcome.error == ErrorKind::Unreachable);
  CHECK(outcome.tells("did not finish the TLS handshake"));
  CHECK(isHandshakeOnly(raw));
}

TEST_CASE("a server that does not answer the ClientHello ends in a time-out", "[net][tls][stall]") {
  const Trust trust;
  std::string raw;
  TestServer server([&](ServerConnection& connection) { raw = connection.receiveAll(); });
  ServerSettings settings = trust.settings(server);
  settings.timeout = 150ms;
  const Outcome outcome = outcomeOf([&] { connectAndLogin(settings); });
  server.finish();
  CHECK(outcome.error == ErrorKind::Unreachable);
  CHECK(outcome.tells("within 0.1 s"));
  CHECK(isHandshakeOnly(raw));
}

TEST_CASE("P9: octets injected before the handshake are refused", "[net][tls][injection]") {
  const Trust trust;
  const bool alreadyRead = GENERATE(false, true);
  std::string raw;
  TestServer server([&](ServerConnection& connection) {
    connection.send("* OK ready\r\n");
    connection.receiveLine();
    connection.send("t OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n");
    raw = connection.receiveAll();
  });
  const Outcome outcome = outcomeOf([&] {
    const auto transport = Transport::connect(trust.settings(server, TlsMode::StartTls), {});
    readLine(*transport);
    transport->write("t STARTTLS\r\n");
    readLine(*transport);
    REQUIRE(transport->waitReadable(20s));
    std::string unread;
    if (alreadyRead) unread = readLine(*transport);
    transport->startTls(unread);
    transport->write(kLogin);
  });
  server.finish();
  CHECK(outcome.error == ErrorKind::Protocol);
  CHECK(outcome.tells("before the TLS handshake"));
  CHECK(raw == "");
}

TEST_CASE("plaintext in place of the handshake is told as such", "[net][tls][injection]") {
  const Trust trust;
  const TlsMode mode = GENERATE(TlsMode::Implicit, TlsMode::StartTls);
  std::string raw;
  TestServer server([&](ServerConnection& connection) {
    answerStartTls(connection, mode);
    raw = connection.receive();
    connection.send("* OK [CAPABILITY IMAP4rev1] a plain server is speaking here\r\n");
    raw += connection.receiveAll();
  });
  const Outcome outcome = outcomeOf([&] { connectAndLogin(trust.settings(server, mode)); });
  server.finish();
  CHECK(outcome.error == ErrorKind::Protocol);
  CHECK(outcome.tells("does not speak TLS"));
  CHECK(raw.find("LOGIN") == std::string::npos);
}

TEST_CASE("a server that closes instead of the handshake is unreachable", "[net][tls]") {
  const Trust trust;
  const TlsMode mode = GENERATE(TlsMode::Implicit, TlsMode::StartTls);
  TestServer server([&](ServerConnection& connection) {
    answerStartTls(connection, mode);
    connection.receive();
  });
  const Outcome outcome = outcomeOf([&] { connectAndLogin(trust.settings(server, mode)); });
  CHECK(outcome.error == ErrorKind::Unreachable);
  CHECK(outcome.tells("TLS handshake"));
}

TEST_CASE("after a failed handshake the transport is closed for good", "[net][tls]") {
  const Trust trust;
  const ServerTls tls(trust.issue({"other.example", "DNS:other.example"}));
  std::string plain;
  TestServer server([&](ServerConnection& connection) {
    answerStartTls(connection, TlsMode::StartTls);
    connection.handshake(tls);
    plain = connection.receiveAll();
  });
  const auto transport = Transport::connect(trust.settings(server, TlsMode::StartTls), {});
  readLine(*transport);
  transport->write("t STARTTLS\r\n");
  readLine(*transport);
  CHECK(outcomeOf([&] { transport->startTls(""); }).error == ErrorKind::Refused);
  CHECK_FALSE(transport->encrypted());
  CHECK(outcomeOf([&] { transport->write(kLogin); }).error == ErrorKind::Unreachable);
  CHECK(outcomeOf([&] { transport->startTls(""); }).error == ErrorKind::Unreachable);
  CHECK(outcomeOf([&] { readLine(*transport); }).error == ErrorKind::Unreachable);
  transport->close();
  server.finish();
  CHECK(plain.find("LOGIN") == std::string::npos);
}

TEST_CASE("an end without close_notify is a truncation, one with it is an end", "[net][tls]") {
  const Trust trust;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const bool orderly = GENERATE(true, false);
  const ServerTls tls = ServerTls(trust.issue()).only(version);
  TestServer server([&](ServerConnection& connection) {
    if (!connection.handshake(tls)) return;
    connection.send("+OK half a mess");
    connection.receiveLine();
    if (orderly) connection.sayGoodbye();
  });
  const auto transport = Transport::connect(trust.settings(server), {});
  std::array<char, 64> buffer{};
  CHECK(transport->read(buffer) == 15);
  transport->write("go on\r\n");
  std::size_t end = 1;
  const Outcome outcome = outcomeOf([&] { end = transport->read(buffer); });
  if (orderly) {
    CHECK(outcome.sentence == "");
    CHECK(end == 0);
    CHECK(transport->read(buffer) == 0);
  } else {
    CHECK(outcome.error == ErrorKind::Unreachable);
    CHECK(outcome.tells("close_notify"));
  }
}

}  // namespace mailbraid::tests
