#include "sync/net/tls_failure.h"

#include "sync/net/failure.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <iterator>

namespace mailbraid::sync::net {
namespace {

constexpr int kTlsAlertRecord = 0x15;
constexpr int kTlsHandshakeRecord = 0x16;

/// OpenSSL's reasons that say: the server will not do TLS 1.2.
constexpr int kTooOld[] = {SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, SSL_R_VERSION_TOO_LOW,
                           SSL_R_WRONG_VERSION_NUMBER, SSL_R_WRONG_SSL_VERSION};

/// Alerts by which a server turns our client certificate, or the lack of one, down. With TLS 1.3 they come after the
/// handshake, with the first octets that are read.
constexpr int kClientCertificateAlerts[] = {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
                                            SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
                                            SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
                                            SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,
                                            SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
                                            SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,
                                            SSL_R_TLSV1_ALERT_UNKNOWN_CA,
                                            SSL_R_TLSV1_ALERT_ACCESS_DENIED};

template <std::size_t N>
bool isOneOf(const int (&set)[N], int reason) {
  return std::find(std::begin(set), std::end(set), reason) != std::end(set);
}

std::string issuerUnknown(X509* culprit) {
  const std::string by = culprit != nullptr ? " was issued by " + issuerOf(culprit) : " has an issuer";
  return by + ", which is not trusted here; if you trust it, name its certificate with ca_file";
}

std::string otherHost(const TlsPolicy& policy, X509* culprit) {
  const std::string names = culprit != nullptr ? namesOf(culprit) : "another host";
  return " is for " + names + ", not for " + printable(policy.host()) + "; check the host name";
}

/// What follows "the certificate of HOST:PORT".
std::string complaint(const TlsPolicy& policy, const CertificateVerdict& verdict) {
  X509* culprit = verdict.culprit.get();
  switch (verdict.error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return " expired on " + (culprit != nullptr ? dateOf(X509_get0_notAfter(culprit)) : "an unknown date") +
             "; its operator must renew it, or this computer's clock is wrong";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return " is not valid before " + (culprit != nullptr ? dateOf(X509_get0_notBefore(culprit)) : "some later date") +
             "; is this computer's clock right?";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return otherHost(policy, culprit);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return " is self-signed; if it is the right one, name it with ca_file";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return issuerUnknown(culprit);
    default:
      return std::string(" was refused: ") + X509_verify_cert_error_string(verdict.error);
  }
}

std::string reasonText(unsigned long error) {
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "unknown reason";
}

[[noreturn]] void failClientCertificate(const TlsFacts& facts) {
  if (facts.policy.hasClientCertificate()) {
    failRefused(facts.where + " did not accept the client certificate (" + reasonText(facts.opensslError) +
                "); check client_certificate");
  }
  failRefused(facts.where + " demands a client certificate (" + reasonText(facts.opensslError) +
              "); set client_certificate and client_key");
}

[[noreturn]] void failSocket(const TlsFacts& facts) {
  const std::string how = facts.socketError != 0 ? errnoText(facts.socketError) : "the server closed it";
  if (!facts.established) {
    failUnreachable("the connection to " + facts.where + " ended during the TLS handshake: " + how +
                    "; does this port speak TLS?");
  }
  if (facts.socketError == 0) {
    failLost("the connection to " + facts.where +
             " was cut off: it ended without TLS's close_notify, so what came last may be incomplete");
  }
  failLost("lost the connection to " + facts.where + ": " + how);
}

}  // namespace

void failCertificate(const TlsPolicy& policy, const std::string& where, const CertificateVerdict& verdict) {
  failRefused("the certificate of " + where + complaint(policy, verdict));
}

void failTls(const TlsFacts& facts) {
  const int reason = ERR_GET_REASON(facts.opensslError);
  if (facts.verdict.error != X509_V_OK) failCertificate(facts.policy, facts.where, facts.verdict);
  if (facts.firstOctet >= 0 && facts.firstOctet != kTlsAlertRecord && facts.firstOctet != kTlsHandshakeRecord) {
    failProtocol(facts.where +
                 " does not speak TLS on this port; does it want tls = \"starttls\", or is the port wrong?");
  }
  // TLS 1.2 has no alert of its own for a certificate that is missing (RFC 5246 section 7.4.6).
  const bool missing = facts.askedForOurs && !facts.policy.hasClientCertificate() && !facts.established &&
                       reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE;
  if (missing || isOneOf(kClientCertificateAlerts, reason)) failClientCertificate(facts);
  if (facts.socketError != 0 || facts.socketEnded) failSocket(facts);
  if (!facts.established && isOneOf(kTooOld, reason)) {
    failRefused(facts.where +
                " speaks no TLS newer than 1.1, which is broken; its operator must offer TLS 1.2 or newer");
  }
  if (!facts.established) {
    failRefused("no TLS with " + facts.where + " could be agreed on: " + reasonText(facts.opensslError));
  }
  mailstore::Retry retry = mailstore::Retry::Now;
  fail(mailstore::ErrorKind::Protocol, retry, "TLS with " + facts.where + " failed: " + reasonText(facts.opensslError));
}

}  // namespace mailbraid::sync::net
