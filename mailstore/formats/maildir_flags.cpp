#include "mailstore/formats/maildir_flags.h"

#include "mailstore/formats/output_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mailbraid::mailstore {
namespace {

constexpr std::array<std::pair<SystemFlag, char>, 5> kLetters{{
    {SystemFlag::Draft, 'D'},
    {SystemFlag::Flagged, 'F'},
    {SystemFlag::Answered, 'R'},
    {SystemFlag::Seen, 'S'},
    {SystemFlag::Deleted, 'T'},
}};
constexpr std::string_view kForwarded = "$Forwarded";
constexpr std::string_view kFile = "dovecot-keywords";

}  // namespace

MaildirKeywords MaildirKeywords::read(const std::filesystem::path& maildir) {
  constexpr std::size_t kLongestLine = 1000;
  MaildirKeywords out;
  std::ifstream in(maildir / kFile, std::ios::binary);
  std::string line;
  for (std::size_t lines = 0; lines < 4 * kMost && std::getline(in, line); ++lines) {
    std::size_t number = 0;
    const char* end = line.data() + line.size();
    const auto [at, error] = std::from_chars(line.data(), end, number);
    if (line.size() > kLongestLine || error != std::errc{} || at == end || *at != ' ' || number >= kMost) continue;
    if (out.names_.size() <= number) out.names_.resize(number + 1);
    out.names_[number] = std::string(at + 1, end);
  }
  return out;
}

std::string MaildirKeywords::letters(const Flags& flags) {
  std::string out;
  for (const auto& [flag, letter] : kLetters) {
    if (flags.has(flag)) out.push_back(letter);
  }
  for (const std::string& keyword : flags.keywords()) {
    Flags one;
    one.add(keyword);
    if (one.hasKeyword(kForwarded)) {
      out.push_back('P');
      continue;
    }
    auto place =
        std::find_if(names_.begin(), names_.end(), [&](const std::string& name) { return one.hasKeyword(name); });
    if (place == names_.end() && names_.size() == kMost) continue;
    if (place == names_.end()) {
      place = names_.insert(names_.end(), keyword);
      changed_ = true;
    }
    out.push_back(static_cast<char>('a' + (place - names_.begin())));
  }
  std::sort(out.begin(), out.end());
  return out;
}

Flags MaildirKeywords::flags(std::string_view letters) const {
  Flags out;
  for (const char letter : letters) {
    for (const auto& [flag, known] : kLetters) {
      if (letter == known) out.add(flag);
    }
    if (letter == 'P') out.add(kForwarded);
    if (letter < 'a' || letter > 'z') continue;
    const auto number = static_cast<std::size_t>(letter - 'a');
    if (number < names_.size() && !names_[number].empty()) out.add(names_[number]);
  }
  return out;
}

bool MaildirKeywords::knows(std::string_view letters) const {
  return std::all_of(letters.begin(), letters.end(), [&](char letter) {
    if (letter < 'a' || letter > 'z') return true;
    const auto number = static_cast<std::size_t>(letter - 'a');
    return number < names_.size() && !names_[number].empty();
  });
}

void MaildirKeywords::write(const std::filesystem::path& maildir) {
  const std::filesystem::path fresh = maildir / (std::string(kFile) + ".new");
  ::unlink(fresh.c_str());
  OutputFile file(fresh);
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (!names_[i].empty()) file.write(std::to_string(i) + " " + names_[i] + "\n");
  }
  file.close({});
  const std::filesystem::path place = maildir / kFile;
  struct stat old {};
  struct stat made {};
  if (::stat(place.c_str(), &old) == 0 && ::stat(fresh.c_str(), &made) == 0 &&
      made.st_mtim.tv_sec <= old.st_mtim.tv_sec) {
    const std::array<timespec, 2> times{{{0, UTIME_OMIT}, {old.st_mtim.tv_sec + 1, 0}}};
    if (::utimensat(AT_FDCWD, fresh.c_str(), times.data(), 0) != 0) failExport(fresh, "cannot be dated", errno);
  }
  if (::rename(fresh.c_str(), place.c_str()) != 0) failExport(place, "cannot be made", errno);
  changed_ = false;
}

MaildirName parseMaildirName(std::string_view fileName) {
  const std::size_t info = fileName.rfind(":2,");
  if (info == std::string_view::npos) return {fileName.substr(0, fileName.find(':')), {}};
  return {fileName.substr(0, info), fileName.substr(info + 3)};
}

}  // namespace mailbraid::mailstore
