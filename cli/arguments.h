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
struct MigrateArguments {
  std::vector<std::string> sources;
  std::string destination;
  bool dryRun = false;
  bool final = false;
  bool full = false;                           ///< the comparison reads every octet
  std::vector<std::filesystem::path> reports;  ///< files to write; not empty: it compares, as with `final`
  std::optional<std::uint64_t> rate;           ///< octets a second, for an estimate
};
struct StatusArguments {};
struct LogArguments {
  std::optional<std::int64_t> run;
  std::size_t count = 20;
};
struct LsArguments {
  std::optional<std::string> mailbox;
  bool removed = false;
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
struct FlagArguments {
  std::vector<std::string> entries;  ///< numbers; "-": those on standard input
  mailstore::Flags add;
  mailstore::Flags remove;
};
struct MoveArguments {
  std::vector<std::string> entries;
  std::string mailbox;
  bool create = false;
};
struct RemoveArguments {
  std::vector<std::string> entries;
};
struct RestoreArguments {
  std::vector<std::string> entries;
};
struct UndoArguments {
  std::int64_t run = 0;
};
struct ImportArguments {
  std::filesystem::path path;
  std::optional<std::string> format;
  std::optional<std::string> braid;
  std::string into;  ///< [BRAID/]MAILBOX
  bool dryRun = false;
};
struct GcArguments {
  std::optional<std::string> forget;  ///< an endpoint that is no longer in the configuration
};
struct VerifyArguments {
  std::vector<std::string> endpoints;  ///< none: the store itself
  bool full = false;
  std::vector<std::filesystem::path> reports;
};
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

using CommandArguments = std::variant<CheckArguments, SyncArguments, MigrateArguments, StatusArguments, LogArguments,
                                      LsArguments, ShowArguments, ExportArguments, FlagArguments, MoveArguments,
                                      RemoveArguments, RestoreArguments, UndoArguments, ImportArguments, GcArguments,
                                      VerifyArguments, ConfigArguments, CompletionArguments, TextArguments>;

struct Invocation {
  GlobalOptions options;
  CommandArguments command;
};

/// `arguments` without the program's name. Throws Error (Usage) with a sentence that names the nearest known word.
Invocation parseArguments(const std::vector<std::string>& arguments);

}  // namespace mailbraid::cli
