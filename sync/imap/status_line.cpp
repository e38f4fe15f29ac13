#include "sync/imap/status_line.h"

#include "sync/imap/cursor.h"

#include <array>

namespace mailbraid::sync::imap {

namespace {

struct Row {
  std::string_view name;
  StatusWord word;
};
constexpr std::array kWords = {
    Row{"OK", StatusWord::Ok},   Row{"NO", StatusWord::No},           Row{"BAD", StatusWord::Bad},
    Row{"BYE", StatusWord::Bye}, Row{"PREAUTH", StatusWord::PreAuth},
};

/// Where the code that begins at text[0] == '[' ends: at the first ] outside quotes and parentheses (quirk
/// BracketInFlag), else at the first ] at all.
std::size_t endOfCode(std::string_view text) {
  bool quoted = false;
  std::size_t depth = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char octet = text[i];
    if (quoted) {
      if (octet == '\\') ++i;
      if (octet == '"') quoted = false;
    } else if (octet == '"') {
      quoted = true;
    } else if (octet == '(') {
      ++depth;
    } else if (octet == ')' && depth != 0) {
      --depth;
    } else if (octet == ']' && depth == 0) {
      return i;
    }
  }
  return text.find(']');
}

}  // namespace

std::optional<StatusLine> parseStatusLine(std::string_view text) {
  Cursor cursor(text);
  cursor.spaces();
  const std::string_view name = cursor.word();
  StatusLine out;
  const Row* found = nullptr;
  for (const Row& row : kWords) {
    if (equalsIgnoringCase(row.name, name)) found = &row;
  }
  if (found == nullptr) return std::nullopt;
  out.word = found->word;
  cursor.spaces();  // quirk StatusWithoutText: there may be nothing more
  out.text = cursor.rest();
  if (!out.text.starts_with('[')) return out;
  const std::size_t end = endOfCode(out.text);
  if (end == std::string_view::npos) return out;
  out.code = parseResponseCode(out.text.substr(1, end - 1));
  out.text.remove_prefix(end + 1);
  while (out.text.starts_with(' ')) out.text.remove_prefix(1);
  return out;
}

}  // namespace mailbraid::sync::imap
