// The command line as values.
#pragma once

#include "sync/engine/engine.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mailbraid::cli {

/// Before or after the command.
struct GlobalOptions {
  std::optional<std::filesystem::path> config;
  bool json = false;
  bool quiet = false;
  int verbose = 0;  ///< how many -v
  std::optional<std::filesystem::path> logFile;
};

struct CheckArguments {
  std::vector<std::string> endpoints;
};
struct SyncArguments {
  std::vector<std::string> endpoints;
  bool dryRun = false;
  std::vector<sync::engine::AllowedRemovals> allowRemovals;
};
struct StatusArguments {};
struct LogArguments {
  std::optional<std::int64_t> run;
  std::size_t count = 20;
};
struct LsArguments {
  std::optional<std::string> mailbox;
};
struct ShowArguments {
  std::int64_t entry = 0;
  bool raw = false;
};
struct ExportArguments {
  std::filesystem::path path;
  std::string format = "maildir";
  std::vector<std::string> mailboxes;
};
struct VerifyArguments {};
struct ConfigArguments {
  enum class Verb : std::uint8_t { Check, Show, Example };
  Verb verb = Verb::Check;
};
struct CompletionArguments {
  std::string shell;
};
/// --help and --version.
struct TextArguments {
  std::string text;
};

using CommandArguments =
    std::variant<CheckArguments, SyncArguments, StatusArguments, LogArguments, LsArguments, ShowArguments,
                 ExportArguments, VerifyArguments, ConfigArguments, CompletionArguments, TextArguments>;

struct Invocation {
  GlobalOptions options;
  CommandArguments command;
};

/// `arguments` without the program's name. Throws Error (Usage) with a sentence that names the nearest known word.
Invocation parseArguments(const std::vector<std::string>& arguments);

}  // namespace mailbraid::cli
