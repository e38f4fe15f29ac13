// From a host name to a TCP connection. Internal to sync/net.
#pragma once

#include "sync/net/waiter.h"

#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>

#include <functional>
#include <string>
#include <vector>

namespace mailbraid::sync::net {

using Addresses = std::vector<Poco::Net::SocketAddress>;

/// What a look-up gives: addresses, or a reason in words.
struct LookUp {
  Addresses addresses;
  std::string failure;
};
using LookUpFunction = std::function<LookUp(const std::string& host, std::uint16_t port)>;

/// getaddrinfo(): blocks, and cannot be interrupted.
LookUp systemLookUp(const std::string& host, std::uint16_t port);

/// The addresses of a name, or of an address literal, never none. The look-up runs on a thread of its own, which is
/// left behind when `until` passes or a stop is requested: a resolver may hang for minutes. Families alternate (RFC
/// 8305).
Addresses resolve(const std::string& host, std::uint16_t port, Waiter& waiter, Deadline until,
                  const LookUpFunction& lookUp = systemLookUp);

/// True for 127.0.0.0/8, ::1 and the first as an IPv4-mapped address.
bool isLoopback(const Poco::Net::SocketAddress& address);

/// A connected, non-blocking socket with TCP_NODELAY. Each next address is tried when the one before has failed or has
/// not answered for 250 ms (RFC 8305 section 5): a dead IPv6 route does not use up the time of IPv4.
Poco::Net::StreamSocket connectAny(const Addresses& addresses, const std::string& where, Waiter& waiter,
                                   Deadline until);

}  // namespace mailbraid::sync::net
