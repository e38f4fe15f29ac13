// TLS over a connected socket. Internal to sync/net.
#pragma once

#include "sync/net/channel.h"
#include "sync/net/openssl_ptr.h"
#include "sync/net/tls_failure.h"
#include "sync/net/tls_policy.h"
#include "sync/net/transport.h"

#include <memory>
#include <optional>
#include <string>

namespace mailbraid::sync::net {

/// Drives an SSL object over a non-blocking socket. POCO owns the socket and the Context; its SecureStreamSocket is not
/// used, because it hides the SSL object (channel binding, pending octets, session), reports a stalled handshake as
/// success and looks at the host name only afterwards.
class TlsChannel final : public Channel {
 public:
  TlsChannel(std::shared_ptr<TlsPolicy> policy, int descriptor, std::string where);

  /// One more attempt at the handshake; `Moved` when it is complete and the server is verified. Until then send() and
  /// receive() refuse.
  Step handshake();

  Step receive(std::span<char> into) override;
  Step send(std::string_view octets) override;
  bool holdsInput() override;
  bool confirmsInput() override;
  void goodbye() noexcept override;

  [[nodiscard]] std::string describe() const;
  [[nodiscard]] bool resumed() const;
  [[nodiscard]] std::optional<ChannelBinding> channelBinding() const;

  /// The socket as OpenSSL sees it, and what happened to it.
  struct Wire {
    int descriptor = -1;
    int error = 0;
    bool ended = false;
    int firstOctet = -1;
  };

 private:
  static int onVerify(int accepted, X509_STORE_CTX* chain);
  static int onCertificateRequest(SSL* ssl, void* channel);
  void verifyServer();
  [[noreturn]] void failNow(unsigned long opensslError);
  void demandEstablished() const;
  /// What a call that returned `result` <= 0 wants, or throws.
  Step explain(int result);

  std::shared_ptr<TlsPolicy> policy_;
  std::string where_;
  Wire wire_;
  CertificateVerdict verdict_;
  SslPtr ssl_;
  bool established_ = false;
  bool broken_ = false;
  bool askedForOurs_ = false;
};

}  // namespace mailbraid::sync::net
