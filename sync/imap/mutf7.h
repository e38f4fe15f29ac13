// Modified UTF-7, the encoding of mailbox names (RFC 3501 section 5.1.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mailbraid::sync::imap {

/// UTF-8 of a modified UTF-7 text. Empty optional when the text is not exactly what the encoder would write: 8-bit
/// octets, control characters, bad base64, unpaired surrogates, needless or unfinished shifts. So decoding is one to
/// one.
std::optional<std::string> decodeMutf7(std::string_view text);

/// Modified UTF-7 of a UTF-8 text; empty optional when `utf8` is not valid UTF-8.
std::optional<std::string> encodeMutf7(std::string_view utf8);

/// True when `text` is well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF).
bool isUtf8(std::string_view text);

}  // namespace mailbraid::sync::imap
