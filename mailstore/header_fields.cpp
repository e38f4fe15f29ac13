#include "mailstore/header_fields.h"

#include <algorithm>
#include <cstring>

namespace mailbraid::mailstore {
namespace {

/// Length of the field that begins at the start of `text`, its folded lines and last line end included.
std::size_t fieldLength(std::string_view text) {
  std::size_t end = 0;
  do {
    const std::size_t newline = text.find('\n', end);
    end = newline == std::string_view::npos ? text.size() : newline + 1;
  } while (end < text.size() && (text[end] == ' ' || text[end] == '\t'));
  return end;
}

/// A name is printable ASCII without a colon; old software puts spaces between it and the colon (RFC 5322 section 4.5).
std::string_view fieldName(std::string_view field, std::size_t colon) {
  std::string_view name = field.substr(0, colon);
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
  const bool valid = std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  return valid ? name : std::string_view{};
}

}  // namespace

std::size_t HeaderEnd::feed(std::string_view octets) {
  std::size_t at = 0;
  while (at < octets.size() && place_ != Place::After) {
    const char c = octets[at];
    switch (place_) {
      case Place::LineStart:
        place_ = c == '\n' ? Place::After : c == '\r' ? Place::CrAtLineStart : Place::InLine;
        ++at;
        break;
      case Place::CrAtLineStart:
        place_ = c == '\n' ? Place::After : Place::InLine;
        ++at;
        break;
      case Place::InLine: {
        const std::size_t newline = octets.find('\n', at);
        if (newline == std::string_view::npos) return octets.size();
        at = newline + 1;
        place_ = Place::LineStart;
        break;
      }
      case Place::After:
        break;
    }
  }
  return at;
}

void forEachField(std::string_view header, const std::function<void(const HeaderField&)>& visit) {
  while (!header.empty()) {
    const std::size_t length = fieldLength(header);
    const std::string_view field = header.substr(0, length);
    header.remove_prefix(length);
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = fieldName(field, colon);
    if (name.empty()) continue;
    std::string_view body = field.substr(colon + 1);
    while (!body.empty() && (body.back() == '\n' || body.back() == '\r')) body.remove_suffix(1);
    visit({name, body});
  }
}

std::string unfolded(std::string_view body) {
  constexpr std::string_view kSpaces = " \t\r\n";
  std::string out;
  out.reserve(body.size());
  while (true) {
    const std::size_t start = body.find_first_not_of(kSpaces);
    if (start == std::string_view::npos) return out;
    body.remove_prefix(start);
    const std::size_t end = std::min(body.find_first_of(kSpaces), body.size());
    if (!out.empty()) out.push_back(' ');
    out += body.substr(0, end);
    body.remove_prefix(end);
  }
}

}  // namespace mailbraid::mailstore
