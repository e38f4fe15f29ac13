// How an endpoint keeps to its server's limits, over all its connections.
#pragma once

#include "sync/endpoint/endpoint.h"
#include "sync/endpoint/server_limit.h"
#include "sync/net/token_bucket.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace mailbraid::sync::endpoint {

/// One thread. Every wait ends at once when a stop is requested, with an Error of kind Cancelled.
class Restraint {
 public:
  Restraint(const EndpointSettings& settings, const Environment& environment);

  /// Whether messages are to go one by one, or a few at a time, and how many in one command.
  [[nodiscard]] bool limitsMessages() const { return messages_.has_value(); }
  [[nodiscard]] std::uint64_t mostMessages() const;
  /// Before `count` bodies are asked for, or messages uploaded: waits until they may go.
  void awaitMessages(std::uint64_t count);

  /// `what` the server said means that it wants to be left alone. Throws: with scope connection where it is worth
  /// waiting, which beforeConnecting() then does; with scope endpoint where that is for another run.
  [[noreturn]] void giveWay(const ServerLimit& limit, const std::string& what);
  void beforeConnecting();
  /// giveWay() was called, and beforeConnecting() not since.
  [[nodiscard]] bool hasToWait() const { return wait_.count() > 0; }

 private:
  void pause(std::chrono::nanoseconds time);

  const EndpointSettings& settings_;
  const Environment& environment_;
  Patience patience_;
  std::optional<net::TokenBucket> messages_;
  std::chrono::milliseconds wait_{0};
};

}  // namespace mailbraid::sync::endpoint
