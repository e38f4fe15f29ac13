#include "mailstore/formats/exporter.h"
#include "mailstore/types/error.h"

#include <algorithm>
#include <array>

namespace mailbraid::mailstore {
namespace {

constexpr std::size_t kMaxLevel = 240;  // file systems take 255; an ending and a number may follow

// Names that a mailbox's own files and directories have in one of the formats.
constexpr std::array<std::string_view, 3> kTakenNames{"cur", "new", "tmp"};
constexpr std::array<std::string_view, 2> kTakenEndings{".mbox", ".eml"};

void appendEncoded(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto octet = static_cast<unsigned char>(c);
  out.push_back('%');
  out.push_back(kDigits[octet >> 4U]);
  out.push_back(kDigits[octet & 0x0FU]);
}

/// The octet of `level` that is encoded only because of where it stands; npos when none is.
std::size_t misplaced(std::string_view level) {
  if (level.front() == '.') return 0;
  if (std::find(kTakenNames.begin(), kTakenNames.end(), level) != kTakenNames.end()) return 0;
  for (const std::string_view ending : kTakenEndings) {
    if (level.ends_with(ending)) return level.size() - ending.size();
  }
  return std::string_view::npos;
}

std::string encodedLevel(std::string_view level) {
  std::string out;
  const std::size_t odd = misplaced(level);
  for (std::size_t i = 0; i < level.size(); ++i) {
    const auto octet = static_cast<unsigned char>(level[i]);
    const bool refused = octet < 0x20U || octet == 0x7FU || level[i] == '%' || level[i] == '\\';
    if (refused || i == odd) {
      appendEncoded(out, level[i]);
    } else {
      out.push_back(level[i]);
    }
  }
  return out;
}

}  // namespace

std::filesystem::path exportPath(std::string_view mailbox) {
  std::filesystem::path out;
  while (true) {
    const std::size_t slash = mailbox.find('/');
    const std::string_view level = mailbox.substr(0, slash);
    const std::string encoded = level.empty() ? std::string{} : encodedLevel(level);
    if (encoded.empty() || encoded.size() > kMaxLevel) {
      throw Error(ErrorKind::Usage, Scope::Mailbox, Retry::Never,
                  "A mailbox cannot be exported: a level of its name is empty or too long for a directory.");
    }
    out /= encoded;
    if (slash == std::string_view::npos) return out;
    mailbox.remove_prefix(slash + 1);
  }
}

}  // namespace mailbraid::mailstore
