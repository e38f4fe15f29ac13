#include "mailstore/header_decode.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string_view>

namespace mailbraid::mailstore {
namespace {

// More than anything that is kept of it can need: an encoded word takes at most some twelve octets a character.
constexpr std::size_t kInputFactor = 16;

bool isPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; }) &&
         text.find("=?") == std::string_view::npos;
}

std::string decodedByGMime(const std::string& text) {
  ensureGMime();
  struct Free {
    void operator()(char* memory) const { g_free(memory); }
  };
  const std::unique_ptr<char, Free> decoded(g_mime_utils_header_decode_text(nullptr, text.c_str()));
  if (decoded == nullptr) return {};
  // Where the charset lied, what is left of the original octets is replaced.
  const std::unique_ptr<char, Free> valid(g_utf8_make_valid(decoded.get(), -1));
  return valid.get();
}

/// Control characters (C0, DEL and, in UTF-8, C1) have no business on one line of a terminal.
void replaceControls(std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if (octet < 0x20U || octet == 0x7FU) text[i] = ' ';
    if (octet == 0xC2U && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0U) {
      text[i] = text[i + 1] = ' ';
    }
  }
}

void cut(std::string& text, std::size_t maxOctets) {
  if (text.size() <= maxOctets) return;
  std::size_t end = maxOctets;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
}

}  // namespace

void ensureGMime() {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
}

std::string decodedHeaderText(const std::string& unfolded, std::size_t maxOctets) {
  if (isPlain(unfolded)) return unfolded.substr(0, maxOctets);
  std::string input = unfolded.substr(0, maxOctets * kInputFactor);
  replaceControls(input);
  std::string out = decodedByGMime(input);
  replaceControls(out);
  cut(out, maxOctets);
  return out;
}

}  // namespace mailbraid::mailstore
