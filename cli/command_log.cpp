#include "cli/commands.h"
#include "cli/text/json.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <array>
#include <charconv>

namespace mailbraid::cli {
namespace {

using mailstore::OperationRow;
using mailstore::RunRow;

std::string outcome(const RunRow& run) {
  if (run.finished == 0) return "not finished";
  for (const ExitCodeRow& row : kExitCodes) {
    if (number(row.code) == run.exitCode) return std::string(row.name);
  }
  return "exit code " + std::to_string(run.exitCode);
}

/// "12 new, 3 flags" out of the totals that the run left as JSON: its own, flat, so that looking for the keys is
/// enough.
std::string summaryWords(std::string_view summary) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kWords{{{"new", "new"},
                                                                                  {"adopted", "recognised"},
                                                                                  {"flags", "flags"},
                                                                                  {"moved", "moved"},
                                                                                  {"removed", "removed"},
                                                                                  {"restored", "restored"},
                                                                                  {"uploaded", "uploaded"},
                                                                                  {"flags_stored", "flags there"},
                                                                                  {"moved_there", "moved there"},
                                                                                  {"removed_there", "removed there"},
                                                                                  {"held", "held"},
                                                                                  {"quarantined", "quarantined"}}};
  std::string out;
  for (const auto& [name, word] : kWords) {
    const std::string key = "\"" + std::string(name) + "\":";
    const std::size_t at = summary.find(key);
    if (at == std::string_view::npos) continue;
    const std::string_view digits = summary.substr(at + key.size());
    std::uint64_t count = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (count > 0) out += (out.empty() ? "" : ", ") + grouped(count) + " " + std::string(word);
  }
  return out;
}

JsonObject json(const RunRow& run) {
  JsonObject object;
  object.add("run", run.id.value()).add("command", run.command).add("started", rfc3339(run.started));
  if (run.finished == 0) {
    object.addNull("finished").addNull("exit_code");
  } else {
    object.add("finished", rfc3339(run.finished)).add("exit_code", run.exitCode);
  }
  if (run.summary.empty()) return object.addNull("summary");
  return object.addJson("summary", run.summary);
}

JsonObject json(const OperationRow& operation) {
  JsonObject object;
  object.add("endpoint", operation.endpoint).add("mailbox", operation.mailbox).add("operation", operation.kind);
  object.add("count", operation.count).add("keys", operation.keys).add("detail", operation.detail);
  return object;
}

void print(Output& out, const RunRow& run) {
  std::string line = paddedToWidth(std::to_string(run.id.value()), 6) + "  " + localTime(run.started) + "  " +
                     paddedToWidth(harmlessLine(run.command), 8) + "  " + outcome(run);
  if (const std::string did = summaryWords(run.summary); !did.empty()) line += ": " + did;
  out.line(line);
}

void print(Output& out, const OperationRow& operation) {
  std::string line = operation.endpoint.empty() ? "the store" : harmlessLine(operation.endpoint);
  if (!operation.mailbox.empty()) line += " " + harmlessLine(operation.mailbox);
  line += ": " + grouped(operation.count) + " " + harmlessLine(operation.kind);
  constexpr std::size_t kKeyColumns = 60;
  if (!operation.keys.empty()) line += " (" + cutToWidth(harmlessLine(operation.keys), kKeyColumns) + ")";
  if (!operation.detail.empty()) line += ": " + harmlessLine(operation.detail);
  out.line(line);
}

ExitCode printRun(Context& context, mailstore::Store* store, std::int64_t number) {
  const mailstore::RunId id(number);
  const std::optional<RunRow> run = store != nullptr ? store->runs().find(id) : std::nullopt;
  if (!run) failUsage("there is no run " + std::to_string(number) + "; `mailbraid log` lists them");
  if (context.json()) {
    context.out().line(json(*run).text());
  } else {
    print(context.out(), *run);
  }
  for (const OperationRow& operation : store->runs().operations(id)) {
    if (context.json()) {
      context.out().line(json(operation).text());
    } else {
      print(context.out(), operation);
    }
  }
  return ExitCode::Complete;
}

}  // namespace

ExitCode runLog(Context& context, const LogArguments& arguments) {
  const std::unique_ptr<mailstore::Store> store = context.storeToRead();
  if (arguments.run) return printRun(context, store.get(), *arguments.run);
  if (!store) return ExitCode::Complete;
  for (const RunRow& run : store->runs().list(arguments.count)) {
    if (context.json()) {
      context.out().line(json(run).text());
    } else {
      print(context.out(), run);
    }
  }
  return ExitCode::Complete;
}

}  // namespace mailbraid::cli
