#include "sync/net/tls_session_cache.h"

#include "sync/net/tls_session_cache_impl.h"

namespace mailbraid::sync::net {
namespace {

/// All that decides whether a server is accepted; NUL cannot be part of any of it.
std::string keyOf(const ServerSettings& settings) {
  const char separator = '\0';
  std::string key = settings.host + separator + std::to_string(settings.port) + separator + settings.caFile.string() +
                    separator + settings.clientCertificate.string() + separator + settings.clientKey.string();
  for (const std::string& pin : settings.pins) key += separator + pin;
  return key;
}

}  // namespace

TlsSessionCache::TlsSessionCache() : impl_(std::make_unique<Impl>()) {}
TlsSessionCache::~TlsSessionCache() = default;

std::shared_ptr<TlsPolicy> TlsSessionCache::Impl::policyFor(const ServerSettings& settings) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<TlsPolicy>& policy = policies_[keyOf(settings)];
  if (!policy) policy = std::make_shared<TlsPolicy>(settings);
  return policy;
}

}  // namespace mailbraid::sync::net
