#include "cli/commands.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/text/utf8.h"

namespace mailbraid::cli {
namespace {

void print(Context& context, const sync::engine::RunReport& report) {
  context.log().clearProgress();
  for (const std::string& line : problemLines(report)) context.log().error(line);
  if (context.json()) {
    for (const std::string& line : report.plan) context.out().line(JsonObject().add("plan", line).text());
    for (const auto& endpoint : report.endpoints) context.out().line(endpointJson(endpoint).text());
    context.out().line(runJson(report).text());
    return;
  }
  for (const std::string& line : report.plan) context.out().line(harmlessLine(line));
  // Even who asked for quiet wants to know what is held back or in quarantine.
  if (context.options().quiet && exitCodeOf(report) == ExitCode::Complete) return;
  for (const std::string& line : reportLines(report)) context.out().line(line);
}

/// What the store throws ends the run; who reads the objects learns that from the run's one, too.
sync::engine::RunReport syncOrTell(Context& context, const sync::engine::SyncRequest& request,
                                   const std::stop_token& stop) {
  try {
    return sync::engine::sync(mailstore::Store::Claim(context.configuration().store.path), request, context.log(),
                              stop);
  } catch (const mailstore::Error& error) {
    if (context.json()) context.out().line(failedRunJson(error).text());
    throw;
  }
}

}  // namespace

ExitCode runSync(Context& context, const SyncArguments& arguments) {
  const StopOnSignal signals;
  sync::engine::SyncRequest request;
  request.endpoints = context.endpoints(arguments.endpoints, signals.token());
  request.dryRun = arguments.dryRun;
  request.retention = context.configuration().store.retention;
  request.allowRemovals = arguments.allowRemovals;
  for (const auto& allowed : request.allowRemovals) context.requireEndpoint(allowed.endpoint);
  request.exitCode = [](const sync::engine::RunReport& ended) { return number(exitCodeOf(ended)); };
  const sync::engine::RunReport report = syncOrTell(context, request, signals.token());
  print(context, report);
  return exitCodeOf(report);
}

}  // namespace mailbraid::cli
