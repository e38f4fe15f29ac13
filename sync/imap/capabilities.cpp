#include "sync/imap/capabilities.h"

#include "sync/imap/cursor.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace mailbraid::sync::imap {

namespace {

/// What IMAP4rev2 contains (RFC 9051 appendix E). BINARY is left out: rev2 has only its FETCH side.
constexpr std::array<std::string_view, 16> kInRev2 = {
    "NAMESPACE",     "UNSELECT",    "UIDPLUS", "ESEARCH",  "SEARCHRES", "ENABLE",      "IDLE",        "SASL-IR",
    "LIST-EXTENDED", "LIST-STATUS", "MOVE",    "LITERAL-", "CHILDREN",  "SPECIAL-USE", "STATUS=SIZE", "STATUS=DELETED",
};

bool isImplied(std::string_view name) {
  return std::find(kInRev2.begin(), kInRev2.end(), name) != kInRev2.end();
}

}  // namespace

Capabilities Capabilities::parse(std::string_view names, std::size_t maximum) {
  Capabilities out;
  Cursor cursor(names);
  for (cursor.spaces(); !cursor.atEnd() && out.names_.size() < maximum; cursor.spaces()) {
    const std::string_view name = cursor.word();
    if (name.empty()) {
      cursor.skip(1);
    } else {
      out.names_.push_back(upperCase(name));
    }
  }
  std::sort(out.names_.begin(), out.names_.end());
  out.names_.erase(std::unique(out.names_.begin(), out.names_.end()), out.names_.end());
  return out;
}

bool Capabilities::announces(std::string_view name) const {
  return std::binary_search(names_.begin(), names_.end(), upperCase(name));
}

bool Capabilities::has(std::string_view name) const {
  return announces(name) || (isImplied(upperCase(name)) && announces("IMAP4REV2"));
}

std::vector<std::string> Capabilities::authMechanisms() const {
  static constexpr std::string_view kPrefix = "AUTH=";
  std::vector<std::string> out;
  for (const std::string& name : names_) {
    if (name.size() > kPrefix.size() && name.starts_with(kPrefix)) out.push_back(name.substr(kPrefix.size()));
  }
  return out;
}

std::optional<std::uint64_t> Capabilities::appendLimit() const {
  constexpr std::string_view kName = "APPENDLIMIT=";
  for (const std::string& name : names_) {
    if (!name.starts_with(kName)) continue;
    std::uint64_t limit = 0;
    const char* end = name.data() + name.size();
    const auto [at, error] = std::from_chars(name.data() + kName.size(), end, limit);
    if (error == std::errc{} && at == end) return limit;
  }
  return std::nullopt;
}

}  // namespace mailbraid::sync::imap
