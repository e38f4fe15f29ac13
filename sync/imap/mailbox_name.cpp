#include "sync/imap/mailbox_name.h"

#include "sync/imap/cursor.h"
#include "sync/imap/mutf7.h"

#include <algorithm>

namespace mailbraid::sync::imap {

namespace {

bool hasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char octet) {
    const auto value = static_cast<unsigned char>(octet);
    return value < 0x20 || value == 0x7F;
  });
}

/// True for the C1 controls, which UTF-8 writes as C2 80 to C2 9F.
bool hasC1Control(std::string_view utf8) {
  for (std::size_t i = 0; i + 1 < utf8.size(); ++i) {
    if (static_cast<unsigned char>(utf8[i]) == 0xC2 && static_cast<unsigned char>(utf8[i + 1]) < 0xA0) return true;
  }
  return false;
}

std::string_view problemOfLevels(std::string_view name) {
  for (std::size_t start = 0; start <= name.size();) {
    const std::size_t end = std::min(name.find('/', start), name.size());
    const std::string_view level = name.substr(start, end - start);
    if (level.empty()) return "has an empty level";
    if (level == "." || level == "..") return "has a level that would leave its directory";
    start = end + 1;
  }
  return {};
}

bool isInbox(std::string_view level) {
  return equalsIgnoringCase(level, "INBOX");
}

}  // namespace

DecodedName decodeMailboxName(std::string_view wire, std::optional<char> delimiter, NameEncoding encoding) {
  if (wire.empty()) return {{}, "has no name"};
  std::string name;
  if (encoding == NameEncoding::Utf8) {
    if (!isUtf8(wire)) return {{}, "is not valid UTF-8"};
    name = wire;
  } else {
    auto decoded = decodeMutf7(wire);
    if (!decoded) return {{}, "is not valid modified UTF-7"};
    name = std::move(*decoded);
  }
  if (hasControl(name) || hasC1Control(name)) return {{}, "has control characters"};
  if (delimiter != '/') {
    if (name.find('/') != std::string::npos) return {{}, "has a slash, which is not the server's delimiter"};
    if (delimiter) std::replace(name.begin(), name.end(), *delimiter, '/');
  }
  if (const std::string_view problem = problemOfLevels(name); !problem.empty()) return {{}, problem};
  const std::size_t firstLevel = std::min(name.find('/'), name.size());
  if (isInbox(std::string_view(name).substr(0, firstLevel))) name.replace(0, firstLevel, "INBOX");
  return {std::move(name), {}};
}

std::optional<std::string> encodeMailboxName(std::string_view name, std::optional<char> delimiter,
                                             NameEncoding encoding) {
  if (name.empty() || !isUtf8(name) || hasControl(name) || hasC1Control(name)) return std::nullopt;
  std::string levels(name);
  if (delimiter != '/') {
    if (delimiter && name.find(*delimiter) != std::string_view::npos) return std::nullopt;
    if (!delimiter && name.find('/') != std::string_view::npos) return std::nullopt;
    if (delimiter) std::replace(levels.begin(), levels.end(), '/', *delimiter);
  }
  return encoding == NameEncoding::Utf8 ? std::optional<std::string>(std::move(levels)) : encodeMutf7(levels);
}

}  // namespace mailbraid::sync::imap
