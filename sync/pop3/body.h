// The octets of a multi-line reply: undoes dot-stuffing and finds the end (RFC 1939 section 3), in big pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mailbraid::sync::pop3 {

/// What ends a line on this connection: CRLF, or, for servers whose greeting ends so, a bare LF.
enum class LineEnding : std::uint8_t { CrLf, Lf };

/// The end is CRLF "." CRLF and nothing else. LF "." LF inside a message is message: whoever takes it for the end lets
/// a mail's text end the reply and speak as the server. Only where the greeting, before any mail, ended in a bare LF
/// does LF end lines and LF "." LF the reply. Bare CR, bare LF, NUL and 0xFF are ordinary octets.
class BodyDecoder {
 public:
  struct Step {
    std::string_view chunk;    ///< message octets, part of the input; may be empty
    std::size_t consumed = 0;  ///< input octets dealt with; 0: at most the 2 octets given are kept until more come
    bool end = false;
  };

  explicit BodyDecoder(LineEnding ending) : ending_(ending) {}
  /// `input` is not empty. To be called again with what it did not consume.
  Step decode(std::string_view input);

 private:
  enum class Dot : std::uint8_t { NeedsMore, Stuffed, End };
  [[nodiscard]] Dot judgeDot(std::string_view input, std::size_t& length) const;

  LineEnding ending_;
  bool atLineStart_ = true;
  bool lastWasCr_ = false;
};

}  // namespace mailbraid::sync::pop3
