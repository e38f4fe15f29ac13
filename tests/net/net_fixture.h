// What the tests of the transport share.
#pragma once

#include "mailstore/types/error.h"
#include "sync/net/transport.h"
#include "tests/support/catch.h"
#include "tests/support/tls_test_server.h"

#include <optional>
#include <string>

namespace mailbraid::tests {

using mailstore::Error;
using mailstore::ErrorKind;
using sync::net::ServerSettings;
using sync::net::TlsMode;
using sync::net::TlsSessionCache;
using sync::net::Transport;

/// An authority that the client trusts (`caFile`).
struct Trust {
  TemporaryDirectory directory;
  Identity authority = makeAuthority("mailbraid test CA");
  std::filesystem::path caFile = directory.path() / "ca.pem";

  Trust() { writeCertificate(caFile, authority.certificate.get()); }
  [[nodiscard]] Identity issue(const CertificateWish& wish = {}) const { return makeIdentity(wish, &authority); }
  [[nodiscard]] ServerSettings settings(const TestServer& server, TlsMode tls = TlsMode::Implicit) const {
    ServerSettings out;
    out.host = "127.0.0.1";
    out.port = server.port();
    out.tls = tls;
    out.caFile = caFile;
    return out;
  }
};

/// What came of a try.
struct Outcome {
  std::optional<ErrorKind> error;
  std::string sentence;
  bool tells(const std::string& part) const { return sentence.find(part) != std::string::npos; }
};

/// Runs `action` and takes down the Error that ended it.
template <class Action>
Outcome outcomeOf(Action action) {
  try {
    action();
    return {};
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
}

inline std::string readLine(Transport& transport) {
  std::string line;
  char octet = 0;
  while (line.empty() || line.back() != '\n') {
    if (transport.read({&octet, 1}) == 0) break;
    line += octet;
  }
  return line;
}

inline std::string readAll(Transport& transport) {
  std::string all;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = transport.read(buffer)) all.append(buffer.data(), got);
  return all;
}

constexpr const char* kLogin = "a LOGIN user secret\r\n";

/// As an endpoint does it: connect, STARTTLS where asked for, LOGIN.
inline std::unique_ptr<Transport> connectAndLogin(const ServerSettings& settings, std::stop_token stop = {},
                                                  std::shared_ptr<TlsSessionCache> cache = nullptr) {
  auto transport = Transport::connect(settings, stop, std::move(cache));
  if (settings.tls == TlsMode::StartTls) {
    readLine(*transport);
    transport->write("t STARTTLS\r\n");
    readLine(*transport);
    transport->startTls("");
  }
  transport->write(kLogin);
  return transport;
}

/// The server's part of STARTTLS, up to the handshake.
inline void answerStartTls(ServerConnection& connection, TlsMode mode) {
  if (mode != TlsMode::StartTls) return;
  connection.send("* OK ready\r\n");
  connection.receiveLine();
  connection.send("t OK begin\r\n");
}

}  // namespace mailbraid::tests
