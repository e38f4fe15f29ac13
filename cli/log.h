// Standard error and the log file: problems, facts, and on a terminal one line of progress.
#pragma once

#include "cli/progress_line.h"
#include "sync/engine/engine.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace mailbraid::cli {

/// Highest level that is written, as in Observer::onLog: 0 warnings, 1 facts, 2 debug, 3 redacted protocol trace; -1
/// nothing.
struct LogOptions {
  int level = 0;
  std::optional<std::filesystem::path> file;  ///< appended to, 0600; gets facts and what `level` adds
  bool progress = true;                       ///< show the progress line when standard error is a terminal
};

/// Safe from any thread. What mail and servers say is made harmless before it is written.
class Log : public sync::engine::Observer {
 public:
  /// Throws Error (NotWritable) when the log file cannot be opened.
  explicit Log(const LogOptions& options);
  ~Log() override;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void onProgress(const sync::engine::Progress& progress) override;
  void onLog(int level, const std::string& line) override;
  [[nodiscard]] int logLevel() const override { return level_ > fileLevel_ ? level_ : fileLevel_; }
  /// "mailbraid: SENTENCE", whatever the level; each line of it.
  void error(const std::string& sentence);
  /// No progress is shown while a question is on the terminal.
  void pauseProgress(bool paused);
  void clearProgress();

 private:
  using Clock = std::chrono::steady_clock;
  void writeLine(const std::string& line);
  void writeToFile(const std::string& line);
  void clearLine();

  std::mutex mutex_;
  int level_;
  int fileLevel_ = -1;
  bool showsProgress_;
  bool paused_ = false;
  bool lineShown_ = false;
  Clock::time_point started_ = Clock::now();
  Clock::time_point lastDrawn_{};
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, CloseFile> file_;
};

}  // namespace mailbraid::cli
