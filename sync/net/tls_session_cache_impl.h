// The inside of TlsSessionCache. Internal to sync/net.
#pragma once

#include "sync/net/tls_policy.h"
#include "sync/net/tls_session_cache.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace mailbraid::sync::net {

class TlsSessionCache::Impl {
 public:
  /// The one policy for these settings; made when first asked for. Throws as TlsPolicy.
  std::shared_ptr<TlsPolicy> policyFor(const ServerSettings& settings);

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<TlsPolicy>> policies_;
};

}  // namespace mailbraid::sync::net
