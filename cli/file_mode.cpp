#include "cli/file_mode.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace mailbraid::cli {
namespace {

std::string whyModeIsWrong(const std::filesystem::path& file, mode_t forbidden, const std::string& what,
                           const std::string& advice) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) {
    return file.string() + " cannot be read (" + std::strerror(errno) +
           "); write the path of a file that this user can read";
  }
  if ((status.st_mode & forbidden) == 0) return {};
  static constexpr char kDigits[] = "01234567";
  std::string mode = "0";
  for (const unsigned shift : {6U, 3U, 0U}) mode += kDigits[(status.st_mode >> shift) & 7U];
  return what + " (mode " + mode + "); run: chmod " + advice + " " + file.string();
}

}  // namespace

std::string whyNotPrivate(const std::filesystem::path& file) {
  return whyModeIsWrong(file, S_IRWXG | S_IRWXO, "other users could read the password in " + file.string(), "600");
}

std::string whyOthersCouldWrite(const std::filesystem::path& file) {
  return whyModeIsWrong(file, S_IWGRP | S_IWOTH, "other users could write it, and it says which commands are run",
                        "go-w");
}

}  // namespace mailbraid::cli
