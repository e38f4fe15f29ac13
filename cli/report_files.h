// Where verification reports are written to.
#pragma once

#include "cli/verification_report.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mailbraid::cli {

/// The files of `--report`: their endings say what they get. Each is begun under another name beside it, so that it is
/// known at once whether it can be written, and what it held before stays until the new report is whole. Mode 0600:
/// subjects and names are nobody else's business.
class ReportFiles {
 public:
  /// Throws Error: Usage for an ending other than .txt, .json and .html, NotWritable.
  explicit ReportFiles(const std::vector<std::filesystem::path>& files);
  ~ReportFiles();
  ReportFiles(const ReportFiles&) = delete;
  ReportFiles& operator=(const ReportFiles&) = delete;

  /// All of them are durable when it returns. Throws Error (NotWritable).
  void write(const VerificationReport& report);

 private:
  struct Open {
    std::filesystem::path path;
    std::filesystem::path begun;
    int descriptor = -1;
  };
  void discard() noexcept;
  std::vector<Open> files_;
};

}  // namespace mailbraid::cli
