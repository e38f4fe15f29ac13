#include "cli/migration_report.h"

#include "cli/migration_left_out.h"
#include "cli/report.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <string_view>

namespace mailbraid::cli {
namespace {

using sync::endpoint::EndpointType;
using sync::engine::RunReport;
using Source = Migration::Source;

/// Whether the run did all that it had to do.
enum class RunEnd { Whole, CutShort };

bool isEachComplete(const RunReport& report) {
  return std::all_of(report.endpoints.begin(), report.endpoints.end(),
                     [](const sync::engine::EndpointReport& one) { return one.complete(); });
}

RunEnd endOf(const RunReport& report) {
  return isEachComplete(report) && !report.cancelled ? RunEnd::Whole : RunEnd::CutShort;
}

std::uint64_t left(const Source& source) {
  return source.balance.messages - std::min(source.balance.messages, source.balance.there);
}

/// Why messages are not there. `mailbraid status` lists only those that wait for the destination.
std::string whyNotThere(const Source& source, const std::string& destination, RunEnd end) {
  const mailstore::Balance& b = source.balance;
  std::string out;
  if (b.waiting > 0)
    out += "; `mailbraid status` says why" + (b.waiting < left(source) ? " of " + grouped(b.waiting) : std::string());
  if (b.gone > 0) out += "; " + grouped(b.gone) + " had been there and were removed: that is not brought again";
  if (source.unread > 0) {
    out += "; " + grouped(source.unread) + " had been put into mailboxes of " + destination +
           " that this run did not read (left out by its \"mailboxes\", or not readable): whether they are still there "
           "is not known";
  }
  const std::uint64_t told = std::min(left(source), b.waiting + b.gone + source.unread);
  if (told == left(source)) return out;
  const std::string rest = grouped(left(source) - told);
  if (end == RunEnd::CutShort) return out + "; " + rest + " are still to be brought";
  return out + "; " + rest +
         " had been uploaded and were not seen there since, or not with the same content: `mailbraid verify " +
         destination + "` names them";
}

std::string balanceLine(const Source& source, const std::string& destination, RunEnd end) {
  const mailstore::Balance& b = source.balance;
  std::string out = harmlessLine(source.name) + ": " + counted(b.messages, "message") + " taken, ";
  if (left(source) == 0) {
    out += "every one of them is at " + destination;
  } else {
    out += grouped(b.there) + " at " + destination + ", " + grouped(left(source)) + " not";
    if (b.refused > 0) out += ", of which " + grouped(b.refused) + " refused there";
    out += whyNotThere(source, destination, end);
  }
  if (source.notTaken == 0) return out;
  return out + "; " + grouped(source.notTaken) +
         " more are only at the source, left out by its max_size, max_age or max_messages, or quarantined";
}

/// What to do about what is not there; empty where nothing is known. status names the command that accepts a removal.
std::string whatHelps(const Migration& migration) {
  std::string out;
  std::string limited;
  bool isQuarantined = false;
  bool isViewOpen = false;
  const auto add = [&out](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
  const auto isGone = [](const Source& source) { return source.balance.gone > 0; };
  if (std::any_of(migration.sources.begin(), migration.sources.end(), isGone)) {
    add("what was removed at " + harmlessLine(migration.destination) +
        " is not put there again; `mailbraid status` says how to accept that, after which `mailbraid restore` brings "
        "back what is wanted");
  }
  for (const Source& source : migration.sources) {
    isQuarantined = isQuarantined || (source.notTaken > 0 && !source.hasLimits);
    if (source.notTaken > 0 && source.hasLimits)
      limited += (limited.empty() ? "" : ", ") + ("[endpoint." + harmlessLine(source.name) + "]");
    isViewOpen = isViewOpen || source.onlyInView().value_or(0) != 0;
  }
  if (!limited.empty())
    add("what is left out is taken when max_size, max_age or max_messages below " + limited + " let it");
  if (isQuarantined) add("`mailbraid status` says why messages were not taken");
  const auto isUnread = [](const Source& source) { return source.unread > 0; };
  if (std::any_of(migration.sources.begin(), migration.sources.end(), isUnread)) {
    add("what is in mailboxes that were not read counts when \"mailboxes\" below [endpoint." +
        harmlessLine(migration.destination) + "] takes them");
  }
  if (isViewOpen) add("take the view of all mail, or leave it out by its name");
  return out;
}

std::string command(const Migration& migration) {
  std::string out = "mailbraid migrate";
  for (const Source& source : migration.sources) out += " " + shellQuoted(source.name);
  return out + " " + shellQuoted(migration.destination);
}

std::string whatWasDoneAt(const Source& source) {
  switch (source.deletions) {
    case Source::Deletions::None:
    case Source::Deletions::Withheld:
      return "; nothing was changed there";
    case Source::Deletions::Configured:
      return ", as its leave_on_server or newest says";
  }
  return {};
}

/// What the configuration accepts: a POP3 account is only read but for what it says that is deleted there, which it
/// does not say together with push = [], nor of an account that is in the same braid over another protocol.
std::string nightlyAdvice(const Migration& migration) {
  std::string onlyRead;
  std::string kept;
  for (const Source& source : migration.sources) {
    const bool isPop3 = source.type == EndpointType::Pop3;
    const std::string name = "[endpoint." + harmlessLine(source.name) + "]";
    if (!isPop3) onlyRead += (onlyRead.empty() ? "" : ", ") + name;
    if (source.deletions == Source::Deletions::Withheld) kept += (kept.empty() ? "" : ", ") + name;
  }
  std::string out = "to go on every night: write braid = \"" + harmlessLine(migration.braid) +
                    "\" below each source that still gets mail";
  if (!onlyRead.empty()) out += ", and push = [] below " + onlyRead + " so that it is only read";
  if (!kept.empty()) out += ", and no leave_on_server or newest below " + kept;
  return out + ", and run: mailbraid sync -q";
}

/// What is left, what people do wrong after the cut-over, and how to go on.
void addAdvice(const Migration& migration, std::vector<std::string>& lines) {
  const std::string destination = harmlessLine(migration.destination);
  bool anyPop3 = false;
  for (const Source& source : migration.sources) {
    anyPop3 = anyPop3 || source.type == EndpointType::Pop3;
    lines.push_back(harmlessLine(source.name) + " still has " + counted(source.leftThere, "message") +
                    whatWasDoneAt(source) + "; what arrives there from now on reaches " + destination +
                    " only when this is run again");
  }
  if (anyPop3) {
    lines.push_back("a mail program that goes on with POP3, pointed at the server of " + destination +
                    ", would take all mail there for new and fetch it again: switch it to IMAP");
  }
  lines.push_back(nightlyAdvice(migration));
}

/// What was not taken from a mailbox may be in a view, too.
std::uint64_t leftAt(const Source& source) {
  const std::uint64_t inView = source.onlyInView().value_or(0);
  return source.leftThere + inView - std::min(inView, source.notTaken);
}

double secondsFor(const sync::engine::Counts& counts, const Speed& speed) {
  return static_cast<double>(counts.uploadedOctets) / static_cast<double>(speed.octets);
}

std::string estimateLine(const RunReport& report, std::optional<Speed> speed) {
  const sync::engine::Counts& counts = report.endpoints.back().counts;
  const std::string destination = harmlessLine(report.endpoints.back().name);
  const std::string rest = isEachComplete(report) ? "" : "; what could not be read comes on top of that";
  if (counts.uploaded == 0) return destination + ": nothing to upload" + rest;
  std::string line = destination + ": " + counted(counts.uploaded, "message") + ", " + sizeText(counts.uploadedOctets) +
                     " to upload" + rest;
  if (!speed) return line + "; --rate SIZE estimates how long that takes";
  return line + "; at " + sizeText(speed->octets) + "/s" +
         (speed->isMeasured ? ", as fast as the last large run," : "") + " that takes " +
         elapsedText(secondsFor(counts, *speed));
}

}  // namespace

bool Migration::isAllTaken() const {
  return std::all_of(sources.begin(), sources.end(),
                     [](const Source& source) { return source.notTaken == 0 && source.onlyInView() == 0; });
}

bool Migration::mayBringMore() const {
  return std::any_of(sources.begin(), sources.end(), [](const Source& source) {
    const mailstore::Balance& b = source.balance;
    return b.messages > b.there + b.gone + source.unread;
  });
}

bool Migration::isUnknown() const {
  const auto isTaken = [](const Source& source) {
    return source.notTaken == 0 && source.onlyInView().value_or(0) == 0;
  };
  return !isAllTaken() && missing() == 0 && std::all_of(sources.begin(), sources.end(), isTaken);
}

bool Migration::isWhole() const {
  return missing() == 0 && isAllTaken();
}

std::uint64_t Migration::missing() const {
  return std::accumulate(sources.begin(), sources.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Source& source) { return sum + left(source); });
}

ExitCode exitCodeOf(const RunReport& report, const Migration& migration) {
  ExitCode code = exitCodeOf(report);
  if (migration.missing() > 0) code = graver(code, ExitCode::Quarantined);
  if (migration.isFinal && !migration.isWhole()) code = graver(code, ExitCode::Different);
  return code;
}

std::string shortfallOf(const RunReport& report, const Migration& migration) {
  std::string sources;
  for (const Source& source : migration.sources) sources += (sources.empty() ? "" : ", ") + source.name;
  if (endOf(report) == RunEnd::CutShort) return "The run before the comparison was not complete";
  if (migration.isFinal ? migration.isWhole() : migration.isAllTaken()) return {};
  if (migration.isUnknown())
    return "It is not known whether all mail of " + sources + " is at " + migration.destination;
  return "Not all mail of " + sources + " is at " + migration.destination;
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
  // What a view has is for the final run to look at.
  const bool isWhole = migration.isWhole() || (!migration.isFinal && migration.isUnknown());
  const bool all = exitCodeOf(report) == ExitCode::Complete && isWhole && migration.isProven;
  for (const Source& source : migration.sources) {
    lines.push_back(balanceLine(source, destination, endOf(report)));
    if (source.deletions == Source::Deletions::Withheld) {
      lines.push_back(harmlessLine(source.name) +
                      ": nothing is deleted there, whatever its configuration says: it seems to be the account of " +
                      destination + ", too");
    }
    for (std::string& line : leftOutLines(source)) lines.push_back(std::move(line));
  }
  if (!migration.isFinal && all) {
    lines.push_back("run it again as often as you like; when mail arrives at " + destination +
                    " only, end with: " + command(migration) + " --final");
    return lines;
  }
  if (!migration.isFinal) {
    const bool goesOn = exitCodeOf(report) != ExitCode::Complete || migration.mayBringMore() || migration.isCutShort;
    const std::string help = goesOn ? std::string() : whatHelps(migration);
    lines.push_back(goesOn ? "run it again to go on; what is there already is not touched: " + command(migration)
                           : "running it again as it is brings no more" + (help.empty() ? help : ": " + help));
    return lines;
  }
  lines.push_back("the final run took " + elapsedText(report.seconds));
  if (all) {
    addAdvice(migration, lines);
  } else {
    const std::string verdict =
        migration.isUnknown() ? "it is not known whether the migration is complete" : "the migration is not complete";
    const std::string help = migration.mayBringMore() ? std::string() : whatHelps(migration);
    lines.push_back(verdict + ": keep the sources; " +
                    (help.empty() ? "when what is said here is mended" : help + "; when that is done") +
                    ", run again: " + command(migration) + " --final");
  }
  return lines;
}

std::vector<std::string> estimateLines(const RunReport& report, std::optional<Speed> speed,
                                       const std::vector<Source>& sources) {
  std::vector<std::string> lines{estimateLine(report, speed)};
  for (const Source& source : sources) {
    for (std::string& line : leftOutLines(source)) lines.push_back(std::move(line));
  }
  return lines;
}

JsonObject estimateJson(const RunReport& report, std::optional<Speed> speed, const std::vector<Source>& sources) {
  const sync::engine::Counts& counts = report.endpoints.back().counts;
  JsonObject object;
  object.add("estimate", report.endpoints.back().name).add("messages", counts.uploaded);
  object.add("octets", counts.uploadedOctets);
  if (speed) {
    object.add("octets_per_second", speed->octets).add("seconds", secondsFor(counts, *speed));
  } else {
    object.addNull("octets_per_second").addNull("seconds");
  }
  std::vector<JsonObject> all;
  for (const Source& source : sources)
    all.emplace_back().add("endpoint", source.name).add("left_out", leftOutJson(source));
  return object.add("sources", all);
}

JsonObject migrationJson(const RunReport& report, const Migration& migration) {
  JsonObject object;
  std::vector<JsonObject> sources;
  for (const Source& source : migration.sources) {
    JsonObject& one = sources.emplace_back();
    one.add("endpoint", source.name)
        .add("messages", source.balance.messages)
        .add("octets", source.balance.octets)
        .add("there", source.balance.there)
        .add("refused", source.balance.refused)
        .add("waiting", source.balance.waiting)
        .add("unread", source.unread)
        .add("left_at_source", leftAt(source))
        .add("not_taken", source.notTaken);
    if (const std::optional<std::uint64_t> more = source.onlyInView()) {
      one.add("only_in_view", *more);
    } else {
      one.addNull("only_in_view");
    }
    one.add("left_out", leftOutJson(source));
  }
  object.add("migration", sources).add("destination", migration.destination).add("braid", migration.braid);
  object.add("final", migration.isFinal).add("seconds", report.seconds);
  return object;
}

}  // namespace mailbraid::cli
