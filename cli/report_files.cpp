#include "cli/report_files.h"

#include "cli/context.h"
#include "cli/text/utf8.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace mailbraid::cli {
namespace {

[[noreturn]] void failWriting(const std::filesystem::path& path, int problem) {
  throw mailstore::Error(
      mailstore::ErrorKind::NotWritable, mailstore::Scope::Run, mailstore::Retry::Never,
      "the report " + harmlessLine(path.string()) + " cannot be written: " + std::generic_category().message(problem));
}

void writeAll(int descriptor, std::string_view text, const std::filesystem::path& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) failWriting(path, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string rendered(const VerificationReport& report, const std::string& ending) {
  if (ending == ".json") return renderJson(report) + "\n";
  if (ending == ".html") return renderHtml(report);
  return renderText(report, std::numeric_limits<std::size_t>::max());
}

}  // namespace

ReportFiles::ReportFiles(const std::vector<std::filesystem::path>& files) {
  for (const std::filesystem::path& path : files) {
    const std::string ending = path.extension();
    if (ending != ".txt" && ending != ".json" && ending != ".html") {
      failUsage("--report \"" + harmlessLine(path.string()) +
                "\" does not say what to write; let the name end in .txt, .json or .html");
    }
  }
  for (const std::filesystem::path& path : files) {
    const bool isOpen = std::any_of(files_.begin(), files_.end(), [&](const Open& file) { return file.path == path; });
    if (isOpen) continue;
    const std::filesystem::path begun = path.string() + ".new";
    ::unlink(begun.c_str());  // of a run that was killed
    const int descriptor = ::open(begun.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) {
      const int problem = errno;
      discard();
      failWriting(path, problem);
    }
    files_.push_back({path, begun, descriptor});
  }
}

ReportFiles::~ReportFiles() {
  discard();
}

void ReportFiles::discard() noexcept {
  for (const Open& file : files_) {
    if (file.descriptor < 0) continue;
    ::close(file.descriptor);
    ::unlink(file.begun.c_str());
  }
  files_.clear();
}

void ReportFiles::write(const VerificationReport& report) {
  for (Open& file : files_) {
    writeAll(file.descriptor, rendered(report, file.path.extension()), file.path);
    if (::fsync(file.descriptor) != 0) failWriting(file.path, errno);
    if (::rename(file.begun.c_str(), file.path.c_str()) != 0) failWriting(file.path, errno);
    ::close(std::exchange(file.descriptor, -1));
  }
}

}  // namespace mailbraid::cli
