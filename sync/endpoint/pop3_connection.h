// One POP3 connection: the sans-I/O session driven over a transport, from the greeting to the login.
#pragma once

#include "sync/endpoint/endpoint.h"
#include "sync/endpoint/restraint.h"
#include "sync/net/transport.h"
#include "sync/pop3/session.h"
#include "sync/sasl/exchange.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::sync::endpoint {

/// Owns the connection. One thread. Every failure is an Error that names the endpoint's server; scope connection when a
/// new connection may help, scope endpoint when only the user, or time, can.
class Pop3Connection {
 public:
  using Handler = std::function<void(pop3::SessionEvent&)>;

  Pop3Connection(const EndpointSettings& settings, const Environment& environment,
                 std::shared_ptr<net::TlsSessionCache> cache, Restraint& restraint);
  ~Pop3Connection();
  Pop3Connection(const Pop3Connection&) = delete;
  Pop3Connection& operator=(const Pop3Connection&) = delete;

  /// Connects, STLS where asked for, logs in; capabilities are known afterwards.
  void open();
  /// Writes what is pending, reads one block and hands its events to `handler`.
  void pump(const Handler& handler);
  /// Pumps until every request has its whole answer.
  void finish(const Handler& handler);
  /// QUIT, and its answer: only then the server has done what it was told (RFC 1939 section 6).
  pop3::QuitDone quit();
  /// Throws when what the server says to a command means that it has had too much of us.
  void giveWayIfAsked(std::string_view said) const;
  /// QUIT without waiting, and the end of the line.
  void close() noexcept;
  /// The end of the line without QUIT: nothing is deleted.
  void abandon() noexcept;

  /// Logged in, and not left yet.
  [[nodiscard]] bool isOpen() const { return loggedIn_; }
  /// False when there never was a connection: then there is no session().
  [[nodiscard]] bool connected() const { return session_ != nullptr; }
  [[nodiscard]] pop3::Session& session() { return *session_; }
  [[nodiscard]] const pop3::Session& session() const { return *session_; }
  [[nodiscard]] WireTotals totals() const;
  [[nodiscard]] std::string describeConnection() const;
  [[nodiscard]] const std::string& mechanism() const { return mechanism_; }

  [[noreturn]] void fail(mailstore::ErrorKind kind, mailstore::Scope scope, mailstore::Retry retry,
                         const std::string& what) const;

 private:
  struct Refused {
    bool credentials = true;
    std::string reason;
    ServerLimit limit{};
  };
  /// One way to log in; empty when the server let us in.
  using Outcome = std::optional<Refused>;

  void login();
  [[nodiscard]] sasl::Choice choice() const;
  Outcome authenticate(sasl::Mechanism mechanism, const sasl::Choice& choice, const sasl::Secret& secret);
  Outcome apop(const sasl::Secret& secret);
  Outcome userAndPassword(const sasl::Secret& secret);
  Outcome awaitLogin(sasl::Exchange* exchange, const sasl::Secret& secret);
  void answer(sasl::Exchange* exchange, const pop3::Challenge& challenge, std::string& abortReason);
  [[noreturn]] void refuse(const Refused& refused) const;
  [[noreturn]] void end(const pop3::Failure& failure) const;
  pop3::SessionEvent awaitEvent();
  void write();
  void trace(char direction, std::string_view text) const;

  const EndpointSettings& settings_;
  const Environment& environment_;
  std::shared_ptr<net::TlsSessionCache> cache_;
  Restraint& restraint_;
  std::unique_ptr<net::Transport> transport_;
  std::unique_ptr<pop3::Session> session_;
  std::vector<char> block_;
  std::string mechanism_;
  bool loggedIn_ = false;
};

}  // namespace mailbraid::sync::endpoint
