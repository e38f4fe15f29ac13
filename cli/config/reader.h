// Turns one TOML value into a checked Value, and finds what is wrong with it. Part of load(); not for others.
#pragma once

#define TOML_EXCEPTIONS 0
#include "cli/config/configuration.h"

#include <toml++/toml.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::cli::config {

/// Collects the complaints of one file.
class Complaints {
 public:
  explicit Complaints(std::filesystem::path file) : file_(std::move(file)) {}
  void add(std::size_t line, std::string_view section, std::string_view key, std::string text) {
    list_.push_back({file_.string(), line, std::string(section), std::string(key), std::move(text)});
  }
  [[nodiscard]] std::vector<Complaint>& list() { return list_; }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path file_;
  std::vector<Complaint> list_;
};

/// Where paths start.
struct PathBase {
  std::filesystem::path home;
  std::filesystem::path directory;  ///< of the configuration
  [[nodiscard]] std::filesystem::path expand(std::string_view text) const;
};

/// A checked value, or "what is wrong; what to write".
struct Reading {
  std::optional<Value> value;
  std::string wrong;
};
Reading readValue(const KeyInfo& key, const toml::node& node, const PathBase& base);

Reading readLimits(const KeyInfo& key, const toml::node& node);
/// What the draft of a server's endpoint gives, and its provider documents, becomes its settings; or what is wrong.
std::string applyLimits(EndpointDraft& draft);

/// `"a", "b" or "c"`.
std::string choicesInWords(std::string_view choices);
/// Of one value, as one line of TOML.
std::string tomlText(const toml::node& node);

}  // namespace mailbraid::cli::config
