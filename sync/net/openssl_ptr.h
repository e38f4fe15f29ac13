// Owners of OpenSSL's objects. Internal to sync/net.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace mailbraid::sync::net {

template <auto Free>
struct OpensslFree {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using SslPtr = std::unique_ptr<SSL, OpensslFree<&SSL_free>>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, OpensslFree<&SSL_SESSION_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslFree<&X509_free>>;

}  // namespace mailbraid::sync::net
