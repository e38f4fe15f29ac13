// What a POP3 server says, as values.
#pragma once

#include "mailstore/types/ids.h"
#include "sync/pop3/capabilities.h"
#include "sync/pop3/command.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace mailbraid::sync::pop3 {

/// Counts the commands of a connection from 1.
using CommandId = std::uint64_t;

/// `[...]` at the start of a reply's text (RFC 2449 section 8, 3206, 6856).
enum class ResponseCode : std::uint8_t { None, InUse, LoginDelay, SysTemp, SysPerm, Auth, Utf8, Other };

/// The first line of a connection.
struct Greeting {
  bool ok = false;
  std::string timestamp;  ///< for APOP, `<` and `>` included; empty: the server does not offer it
  ResponseCode code = ResponseCode::None;
  std::string text;  ///< without the response code; control characters are replaced
};

/// The status line of a command; every command gets exactly one, in the order of sending. After a +OK, multi-line
/// replies go on: CAPA to CapaDone, LIST and UIDL to ListingEnd, RETR and TOP to BodyEnd.
struct Reply {
  CommandId id = 0;
  bool ok = false;
  ResponseCode code = ResponseCode::None;
  std::string text;
};

struct CapaDone {
  CommandId id = 0;
  Capabilities capabilities;
};
struct ListItem {
  MessageNumber number = 0;
  std::uint64_t size = 0;
};
/// An empty uidl: there is one, but it is longer than the limit or has characters outside 0x21 to 0x7E.
struct UidlItem {
  MessageNumber number = 0;
  mailstore::Uidl uidl;
};
struct ListingEnd {
  CommandId id = 0;
  std::size_t items = 0;
  std::size_t unreadable = 0;  ///< lines that were left out; then the listing is no evidence of absence
};

/// Octets of the message with the dot-stuffing undone; a view into the client, valid until the next call of it.
struct BodyChunk {
  CommandId id = 0;
  std::string_view octets;
};
/// The message is complete. Its last CRLF, the one before the final dot, is part of it (RFC 1939 section 3).
struct BodyEnd {
  CommandId id = 0;
  std::uint64_t size = 0;  ///< sum of the chunks
};

/// AUTH goes on: `text` is the server's challenge, still in base64.
struct Continuation {
  CommandId id = 0;
  std::string text;
};

/// A -ERR that answers no command: servers say goodbye so (time-out, shutdown).
struct Notice {
  ResponseCode code = ResponseCode::None;
  std::string text;
};

/// The server said something that is not POP3. The connection is of no more use; nothing comes after it.
struct Malformed {
  std::uint64_t offset = 0;  ///< octets since the connection (or TLS) began
  std::string reason;
};

/// The last event after endOfInput(). A message or listing without its BodyEnd or ListingEnd is not one.
struct Closed {
  enum class Within : std::uint8_t { Nothing, Line, Listing, Body };
  Within within = Within::Nothing;
  std::size_t unanswered = 0;  ///< commands without a complete reply
};

using Event = std::variant<Greeting, Reply, CapaDone, ListItem, UidlItem, ListingEnd, BodyChunk, BodyEnd, Continuation,
                           Notice, Malformed, Closed>;

}  // namespace mailbraid::sync::pop3
