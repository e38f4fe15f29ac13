// A file that is being exported (mailstore/formats' own).
#pragma once

#include "mailstore/types/ids.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace mailbraid::mailstore {

/// A file, written through a buffer. Throws Error (NotWritable).
class OutputFile {
 public:
  /// New: the file must not exist. Continued: it was made by this export before.
  enum class Kind : unsigned char { New, Continued };
  explicit OutputFile(std::filesystem::path path, Kind kind = Kind::New);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view octets);
  void put(char octet) {
    if (buffer_.size() == kBuffer) flush();
    buffer_.push_back(octet);
  }
  /// Writes what is left, and gives the file this modification time unless it is 0.
  void close(InternalDate date);
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  static constexpr std::size_t kBuffer = 64UL * 1024UL;
  void flush();
  void closeDescriptor();

  std::filesystem::path path_;
  int descriptor_;
  std::string buffer_;
};

/// Throws the Error for a file of the export that the system refuses: `problem` is errno, `doing` "cannot be made",
/// say.
[[noreturn]] void failExport(const std::filesystem::path& path, const char* doing, int problem);

/// Makes `root` / `below` with all levels that are missing (0700).
void makeExportDirectory(const std::filesystem::path& root, const std::filesystem::path& below);

/// Waits until everything that was written below `directory` is on the disk.
void syncExport(const std::filesystem::path& directory);

}  // namespace mailbraid::mailstore
