#include "sync/net/tls_policy.h"

#include "sync/net/failure.h"
#include "sync/net/poco_context.h"

#include <Poco/Net/IPAddress.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace mailbraid::sync::net {
namespace {

/// X25519 first: POCO's default begins with X448, which costs a round trip (HelloRetryRequest) with most servers.
constexpr const char* kGroups = "X25519:P-256:X448:P-384:P-521";
constexpr std::size_t kMostSessions = 4;
/// One recv() fetches many records.
constexpr std::size_t kReadAhead = 256UL * 1024;

/// POCO's callback asks on standard input.
int noPassphrase(char*, int, int, void*) {
  return -1;
}

void tune(SSL_CTX* context) {
  // The version again, below POCO: its flags leave a build's defaults in charge.
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  if (SSL_CTX_set1_groups_list(context, kGroups) != 1) {
    fail(mailstore::ErrorKind::Internal, mailstore::Retry::Never, "cannot set up TLS: OpenSSL has none of its groups");
  }
  // Renegotiation has no use in mail and would make a read wait for a write; an end without close_notify is truncation.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, kReadAhead);
  SSL_CTX_set_default_passwd_cb(context, noPassphrase);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
}

int policyIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

std::string whyUnreadable(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, OpensslFree<&std::fclose>> file(std::fopen(path.c_str(), "re"));
  return file ? std::string() : errnoText(errno);
}

/// "cannot read ca_file PATH: no such file or directory", or what is wrong with its content.
[[noreturn]] void failFile(const char* key, const std::filesystem::path& path, const std::string& content) {
  ERR_clear_error();
  const std::string reason = whyUnreadable(path);
  failConfiguration(std::string(key) + " " + path.string() + ": " + (reason.empty() ? content : reason));
}

/// True when `name` is like "5ad8a5d6.0": what `openssl rehash` makes.
bool isHashedName(const std::string& name) {
  const auto isHex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return name.size() >= 10 && name[8] == '.' && std::all_of(name.begin(), name.begin() + 8, isHex);
}

bool systemDirectoryIsHashed() {
  const char* chosen = std::getenv(X509_get_default_cert_dir_env());
  std::error_code ignored;
  std::filesystem::directory_iterator at(chosen != nullptr ? chosen : X509_get_default_cert_dir(), ignored);
  return std::any_of(begin(at), end(at), [](const auto& entry) { return isHashedName(entry.path().filename()); });
}

/// True when the environment names a bundle that is not the system's own.
bool environmentNamesBundle() {
  const char* named = std::getenv(X509_get_default_cert_file_env());
  std::error_code ignored;
  return named != nullptr && !std::filesystem::equivalent(named, X509_get_default_cert_file(), ignored);
}

/// The system's certificates by its hashed directory, which is read one certificate at a time when needed; the bundle,
/// which costs 10 ms and more to parse, only where there is no such directory or the environment names another one.
void trustSystem(SSL_CTX* context) {
  SSL_CTX_set_default_verify_dir(context);
  if (environmentNamesBundle() || !systemDirectoryIsHashed()) SSL_CTX_set_default_verify_file(context);
  ERR_clear_error();
}

}  // namespace

TlsPolicy::TlsPolicy(const ServerSettings& settings) : host_(settings.host) {
  for (const std::string& text : settings.pins) {
    const std::optional<Pin> pin = parsePin(text);
    if (!pin) {
      failConfiguration("pin " + printable(text) +
                        " is no SHA-256 of a public key: 44 characters of base64 or 64 hexadecimal digits");
    }
    pins_.push_back(*pin);
  }
  context_ = makePocoContext();
  tune(context());
  SSL_CTX_set_ex_data(context(), policyIndex(), this);
  SSL_CTX_sess_set_new_cb(context(), &TlsPolicy::onNewSession);
  trust(settings);
  demandHost();
  present(settings);
}

void TlsPolicy::trust(const ServerSettings& settings) {
  if (settings.caFile.empty()) {
    trustSystem(context());
    return;
  }
  const bool directory = std::filesystem::is_directory(settings.caFile);
  if (directory || SSL_CTX_load_verify_file(context(), settings.caFile.c_str()) != 1) {
    failFile("ca_file", settings.caFile, "it holds no certificate in PEM form");
  }
  // Whom the user names is trusted as it stands, also an intermediate or the server's own certificate.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context()), X509_V_FLAG_PARTIAL_CHAIN);
}

void TlsPolicy::demandHost() {
  if (!host_.empty() && host_.back() == '.') host_.pop_back();
  X509_VERIFY_PARAM* demands = SSL_CTX_get0_param(context());
  Poco::Net::IPAddress address;
  hostIsAddress_ = Poco::Net::IPAddress::tryParse(host_, address);
  if (hostIsAddress_) host_ = host_.substr(0, host_.find('%'));
  const int set = hostIsAddress_ ? X509_VERIFY_PARAM_set1_ip_asc(demands, host_.c_str())
                                 : X509_VERIFY_PARAM_set1_host(demands, host_.data(), host_.size());
  if (set != 1 || host_.empty()) failConfiguration("host " + printable(host_) + " is neither a name nor an address");
  X509_VERIFY_PARAM_set_hostflags(demands, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
}

void TlsPolicy::present(const ServerSettings& settings) {
  if (settings.clientCertificate.empty()) {
    if (!settings.clientKey.empty()) failConfiguration("client_key is set, but client_certificate is not");
    return;
  }
  const std::filesystem::path& certificate = settings.clientCertificate;
  const std::filesystem::path& key = settings.clientKey.empty() ? certificate : settings.clientKey;
  if (SSL_CTX_use_certificate_chain_file(context(), certificate.c_str()) != 1) {
    failFile("client_certificate", certificate, "it holds no certificate in PEM form");
  }
  // OpenSSL says with this call already when key and certificate do not belong together.
  if (SSL_CTX_use_PrivateKey_file(context(), key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const bool mismatch = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    failFile("client_key", key,
             mismatch ? "it is not the key of " + certificate.string()
                      : "it holds no private key in PEM form that is not encrypted");
  }
  if (SSL_CTX_check_private_key(context()) != 1)
    failFile("client_key", key, "it is not the key of " + certificate.string());
  hasClientCertificate_ = true;
}

bool TlsPolicy::certificateNamesHost(X509* certificate) const {
  if (hostIsAddress_) return X509_check_ip_asc(certificate, host_.c_str(), 0) == 1;
  return X509_check_host(certificate, host_.data(), host_.size(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) == 1;
}

bool TlsPolicy::pinned(X509* certificate) const {
  return pins_.empty() || std::find(pins_.begin(), pins_.end(), pinOf(certificate)) != pins_.end();
}

int TlsPolicy::onNewSession(SSL* ssl, SSL_SESSION* session) {
  // TLS 1.2 tells of the session before the handshake is over; one of an unverified server is never kept.
  if (SSL_get_verify_result(ssl) != X509_V_OK) return 0;
  static_cast<TlsPolicy*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), policyIndex()))
      ->keepSession(SslSessionPtr(session));
  return 1;
}

SslSessionPtr TlsPolicy::takeSession() {
  const std::lock_guard lock(mutex_);
  if (sessions_.empty()) return nullptr;
  SslSessionPtr newest = std::move(sessions_.back());
  sessions_.pop_back();
  return newest;
}

void TlsPolicy::keepSession(SslSessionPtr session) {
  const std::lock_guard lock(mutex_);
  if (sessions_.size() == kMostSessions) sessions_.pop_front();
  sessions_.push_back(std::move(session));
}

}  // namespace mailbraid::sync::net
