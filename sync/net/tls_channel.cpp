#include "sync/net/tls_channel.h"

#include "sync/net/failure.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <cerrno>

namespace mailbraid::sync::net {
namespace {

TlsChannel::Wire& wireOf(BIO* bio) {
  return *static_cast<TlsChannel::Wire*>(BIO_get_data(bio));
}

bool isTransient(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

int bioRead(BIO* bio, char* into, int size) {
  TlsChannel::Wire& wire = wireOf(bio);
  BIO_clear_retry_flags(bio);
  const ssize_t got = ::recv(wire.descriptor, into, static_cast<std::size_t>(size), 0);
  if (got > 0 && wire.firstOctet < 0) wire.firstOctet = static_cast<unsigned char>(into[0]);
  if (got == 0) wire.ended = true;
  if (got < 0 && isTransient(errno)) {
    BIO_set_retry_read(bio);
  } else if (got < 0) {
    wire.error = errno;
  }
  return static_cast<int>(got);
}

int bioWrite(BIO* bio, const char* octets, int size) {
  TlsChannel::Wire& wire = wireOf(bio);
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(wire.descriptor, octets, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && isTransient(errno)) {
    BIO_set_retry_write(bio);
  } else if (sent < 0) {
    wire.error = errno;
  }
  return static_cast<int>(sent);
}

long bioControl(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return wireOf(bio).ended ? 1 : 0;
  return 0;
}

/// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a peer that has gone would kill the process with SIGPIPE.
const BIO_METHOD* wireMethod() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "mailbraid socket");
    BIO_meth_set_read(made, bioRead);
    BIO_meth_set_write(made, bioWrite);
    BIO_meth_set_ctrl(made, bioControl);
    return made;
  }();
  return method;
}

int channelIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

TlsChannel* channelOf(const SSL* ssl) {
  return static_cast<TlsChannel*>(SSL_get_ex_data(ssl, channelIndex()));
}

}  // namespace

TlsChannel::TlsChannel(std::shared_ptr<TlsPolicy> policy, int descriptor, std::string where)
    : policy_(std::move(policy)), where_(std::move(where)) {
  wire_.descriptor = descriptor;
  ssl_.reset(SSL_new(policy_->context()));
  BIO* bio = BIO_new(wireMethod());
  if (!ssl_ || bio == nullptr) {
    BIO_free(bio);
    fail(mailstore::ErrorKind::Internal, mailstore::Retry::Later, "no memory for TLS with " + where_);
  }
  BIO_set_data(bio, &wire_);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_ex_data(ssl_.get(), channelIndex(), this);
  // Replaces POCO's callback, by which a handler registered anywhere in the process could accept anything.
  SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, &TlsChannel::onVerify);
  SSL_set_cert_cb(ssl_.get(), &TlsChannel::onCertificateRequest, this);
  if (!policy_->hostIsAddress()) SSL_set_tlsext_host_name(ssl_.get(), policy_->host().c_str());
  if (const SslSessionPtr session = policy_->takeSession()) SSL_set_session(ssl_.get(), session.get());
  SSL_set_connect_state(ssl_.get());
}

int TlsChannel::onVerify(int accepted, X509_STORE_CTX* chain) {
  const auto* ssl = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  CertificateVerdict& verdict = channelOf(ssl)->verdict_;
  if (accepted == 0 && verdict.error == X509_V_OK) {
    verdict.error = X509_STORE_CTX_get_error(chain);
    X509* culprit = X509_STORE_CTX_get_current_cert(chain);
    if (culprit == nullptr) culprit = X509_STORE_CTX_get0_cert(chain);
    if (culprit != nullptr && X509_up_ref(culprit) == 1) verdict.culprit.reset(culprit);
  }
  return accepted;
}

int TlsChannel::onCertificateRequest(SSL*, void* channel) {
  static_cast<TlsChannel*>(channel)->askedForOurs_ = true;
  return 1;
}

void TlsChannel::failNow(unsigned long opensslError) {
  broken_ = true;
  failTls({*policy_, where_, verdict_, wire_.error, wire_.ended, wire_.firstOctet, established_, askedForOurs_,
           opensslError});
}

Step TlsChannel::handshake() {
  ERR_clear_error();
  if (const int result = SSL_do_handshake(ssl_.get()); result != 1) {
    const Step step = explain(result);
    if (step.kind != Step::Kind::End) return step;
    wire_.ended = true;
    failNow(0);
  }
  verifyServer();
  established_ = true;
  return {Step::Kind::Moved, 0};
}

