#include "mailstore/message_repair.h"

#include "mailstore/header_fields.h"

#include <algorithm>
#include <utility>

namespace mailbraid::mailstore {
namespace {

bool isEightBit(char c) {
  return static_cast<unsigned char>(c) > 0x7F;
}

bool hasEightBit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), isEightBit);
}

/// The length of the UTF-8 character that begins here; 0: none does.
std::size_t characterLength(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xC2 && first < 0xE0 ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) return 0;
  }
  return length;
}

bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = characterLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void appendQ(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto octet = static_cast<unsigned char>(c);
  const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  if (plain) {
    out += c;
  } else if (c == ' ') {
    out += '_';
  } else {
    out += '=';
    out += kDigits[octet >> 4U];
    out += kDigits[octet & 0xFU];
  }
}

/// RFC 2047 section 2: no encoded word is longer than 75 octets, none splits a character.
std::string encodedWords(std::string_view text) {
  constexpr std::size_t kMost = 60;
  const bool utf8 = isUtf8(text);
  const std::string begins = utf8 ? "=?utf-8?Q?" : "=?iso-8859-1?Q?";
  std::string out;
  std::string word;
  const auto close = [&] {
    if (word.empty()) return;
    out += (out.empty() ? "" : " ") + begins + word + "?=";
    word.clear();
  };
  while (!text.empty()) {
    const std::size_t length = utf8 ? characterLength(text) : 1;
    std::string piece;
    for (const char c : text.substr(0, length)) appendQ(piece, c);
    if (word.size() + piece.size() > kMost) close();
    word += piece;
    text.remove_prefix(length);
  }
  close();
  return out;
}

/// A run that is encoded as a whole: a quoted string, or what stands between blanks and the marks of addresses.
std::size_t tokenLength(std::string_view text) {
  if (text.front() == '"') {
    for (std::size_t i = 1; i < text.size() && text[i] != '\n'; ++i) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == '"') {
        return i + 1;
      }
    }
  }
  constexpr std::string_view kEnds = " \t\r\n<>()[],;:\"";
  return std::max<std::size_t>(std::min(text.find_first_of(kEnds), text.size()), 1);
}

std::string unquoted(std::string_view token) {
  std::string out;
  for (std::size_t i = 1; i + 1 < token.size(); ++i) {
    if (token[i] == '\\' && i + 2 < token.size()) ++i;
    out += token[i];
  }
  return out;
}

std::string plainText(std::string_view token) {
  const bool isQuoted = token.size() > 1 && token.front() == '"' && token.back() == '"';
  return isQuoted ? unquoted(token) : std::string(token);
}

/// Takes the next token that has 8-bit octets, and those behind it that only blanks part from it: between two encoded
/// words blanks do not count (RFC 2047 section 6.2). None: an address, which no encoding helps.
std::optional<std::string> takeText(std::string_view& header) {
  std::string text;
  while (true) {
    const std::string_view token = header.substr(0, tokenLength(header));
    if (token.find('@') != std::string_view::npos) return std::nullopt;
    text += plainText(token);
    header.remove_prefix(token.size());
    const std::size_t blanks = std::min(header.find_first_not_of(" \t"), header.size());
    const std::string_view rest = header.substr(blanks);
    if (blanks == 0 || rest.empty() || !hasEightBit(rest.substr(0, tokenLength(rest)))) return text;
    text += header.substr(0, blanks);
    header = rest;
  }
}

std::optional<std::string> withEncodedHeader(std::string_view octets) {
  const std::size_t length = HeaderEnd().feed(octets);
  std::string_view header = octets.substr(0, length);
  if (!hasEightBit(header)) return std::nullopt;
  std::string out;
  while (!header.empty()) {
    const std::string_view token = header.substr(0, tokenLength(header));
    if (!hasEightBit(token)) {
      out += token;
      header.remove_prefix(token.size());
      continue;
    }
    const std::optional<std::string> text = takeText(header);
    if (!text) return std::nullopt;
    out += encodedWords(*text);
  }
  return out.append(octets.substr(length));
}

std::optional<std::string> withoutNul(std::string_view octets) {
  if (octets.find('\0') == std::string_view::npos) return std::nullopt;
  std::string out(octets);
  std::erase(out, '\0');
  return out;
}

std::optional<std::string> withWholeNewlines(std::string_view octets) {
  std::string out;
  out.reserve(octets.size());
  bool changed = false;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const char c = octets[i];
    const bool isPair = c == '\r' && i + 1 < octets.size() && octets[i + 1] == '\n';
    if (isPair) ++i;
    changed = changed || (!isPair && (c == '\r' || c == '\n'));
    if (c == '\r' || c == '\n') {
      out += "\r\n";
    } else {
      out += c;
    }
  }
  if (!changed) return std::nullopt;
  return out;
}

}  // namespace

std::string Repairs::names() const {
  std::string out;
  for (std::size_t i = 0; i < kRepairNames.size(); ++i) {
    if (!has(static_cast<Repair>(i))) continue;
    out += (out.empty() ? "" : ", ") + std::string(kRepairNames[i]);
  }
  return out;
}

std::optional<std::string> repaired(std::string_view octets, Repair repair) {
  switch (repair) {
    case Repair::Nul:
      return withoutNul(octets);
    case Repair::EightBit:
      return withEncodedHeader(octets);
    case Repair::BareNewline:
      return withWholeNewlines(octets);
    case Repair::Date:
      break;
  }
  return std::nullopt;
}

std::string repaired(std::string_view octets, const Repairs& repairs) {
  std::string out(octets);
  for (std::size_t i = 0; i < kRepairNames.size(); ++i) {
    if (!repairs.has(static_cast<Repair>(i))) continue;
    if (auto mended = repaired(out, static_cast<Repair>(i))) out = std::move(*mended);
  }
  return out;
}

}  // namespace mailbraid::mailstore
