// What TLS with one server demands, and the sessions it may resume. Internal to sync/net.
#pragma once

#include "sync/net/certificate.h"
#include "sync/net/openssl_ptr.h"
#include "sync/net/server_settings.h"

#include <Poco/Net/Context.h>

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mailbraid::sync::net {

/// A POCO Context of its own for one server. OpenSSL itself is told the host name, so that a handshake with another
/// host's certificate cannot end well; POCO's own check comes after the handshake and is left out when the peer stalls.
/// Immutable but for the sessions; shared between threads.
class TlsPolicy {
 public:
  /// Reads CA file, pins and client certificate. Throws Configuration errors that name the path.
  explicit TlsPolicy(const ServerSettings& settings);
  TlsPolicy(const TlsPolicy&) = delete;
  TlsPolicy& operator=(const TlsPolicy&) = delete;

  [[nodiscard]] SSL_CTX* context() const { return context_->sslContext(); }
  [[nodiscard]] const std::string& host() const { return host_; }
  /// An address literal is sent in no SNI (RFC 6066 section 3) and is verified against address names.
  [[nodiscard]] bool hostIsAddress() const { return hostIsAddress_; }
  [[nodiscard]] bool certificateNamesHost(X509* certificate) const;
  [[nodiscard]] bool pinned(X509* certificate) const;
  [[nodiscard]] bool hasClientCertificate() const { return hasClientCertificate_; }

  /// A session to offer, or null. It is taken out: a TLS 1.3 ticket is for one use (RFC 8446 appendix C.4).
  SslSessionPtr takeSession();
  void keepSession(SslSessionPtr session);

 private:
  static int onNewSession(SSL* ssl, SSL_SESSION* session);
  void trust(const ServerSettings& settings);
  void demandHost();
  void present(const ServerSettings& settings);

  std::string host_;
  bool hostIsAddress_ = false;
  bool hasClientCertificate_ = false;
  std::vector<Pin> pins_;
  Poco::Net::Context::Ptr context_;
  std::mutex mutex_;
  std::deque<SslSessionPtr> sessions_;
};

}  // namespace mailbraid::sync::net
