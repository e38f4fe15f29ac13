// What the endpoints on disk share: how far errors of files reach.
#pragma once

#include "mailstore/types/error.h"
#include "sync/endpoint/descriptor.h"
#include "sync/endpoint/push.h"

#include <cstddef>
#include <filesystem>

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

/// True when a mailbox of a tree was removed: nothing is at its place, or (with `part`) a directory that has other
/// things in it, but not that. A link that leads nowhere, and an empty directory there or above it, may be the place of
/// a disk that is not mounted.
bool isRemoved(const std::filesystem::path& place, const std::filesystem::path& top, const char* part = nullptr);
/// Where it was not: which place is empty or leads nowhere, and what to do, as the end of a sentence.
std::string whyNotRemoved(const std::filesystem::path& place, const std::filesystem::path& top,
                          const char* part = nullptr);

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
