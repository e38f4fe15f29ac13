// Scripted sessions: what the client must send, what the server says, which events come of it.
#pragma once

#include "sync/imap/client.h"

#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::tests {

/// An event in one line of text, for comparison: "Exists 5", "BodyChunk hello" ... Chunks of one body are joined by
/// eventTexts().
std::string describe(const sync::imap::Event& event);

/// All events that are there now; chunks of a body that follow each other are one line.
std::vector<std::string> drain(sync::imap::Client& client);

/// All octets that the client would write now; they count as written.
std::string takeOutput(sync::imap::Client& client);

/// The server's greeting announces these, and PREAUTH.
struct LoggedIn {
  std::string_view capabilities;
};

/// A conversation in two verbs. A wrong send fails the test.
class Script {
 public:
  explicit Script(const sync::imap::Limits& limits = {}) : client_(limits) {}
  explicit Script(LoggedIn loggedIn, const sync::imap::Limits& limits = {});

  sync::imap::Client& client() { return client_; }
  /// The client writes exactly this now. Lines end in CRLF by themselves.
  void clientSends(std::string_view expected);
  /// The server says `octets` as they are; the events it makes.
  std::vector<std::string> serverSays(std::string_view octets);

 private:
  sync::imap::Client client_;
};

/// The events of `wire` said to a client in the state that `prepare` leaves it in.
using Prepare = void (*)(sync::imap::Client&);
std::vector<std::string> eventsOf(std::string_view wire, Prepare prepare, const sync::imap::Limits& limits = {});

/// Checks that `wire` gives `expected` whole, octet by octet and cut in two at every place.
void checkAtEverySplit(std::string_view wire, const std::vector<std::string>& expected, Prepare prepare,
                       const sync::imap::Limits& limits = {});

/// Prepared clients: after an ordinary greeting; logged in by PREAUTH.
void greeted(sync::imap::Client& client);
void authenticated(sync::imap::Client& client);

}  // namespace mailbraid::tests
