#include "cli/migration_report.h"

#include "cli/report.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <algorithm>

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
  const std::string begins = harmlessLine(source.name) + ": " + counted(b.messages, "message") + ", ";
  if (left(source) == 0) return begins + "every one of them is at " + destination;
  std::string out = begins + grouped(b.there) + " at " + destination + ", " + grouped(left(source)) + " not yet";
  if (b.refused > 0) out += ", of which " + grouped(b.refused) + " refused there (`mailbraid status` says why)";
  return out;
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
    anyPop3 = anyPop3 || source.type == EndpointType::Pop3;
    lines.push_back(harmlessLine(source.name) + " still has " + counted(source.leftThere, "message") +
                    (source.type == EndpointType::Pop3 ? ", as leave_on_server says" : "; nothing was changed there") +
                    "; what arrives there from now on reaches " + destination + " only when this is run again");
  }
  if (anyPop3) {
    lines.push_back("a mail program that goes on with POP3, pointed at the server of " + destination +
                    ", would take all mail there for new and fetch it again: switch it to IMAP");
  }
  lines.push_back("to go on every night: write braid = \"" + harmlessLine(migration.braid) + "\" below [endpoint." +
                  destination + "] and each source that still gets mail, and run: mailbraid sync -q");
}

struct Speed {
  std::uint64_t octets = 0;  ///< a second
  double seconds = 0;        ///< for what there is to upload
  bool isMeasured = false;
};

std::optional<Speed> speedOf(const RunReport& report, std::optional<std::uint64_t> rate) {
  constexpr std::uint64_t kTooLittle = 64'000;  // octets from which no speed can be told
  Speed out;
  out.isMeasured = !rate;
  if (rate) {
    out.octets = *rate;
  } else if (report.totals.bytesIn >= kTooLittle && report.seconds > 0) {
    out.octets = static_cast<std::uint64_t>(static_cast<double>(report.totals.bytesIn) / report.seconds);
  }
  if (out.octets == 0) return std::nullopt;
  const auto work = static_cast<double>(report.endpoints.back().counts.uploadedOctets);
  out.seconds = work / static_cast<double>(out.octets);
  return out;
}

}  // namespace

std::vector<std::string> migrationLines(const RunReport& report, const Migration& migration) {
  std::vector<std::string> lines;
  if (!report.run) return lines;
  const std::string destination = harmlessLine(migration.destination);
  bool all = !report.cancelled && exitCodeOf(report) == ExitCode::Complete;
  for (const Source& source : migration.sources) {
    lines.push_back(balanceLine(source, destination));
    all = all && left(source) == 0;
  }
  if (!migration.isFinal) {
    lines.push_back(all ? "run it again as often as you like; when mail arrives at " + destination +
                              " only, end with: " + command(migration) + " --final"
                        : "run it again to go on; what is there already is not touched: " + command(migration));
    return lines;
  }
  lines.push_back("the final run took " + elapsedText(report.seconds));
  if (all) addAdvice(migration, lines);
  if (!all) lines.push_back("the migration is not complete; run it again to go on: " + command(migration) + " --final");
  return lines;
}

std::vector<std::string> estimateLines(const RunReport& report, std::optional<std::uint64_t> rate) {
  const sync::engine::Counts& counts = report.endpoints.back().counts;
  const std::string destination = harmlessLine(report.endpoints.back().name);
  if (counts.uploaded == 0) return {destination + ": nothing to upload"};
  std::string line =
      destination + ": " + counted(counts.uploaded, "message") + ", " + sizeText(counts.uploadedOctets) + " to upload";
  const std::optional<Speed> speed = speedOf(report, rate);
  if (speed) {
    line += "; at " + sizeText(speed->octets) + "/s" +
            (speed->isMeasured ? ", as fast as the sources were read," : "") + " that takes " +
            elapsedText(speed->seconds);
  } else {
    line += "; --rate SIZE estimates how long that takes";
  }
  return {line};
}

JsonObject estimateJson(const RunReport& report, std::optional<std::uint64_t> rate) {
  const sync::engine::Counts& counts = report.endpoints.back().counts;
  JsonObject object;
  object.add("estimate", report.endpoints.back().name).add("messages", counts.uploaded);
  object.add("octets", counts.uploadedOctets);
  const std::optional<Speed> speed = speedOf(report, rate);
  if (!speed) return object.addNull("octets_per_second").addNull("seconds");
  return object.add("octets_per_second", speed->octets).add("seconds", speed->seconds);
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
        .add("left_at_source", source.leftThere);
  }
  object.add("migration", sources).add("destination", migration.destination).add("braid", migration.braid);
  object.add("final", migration.isFinal).add("seconds", report.seconds);
  return object;
}

}  // namespace mailbraid::cli
