// A TLS context of Poco::Net, whose library is loaded when the first one is made: it brings four more with it.
// Internal to sync/net.
#pragma once

#include <Poco/Net/Context.h>

namespace mailbraid::sync::net {

/// For a client that verifies strictly; it trusts nobody yet. Throws Internal, also when the library is missing.
Poco::Net::Context::Ptr makePocoContext();

}  // namespace mailbraid::sync::net
