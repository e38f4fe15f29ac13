#include "sync/pop3/reply.h"

#include "sync/pop3/text.h"

#include <algorithm>
#include <array>

namespace mailbraid::sync::pop3 {

namespace {

struct CodeName {
  std::string_view name;
  ResponseCode code;
};
constexpr std::array<CodeName, 6> kCodes{{
    {"IN-USE", ResponseCode::InUse},
    {"LOGIN-DELAY", ResponseCode::LoginDelay},
    {"SYS/TEMP", ResponseCode::SysTemp},
    {"SYS/PERM", ResponseCode::SysPerm},
    {"AUTH", ResponseCode::Auth},
    {"UTF8", ResponseCode::Utf8},
}};

/// Codes form a hierarchy: `[SYS/TEMP/DISK]` is a SYS/TEMP to who does not know more (RFC 2449 section 8).
ResponseCode codeFrom(std::string_view text) {
  const std::string name = upperAscii(text);
  for (const CodeName& known : kCodes) {
    if (name.rfind(known.name, 0) != 0) continue;
    if (name.size() == known.name.size() || name[known.name.size()] == '/') return known.code;
  }
  return ResponseCode::Other;
}

struct Foreign {
  std::string_view start;
  std::string_view protocol;
};
constexpr std::array<Foreign, 6> kForeign{{
    {"* ", "IMAP"},
    {"220", "SMTP or FTP"},
    {"HTTP/", "HTTP"},
    {"SSH-", "SSH"},
    {"\x15\x03", "TLS"},
    {"\x16\x03", "TLS"},
}};

bool isMessageId(std::string_view text) {
  return std::count(text.begin(), text.end(), '@') == 1 && text.front() != '@' && text.back() != '@' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F && c != '<' && c != '>'; });
}

}  // namespace

std::optional<Status> parseStatus(std::string_view line, QuirkSet& quirks) {
  Status status;
  if (line.substr(0, 3) == "+OK") {
    status.ok = true;
    line.remove_prefix(3);
  } else if (line.substr(0, 4) == "-ERR") {
    line.remove_prefix(4);
  } else {
    return std::nullopt;
  }
  if (line.empty()) quirks.add(Quirk::BareOk);
  if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  const std::size_t close = line.find(']');
  if (!line.empty() && line.front() == '[' && close != std::string_view::npos) {
    status.code = codeFrom(line.substr(1, close - 1));
    line.remove_prefix(close + 1);
    if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  }
  status.text = printable(line);
  return status;
}

std::string apopTimestamp(std::string_view text, QuirkSet& quirks) {
  for (std::size_t open = text.find('<'); open != std::string_view::npos; open = text.find('<', open + 1)) {
    const std::size_t close = text.find('>', open);
    if (close == std::string_view::npos) break;
    if (close > open + 1 && isMessageId(text.substr(open + 1, close - open - 1))) {
      return std::string(text.substr(open, close - open + 1));
    }
    quirks.add(Quirk::AngleBracketsInGreeting);
  }
  return {};
}

std::string_view foreignProtocol(std::string_view start) {
  for (const Foreign& known : kForeign) {
    if (start.substr(0, known.start.size()) == known.start) return known.protocol;
  }
  return {};
}

}  // namespace mailbraid::sync::pop3
