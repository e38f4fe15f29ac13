// What tests of the store as a file share: errors, modes, processes that die.
#pragma once

#include "mailstore/types/error.h"
#include "tests/support/catch.h"

#include <csignal>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mailbraid::tests {

inline std::optional<mailstore::Error> errorOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const mailstore::Error& error) {
    return error;
  }
  return std::nullopt;
}

inline mode_t modeOf(const std::filesystem::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777U;
}

/// Runs `action` in a child process and gives its exit status. Most tests of this program have one thread when they
/// come here; POCO's pool has idle ones, which the child does without.
inline int inChild(const std::function<int()>& action) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(action());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Runs `sql` on a store's file and leaves what it did in the log, as a program that is killed does.
inline void runIntoLog(const std::filesystem::path& file, const std::string& sql) {
  REQUIRE(inChild([&] {
            sqlite3* handle = nullptr;
            if (sqlite3_open(file.c_str(), &handle) != SQLITE_OK) return 1;
            const bool done = sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
            return done ? ::kill(::getpid(), SIGKILL) : 1;
          }) == 128 + SIGKILL);
  REQUIRE(std::filesystem::file_size(file.string() + "-wal") > 0);
}

}  // namespace mailbraid::tests
