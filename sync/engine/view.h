// What a view of all mail (RFC 6154 section 2: \All) shows that the store has not. Its number of messages cannot tell:
// it may leave mailboxes out, or show copies. Each of its messages is looked for in the store.
#pragma once

#include "mailstore/store.h"
#include "sync/endpoint/settings.h"
#include "sync/engine/engine.h"
#include "sync/engine/verify.h"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

namespace mailbraid::sync::engine {

struct ViewReading {
  std::string mailbox;  ///< as the endpoint calls it
  /// Messages of the view that no live entry of the endpoint's braid has; none: it could not be read, see `problem`.
  std::optional<std::uint64_t> notInStore;
  std::optional<Problem> problem;
};

/// Changes neither the endpoint nor the store, and fetches no more than is needed: the names that the server gives to
/// messages, headers of those that are not known by them, bodies of those whose headers came over another route.
/// Errors of the endpoint land in the reading; those of the store are thrown. Ends within two seconds when `stop` is
/// requested.
ViewReading readView(mailstore::Store& store, const endpoint::EndpointSettings& settings, const std::string& mailbox,
                     const VerifyRequest& request, Observer& observer, std::stop_token stop);

}  // namespace mailbraid::sync::engine
