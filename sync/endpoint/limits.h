// What an endpoint's server may be asked for, in how much time.
#pragma once

#include <chrono>
#include <cstdint>

namespace mailbraid::sync::endpoint {

/// 0: no limit. A day is one of UTC. The rate of octets is kept by the transport (net::ServerSettings).
struct Limits {
  std::uint64_t messagesPerSecond = 0;  ///< bodies fetched, and uploads
  std::uint64_t downloadPerDay = 0;     ///< octets from the server, before compression
  std::uint64_t uploadPerDay = 0;       ///< octets to the server, likewise
  /// How long, in one run, a server that asks for patience is waited for.
  std::chrono::seconds patience{0};
};

}  // namespace mailbraid::sync::endpoint
