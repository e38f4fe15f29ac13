// What a view of all mail (RFC 6154 section 2: \\All) of a migration's source shows that is not at its destination. Its
// number of messages cannot tell: it may leave mailboxes out, or show copies. So each of its messages is looked for.
#pragma once

#include "mailstore/store.h"
#include "sync/endpoint/settings.h"
#include "sync/engine/engine.h"
#include "sync/engine/verify.h"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_set>

namespace mailbraid::sync::engine {

struct ViewReading {
  std::string mailbox;  ///< as the endpoint calls it
  /// Messages that were there when the view was listed and are neither at the destination nor counted as a source's;
  /// none: it could not be read, see `problem`.
  std::optional<std::uint64_t> notThere;
  std::optional<Problem> problem;
};

struct ViewRequest {
  /// Mailboxes of the sources: what a live pair of theirs names was taken, and Backlog::balance() tells where it is.
  std::unordered_set<mailstore::EndpointMailboxId> sources;
  /// Mailboxes of the destination that the run has read: what a live pair of theirs names is there.
  std::unordered_set<mailstore::EndpointMailboxId> destination;
  VerifyRequest how;
};

/// Changes neither the endpoint nor the store, and fetches no more than is needed: the names that the server gives to
/// messages, headers of those that are not known by them, bodies of those whose headers came over another route; with
/// `full`, every body. Errors of the endpoint land in the reading; those of the store are thrown. Ends within two
/// seconds when `stop` is requested.
ViewReading readView(mailstore::Store& store, const endpoint::EndpointSettings& settings, const LeftOutMailbox& view,
                     const ViewRequest& request, Observer& observer, std::stop_token stop);

}  // namespace mailbraid::sync::engine
