#include "cli/sync_run.h"

#include "cli/report.h"
#include "cli/text/utf8.h"

namespace mailbraid::cli {

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

void printRun(Context& context, const sync::engine::RunReport& report, const Addition& addition) {
  const ExitCode code = addition.code.value_or(exitCodeOf(report));
  context.log().clearProgress();
  for (const std::string& line : problemLines(report)) context.log().error(line);
  Output& out = context.out();
  if (context.json()) {
    for (const std::string& line : report.plan) out.line(JsonObject().add("plan", line).text());
    for (const auto& endpoint : report.endpoints) out.line(endpointJson(endpoint).text());
    if (addition.object) out.line(addition.object->text());
    out.line(runJson(report, code).text());
    return;
  }
  for (const std::string& line : report.plan) out.line(harmlessLine(line));
  // Even who asked for quiet wants to know what is held back, in quarantine or not where it should be.
  if (context.options().quiet && code == ExitCode::Complete) return;
  for (const std::string& line : reportLines(report)) out.line(line);
  for (const std::string& line : addition.lines) out.line(line);
}

}  // namespace mailbraid::cli
