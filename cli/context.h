// What every command works with.
#pragma once

#include "cli/arguments.h"
#include "cli/config/configuration.h"
#include "cli/exit_code.h"
#include "cli/log.h"
#include "cli/output.h"
#include "cli/password/password.h"
#include "mailstore/store.h"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace mailbraid::cli {

/// One run of the program. One thread; what it hands to the engine may be called from others.
class Context {
 public:
  Context(GlobalOptions options, config::Environment environment, Output& output, Log& log)
      : options_(std::move(options)), environment_(std::move(environment)), output_(output), log_(log) {}

  [[nodiscard]] const GlobalOptions& options() const { return options_; }
  [[nodiscard]] bool json() const { return options_.json; }
  [[nodiscard]] Output& out() { return output_; }
  [[nodiscard]] Log& log() { return log_; }

  [[nodiscard]] std::filesystem::path configurationFile() const;
  [[nodiscard]] const config::Environment& environment() const { return environment_; }
  /// Read at the first call. Throws ConfigurationError.
  const config::Configuration& configuration();

  /// The endpoints of these names (all when there are none), passwords wired. Throws Error (Usage) for a name that the
  /// configuration does not have, with the nearest one.
  std::vector<sync::endpoint::EndpointSettings> endpoints(const std::vector<std::string>& names,
                                                          const std::stop_token& stop);
  /// Those of the configuration that are not among `some`, without passwords.
  std::vector<sync::endpoint::EndpointSettings> otherEndpoints(
      const std::vector<sync::endpoint::EndpointSettings>& some);
  /// Throws Error (Usage) unless there is an endpoint of this name.
  void requireEndpoint(const std::string& name);

  /// For looking; none when nothing was ever synced.
  std::unique_ptr<mailstore::Store> storeToRead();
  std::unique_ptr<mailstore::Store> storeToWrite();

 private:
  GlobalOptions options_;
  config::Environment environment_;
  Output& output_;
  Log& log_;
  Prompter prompter_;
  std::optional<config::Configuration> configuration_;
};

/// The mailbox that a user calls `name`: BRAID/MAILBOX, or the mailbox alone where only one braid has it. Throws Error
/// (Usage) with the nearest one.
mailstore::MailboxSummary findMailbox(mailstore::Store& store, const std::string& name);
/// `BRAID/MAILBOX`.
std::string fullName(const mailstore::Mailbox& mailbox);

[[noreturn]] void failUsage(const std::string& sentence);

}  // namespace mailbraid::cli
