// What the endpoints on disk share: how errors of files reach, and a descriptor that closes itself.
#pragma once

#include "mailstore/types/error.h"
#include "sync/endpoint/push.h"

#include <cstddef>
#include <utility>

#include <unistd.h>

namespace mailbraid::sync::endpoint {

/// Closes the file.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  [[nodiscard]] int value() const { return value_; }

 private:
  int value_;
};

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
