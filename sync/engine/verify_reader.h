// Reads an endpoint to compare it, over as many connections as it takes (sync/engine's own).
#pragma once

#include "sync/endpoint/endpoint.h"
#include "sync/engine/progress_hub.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mailbraid::sync::engine {

/// Nothing is changed at the endpoint, nor are octets kept; identify() tells what headers say. `hub` outlives it.
endpoint::Environment environmentToCompare(ProgressHub& hub, const Observer& observer, std::stop_token stop);

/// One thread. Throws mailstore::Error when the endpoint cannot be read on.
class VerifyReader {
 public:
  VerifyReader(endpoint::Endpoint& endpoint, std::string name, ProgressHub& hub, std::stop_token stop)
      : endpoint_(endpoint), name_(std::move(name)), hub_(hub), stop_(std::move(stop)) {}

  /// What is in these mailboxes: one a mailbox, in order. `present` is every message that is there, or `failure` or
  /// `incomplete` says why that is not known.
  struct Listing {
    endpoint::RemoteStatus status;
    endpoint::KeySet present;
    std::optional<mailstore::Error> failure;
    std::string incomplete;
  };
  std::vector<Listing> list(const std::vector<const endpoint::RemoteMailbox*>& mailboxes);

  enum class What : std::uint8_t { Sizes, Headers, Bodies };
  /// `prepared` is told for bodies only; its octets are not kept.
  using Told = std::function<void(std::size_t index, endpoint::RemoteMessage&& message,
                                  const mailstore::PreparedMessage* prepared)>;
  using Refused =
      std::function<void(std::size_t index, const endpoint::RemoteMessage& message, const std::string& reason)>;
  /// Outcomes as of Endpoint::identify(). A message at which the line breaks twice is refused.
  std::vector<std::optional<mailstore::Error>> read(What what, const std::vector<endpoint::KeyRequest>& requests,
                                                    const Told& told, const Refused& refused);

 private:
  class Sink;
  template <class Work>
  void overConnections(const Work& work);
  void reconnect(const mailstore::Error& error);

  endpoint::Endpoint& endpoint_;
  const std::string name_;
  ProgressHub& hub_;
  const std::stop_token stop_;
  std::uint64_t delivered_ = 0;  ///< messages since the last connection
  unsigned failures_ = 0;        ///< connections in a row that brought nothing
};

}  // namespace mailbraid::sync::engine
