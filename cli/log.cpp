#include "cli/log.h"

#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace mailbraid::cli {
namespace {

constexpr std::chrono::milliseconds kRedrawEvery{100};

std::size_t terminalColumns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool isTerminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && (term == nullptr || std::string_view(term) != "dumb");
}

std::FILE* openLogFile(const std::filesystem::path& path) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  std::FILE* file = descriptor >= 0 ? fdopen(descriptor, "a") : nullptr;
  if (file != nullptr) return file;
  const std::string why = std::strerror(errno);
  if (descriptor >= 0) close(descriptor);
  throw mailstore::Error(
      mailstore::ErrorKind::NotWritable, mailstore::Scope::Run, mailstore::Retry::Never,
      "the log file " + path.string() + " cannot be written (" + why + "); name another one with --log-file");
}

}  // namespace

Log::Log(const LogOptions& options)
    : level_(options.level), showsProgress_(options.progress && options.level >= 0 && isTerminal()) {
  if (!options.file) return;
  file_.reset(openLogFile(*options.file));
  fileLevel_ = std::max(1, options.level);
}

Log::~Log() {
  clearProgress();
}

void Log::onProgress(const sync::engine::Progress& progress) {
  if (!showsProgress_) return;
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  if (paused_ || now - lastDrawn_ < kRedrawEvery) return;
  lastDrawn_ = now;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  // The last column stays free: a terminal would wrap there.
  const std::string line = "\r" + progressLine(progress, seconds, terminalColumns() - 1) + "\x1B[K";
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  lineShown_ = true;
}

void Log::onLog(int level, const std::string& line) {
  if (level > level_ && level > fileLevel_) return;
  const std::lock_guard lock(mutex_);
  const std::string harmless = harmlessLine(line);
  if (level <= level_) writeLine(harmless);
  if (level <= fileLevel_) writeToFile(harmless);
}

void Log::error(const std::string& sentence) {
  const std::lock_guard lock(mutex_);
  for (std::size_t at = 0; at < sentence.size();) {
    const std::size_t end = std::min(sentence.find('\n', at), sentence.size());
    const std::string line = "mailbraid: " + harmlessLine(std::string_view(sentence).substr(at, end - at));
    writeLine(line);
    writeToFile(line);
    at = end + 1;
  }
}

void Log::pauseProgress(bool paused) {
  const std::lock_guard lock(mutex_);
  paused_ = paused;
  if (paused) clearLine();
}

void Log::clearProgress() {
  const std::lock_guard lock(mutex_);
  clearLine();
}

void Log::clearLine() {
  if (!lineShown_) return;
  std::fputs("\r\x1B[K", stderr);
  std::fflush(stderr);
  lineShown_ = false;
}

void Log::writeLine(const std::string& line) {
  clearLine();
  const std::string whole = line + "\n";
  std::fwrite(whole.data(), 1, whole.size(), stderr);
}

void Log::writeToFile(const std::string& line) {
  if (!file_) return;
  const std::string whole = rfc3339(static_cast<std::int64_t>(std::time(nullptr))) + " " + line + "\n";
  std::fwrite(whole.data(), 1, whole.size(), file_.get());
  std::fflush(file_.get());
}

}  // namespace mailbraid::cli
