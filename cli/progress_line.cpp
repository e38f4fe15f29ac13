#include "cli/progress_line.h"

#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <vector>

namespace mailbraid::cli {
namespace {

// A guess from the first moments would only jump about.
constexpr double kRateAfterSeconds = 0.5;

std::string ofTotal(std::uint64_t done, std::uint64_t total, std::string_view noun) {
  if (total <= done) return counted(done, noun);
  return grouped(done) + "/" + counted(total, noun);
}

}  // namespace

std::string progressLine(const sync::engine::Progress& progress, double seconds, std::size_t columns) {
  std::vector<std::string> parts;
  parts.push_back(ofTotal(progress.mailboxesDone, progress.mailboxesTotal, "mailbox"));
  if (progress.messagesDone > 0 || progress.messagesTotal > 0) {
    parts.push_back(ofTotal(progress.messagesDone, progress.messagesTotal, "message"));
  }
  if (progress.bytesDone > 0) parts.push_back(sizeText(progress.bytesDone));
  if (progress.bytesDone > 0 && seconds >= kRateAfterSeconds) {
    parts.push_back(sizeText(static_cast<std::uint64_t>(static_cast<double>(progress.bytesDone) / seconds)) + "/s");
  }
  if (progress.messagesDone > 0 && progress.messagesTotal > progress.messagesDone && seconds >= kRateAfterSeconds) {
    const auto left = static_cast<double>(progress.messagesTotal - progress.messagesDone);
    parts.push_back(elapsedText(left * seconds / static_cast<double>(progress.messagesDone)) + " left");
  }
  if (!progress.current.empty()) parts.push_back(harmlessLine(progress.current));

  std::string line;
  for (const std::string& part : parts) {
    const std::string next = line.empty() ? part : line + ", " + part;
    if (displayWidth(next) > columns) break;
    line = next;
  }
  return line.empty() ? cutToWidth(parts.front(), columns) : line;
}

}  // namespace mailbraid::cli
