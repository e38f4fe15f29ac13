// POP3 commands as values and their one encoder (RFC 1939, 2449, 2595, 5034, 6856).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace mailbraid::sync::pop3 {

/// A message's number in this session (RFC 1939 section 4), from 1. It means nothing in another session.
using MessageNumber = std::uint32_t;

// A view in a command never outlives the call that it is given to: secrets are not copied into values.
struct Capa {};
struct Stls {};
struct User {
  std::string_view name;
};
struct Pass {
  std::string_view password;
};
struct Apop {
  std::string_view name;
  std::string_view digest;  ///< 32 hexadecimal digits
};
/// `initialResponse` in base64 (RFC 5034 section 4); an empty one is sent as `=`; none: the server asks first.
struct Auth {
  std::string_view mechanism;
  std::optional<std::string_view> initialResponse;
};
struct Utf8 {};
struct Stat {};
struct List {};
struct Uidl {};
struct Top {
  MessageNumber number = 0;
  std::uint32_t lines = 0;
};
struct Retr {
  MessageNumber number = 0;
};
struct Dele {
  MessageNumber number = 0;
};
struct Rset {};
struct Noop {};
struct Quit {};

using Command =
    std::variant<Capa, Stls, User, Pass, Apop, Auth, Utf8, Stat, List, Uidl, Top, Retr, Dele, Rset, Noop, Quit>;

/// What follows a +OK.
enum class ReplyShape : std::uint8_t { Line, CapaLines, SizeLines, UidlLines, Body };

struct CommandFacts {
  std::string_view verb;
  ReplyShape shape;
  bool carriesSecret;
};
/// In the order of the variant.
const CommandFacts& factsOf(const Command& command);

/// The line with its CRLF; empty optional when an argument cannot be said in POP3: it has a control character (it could
/// smuggle in a command) or is empty, or a name has a space.
std::optional<std::string> encode(const Command& command);

/// What a protocol trace shows: the line without CRLF, secrets as `***`.
std::string redacted(const Command& command);

}  // namespace mailbraid::sync::pop3
