#include "cli/report.h"

#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <algorithm>
#include <array>

namespace mailbraid::cli {
namespace {

using sync::engine::Counts;
using sync::engine::EndpointReport;
using sync::engine::Problem;
using sync::engine::RunReport;

struct CountRow {
  std::uint64_t Counts::*count;
  std::string_view word;  ///< "12 new"
  std::string_view json;
};
constexpr std::array<CountRow, 11> kCounts{{{&Counts::fresh, "new", "new"},
                                            {&Counts::adopted, "recognised", "adopted"},
                                            {&Counts::flags, "flags", "flags"},
                                            {&Counts::moved, "moved", "moved"},
                                            {&Counts::removed, "removed", "removed"},
                                            {&Counts::uploaded, "uploaded", "uploaded"},
                                            {&Counts::flagsStored, "flags there", "flags_stored"},
                                            {&Counts::movedThere, "moved there", "moved_there"},
                                            {&Counts::removedThere, "removed there", "removed_there"},
                                            {&Counts::held, "held back", "held"},
                                            {&Counts::quarantined, "quarantined", "quarantined"}}};

std::string done(const Counts& counts) {
  std::string out;
  for (const CountRow& row : kCounts) {
    if (counts.*row.count == 0) continue;
    if (!out.empty()) out += ", ";
    out += grouped(counts.*row.count) + " " + std::string(row.word);
  }
  return out;
}

std::string doneInWords(const EndpointReport& report) {
  std::string out = done(report.counts);
  if (out.empty()) out = report.complete() ? "nothing to do" : "nothing done";
  return report.complete() ? out : out + ", not complete";
}

std::string traffic(const Counts& counts, double seconds) {
  return sizeText(counts.bytesIn + counts.bytesOut) + " in " + elapsedText(seconds);
}

std::string tableLine(std::string_view name, std::size_t nameWidth, const std::string& what, std::size_t whatWidth,
                      const std::string& cost) {
  return paddedToWidth(name, nameWidth) + "   " + paddedToWidth(what, whatWidth) + "   " + cost;
}

std::string problemLine(const EndpointReport& report, const Problem& problem) {
  std::string out = harmlessLine(report.name);
  if (!problem.mailbox.empty()) out += " " + harmlessLine(problem.mailbox);
  const bool namesIt = !problem.mailbox.empty() && problem.sentence.starts_with(problem.mailbox + ": ");
  const std::size_t from = namesIt ? problem.mailbox.size() + 2 : 0;
  return out + ": " + harmlessLine(problem.sentence.substr(from));
}

std::string allowOption(const std::string& endpoint, const std::string& mailbox) {
  return " --allow-removals " + shellQuoted(harmlessLine(mailbox.empty() ? endpoint : endpoint + ":" + mailbox));
}

/// Where many mailboxes wait, the whole endpoint.
std::string allowHeld(const EndpointReport& report) {
  constexpr std::size_t kMostCommands = 5;
  if (report.heldMailboxes.empty() || report.heldMailboxes.size() > kMostCommands) return allowCommand(report.name, {});
  std::string out = "mailbraid sync";
  for (const std::string& mailbox : report.heldMailboxes) out += allowOption(report.name, mailbox);
  return out;
}

void addSentences(const EndpointReport& report, std::vector<std::string>& lines) {
  const std::string name = harmlessLine(report.name);
  for (const std::string& note : report.notes) lines.push_back(name + ": " + harmlessLine(note));
  if (report.counts.held > 0) {
    lines.push_back(name + ": " + counted(report.counts.held, "removal") +
                    " held back; look, and if they are meant, run: " + allowHeld(report));
  }
  if (report.counts.quarantined > 0) {
    lines.push_back(name + ": " + counted(report.counts.quarantined, "message") +
                    " could not be taken in and will be tried again; `mailbraid status` says why");
  }
}

void addCounts(const Counts& counts, JsonObject& object) {
  for (const CountRow& row : kCounts) object.add(row.json, counts.*row.count);
  object.add("bytes_in", counts.bytesIn).add("bytes_out", counts.bytesOut).add("round_trips", counts.roundTrips);
}

}  // namespace

std::string_view kindName(mailstore::ErrorKind kind) {
  return kExitCodes[gravity(exitCodeOf(kind))].name;
}

std::string_view retryName(mailstore::Retry retry) {
  constexpr std::array<std::string_view, 3> kNames{"now", "later", "never"};
  return kNames[static_cast<std::size_t>(retry)];
}

ExitCode exitCodeOf(const EndpointReport& report) {
  ExitCode code = ExitCode::Complete;
  if (report.counts.held > 0) code = graver(code, ExitCode::Held);
  if (report.counts.quarantined > 0) code = graver(code, ExitCode::Quarantined);
  for (const Problem& problem : report.problems) code = graver(code, exitCodeOf(problem.kind));
  return code;
}

ExitCode exitCodeOf(const RunReport& report) {
  ExitCode code = report.cancelled ? ExitCode::Partial : ExitCode::Complete;
  for (const EndpointReport& endpoint : report.endpoints) code = graver(code, exitCodeOf(endpoint));
  return code;
}

std::string shellQuoted(const std::string& word) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' ||
           c == '.' || c == '/' || c == ':' || c == '@';
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string allowCommand(const std::string& endpoint, const std::string& mailbox) {
  return "mailbraid sync" + allowOption(endpoint, mailbox);
}

std::vector<std::string> reportLines(const RunReport& report) {
  constexpr std::size_t kWidest = 40;
  std::size_t nameWidth = report.endpoints.size() > 1 ? 5 : 0;
  std::size_t whatWidth = 0;
  for (const EndpointReport& endpoint : report.endpoints) {
    nameWidth = std::max(nameWidth, std::min(kWidest, displayWidth(harmlessLine(endpoint.name))));
    whatWidth = std::max(whatWidth, displayWidth(doneInWords(endpoint)));
  }
  const std::string total = done(report.totals).empty() ? "nothing" : done(report.totals);
  if (report.endpoints.size() > 1) whatWidth = std::max(whatWidth, displayWidth(total));

  std::vector<std::string> lines;
  for (const EndpointReport& endpoint : report.endpoints) {
    lines.push_back(tableLine(harmlessLine(endpoint.name), nameWidth, doneInWords(endpoint), whatWidth,
                              traffic(endpoint.counts, endpoint.seconds)));
  }
  if (report.endpoints.size() > 1)
    lines.push_back(tableLine("total", nameWidth, total, whatWidth, traffic(report.totals, report.seconds)));
  for (const EndpointReport& endpoint : report.endpoints) addSentences(endpoint, lines);
  if (report.cancelled) lines.emplace_back("stopped before the end; nothing is lost, run it again to go on");
  return lines;
}

std::vector<std::string> problemLines(const RunReport& report) {
  std::vector<std::string> lines;
  for (const EndpointReport& endpoint : report.endpoints) {
    for (const Problem& problem : endpoint.problems) lines.push_back(problemLine(endpoint, problem));
  }
  return lines;
}

JsonObject endpointJson(const EndpointReport& report) {
  JsonObject object;
  object.add("endpoint", report.name);
  addCounts(report.counts, object);
  object.add("seconds", report.seconds).add("mailboxes", report.mailboxes).add("mailboxes_read", report.mailboxesRead);
  std::vector<JsonObject> problems;
  for (const Problem& problem : report.problems) {
    problems.emplace_back()
        .add("mailbox", problem.mailbox)
        .add("kind", kindName(problem.kind))
        .add("retry", retryName(problem.retry))
        .add("sentence", problem.sentence);
  }
  object.add("problems", problems)
      .add("notes", report.notes)
      .add("held_mailboxes", report.heldMailboxes)
      .add("exit_code", number(exitCodeOf(report)));
  return object;
}

JsonObject runJson(const RunReport& report, ExitCode code) {
  JsonObject object;
  if (report.run) {
    object.add("run", report.run->value());
  } else {
    object.addNull("run");
  }
  object.add("endpoints", report.endpoints.size());
  addCounts(report.totals, object);
  object.add("seconds", report.seconds).add("cancelled", report.cancelled).add("exit_code", number(code));
  return object;
}

JsonObject failedRunJson(const mailstore::Error& error) {
  RunReport report;
  report.cancelled = error.kind() == mailstore::ErrorKind::Cancelled;
  return runJson(report, exitCodeOf(error.kind())).add("error", std::string_view(error.what()));
}

}  // namespace mailbraid::cli
