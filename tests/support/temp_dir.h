// A directory of its own for a test, gone with it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace mailbraid::test {

/// Creates `$TMPDIR/mailbraid-XXXXXX` (mode 0755: a test server's users must get through) and removes it with all it
/// holds.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// Writes a whole file, octet for octet; throws std::runtime_error when it cannot.
void writeFile(const std::filesystem::path& path, std::string_view octets);
/// Reads a whole file, octet for octet; throws std::runtime_error when it cannot.
std::string readFile(const std::filesystem::path& path);

}  // namespace mailbraid::test
