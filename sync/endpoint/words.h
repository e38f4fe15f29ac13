// A server's words in our sentences and traces.
#pragma once

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

}  // namespace mailbraid::sync::endpoint
