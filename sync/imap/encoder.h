// How commands are written (RFC 9051 section 9). The only place that knows the spelling of one. Internal to sync/imap.
#pragma once

#include "sync/imap/commands.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::sync::imap {

/// Which literals need not wait for the server (RFC 7888).
enum class LiteralMode : std::uint8_t {
  Synchronising,  ///< each waits for "+"
  Minus,          ///< LITERAL-: up to 4096 octets need not wait
  Plus,           ///< LITERAL+: none waits
};
enum class Utf8Quoting : std::uint8_t { Refused, Allowed /* after ENABLE UTF8=ACCEPT or IMAP4rev2 */ };
enum class InitialResponse : std::uint8_t { Later, WithCommand /* SASL-IR */ };

struct EncodeContext {
  LiteralMode literals = LiteralMode::Synchronising;
  Utf8Quoting utf8 = Utf8Quoting::Refused;
  InitialResponse initialResponse = InitialResponse::Later;
};

/// A command as octets, cut where the server has to say "+" before the next piece may be sent.
struct EncodedCommand {
  std::vector<std::string> pieces;
  /// Behind piece `piece` the caller supplies so many octets of a literal, at once or after "+".
  struct Owed {
    std::size_t piece = 0;
    std::uint64_t octets = 0;
    LiteralMode mode = LiteralMode::Plus;  ///< Synchronising: after "+"
  };
  std::vector<Owed> owed;
  std::string redacted;      ///< for a trace; empty when the pieces hold no secret
  std::string_view problem;  ///< why it cannot be written, static text; then there are no pieces
};

EncodedCommand encode(std::string_view tag, const Command& command, const EncodeContext& context);

}  // namespace mailbraid::sync::imap
