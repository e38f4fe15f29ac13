#include "cli/commands.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/sync_run.h"

namespace mailbraid::cli {

ExitCode runSync(Context& context, const SyncArguments& arguments) {
  const StopOnSignal signals;
  sync::engine::SyncRequest request;
  request.endpoints = context.endpoints(arguments.endpoints, signals.token());
  request.notInRun = context.otherEndpoints(request.endpoints);
  request.dryRun = arguments.dryRun;
  request.retention = context.configuration().store.retention;
  request.allowRemovals = arguments.allowRemovals;
  for (const auto& allowed : request.allowRemovals) context.requireEndpoint(allowed.endpoint);
  request.exitCode = [](mailstore::Store&, const sync::engine::RunReport& ended) { return number(exitCodeOf(ended)); };
  const sync::engine::RunReport report = syncOrTell(context, request, signals.token());
  printRun(context, report, {});
  return exitCodeOf(report);
}

}  // namespace mailbraid::cli
