// Where a server is and how the way to it is secured.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mailbraid::sync::net {

enum class TlsMode : std::uint8_t {
  Implicit,  ///< TLS from the first octet (RFC 8314)
  StartTls,  ///< STARTTLS (RFC 9051 section 6.2.1) or STLS (RFC 2595 section 4) before anything else
  None,      ///< refused unless the host is loopback or `allowPlaintext`
};

struct ServerSettings {
  std::string host;  ///< DNS name or address literal; also the name that the certificate must carry
  std::uint16_t port = 0;
  TlsMode tls = TlsMode::Implicit;
  bool allowPlaintext = false;
  std::filesystem::path caFile;   ///< PEM; empty: the system's store
  std::vector<std::string> pins;  ///< SPKI SHA-256 in base64 or hex; empty: none. A pin is demanded beside the chain
  std::filesystem::path clientCertificate;    ///< PEM; empty: none
  std::filesystem::path clientKey;            ///< PEM; empty: in clientCertificate
  std::chrono::milliseconds timeout{30'000};  ///< bounds connecting, the handshake, and every silence of the server
  std::uint64_t bytesPerSecond = 0;           ///< both directions together, inside TLS; 0: as many as go
};

}  // namespace mailbraid::sync::net
