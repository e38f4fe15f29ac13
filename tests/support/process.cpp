#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

namespace mailbraid::test {
namespace {

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe makePipe() {
  std::array<int, 2> ends{};
  // Without O_CLOEXEC another child would hold the write end, and an end of input would never be seen.
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  return {ends[0], ends[1]};
}

std::vector<std::string> environmentWith(const std::map<std::string, std::string>& extra) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (extra.count(text.substr(0, text.find('='))) == 0) result.push_back(text);
  }
  for (const auto& [name, value] : extra) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Process::Process(const std::vector<std::string>& command, const ProcessOptions& options) {
  std::vector<std::string> words = command;
  std::vector<std::string> environment = environmentWith(options.environment);
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(environment);
  const std::string directory = options.directory.string();
  const Pipe in = makePipe();
  const Pipe out = makePipe();
  const Pipe err = makePipe();
  ::signal(SIGPIPE, SIG_IGN);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGPIPE, SIG_DFL);
    ::dup2(in.read, 0);
    ::dup2(out.write, 1);
    ::dup2(err.write, 2);
    if (!directory.empty() && ::chdir(directory.c_str()) != 0) ::_exit(126);
    ::execvpe(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(in.read);
  ::close(out.write);
  ::close(err.write);
  input_ = in.write;
  collector_ = std::thread([this, out, err] { collect(out.read, err.read); });
}

Process::~Process() {
  closeInput();
  if (!reaped_) {
    ::kill(pid_, SIGKILL);
    reap();
  }
}

void Process::collect(int out, int err) {
  // The program's end counts, not that of its pipes: a child of its own may hold them open.
  const int exited = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  std::array<pollfd, 3> waiting{pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}, pollfd{exited, POLLIN, 0}};
  std::array<char, 65536> buffer{};
  bool running = true;
  while (::poll(waiting.data(), waiting.size(), running ? -1 : 0) != 0) {
    for (pollfd& one : waiting) {
      if (one.fd < 0 || one.revents == 0) continue;
      if (one.fd == exited) {
        running = false;
        one.fd = -1;
        continue;
      }
      const ssize_t count = ::read(one.fd, buffer.data(), buffer.size());
      const std::lock_guard lock(mutex_);
      if (count > 0) {
        (one.fd == out ? finished_.out : finished_.err).append(buffer.data(), static_cast<std::size_t>(count));
      } else {
        one.fd = -1;
      }
      changed_.notify_all();
    }
  }
  ::close(out);
  ::close(err);
  ::close(exited);
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void Process::write(std::string_view octets) const {
  while (!octets.empty()) {
    const ssize_t count = ::write(input_, octets.data(), octets.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;
    octets.remove_prefix(static_cast<std::size_t>(count));
  }
}

void Process::closeInput() {
  if (input_ >= 0) ::close(input_);
  input_ = -1;
}

void Process::signal(int number) const {
  ::kill(pid_, number);
}

bool Process::waitFor(const std::string& stream, std::string_view text, std::chrono::seconds limit) {
  std::unique_lock lock(mutex_);
  const auto found = [&] { return stream.find(text) != std::string::npos; };
  changed_.wait_for(lock, limit, [&] { return ended_ || found(); });
  return found();
}

bool Process::waitForOutput(std::string_view text, std::chrono::seconds limit) {
  return waitFor(finished_.out, text, limit);
}

bool Process::waitForError(std::string_view text, std::chrono::seconds limit) {
  return waitFor(finished_.err, text, limit);
}

std::string Process::output() {
  const std::lock_guard lock(mutex_);
  return finished_.out;
}

void Process::reap() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  reaped_ = true;
  ::kill(-pid_, SIGKILL);  // what it left behind
  collector_.join();
  finished_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Finished Process::wait(std::chrono::seconds limit) {
  bool inTime = true;
  {
    std::unique_lock lock(mutex_);
    inTime = changed_.wait_for(lock, limit, [this] { return ended_; });
  }
  if (!inTime) ::kill(pid_, SIGKILL);
  if (!reaped_) reap();
  if (!inTime) throw std::runtime_error("the program did not end in time; it said: " + finished_.out + finished_.err);
  return finished_;
}

Finished run(const std::vector<std::string>& command, const ProcessOptions& options, std::string_view input) {
  Process process(command, options);
  process.write(input);
  process.closeInput();
  return process.wait();
}

}  // namespace mailbraid::test
