// TLS sessions and contexts kept between the connections of one run.
#pragma once

#include <memory>

namespace mailbraid::sync::net {

/// Lets later connections to the same server resume a TLS session (RFC 8446 section 2.2, RFC 5077) and share what is
/// costly to build (trusted certificates). In memory only, gone with the object. What is kept is bound to the whole
/// policy (host, port, CA file, pins, client certificate): a session never serves a connection with other demands.
/// Thread-safe; one for a run, or one for an endpoint, handed to each Transport::connect().
class TlsSessionCache {
 public:
  TlsSessionCache();
  ~TlsSessionCache();
  TlsSessionCache(const TlsSessionCache&) = delete;
  TlsSessionCache& operator=(const TlsSessionCache&) = delete;

  class Impl;  ///< known to sync/net only
  [[nodiscard]] Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace mailbraid::sync::net
