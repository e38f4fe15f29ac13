// Other programs as tests run them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace mailbraid::test {

/// How a program ended and all that it wrote.
struct Finished {
  int status = 0;  ///< exit status, or 128 + the signal that ended it
  std::string out;
  std::string err;
};

struct ProcessOptions {
  std::map<std::string, std::string> environment;  ///< on top of this program's own
  std::filesystem::path directory;                 ///< where it runs; empty: here
};

/// A running program with pipes to its standard input, output and error. It never outlives this object, nor a crash of
/// the test (the kernel kills it then). Use it from the thread that made it. Throws std::runtime_error.
class Process {
 public:
  explicit Process(const std::vector<std::string>& command, const ProcessOptions& options = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Writes to its standard input; what it does not read any more is dropped.
  void write(std::string_view octets) const;
  void closeInput();
  void signal(int number) const;
  /// Waits until its standard output holds `text`; false when it ended, or `limit` passed, without.
  bool waitForOutput(std::string_view text, std::chrono::seconds limit = std::chrono::seconds(60));
  /// The same for standard error.
  bool waitForError(std::string_view text, std::chrono::seconds limit = std::chrono::seconds(60));
  /// What it has written to standard output so far.
  [[nodiscard]] std::string output();
  /// Waits for its end. A program that takes longer than `limit` is killed, and that is an error of the test (it
  /// throws).
  Finished wait(std::chrono::seconds limit = std::chrono::seconds(300));

 private:
  void collect(int out, int err);
  bool waitFor(const std::string& stream, std::string_view text, std::chrono::seconds limit);
  void reap();

  pid_t pid_ = -1;
  int input_ = -1;
  bool reaped_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;  ///< the program did, and all it wrote is here
  Finished finished_;
  std::thread collector_;
};

/// Runs a program to its end with `input` as its standard input.
Finished run(const std::vector<std::string>& command, const ProcessOptions& options = {}, std::string_view input = {});

}  // namespace mailbraid::test
