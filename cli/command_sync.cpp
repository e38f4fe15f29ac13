#include "cli/commands.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/sync_run.h"

#include <algorithm>

namespace mailbraid::cli {

ExitCode runSync(Context& context, const SyncArguments& arguments) {
  const StopOnSignal signals;
  sync::engine::SyncRequest request;
  request.endpoints = context.endpoints(arguments.endpoints, signals.token());
  for (const config::EndpointConfig& one : context.configuration().endpoints) {
    const bool takesPart = std::any_of(request.endpoints.begin(), request.endpoints.end(),
                                       [&](const auto& other) { return other.name == one.settings.name; });
    if (!takesPart) request.notInRun.push_back(one.settings);
  }
  request.dryRun = arguments.dryRun;
  request.retention = context.configuration().store.retention;
  request.allowRemovals = arguments.allowRemovals;
  for (const auto& allowed : request.allowRemovals) context.requireEndpoint(allowed.endpoint);
  request.exitCode = [](const sync::engine::RunReport& ended) { return number(exitCodeOf(ended)); };
  const sync::engine::RunReport report = syncOrTell(context, request, signals.token());
  printRun(context, report, {});
  return exitCodeOf(report);
}

}  // namespace mailbraid::cli
