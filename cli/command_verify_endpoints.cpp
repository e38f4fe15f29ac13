// verify ENDPOINT...: endpoints against the store.
#include "cli/command_verify_endpoints.h"

#include "cli/report.h"
#include "cli/report_files.h"
#include "cli/signals.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"
#include "cli/verification_report.h"

#include <ctime>
#include <future>

namespace mailbraid::cli {
namespace {

using sync::engine::VerifyReport;

// On a terminal; the rest is in a report.
constexpr std::size_t kMostListed = 50;

std::unique_ptr<mailstore::Store> storeOrFail(Context& context) {
  std::unique_ptr<mailstore::Store> store = context.storeToRead();
  if (!store) failUsage("there is no store yet to compare endpoints with; run mailbraid sync first");
  return store;
}

/// Empty: the store does not know the endpoint.
std::string braidOf(mailstore::Store& store, const std::string& endpoint) {
  for (const mailstore::EndpointStatus& one : store.endpoints().statuses()) {
    if (one.endpoint.name == endpoint) return store.mailboxes().nameOfBraid(one.endpoint.braid);
  }
  return {};
}

/// All at once: a server that is slow or away keeps nobody else waiting.
std::vector<VerifyReport> verifyAll(Context& context, const VerifyArguments& arguments, const std::stop_token& stop) {
  sync::engine::VerifyRequest request;
  request.full = arguments.full;
  std::vector<std::future<VerifyReport>> running;
  for (auto& settings : context.endpoints(arguments.endpoints, stop)) {
    std::shared_ptr<mailstore::Store> store = storeOrFail(context);
    // After a migration it is in the braid that it was migrated in, until the configuration says another one.
    const bool isMirror = settings.braid == settings.name;
    if (const std::string braid = isMirror ? braidOf(*store, settings.name) : ""; !braid.empty())
      settings.braid = braid;
    running.push_back(std::async(std::launch::async, [&context, stop, request, settings, store] {
      return sync::engine::verifyEndpoint(*store, settings, request, context.log(), stop);
    }));
  }
  std::vector<VerifyReport> reports;
  reports.reserve(running.size());
  for (std::future<VerifyReport>& one : running) reports.push_back(one.get());
  return reports;
}

}  // namespace

void printVerification(Context& context, const VerificationReport& report) {
  context.log().clearProgress();
  for (const VerifyReport& endpoint : report.endpoints) {
    for (const auto& problem : endpoint.problems)
      context.log().error(harmlessLine(endpoint.name) + ": " + harmlessLine(problem.sentence));
  }
  if (context.json()) {
    context.out().line(renderJson(report));
  } else if (!context.options().quiet || exitCodeOf(report) != ExitCode::Complete) {
    context.out().octets(renderText(report, kMostListed));
  }
}

ExitCode runVerifyEndpoints(Context& context, const VerifyArguments& arguments) {
  const StopOnSignal signals;
  ReportFiles files(arguments.reports);
  VerificationReport report;
  report.title = "Comparison of mail with the store";
  report.version = MAILBRAID_VERSION;
  report.endpoints = verifyAll(context, arguments, signals.token());
  report.when = rfc3339(static_cast<std::int64_t>(std::time(nullptr)));
  printVerification(context, report);
  files.write(report);
  return exitCodeOf(report);
}

}  // namespace mailbraid::cli
