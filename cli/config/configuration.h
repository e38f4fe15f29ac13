// The configuration file, read and checked as a whole.
#pragma once

#include "cli/config/keys.h"
#include "mailstore/types/error.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailbraid::cli::config {

/// Where a user's files are. A value, so that tests have their own.
struct Environment {
  std::filesystem::path home;
  std::filesystem::path configHome;  ///< $XDG_CONFIG_HOME
  std::filesystem::path dataHome;    ///< $XDG_DATA_HOME
  /// From HOME (else the user database), XDG_CONFIG_HOME (else ~/.config) and XDG_DATA_HOME (else ~/.local/share).
  static Environment ofProcess();
  [[nodiscard]] std::filesystem::path configurationFile() const { return configHome / "mailbraid" / "config.toml"; }
  [[nodiscard]] std::filesystem::path storeDirectory() const { return dataHome / "mailbraid"; }
};

struct EndpointConfig {
  EndpointSettings settings;  ///< complete but for `password`, which the commands wire to `password`
  PasswordSource password;
  std::size_t line = 0;  ///< of its section
  /// The keys that the file gives, in the table's order, with their value as TOML; a password is masked.
  std::vector<std::pair<std::string, std::string>> given;
};

struct Configuration {
  std::filesystem::path file;
  StoreSettings store;
  std::vector<EndpointConfig> endpoints;  ///< in the file's order
};

/// One mistake. `section` is "endpoint.work", "store" or empty; `key` may be empty; `text` is "what is wrong; what to
/// write".
struct Complaint {
  std::string file;
  std::size_t line = 0;  ///< 0: the file as a whole
  std::string section;
  std::string key;
  std::string text;
  /// `FILE:LINE: [endpoint.work] key: what is wrong; what to write`
  [[nodiscard]] std::string sentence() const;
};

/// Thrown with every mistake of the file at once; what() has a sentence a line.
class ConfigurationError : public mailstore::Error {
 public:
  explicit ConfigurationError(std::vector<Complaint> complaints);
  [[nodiscard]] const std::vector<Complaint>& complaints() const { return complaints_; }

 private:
  std::vector<Complaint> complaints_;
};

/// Reads and checks `file`. Throws ConfigurationError, also when the file is missing or others may write it.
Configuration load(const std::filesystem::path& file, const Environment& environment);

/// Octets of a configuration at most: a limit against a mistaken --config /dev/zero.
inline constexpr std::size_t kLongestFile = 1024UL * 1024;

/// The file that `config example` prints: every key with its meaning, made from the tables.
std::string exampleText();

}  // namespace mailbraid::cli::config
