// Text from mail and servers made fit for JSON and for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mailbraid::cli {

/// One code point of UTF-8 and the octets it takes; `valid` false: one octet that is not UTF-8 (RFC 3629).
struct CodePoint {
  char32_t value = 0;
  std::size_t octets = 0;
  bool valid = false;
};
/// The code point that `text` (not empty) begins with.
CodePoint firstCodePoint(std::string_view text);

/// Valid UTF-8: each octet that is not becomes U+FFFD.
std::string validUtf8(std::string_view text);

/// For one line on a terminal: control characters (C0, DEL, C1), line and paragraph separators and the marks that turn
/// the direction of text become a visible "·"; tabs and line ends become a space; invalid octets U+FFFD.
std::string harmlessLine(std::string_view text);
/// The same for text of many lines: LF and tab stay, CRLF becomes LF.
std::string harmlessText(std::string_view text);

/// Columns on a terminal: 0 for combining marks, 2 for East Asian wide characters and emoji, else 1.
std::size_t displayWidth(std::string_view text);
/// Cut to at most `columns`, with "…" as the last one when something was cut.
std::string cutToWidth(std::string_view text, std::size_t columns);
/// Cut and padded with spaces to exactly `columns`.
std::string paddedToWidth(std::string_view text, std::size_t columns);

}  // namespace mailbraid::cli