/// Asks again what the handshake has checked: for a resumed session nothing was, and no octet of ours may ever depend
/// on one callback.
void TlsChannel::verifyServer() {
  broken_ = true;
  if (SSL_is_init_finished(ssl_.get()) != 1) failUnreachable("the TLS handshake with " + where_ + " is not complete");
  const X509Ptr certificate(SSL_get1_peer_certificate(ssl_.get()));
  if (!certificate) failRefused(where_ + " showed no certificate");
  verdict_.culprit.reset(X509_dup(certificate.get()));
  verdict_.error = SSL_get_verify_result(ssl_.get());
  if (verdict_.error == X509_V_OK && !policy_->certificateNamesHost(certificate.get())) {
    verdict_.error = X509_V_ERR_HOSTNAME_MISMATCH;
  }
  if (verdict_.error != X509_V_OK) failCertificate(*policy_, where_, verdict_);
  if (!policy_->pinned(certificate.get())) {
    failRefused("the public key of " + where_ + " is not the pinned one: it is " + pinText(pinOf(certificate.get())) +
                "; if the server's key was changed rightly, change pin");
  }
  // A TLS 1.2 server may resume without giving a new ticket: the old one goes back.
  if (SSL_session_reused(ssl_.get()) == 1 && SSL_version(ssl_.get()) <= TLS1_2_VERSION) {
    policy_->keepSession(SslSessionPtr(SSL_get1_session(ssl_.get())));
  }
  broken_ = false;
}

void TlsChannel::demandEstablished() const {
  if (!established_ || broken_) failLost("TLS with " + where_ + " is not established");
}

Step TlsChannel::explain(int result) {
  const int code = SSL_get_error(ssl_.get(), result);
  if (code == SSL_ERROR_WANT_READ) return {Step::Kind::WantsRead, 0};
  if (code == SSL_ERROR_WANT_WRITE) return {Step::Kind::WantsWrite, 0};
  if (code == SSL_ERROR_ZERO_RETURN) return {Step::Kind::End, 0};
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  failNow(error);
}

Step TlsChannel::receive(std::span<char> into) {
  demandEstablished();
  ERR_clear_error();
  std::size_t got = 0;
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
  return result == 1 ? Step{Step::Kind::Moved, got} : explain(result);
}

Step TlsChannel::send(std::string_view octets) {
  demandEstablished();
  ERR_clear_error();
  std::size_t sent = 0;
  const int result = SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &sent);
  if (result == 1) return {Step::Kind::Moved, sent};
  const Step step = explain(result);
  if (step.kind == Step::Kind::End) failLost(where_ + " has closed the connection");
  return step;
}

bool TlsChannel::holdsInput() {
  return SSL_has_pending(ssl_.get()) == 1 && confirmsInput();
}

bool TlsChannel::confirmsInput() {
  demandEstablished();
  ERR_clear_error();
  char octet = 0;
  std::size_t got = 0;
  const int result = SSL_peek_ex(ssl_.get(), &octet, 1, &got);
  if (result == 1) return true;
  return explain(result).kind == Step::Kind::End;
}

void TlsChannel::goodbye() noexcept {
  // Also what lets OpenSSL keep the session: one that ended without close_notify is not resumed.
  if (established_ && !broken_) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string TlsChannel::describe() const {
  const X509Ptr certificate(SSL_get1_peer_certificate(ssl_.get()));
  return std::string(SSL_get_version(ssl_.get())) + ", " + SSL_get_cipher_name(ssl_.get()) + ", certificate of " +
         namesOf(certificate.get()) + " valid until " + dateOf(X509_get0_notAfter(certificate.get()));
}

bool TlsChannel::resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

std::optional<ChannelBinding> TlsChannel::channelBinding() const {
  if (!established_ || broken_) return std::nullopt;
  if (SSL_version(ssl_.get()) >= TLS1_3_VERSION) {
    constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";
    std::string data(32, '\0');
    const int exported = SSL_export_keying_material(ssl_.get(), reinterpret_cast<unsigned char*>(data.data()),
                                                    data.size(), kLabel.data(), kLabel.size(), nullptr, 0, 1);
    if (exported != 1) return std::nullopt;
    return ChannelBinding{"tls-exporter", data};
  }
  if (SSL_get_extms_support(ssl_.get()) != 1) return std::nullopt;
  // The first Finished message of the handshake: ours, or the server's when it resumed a session (RFC 5929
  // section 3.1).
  std::string data(64, '\0');
  const std::size_t length = resumed() ? SSL_get_peer_finished(ssl_.get(), data.data(), data.size())
                                       : SSL_get_finished(ssl_.get(), data.data(), data.size());
  if (length == 0 || length > data.size()) return std::nullopt;
  data.resize(length);
  return ChannelBinding{"tls-unique", data};
}

}  // namespace mailbraid::sync::net
