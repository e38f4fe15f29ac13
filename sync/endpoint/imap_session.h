// One IMAP connection: the sans-I/O client driven over a transport, from the greeting to the login.
#pragma once

#include "sync/endpoint/endpoint.h"
#include "sync/endpoint/restraint.h"
#include "sync/imap/client.h"
#include "sync/imap/deflate.h"
#include "sync/net/transport.h"
#include "sync/sasl/exchange.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::sync::endpoint {

/// In octets. A command line that every server takes (RFC 7162 section 4 asks for 8000).
inline constexpr std::size_t kLongestSet = 7000;

/// Owns the connection. One thread. Every failure is an Error that names the endpoint's server; scope connection when a
/// new connection may help, scope endpoint when only the user can.
class ImapSession {
 public:
  using Handler = std::function<void(const imap::Event&)>;

  ImapSession(const EndpointSettings& settings, const Environment& environment,
              std::shared_ptr<net::TlsSessionCache> cache, Restraint& restraint);
  ~ImapSession();
  ImapSession(const ImapSession&) = delete;
  ImapSession& operator=(const ImapSession&) = delete;

  /// Connects, STARTTLS where asked for, logs in; capabilities are known afterwards.
  void open();
  imap::CommandId send(imap::Command command);
  /// Writes what is pending, reads one block and hands its events to `handler`; CommandDone included.
  void pump(const Handler& handler);
  /// Writes what is pending, and hands on what is read meanwhile: a server that answers while nobody reads would stop
  /// reading, too.
  void drain(const Handler& handler);
  /// Pumps until no command is unfinished. Throws Error when the command `mustSucceed` did not.
  void finish(const Handler& handler);
  /// Turns COMPRESS on; no command may be unfinished. False when the server would not.
  bool compress(const Handler& handler);
  /// LOGOUT without waiting, and the end of the line.
  void close() noexcept;

  /// False when there never was a connection: then the server is not known, neither client() nor capabilities().
  [[nodiscard]] bool connected() const { return client_ != nullptr; }
  [[nodiscard]] const imap::Client& client() const { return *client_; }
  [[nodiscard]] imap::Client& client() { return *client_; }
  [[nodiscard]] const imap::Capabilities& capabilities() const { return client_->capabilities(); }
  [[nodiscard]] bool compressed() const { return inflater_ != nullptr; }
  [[nodiscard]] Restraint& restraint() { return restraint_; }
  [[nodiscard]] WireTotals totals() const;
  [[nodiscard]] std::string describeConnection() const;
  [[nodiscard]] const std::string& mechanism() const { return mechanism_; }
  [[nodiscard]] const std::string& greeting() const { return greeting_; }

  [[noreturn]] void fail(mailstore::ErrorKind kind, mailstore::Scope scope, mailstore::Retry retry,
                         const std::string& what) const;

 private:
  void awaitGreeting();
  void secure();
  void login();
  void loginWithPassword();
  void authenticate(sasl::Mechanism mechanism);
  /// Runs one command to its end and returns how it ended (code, text).
  struct Outcome {
    imap::CommandResult result = imap::CommandResult::Ok;
    imap::ResponseCodeKind code = imap::ResponseCodeKind::None;
    std::string text;
  };
  Outcome command(imap::Command command, const Handler& extra = {});
  [[noreturn]] void refuseLogin(const Outcome& outcome, const std::string& reason) const;
  /// Throws when the server says that it has had too much of us.
  void giveWayIfAsked(imap::ResponseCodeKind code, std::string_view text, Moment moment, const std::string& what) const;
  /// Writes what fits; true when nothing is left.
  bool writePending();
  bool readBlock(const Handler& handler, std::optional<std::size_t> count);
  void dispatch(std::string_view block, const Handler& handler);
  void common(const imap::Event& event);
  void trace(char direction, std::string_view text) const;

  const EndpointSettings& settings_;
  const Environment& environment_;
  std::shared_ptr<net::TlsSessionCache> cache_;
  Restraint& restraint_;
  std::unique_ptr<net::Transport> transport_;
  std::unique_ptr<imap::Client> client_;
  std::unique_ptr<imap::Inflater> inflater_;
  std::unique_ptr<imap::Deflater> deflater_;
  std::vector<char> block_;
  std::string compressed_;  ///< output behind the Deflater that is not written yet
  std::string mechanism_;
  std::string greeting_;
  std::string bye_;
  std::uint64_t contentIn_ = 0;
  std::uint64_t contentOut_ = 0;
  bool loggingOut_ = false;
};

}  // namespace mailbraid::sync::endpoint
