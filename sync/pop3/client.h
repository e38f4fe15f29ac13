// The POP3 client without I/O (RFC 1939): octets in, events out; commands in, octets out.
#pragma once

#include "sync/pop3/body.h"
#include "sync/pop3/command.h"
#include "sync/pop3/event.h"
#include "sync/pop3/quirks.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace mailbraid::sync::pop3 {

/// Bounds on what a server may send. Bodies stream and need none to keep memory small; theirs stops an endless one.
struct Limits {
  std::size_t line = 8192;        ///< octets of a status or listing line
  std::size_t items = 2'000'000;  ///< lines of a LIST or UIDL, and the highest message number
  std::size_t uidl = 512;         ///< characters of a unique-id; RFC 1939 allows 70
  std::size_t capabilityLines = 200;
  std::uint64_t body = 4ULL << 30U;  ///< octets of one message
};

/// One connection. Not thread-safe. Nothing that a server sends makes it throw.
///
///     client.receive(octets);
///     while (auto event = client.nextEvent()) ...      // to the end, before the next receive()
///     write(client.pendingOutput()); client.consumeOutput(written);
///
/// It does not judge when a command may be sent: Session does (pipelining, states).
class Client {
 public:
  explicit Client(Limits limits = {}) : limits_(limits) {}

  /// Appends the command to the output. Empty when it cannot be said in POP3 (see encode()); then nothing is sent.
  std::optional<CommandId> send(const Command& command);
  /// Answers a Continuation, in base64; an empty one is an empty line. `*` cancels (RFC 5034 section 4).
  void sendContinuation(std::string_view text);

  void receive(std::string_view octets);
  /// The peer has closed: after what is left to parse comes Closed.
  void endOfInput() { ended_ = true; }
  std::optional<Event> nextEvent();

  [[nodiscard]] std::string_view pendingOutput() const { return std::string_view(output_).substr(sent_); }
  /// True when a password, token or digest is in pendingOutput(): not for a protocol trace.
  [[nodiscard]] bool outputIsSecret() const { return outputHasSecret_; }
  /// Forgets octets that are written, and wipes them where a secret was among them.
  void consumeOutput(std::size_t octets);

  /// Octets that are received and that no event covers.
  [[nodiscard]] std::string_view unread() const { return std::string_view(input_).substr(at_); }
  /// After the TLS handshake that follows the +OK of STLS: goes on as if the connection began, without a greeting. Who
  /// calls it has refused unread() octets before (RFC 2595 section 4; CVE-2011-0411); they are dropped here.
  void tlsEstablished();

  [[nodiscard]] std::size_t inFlight() const { return inFlight_.size(); }
  [[nodiscard]] const QuirkSet& quirks() const { return quirks_; }

 private:
  enum class State : std::uint8_t { Greeting, Status, Listing, Body, Broken };
  struct InFlight {
    CommandId id;
    ReplyShape shape;
    bool auth;
  };

  std::optional<Event> parse();
  std::optional<Event> parseLine();
  std::optional<Event> parseBody();
  std::optional<Event> onGreeting(std::string_view line);
  std::optional<Event> foreignGreeting();
  std::optional<Event> onStatus(std::string_view line);
  std::optional<Event> onListingLine(std::string_view line);
  std::optional<Event> onListItem(std::string_view line);
  std::optional<Event> onUidlItem(std::string_view line);
  Event endListing();
  Event malformed(std::string reason);
  Event closed();
  /// The next whole line without its end; empty while it has not come. Sets `tooLong` when it never will.
  std::optional<std::string_view> takeLine(bool& tooLong);
  void append(std::string_view octets);
  void noteSpacing(std::size_t spaces) {
    if (spaces > 1) quirks_.add(Quirk::PaddedListing);
  }

  Limits limits_;
  State state_ = State::Greeting;
  LineEnding ending_ = LineEnding::CrLf;
  bool ended_ = false;
  QuirkSet quirks_;

  std::string input_;
  std::size_t at_ = 0;       ///< octets of input_ dealt with
  std::size_t scanned_ = 0;  ///< octets of input_ without an end of line
  std::size_t lineStart_ = 0;
  std::uint64_t dropped_ = 0;

  std::string output_;
  std::size_t sent_ = 0;
  bool outputHasSecret_ = false;

  CommandId lastId_ = 0;
  std::deque<InFlight> inFlight_;
  Capabilities capabilities_;
  std::size_t lines_ = 0;
  std::size_t unreadable_ = 0;
  BodyDecoder body_{LineEnding::CrLf};
  std::uint64_t bodySize_ = 0;
  bool bodyTooLong_ = false;
};

}  // namespace mailbraid::sync::pop3
