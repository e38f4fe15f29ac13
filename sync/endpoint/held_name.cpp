#include "sync/endpoint/held_name.h"

#include <optional>

namespace mailbraid::sync::endpoint {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";

bool isLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string encoded(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return {'%', kDigits[octet >> 4U], kDigits[octet & 15U]};
}

/// What `%XX` at this place stands for.
std::optional<char> decodedAt(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size() || text[at] != '%') return std::nullopt;
  const std::size_t high = kDigits.find(text[at + 1]);
  const std::size_t low = kDigits.find(text[at + 2]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

/// True when nameHeldAs() would take `c`, encoded at this place, for an encoded character.
bool isEncoded(std::string_view text, std::size_t at, char c, std::string_view forbidden) {
  const bool beginsLastLevel = text.find('/', at) == std::string_view::npos && (at == 0 || text[at - 1] == '/');
  return c == '%' || forbidden.find(c) != std::string_view::npos || (beginsLastLevel && isLetter(c));
}

/// False for what no name may become by being read: levels that are empty or lead out of their directory.
bool isPlain(std::string_view name) {
  while (true) {
    const std::size_t slash = name.find('/');
    const std::string_view level = name.substr(0, slash);
    if (level.empty() || level == "." || level == "..") return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
}

}  // namespace

std::string heldName(std::string_view name, std::string_view forbidden) {
  std::string out;
  for (std::size_t at = 0; at < name.size(); ++at) {
    const std::optional<char> looksLike = decodedAt(name, at);
    const bool isMisread = looksLike && isEncoded(name, at, *looksLike, forbidden);
    if (isMisread || forbidden.find(name[at]) != std::string_view::npos) {
      out += encoded(name[at]);
    } else {
      out.push_back(name[at]);
    }
  }
  return out;
}

std::string heldApart(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  const std::size_t at = slash == std::string_view::npos ? 0 : slash + 1;
  if (at >= name.size() || !isLetter(name[at])) return {};
  return std::string(name.substr(0, at)) + encoded(name[at]) + std::string(name.substr(at + 1));
}

std::string nameHeldAs(std::string_view held, std::string_view forbidden) {
  std::string out;
  for (std::size_t at = 0; at < held.size(); ++at) {
    const std::optional<char> stands = decodedAt(held, at);
    if (stands && isEncoded(held, at, *stands, forbidden)) {
      out.push_back(*stands);
      at += 2;
    } else {
      out.push_back(held[at]);
    }
  }
  return isPlain(out) ? out : std::string(held);
}

}  // namespace mailbraid::sync::endpoint
