#include "cli/password/password.h"
#include "cli/text/utf8.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace mailbraid::cli {
namespace {

using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;
using sync::sasl::Secret;

/// An open terminal without echo, as it was again when this ends: also when a signal asks the run to stop, because that
/// comes as a stop request, not as a jump.
class QuietTerminal {
 public:
  explicit QuietTerminal(const std::filesystem::path& path)
      : descriptor_(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY)) {
    if (descriptor_ < 0) return;
    if (tcgetattr(descriptor_, &before_) != 0) {
      close(descriptor_);
      descriptor_ = -1;
      return;
    }
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    tcsetattr(descriptor_, TCSAFLUSH, &quiet);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;
  ~QuietTerminal() {
    if (descriptor_ < 0) return;
    write("\n");
    tcsetattr(descriptor_, TCSAFLUSH, &before_);
    close(descriptor_);
  }

  [[nodiscard]] bool usable() const { return descriptor_ >= 0; }
  void write(std::string_view text) const {
    if (::write(descriptor_, text.data(), text.size()) < 0)
      return;  // a question that cannot be shown is seen when it is read
  }
  /// One octet, or -1 at the end of the input; `stop` ends it with Error (Cancelled).
  int readOctet(const std::stop_token& stop) const {
    for (;;) {
      if (stop.stop_requested())
        throw Error(ErrorKind::Cancelled, Scope::Run, Retry::Later, "stopped while a password was asked for");
      pollfd readable{descriptor_, POLLIN, 0};
      if (poll(&readable, 1, 50) <= 0) continue;
      char octet = 0;
      const ssize_t count = read(descriptor_, &octet, 1);
      if (count == 1) return static_cast<unsigned char>(octet);
      if (count == 0 || errno != EINTR) return -1;
    }
  }

 private:
  int descriptor_;
  termios before_{};
};

}  // namespace

Secret Prompter::ask(const std::string& question, const std::string& whose, const std::stop_token& stop) {
  const std::lock_guard lock(mutex_);
  const QuietTerminal terminal(terminal_);
  if (!terminal.usable()) {
    throw Error(
        ErrorKind::Configuration, Scope::Endpoint, Retry::Never,
        whose + " has no password and there is no terminal to ask on; write password_command or password_file there");
  }
  terminal.write(question);
  std::string line;
  line.reserve(kLongestPassword);
  for (int octet = terminal.readOctet(stop); octet >= 0 && octet != '\n' && line.size() < kLongestPassword;
       octet = terminal.readOctet(stop)) {
    line.push_back(static_cast<char>(octet));
  }
  if (line.empty())
    throw Error(ErrorKind::Refused, Scope::Endpoint, Retry::Never, "no password was given for " + whose);
  return Secret(std::move(line));
}

std::function<Secret()> passwordGiver(const config::EndpointConfig& endpoint, Prompter& prompter, std::stop_token stop,
                                      std::function<void(bool)> aroundPrompt) {
  struct Source {
    config::PasswordSource from;
    std::string name;
    std::string question;
    std::stop_token stop;
    Prompter& prompter;
    std::function<void(bool)> aroundPrompt;
    std::mutex mutex;
    Secret answer;

    Secret operator()(const std::monostate&) {
      aroundPrompt(true);
      struct After {
        std::function<void(bool)>& tell;
        ~After() { tell(false); }
      } after{aroundPrompt};
      return prompter.ask(question, section(), stop);
    }
    Secret operator()(const config::PasswordInFile& given) { return given.secret; }
    Secret operator()(const config::CommandLine& command) {
      return passwordFromCommand(command, "password_command of " + section(), stop);
    }
    Secret operator()(const config::PasswordFile& file) {
      return passwordFromFile(file.path, "password_file of " + section());
    }
    Secret operator()(const config::PasswordFromKeyring&) {
      const config::CommandLine lookup{{"secret-tool", "lookup", "service", "mailbraid", "endpoint", name}, false};
      return passwordFromCommand(lookup, "keyring of " + section(), stop);
    }
    [[nodiscard]] std::string section() const { return "[endpoint." + name + "]"; }
  };
  const auto& settings = endpoint.settings;
  const std::string question = "Password of " + harmlessLine(settings.user) + " at " +
                               harmlessLine(settings.server.host) + " (" + harmlessLine(settings.name) + "): ";
  std::shared_ptr<Source> source(new Source{
      endpoint.password, settings.name, question, std::move(stop), prompter, std::move(aroundPrompt), {}, {}});
  return [source] {
    const std::lock_guard lock(source->mutex);
    if (source->answer.empty()) source->answer = std::visit(*source, source->from);
    return source->answer;
  };
}

}  // namespace mailbraid::cli
