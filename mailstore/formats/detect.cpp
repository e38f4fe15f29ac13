#include "mailstore/formats/detect.h"

#include "mailstore/types/error.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <system_error>

namespace mailbraid::mailstore {

namespace fs = std::filesystem;

namespace {

constexpr int kDeepest = 8;

bool isMaildir(const fs::path& directory) {
  std::error_code error;
  return fs::is_directory(directory / "cur", error) && fs::is_directory(directory / "new", error);
}

bool beginsWithPostmark(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  char head[5] = {};
  in.read(head, sizeof head);
  return in.gcount() == 5 && std::string_view(head, 5) == "From ";
}

/// "Name: value" in its first line.
bool beginsWithField(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string head(1000, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  const std::size_t colon = head.find(':');
  return colon != std::string::npos && colon > 0 &&
         std::all_of(head.begin(), head.begin() + static_cast<long>(colon),
                     [](char c) { return c > 0x20 && c < 0x7F; });
}

std::string endOf(const fs::path& path) {
  std::string out = path.extension().string();
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

/// What the names and files below a directory speak for.
struct Signs {
  bool maildir = false;
  bool plusPlus = false;
  bool thunderbird = false;
  bool mbox = false;
  bool eml = false;
};

void look(const fs::path& directory, int depth, Signs& signs) {
  if (isMaildir(directory)) {
    signs.maildir = true;
    signs.plusPlus |= depth > 0 && directory.filename().string().starts_with('.');
  }
  std::error_code error;
  for (fs::directory_iterator walk(directory, error); !error && walk != fs::directory_iterator();
       walk.increment(error)) {
    std::error_code ignored;
    const fs::path& path = walk->path();
    const std::string end = endOf(path);
    if (walk->is_symlink(ignored)) continue;
    if (walk->is_directory(ignored)) {
      signs.thunderbird |= end == ".sbd";
      const std::string name = path.filename().string();
      if (name != "cur" && name != "new" && name != "tmp" && depth < kDeepest) look(path, depth + 1, signs);
    } else if (walk->is_regular_file(ignored)) {
      signs.thunderbird |= end == ".msf";
      signs.eml |= end == ".eml";
      if (!signs.mbox && !signs.maildir && end != ".eml") signs.mbox = beginsWithPostmark(path);
    }
  }
}

}  // namespace

bool isEmlName(const fs::path& file) {
  return endOf(file) == ".eml";
}

std::optional<MailFormat> detectMailFormat(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_regular_file(status)) {
    if (beginsWithPostmark(path)) return MailFormat::Mbox;
    if (isEmlName(path) || beginsWithField(path)) return MailFormat::Eml;
    return std::nullopt;
  }
  if (fs::is_directory(status)) fs::directory_iterator(path, error);
  if (error) {
    throw Error(ErrorKind::Usage, Scope::Run, Retry::Never, path.string() + " cannot be read: " + error.message());
  }
  Signs signs;
  look(path, 0, signs);
  if (signs.maildir) return signs.plusPlus ? MailFormat::MaildirPlusPlus : MailFormat::Maildir;
  if (signs.thunderbird) return MailFormat::Thunderbird;
  if (signs.mbox) return MailFormat::Mbox;
  if (signs.eml) return MailFormat::Eml;
  return std::nullopt;
}

}  // namespace mailbraid::mailstore
