// What the endpoints on disk share: how far errors of files reach.
#pragma once

#include "mailstore/types/error.h"
#include "sync/endpoint/descriptor.h"
#include "sync/endpoint/push.h"

#include <cstddef>

namespace mailbraid::sync::endpoint {

/// Runs `action`; what it throws of a file that cannot be written concerns this endpoint, not the run.
template <class Action>
auto atEndpoint(const Action& action) {
  try {
    return action();
  } catch (const mailstore::Error& error) {
    if (error.scope() != mailstore::Scope::Run) throw;
    throw mailstore::Error(error.kind(), mailstore::Scope::Endpoint, mailstore::Retry::Later, error.what());
  }
}

/// Runs `action` for each request; an error of a mailbox ends that request only.
template <class Requests, class Action>
Outcomes forEachRequest(const Requests& requests, const Action& action) {
  Outcomes out(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    try {
      action(requests[i], i);
    } catch (const mailstore::Error& error) {
      if (error.scope() != mailstore::Scope::Mailbox) throw;
      out[i] = error;
    }
  }
  return out;
}

}  // namespace mailbraid::sync::endpoint
