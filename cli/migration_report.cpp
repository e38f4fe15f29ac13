#include "cli/migration_report.h"

#include "cli/report.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace mailbraid::cli {
namespace {

using sync::endpoint::EndpointType;
using sync::engine::RunReport;
using Source = Migration::Source;

std::uint64_t left(const Source& source) {
  return source.balance.messages - std::min(source.balance.messages, source.balance.there);
}

std::string balanceLine(const Source& source, const std::string& destination) {
  const mailstore::Balance& b = source.balance;
  std::string out = harmlessLine(source.name) + ": " + counted(b.messages, "message") + " taken, ";
  if (left(source) == 0) {
    out += "every one of them is at " + destination;
  } else {
    out += grouped(b.there) + " at " + destination + ", " + grouped(left(source)) + " not";
    if (b.refused > 0) out += ", of which " + grouped(b.refused) + " refused there";
    out += "; `mailbraid status` says why";
  }
  if (source.notTaken == 0) return out;
  return out + "; " + grouped(source.notTaken) +
         " more are only at the source, left out by its max_size, max_age or max_messages, or quarantined";
}

std::string command(const Migration& migration) {
  std::string out = "mailbraid migrate";
  for (const Source& source : migration.sources) out += " " + shellQuoted(source.name);
  return out + " " + shellQuoted(migration.destination);
}

/// What is left, what people do wrong after the cut-over, and how to go on.
void addAdvice(const Migration& migration, std::vector<std::string>& lines) {
  const std::string destination = harmlessLine(migration.destination);
  bool anyPop3 = false;
  for (const Source& source : migration.sources) {
    const bool isPop3 = source.type == EndpointType::Pop3;
    anyPop3 = anyPop3 || isPop3;
    lines.push_back(harmlessLine(source.name) + " still has " + counted(source.leftThere, "message") +
                    (isPop3 ? ", as leave_on_server says" : "; nothing was changed there") +
                    "; what arrives there from now on reaches " + destination + " only when this is run again");
  }
  if (anyPop3) {
    lines.push_back("a mail program that goes on with POP3, pointed at the server of " + destination +
                    ", would take all mail there for new and fetch it again: switch it to IMAP");
  }
  lines.push_back(
      "to go on every night: write braid = \"" + harmlessLine(migration.braid) +
      "\" below each source that still gets mail, and push = [] so that it is only read, and run: mailbraid "
      "sync -q");
}

double secondsFor(const sync::engine::Counts& counts, const Speed& speed) {
  return static_cast<double>(counts.uploadedOctets) / static_cast<double>(speed.octets);
}

}  // namespace

bool Migration::isWhole() const {
  return std::all_of(sources.begin(), sources.end(),
                     [](const Source& source) { return left(source) == 0 && source.notTaken == 0; });
}

std::optional<Speed> speedOf(const std::vector<mailstore::RunRow>& runs, std::optional<std::uint64_t> rate) {
  constexpr std::uint64_t kTooLittle = 1'000'000;  // octets from which no speed can be told
  constexpr std::string_view kKey = "\"bytes_out\":";
  if (rate) return Speed{*rate, false};
  for (const mailstore::RunRow& run : runs) {
    const std::size_t at = run.summary.find(kKey);
    const std::int64_t seconds = std::max<std::int64_t>(run.finished - run.started, 1);
    if (at == std::string::npos || run.finished == 0) continue;
    const std::uint64_t octets = std::strtoull(run.summary.c_str() + at + kKey.size(), nullptr, 10);
    if (octets >= kTooLittle) return Speed{octets / static_cast<std::uint64_t>(seconds), true};
  }
  return std::nullopt;
}

std::vector<std::string> migrationLines(const RunReport& report, const Migration& migration) {
  std::vector<std::string> lines;
  if (!report.run) return lines;
  const std::string destination = harmlessLine(migration.destination);
  const bool all = exitCodeOf(report) == ExitCode::Complete && migration.isWhole() && migration.isProven;
  for (const Source& source : migration.sources) lines.push_back(balanceLine(source, destination));
  if (!migration.isFinal) {
    lines.push_back(all ? "run it again as often as you like; when mail arrives at " + destination +
                              " only, end with: " + command(migration) + " --final"
                        : "run it again to go on; what is there already is not touched: " + command(migration));
    return lines;
  }
  lines.push_back("the final run took " + elapsedText(report.seconds));
  if (all) {
    addAdvice(migration, lines);
  } else {
    lines.push_back("the migration is not complete: keep the sources; when what is said here is mended, run again: " +
                    command(migration) + " --final");
  }
  return lines;
}

std::vector<std::string> estimateLines(const RunReport& report, std::optional<Speed> speed) {
  const sync::engine::Counts& counts = report.endpoints.back().counts;
  const std::string destination = harmlessLine(report.endpoints.back().name);
  const auto isComplete = [](const sync::engine::EndpointReport& one) { return one.complete(); };
  const bool isKnown = std::all_of(report.endpoints.begin(), report.endpoints.end(), isComplete);
  const std::string rest = isKnown ? "" : "; what could not be read comes on top of that";
  if (counts.uploaded == 0) return {destination + ": nothing to upload" + rest};
  std::string line = destination + ": " + counted(counts.uploaded, "message") + ", " + sizeText(counts.uploadedOctets) +
                     " to upload" + rest;
  if (speed) {
    line += "; at " + sizeText(speed->octets) + "/s" + (speed->isMeasured ? ", as fast as the last large run," : "") +
            " that takes " + elapsedText(secondsFor(counts, *speed));
  } else {
    line += "; --rate SIZE estimates how long that takes";
  }
  return {line};
}

JsonObject estimateJson(const RunReport& report, std::optional<Speed> speed) {
  const sync::engine::Counts& counts = report.endpoints.back().counts;
  JsonObject object;
  object.add("estimate", report.endpoints.back().name).add("messages", counts.uploaded);
  object.add("octets", counts.uploadedOctets);
  if (!speed) return object.addNull("octets_per_second").addNull("seconds");
  return object.add("octets_per_second", speed->octets).add("seconds", secondsFor(counts, *speed));
}

JsonObject migrationJson(const RunReport& report, const Migration& migration) {
  JsonObject object;
  std::vector<JsonObject> sources;
  for (const Source& source : migration.sources) {
    sources.emplace_back()
        .add("endpoint", source.name)
        .add("messages", source.balance.messages)
        .add("octets", source.balance.octets)
        .add("there", source.balance.there)
        .add("refused", source.balance.refused)
        .add("left_at_source", source.leftThere)
        .add("not_taken", source.notTaken);
  }
  object.add("migration", sources).add("destination", migration.destination).add("braid", migration.braid);
  object.add("final", migration.isFinal).add("seconds", report.seconds);
  return object;
}

}  // namespace mailbraid::cli
