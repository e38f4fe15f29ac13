// Why TLS failed, in words. Internal to sync/net.
#pragma once

#include "sync/net/openssl_ptr.h"
#include "sync/net/tls_policy.h"

#include <string>

namespace mailbraid::sync::net {

/// What a certificate check found wrong first.
struct CertificateVerdict {
  long error = X509_V_OK;
  X509Ptr culprit;  ///< the certificate in the chain that is meant
};

/// All that is known at the moment TLS fails.
struct TlsFacts {
  const TlsPolicy& policy;
  const std::string& where;
  const CertificateVerdict& verdict;
  int socketError = 0;        ///< errno of the socket, 0 when it did not fail
  bool socketEnded = false;   ///< the peer closed the TCP connection
  int firstOctet = -1;        ///< the first one the peer sent, -1 when none came
  bool established = false;   ///< the handshake was over
  bool askedForOurs = false;  ///< the server asked for a client certificate
  unsigned long opensslError = 0;
};

/// Throws what fits.
[[noreturn]] void failTls(const TlsFacts& facts);
[[noreturn]] void failCertificate(const TlsPolicy& policy, const std::string& where, const CertificateVerdict& verdict);

}  // namespace mailbraid::sync::net
