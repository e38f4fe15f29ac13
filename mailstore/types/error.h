// The one exception of the project. Parsers never throw: remote input that is wrong becomes a value.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace mailbraid::mailstore {

/// How far an error reaches: what has to be given up because of it.
enum class Scope : std::uint8_t { Message, Mailbox, Connection, Endpoint, Run };

/// Whether trying again can help: at once, in a later run, or not before somebody changes something.
enum class Retry : std::uint8_t { Now, Later, Never };

/// What kind of failure it is. Each kind has one exit code (cli/exit_code.h).
enum class ErrorKind : std::uint8_t {
  Usage,             ///< 64
  StoreDamaged,      ///< 65: truncated, digest mismatch, newer schema
  Unreachable,       ///< 69: name, port, connect, time-out, closed
  Internal,          ///< 70
  NotWritable,       ///< 73: disk full, permissions
  TemporaryFailure,  ///< 75: another mailbraid holds the store, server says try later
  Protocol,          ///< 76: the server said something that is not the protocol
  Refused,           ///< 77: login or certificate refused
  Configuration,     ///< 78
  Cancelled,         ///< stopped by the user (SIGINT, SIGTERM): 75
};

/// Thrown by I/O, store and configuration code. `what()` is one sentence for the user: what, where, what to do.
/// It never holds a secret.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, Scope scope, Retry retry, const std::string& message)
      : std::runtime_error(message), kind_(kind), scope_(scope), retry_(retry) {}
  [[nodiscard]] ErrorKind kind() const { return kind_; }
  [[nodiscard]] Scope scope() const { return scope_; }
  [[nodiscard]] Retry retry() const { return retry_; }

 private:
  ErrorKind kind_;
  Scope scope_;
  Retry retry_;
};

}  // namespace mailbraid::mailstore
