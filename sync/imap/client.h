// The IMAP client: octets in, events out; commands in, octets out. No socket, no clock, no thread (RFC 9051, RFC 3501).
//
//   client.receive(block);
//   while (const auto event = client.nextEvent()) std::visit(handler, *event);   // all of it, before the next block is
//   read while (!client.pendingOutput().empty()) client.consumeOutput(transport.write(client.pendingOutput()));
//
// Memory: an unfinished line or a response with gathered literals, within Limits, and commands not yet written. Bodies
// of messages are never held.
#pragma once

#include "sync/imap/capabilities.h"
#include "sync/imap/commands.h"
#include "sync/imap/events.h"
#include "sync/imap/limits.h"
#include "sync/imap/mailbox_name.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mailbraid::sync::imap {

enum class SessionState : std::uint8_t { BeforeGreeting, NotAuthenticated, Authenticated, Selected, LoggedOut };

/// What is known of the selected mailbox, or of the one whose SELECT or EXAMINE is being answered.
struct SelectedMailbox {
  std::string mailbox;  ///< wire name
  SelectMode mode = SelectMode::ReadOnly;
  std::optional<std::uint32_t> exists;
  std::optional<mailstore::UidValidity> uidValidity;
  std::optional<mailstore::Uid> uidNext;           ///< servers may leave it out, or say 0: then it is not here
  std::optional<mailstore::ModSeq> highestModSeq;  ///< none: not told, or NOMODSEQ
  bool noModSeq = false;
  bool uidNotSticky = false;
  std::string mailboxId;
  std::optional<mailstore::Flags> permanentFlags;
  NewKeywords newKeywords = NewKeywords::Refused;
};

/// Not thread-safe. Never throws for what a server sends (std::bad_alloc aside).
class Client {
 public:
  explicit Client(const Limits& limits = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Queues a command; it is encoded as soon as the pipelining rules allow. Its CommandDone always comes, unless the
  /// connection ends.
  CommandId send(Command command);
  /// Octets of an APPEND's message that was sent without them, in order; of no more than owedOctets() at once. Nothing
  /// else is sent before all of them are there.
  void supply(std::string_view octets);
  /// How many octets supply() may be given now: 0 when no message waits for them, or the server has not said "+" yet.
  [[nodiscard]] std::uint64_t owedOctets() const;
  /// The answer to a Continuation, base64; "*" cancels the AUTHENTICATE. It is wiped when it has been written.
  void respond(std::string_view base64);

  /// Gives it a block of any size, split anywhere. The block must stay in place, unchanged, until nextEvent() returned
  /// nothing. (Given earlier, the unread rest is copied.)
  void receive(std::string_view octets);
  /// The next event; nothing when more input is needed, after a fatal Malformed, and while the client is stopped.
  std::optional<Event> nextEvent();

  /// Octets to write now; empty when there are none, or when the server has to ask for a literal first. Valid until the
  /// next call of anything but the const functions.
  [[nodiscard]] std::string_view pendingOutput() const;
  void consumeOutput(std::size_t count);
  /// pendingOutput() for a protocol trace: what LOGIN and AUTHENTICATE carry is left out.
  [[nodiscard]] std::string redactedOutput() const;

  /// True from the OK to STARTTLS until forgetPlaintextState(), and from the OK to COMPRESS until
  /// takeUnprocessedInput().
  [[nodiscard]] bool stopped() const;
  /// True when octets were received that no event covers. When it is true while stopped after STARTTLS, somebody put
  /// them there: close the connection (RFC 9051 section 6.2.1).
  [[nodiscard]] bool hasUnprocessedInput() const;
  /// After STARTTLS: drops capabilities and all else that was told in the clear, and goes on.
  void forgetPlaintextState();
  /// After COMPRESS: what was received behind the OK, which is compressed; it goes into the Inflater. The client goes
  /// on.
  std::string takeUnprocessedInput();

  [[nodiscard]] SessionState state() const;
  /// Empty when they are not known: before the server told them, after STARTTLS, and after a LOGIN or AUTHENTICATE
  /// whose answer did not tell them again. Then send Capability.
  [[nodiscard]] const Capabilities& capabilities() const;
  /// True after the server answered ENABLE with it.
  [[nodiscard]] bool isEnabled(std::string_view capability) const;
  [[nodiscard]] NameEncoding nameEncoding() const;
  /// Null when no mailbox is selected or being selected.
  [[nodiscard]] const SelectedMailbox* selected() const;
  /// Commands queued or sent and not done.
  [[nodiscard]] std::size_t unfinishedCommands() const;
  /// True after a fatal Malformed.
  [[nodiscard]] bool failed() const;

 private:
  class Session;
  std::unique_ptr<Session> session_;
};

}  // namespace mailbraid::sync::imap
