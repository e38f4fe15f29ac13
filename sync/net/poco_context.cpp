#include "sync/net/poco_context.h"

#include "mailstore/library/late_library.h"
#include "sync/net/failure.h"

#include <Poco/Exception.h>

#include <new>
#include <string>

namespace mailbraid::sync::net {
namespace {

using Poco::Net::Context;

constexpr int kDepth = 9;

/// What is called of it. The constructor takes the place of the object first; the destructor is virtual.
struct PocoNetSsl {
  PocoNetSsl() {
    const mailstore::LateLibrary library(MAILBRAID_POCO_NET_SSL, "libpoconetssl80");
    void (*initialize)() = nullptr;
    library.find(initialize, "_ZN4Poco3Net13initializeSSLEv");
    library.find(construct,
                 "_ZN4Poco3Net7ContextC1ENS1_5UsageERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEENS1_"
                 "16VerificationModeEibSA_");
    library.find(requireMinimumProtocol, "_ZN4Poco3Net7Context22requireMinimumProtocolENS1_9ProtocolsE");
    // POCO sets OpenSSL up with its first user and tears it down with its last; libgsasl and the digests use it as
    // well, so the first user here never leaves.
    initialize();
  }
  void (*construct)(void* place, Context::Usage usage, const std::string& caLocation, Context::VerificationMode mode,
                    int depth, bool loadDefaultCas, const std::string& ciphers) = nullptr;
  void (*requireMinimumProtocol)(Context* context, Context::Protocols protocol) = nullptr;
};

}  // namespace

Context::Ptr makePocoContext() {
  try {
    static const PocoNetSsl functions;
    void* const place = ::operator new(sizeof(Context));
    try {
      functions.construct(place, Context::TLS_CLIENT_USE, std::string(), Context::VERIFY_STRICT, kDepth, false,
                          "DEFAULT");
    } catch (...) {
      ::operator delete(place);
      throw;
    }
    Context::Ptr context(static_cast<Context*>(place));
    functions.requireMinimumProtocol(context.get(), Context::PROTO_TLSV1_2);
    return context;
  } catch (const mailstore::Error& error) {
    fail(mailstore::ErrorKind::Internal, mailstore::Retry::Never, error.what());  // of this endpoint, not of the run
  } catch (const Poco::Exception& error) {
    fail(mailstore::ErrorKind::Internal, mailstore::Retry::Never, "cannot set up TLS: " + error.displayText());
  }
}

}  // namespace mailbraid::sync::net
