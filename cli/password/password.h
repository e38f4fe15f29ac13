// Where passwords come from: a command, a file, the configuration, the keyring, or a prompt without echo.
#pragma once

#include "cli/config/configuration.h"
#include "sync/sasl/secret.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

namespace mailbraid::cli {

/// Octets of a password at most: a command that never ends its line is stopped there.
inline constexpr std::size_t kLongestPassword = 64UL * 1024;

/// The first line that `command` prints, without its line end. Run without a shell unless `command.shell`; its standard
/// input is /dev/null, its standard error is ours, of open files it inherits nothing else. Throws Error (Configuration:
/// cannot be run, failed, printed nothing; Cancelled). `whose` begins the sentence: "password_command of
/// [endpoint.work]".
sync::sasl::Secret passwordFromCommand(const config::CommandLine& command, const std::string& whose,
                                       const std::stop_token& stop);

/// The first line of `file`, which must be this user's alone.
sync::sasl::Secret passwordFromFile(const std::filesystem::path& file, const std::string& whose);

/// The octets before the first LF or CRLF.
std::string_view firstLine(std::string_view text);

/// Asks on the terminal, one question at a time whatever thread asks; what is typed is not shown. Throws Error
/// (Configuration) when there is no terminal, (Cancelled) when `stop` is requested meanwhile.
class Prompter {
 public:
  explicit Prompter(std::filesystem::path terminal = "/dev/tty") : terminal_(std::move(terminal)) {}
  sync::sasl::Secret ask(const std::string& question, const std::string& whose, const std::stop_token& stop);

 private:
  std::filesystem::path terminal_;
  std::mutex mutex_;
};

/// What EndpointSettings::password calls. The first answer is kept for further connections of the run. `prompter` must
/// outlive it; `aroundPrompt` is called with true before a question is asked and with false after it.
std::function<sync::sasl::Secret()> passwordGiver(const config::EndpointConfig& endpoint, Prompter& prompter,
                                                  std::stop_token stop, std::function<void(bool)> aroundPrompt);

}  // namespace mailbraid::cli
