#include "cli/commands.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/text/utf8.h"

namespace mailbraid::cli {
namespace {

void print(Context& context, const sync::engine::RunReport& report) {
  context.log().clearProgress();
  if (context.json()) {
    for (const std::string& line : report.plan) context.out().line(JsonObject().add("plan", line).text());
    for (const auto& endpoint : report.endpoints) context.out().line(endpointJson(endpoint).text());
    context.out().line(runJson(report).text());
    return;
  }
  for (const std::string& line : report.plan) context.out().line(harmlessLine(line));
  const bool silent = context.options().quiet && exitCodeOf(report) == ExitCode::Complete;
  if (silent) return;
  for (const std::string& line : reportLines(report)) context.out().line(line);
}

/// The engine knows no exit codes: in the history it notes done or not done. What the run ended with is told more
/// exactly.
void recordExitCode(mailstore::Store& store, mailstore::RunId id, ExitCode code) {
  const std::optional<mailstore::RunRow> run = store.runs().find(id);
  if (!run || run->exitCode == number(code)) return;
  mailstore::Store::Transaction transaction(store);
  store.runs().finish(id, run->finished, number(code), run->summary);
  transaction.commit();
}

}  // namespace

ExitCode runSync(Context& context, const SyncArguments& arguments) {
  const StopOnSignal signals;
  sync::engine::SyncRequest request;
  request.endpoints = context.endpoints(arguments.endpoints, signals.token());
  request.dryRun = arguments.dryRun;
  request.allowRemovals = arguments.allowRemovals;
  for (const auto& allowed : request.allowRemovals) context.requireEndpoint(allowed.endpoint);
  const std::unique_ptr<mailstore::Store> store = context.storeToWrite();
  const sync::engine::RunReport report = sync::engine::sync(*store, request, context.log(), signals.token());
  const ExitCode code = exitCodeOf(report);
  if (report.run) recordExitCode(*store, *report.run, code);
  print(context, report);
  return code;
}

}  // namespace mailbraid::cli
