#include "cli/config/configuration.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

namespace mailbraid::cli::config {
namespace {

std::filesystem::path fromEnvironment(const char* name, const std::filesystem::path& otherwise) {
  const char* value = std::getenv(name);
  // The XDG specification has relative ones ignored.
  return value != nullptr && *value == '/' ? std::filesystem::path(value) : otherwise;
}

}  // namespace

Environment Environment::ofProcess() {
  Environment out;
  out.home = fromEnvironment("HOME", {});
  if (out.home.empty()) {
    // Called once, before any thread is started.
    const passwd* user = getpwuid(getuid());
    out.home = user != nullptr && user->pw_dir != nullptr ? user->pw_dir : "/";
  }
  out.configHome = fromEnvironment("XDG_CONFIG_HOME", out.home / ".config");
  out.dataHome = fromEnvironment("XDG_DATA_HOME", out.home / ".local" / "share");
  return out;
}

}  // namespace mailbraid::cli::config
