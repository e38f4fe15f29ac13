// A server's words, and amounts, in our sentences and traces.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mailbraid::sync::endpoint {

/// The text as one line that cannot drive a terminal or forge a log line: control characters become spaces, and it is
/// not endless.
inline std::string quoted(std::string_view text) {
  constexpr std::size_t kLongest = 200;
  std::string out;
  for (const char c : text.substr(0, kLongest)) out += static_cast<unsigned char>(c) < 0x20U || c == 0x7F ? ' ' : c;
  return out;
}

/// "1,234 messages", "1 message".
inline std::string messagesInWords(std::uint64_t count) {
  std::string out = std::to_string(count);
  for (std::size_t at = out.size(); at > 3;) out.insert(at -= 3, 1, ',');
  return out + (count == 1 ? " message" : " messages");
}

/// "500 MB", "1.2 kB": powers of 1000.
inline std::string sizeInWords(std::uint64_t octets) {
  constexpr std::array<std::string_view, 5> kUnits{" B", " kB", " MB", " GB", " TB"};
  std::size_t unit = 0;
  std::uint64_t tenths = octets;
  for (std::uint64_t whole = octets; whole >= 1000 && unit + 1 < kUnits.size(); whole /= 1000, ++unit) {
    tenths = whole / 100;
  }
  if (unit == 0) return std::to_string(octets) + std::string(kUnits[0]);
  std::string out = std::to_string(tenths / 10);
  if (tenths % 10 != 0) out += "." + std::to_string(tenths % 10);
  return out + std::string(kUnits[unit]);
}

}  // namespace mailbraid::sync::endpoint
