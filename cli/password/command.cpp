#include "cli/file_mode.h"
#include "cli/password/password.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

namespace mailbraid::cli {
namespace {

using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;
using sync::sasl::Secret;

constexpr std::chrono::minutes kLongestRun{5};  // somebody may be typing into a pinentry
constexpr int kPollMilliseconds = 50;

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { close(); }
  [[nodiscard]] int get() const { return descriptor_; }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_;
};

/// Memory for a secret that is on its way into a Secret; never reallocated, wiped at the end.
class Buffer {
 public:
  Buffer() : octets_(kLongestPassword) {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    for (volatile char& octet : octets_) octet = 0;
  }
  [[nodiscard]] std::string_view text() const { return {octets_.data(), used_}; }
  [[nodiscard]] bool full() const { return used_ == octets_.size(); }
  ssize_t readFrom(int descriptor) {
    const ssize_t count = ::read(descriptor, octets_.data() + used_, octets_.size() - used_);
    if (count > 0) used_ += static_cast<std::size_t>(count);
    return count;
  }

 private:
  std::vector<char> octets_;
  std::size_t used_ = 0;
};

[[noreturn]] void fail(const std::string& sentence, ErrorKind kind = ErrorKind::Configuration) {
  throw Error(kind, Scope::Endpoint, Retry::Never, sentence);
}

/// A child process that is killed and waited for unless wait() was called.
class Child {
 public:
  Child(const std::vector<std::string>& words, int output, const std::string& whose) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    // Our threads block SIGINT and ignore SIGPIPE; the command shall not inherit that.
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const int error = posix_spawnp(&pid_, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0)
      fail(whose + " cannot be run (" + words[0] + ": " + std::strerror(error) +
           "); write a command that is installed");
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  /// True when it has ended; `status` as waitpid() gives it.
  bool ended(int& status) {
    const pid_t got = waitpid(pid_, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR)) return false;
    pid_ = -1;
    return true;
  }

 private:
  pid_t pid_ = -1;
};

void checkPatience(const std::stop_token& stop, std::chrono::steady_clock::time_point since, const std::string& whose) {
  if (stop.stop_requested()) fail("stopped while waiting for " + whose, ErrorKind::Cancelled);
  if (std::chrono::steady_clock::now() - since > kLongestRun)
    fail(whose + " did not end within 5 minutes; write one that does");
}

void checkStatus(int status, const std::string& whose) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  const std::string how = WIFEXITED(status) ? "ended with status " + std::to_string(WEXITSTATUS(status))
                                            : "was ended by signal " + std::to_string(WTERMSIG(status));
  fail(whose + " " + how + "; run it by hand to see why");
}

}  // namespace

std::string_view firstLine(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

Secret passwordFromCommand(const config::CommandLine& command, const std::string& whose, const std::stop_token& stop) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    fail(whose + " cannot be run (" + std::strerror(errno) + ")", ErrorKind::Internal);
  File reading(ends[0]);
  File writing(ends[1]);
  const std::vector<std::string> words =
      command.shell ? std::vector<std::string>{"/bin/sh", "-c", command.words.front()} : command.words;
  Child child(words, writing.get(), whose);
  writing.close();

  const auto since = std::chrono::steady_clock::now();
  Buffer buffer;
  int status = 0;
  bool ended = false;
  while (!buffer.full()) {
    checkPatience(stop, since, whose);
    // What the command left running may hold the pipe open for ever (an agent that it started).
    if (!ended) ended = child.ended(status);
    if (ended && buffer.text().find('\n') != std::string_view::npos) break;
    pollfd readable{reading.get(), POLLIN, 0};
    const int ready = poll(&readable, 1, ended ? 0 : kPollMilliseconds);
    if (ready == 0 && ended) break;
    if (ready <= 0) continue;
    const ssize_t count = buffer.readFrom(reading.get());
    if (count == 0 || (count < 0 && errno != EINTR)) break;
  }
  if (buffer.full()) fail(whose + " printed more than 64 KiB; write one that prints the password alone");
  while (!ended && !child.ended(status)) {
    checkPatience(stop, since, whose);
    poll(nullptr, 0, 2);
  }
  checkStatus(status, whose);
  const std::string_view line = firstLine(buffer.text());
  if (line.empty()) fail(whose + " printed no password on its first line; run it by hand to see why");
  return Secret(std::string(line));
}

Secret passwordFromFile(const std::filesystem::path& file, const std::string& whose) {
  if (std::string wrong = whyNotPrivate(file); !wrong.empty()) fail(whose + ": " + wrong);
  const File opened(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (opened.get() < 0)
    fail(whose + ": " + file.string() + " cannot be read (" + std::strerror(errno) + "); let this user read it");
  Buffer buffer;
  while (!buffer.full()) {
    const ssize_t count = buffer.readFrom(opened.get());
    if (count == 0) break;
    if (count < 0 && errno != EINTR)
      fail(whose + ": " + file.string() + " cannot be read (" + std::strerror(errno) + ")");
  }
  const std::string_view line = firstLine(buffer.text());
  if (line.empty()) fail(whose + ": the first line of " + file.string() + " is empty; write the password there");
  return Secret(std::string(line));
}

}  // namespace mailbraid::cli
