// The way of a POP3 session without I/O: greeting, STLS, CAPA, login, listing, messages, QUIT (RFC 1939 section 3).
#pragma once

#include "sync/pop3/client.h"
#include "sync/pop3/listing.h"
#include "sync/pop3/pipeline.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace mailbraid::sync::pop3 {

enum class TlsUpgrade : std::uint8_t { None, Stls };

// Events. After each that says "wanted" the session waits for the call that it names.
struct TlsWanted {};       ///< do the handshake (unread() must be empty), then tlsEstablished()
struct LoginWanted {};     ///< capabilities() and timestamp() are known: authenticate(), apop() or user()
struct PasswordWanted {};  ///< USER was accepted: password()
struct Challenge {
  std::string text;  ///< base64: answer() or cancelLogin()
};
/// The login failed; after it the same as after LoginWanted, or quit().
struct LoginRefused {
  ResponseCode code = ResponseCode::None;
  std::string text;
  /// False when the server says that it has nothing to do with the credentials ([IN-USE], [LOGIN-DELAY], [SYS/...]).
  bool credentials = true;
};
struct LoggedIn {};  ///< requestListing(), or messages by number
struct ListingDone {
  Listing listing;
};
/// A message begins, goes on, ends. `octets` is valid until the next call. A message without MessageEnd is not one.
struct MessageBegin {
  MessageNumber number = 0;
};
struct MessageOctets {
  MessageNumber number = 0;
  std::string_view octets;
};
struct MessageEnd {
  MessageNumber number = 0;
  std::uint64_t size = 0;
};
/// -ERR to RETR, TOP or DELE.
struct MessageRefused {
  MessageNumber number = 0;
  ResponseCode code = ResponseCode::None;
  std::string text;
};
/// +OK to DELE. It counts only when QUIT is accepted, too (RFC 1939 section 6).
struct MessageMarked {
  MessageNumber number = 0;
};
struct QuitDone {
  bool ok = false;  ///< false: some deletions were not carried out
  std::string text;
};
/// The session is over.
struct Failure {
  enum class Kind : std::uint8_t {
    Protocol,   ///< what the server says is not POP3
    NoTls,      ///< STLS was refused
    Temporary,  ///< the server says not now
    Bye,        ///< the server ended the session with a -ERR nobody asked for
    Closed,     ///< the connection ended
  };
  Kind kind = Kind::Closed;
  std::string reason;  ///< a sentence without a full stop
};

using SessionEvent =
    std::variant<TlsWanted, LoginWanted, PasswordWanted, Challenge, LoginRefused, LoggedIn, ListingDone, MessageBegin,
                 MessageOctets, MessageEnd, MessageRefused, MessageMarked, QuitDone, Failure>;

/// One session. Not thread-safe, never throws for what a server sends. I/O as with Client:
///
///     session.receive(octets);
///     while (auto event = session.nextEvent()) ...
///     write(session.pendingOutput()); session.consumeOutput(written);
///
/// Round trips after the greeting: CAPA, login, then STAT, UIDL and LIST in one flight where the server has PIPELINING,
/// then messages in flights of PipelineWindow. Servers without PIPELINING, or without CAPA, get one command at a time.
class Session {
 public:
  explicit Session(TlsUpgrade tls, Limits limits = {}, WindowLimits window = {});

  void receive(std::string_view octets) { client_.receive(octets); }
  void endOfInput() { client_.endOfInput(); }
  std::optional<SessionEvent> nextEvent();
  [[nodiscard]] std::string_view pendingOutput() const { return client_.pendingOutput(); }
  [[nodiscard]] bool outputIsSecret() const { return client_.outputIsSecret(); }
  void consumeOutput(std::size_t octets) { client_.consumeOutput(octets); }
  [[nodiscard]] std::string_view unread() const { return client_.unread(); }

  void tlsEstablished();

  // Each returns false, and sends nothing, when the argument cannot be said in POP3 (control characters).
  bool authenticate(std::string_view mechanism, std::optional<std::string_view> initialResponse);
  bool apop(std::string_view name, std::string_view digest);
  bool user(std::string_view name);
  bool password(std::string_view password);
  void answer(std::string_view base64) { client_.sendContinuation(base64); }
  void cancelLogin() { client_.sendContinuation("*"); }

  void requestListing();
  /// `expectedSize`: of LIST, for the window; 0 when unknown.
  void requestMessage(MessageNumber number, std::uint64_t expectedSize);
  /// The header and the empty line: TOP n 0.
  void requestHeader(MessageNumber number);
  void requestDeletion(MessageNumber number);
  void requestQuit();
  /// Requests without a complete answer.
  [[nodiscard]] std::size_t unanswered() const { return waiting_.size() + flight_.size(); }

  [[nodiscard]] const std::string& greeting() const { return greeting_; }
  /// For APOP; empty: the server does not offer it. After STLS it is gone: a greeting in the clear binds nothing.
  [[nodiscard]] const std::string& timestamp() const { return timestamp_; }
  [[nodiscard]] const Capabilities& capabilities() const { return capabilities_; }
  [[nodiscard]] const QuirkSet& quirks() const;
  /// False once TOP was refused as a command: then headers come from whole messages only.
  [[nodiscard]] bool topWorks() const { return !quirks_.has(Quirk::NoTop); }

 private:
  struct Request {
    Command command;  ///< without its text arguments
    std::uint64_t expected = 0;
  };

  void ask(const Command& command, std::uint64_t expected = 0);
  void fill();
  bool say(const Command& command);
  std::optional<SessionEvent> on(Greeting& event);
  std::optional<SessionEvent> on(Reply& event);
  std::optional<SessionEvent> on(CapaDone& event);
  std::optional<SessionEvent> on(ListItem& event);
  std::optional<SessionEvent> on(UidlItem& event);
  std::optional<SessionEvent> on(ListingEnd& event);
  std::optional<SessionEvent> on(BodyChunk& event);
  std::optional<SessionEvent> on(BodyEnd& event);
  std::optional<SessionEvent> on(Continuation& event);
  std::optional<SessionEvent> on(Notice& event);
  std::optional<SessionEvent> on(Malformed& event);
  std::optional<SessionEvent> on(Closed& event);
  std::optional<SessionEvent> onLoginReply(Reply& event);
  std::optional<SessionEvent> onStat(const Reply& event);
  std::optional<SessionEvent> onMessageReply(Reply& event, MessageNumber number);
  std::optional<SessionEvent> afterCapa();
  std::optional<SessionEvent> listingPartDone();
  [[nodiscard]] MessageNumber currentNumber() const;
  Request finished();
  SessionEvent fail(Failure::Kind kind, std::string reason);

  Client client_;
  TlsUpgrade tls_;
  PipelineWindow window_;
  std::deque<Request> waiting_;
  std::deque<Request> flight_;
  bool loggedIn_ = false;
  bool over_ = false;
  std::string greeting_;
  std::string timestamp_;
  Capabilities capabilities_;
  mutable QuirkSet quirks_;
  ListingReplies replies_;
  int listingParts_ = 0;  ///< replies that are still missing of STAT, UIDL and LIST
};

}  // namespace mailbraid::sync::pop3
