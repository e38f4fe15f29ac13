// One connection to a server: TCP, and TLS where the settings ask for it.
#pragma once

#include "sync/net/server_settings.h"
#include "sync/net/tls_session_cache.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace mailbraid::sync::net {

/// What went over a connection, as the protocol sees it: inside TLS, before decompression.
struct Traffic {
  std::uint64_t octetsIn = 0;
  std::uint64_t octetsOut = 0;
  /// How often we began to send after having received: each is one round trip. Connecting and TLS are not counted.
  std::uint64_t turns = 0;
};

/// Binds an authentication to its TLS connection (RFC 5056). `type` is the name that SASL knows.
struct ChannelBinding {
  std::string type;  ///< "tls-exporter" (RFC 9266) on TLS 1.3, "tls-unique" (RFC 5929) on TLS 1.2
  std::string data;  ///< raw octets
};

/// A connection to a server. One thread uses it; a stop request may come from any thread and ends every call within
/// milliseconds. Nothing blocks longer than `ServerSettings::timeout` without an octet moving (connecting, with the
/// look-up of the name, counts as one such time, the TLS handshake as another). Where `bytesPerSecond` is set, calls
/// wait as long as that takes besides.
///
/// Every failure is an Error of Scope::Connection whose sentence names host and port:
/// - Unreachable: name not found, refused, timed out, closed, TLS cut off without close_notify (truncation)
/// - Refused: the server's certificate (expired, other host, unknown issuer, self-signed, pin), TLS older than 1.2, or
///   our client certificate
/// - Protocol: no TLS on this port, octets before the handshake of STARTTLS
/// - Configuration: plaintext that is not allowed, CA file, pin or client certificate unusable
/// - Cancelled: stop was requested
/// Retry::Now: the connection broke after it had been established, a new one may help at once. Retry::Later: it could
/// not be established, or the server was silent. Retry::Never: somebody has to change something first. After a failure
/// the connection is closed and each later call fails; close() is always allowed, and traffic(), describe() and
/// resumed() go on telling what was.
class Transport {
 public:
  /// Connects (all addresses of the name are tried, IPv6 and IPv4), and does the TLS handshake when `tls` is Implicit.
  /// With TlsMode::None it refuses, before a connection is opened, a host that is not loopback unless `allowPlaintext`.
  /// The server's certificate is always verified: chain, time, host name or address, and pins when there are any.
  /// `cache`: may be null: no resumption.
  static std::unique_ptr<Transport> connect(const ServerSettings& settings, const std::stop_token& stop,
                                            const std::shared_ptr<TlsSessionCache>& cache = nullptr);

  virtual ~Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// Upgrades in place after the server's OK to STARTTLS or STLS. `unread` is what the caller has received after that
  /// line and not used: anything there, or waiting in the socket, was sent in the clear to be taken for part of the
  /// secured session (CVE-2011-0411) and is refused. Forget all that was learnt before (capabilities) afterwards.
  virtual void startTls(std::string_view unread) = 0;

  /// Waits for at least one octet. 0: the server ended the connection in an orderly way (with TLS: close_notify).
  /// `into` is best 64 to 256 KiB. Views into it stay the caller's.
  virtual std::size_t read(std::span<char> into) = 0;

  /// Sends all. Waits while the peer does not take it; a peer that itself waits for us to read first is seen only as a
  /// time-out, so send much (APPEND, long pipelines) with readSome(), writeSome() and wait().
  virtual void write(std::string_view octets) = 0;

  /// Reads what is there without waiting: nullopt when nothing is, 0 at the end as read().
  virtual std::optional<std::size_t> readSome(std::span<char> into) = 0;

  /// Sends what fits without waiting and tells how much. When it was less than all, the next octets sent must begin
  /// with the rest, unchanged (they may be at another address, and be more): TLS may have begun to encrypt them.
  virtual std::size_t writeSome(std::string_view octets) = 0;

  enum class Interest : std::uint8_t { Read, Write, ReadOrWrite };
  struct Readiness {
    bool readable = false;
    bool writable = false;
  };
  /// Waits until one of the wanted is possible; ends with an Unreachable error after `timeout` of silence. May rarely
  /// tell too much: readSome() and writeSome() then say so.
  virtual Readiness wait(Interest interest) = 0;

  /// True when read() would not wait (also at the end of the connection, and for octets that TLS holds); false after
  /// `atMost`, which is not an error. For IDLE and for polling (0).
  virtual bool waitReadable(std::chrono::milliseconds atMost) = 0;

  [[nodiscard]] virtual const Traffic& traffic() const = 0;
  /// "TLSv1.3, TLS_AES_256_GCM_SHA384, certificate of imap.example.org valid until 2027-01-02", "not encrypted".
  [[nodiscard]] virtual std::string describe() const = 0;
  /// True from the verified end of the TLS handshake until the connection is closed.
  [[nodiscard]] virtual bool encrypted() const = 0;
  /// True when this TLS session was resumed from the cache.
  [[nodiscard]] virtual bool resumed() const = 0;
  [[nodiscard]] virtual bool peerIsLoopback() const = 0;
  /// None without TLS, and on TLS 1.2 without extended master secret (RFC 7627), where tls-unique binds nothing.
  [[nodiscard]] virtual std::optional<ChannelBinding> channelBinding() const = 0;

  /// Says goodbye to TLS without waiting for an answer and closes. Allowed at any time, also twice.
  virtual void close() noexcept = 0;

 protected:
  Transport() = default;
};

}  // namespace mailbraid::sync::net
