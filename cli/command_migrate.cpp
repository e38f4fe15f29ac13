#include "cli/command_verify_endpoints.h"
#include "cli/commands.h"
#include "cli/migration_report.h"
#include "cli/report.h"
#include "cli/report_files.h"
#include "cli/signals.h"
#include "cli/sync_run.h"
#include "cli/text/units.h"
#include "sync/engine/migration.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace mailbraid::cli {
namespace {

using sync::endpoint::EndpointSettings;
using sync::engine::MigrationPlan;
using sync::engine::RunReport;

MigrationPlan planFor(Context& context, const MigrateArguments& arguments, const std::stop_token& stop) {
  std::vector<EndpointSettings> sources;
  for (const std::string& name : arguments.sources) sources.push_back(context.endpoints({name}, stop).front());
  return sync::engine::planMigration(std::move(sources), context.endpoints({arguments.destination}, stop).front());
}

/// An endpoint that is synced in another braid would be met anew there, and anew again by the next sync.
void requireBraid(Context& context, const MigrationPlan& plan) {
  const std::unique_ptr<mailstore::Store> store = context.storeToRead();
  if (!store) return;
  for (const mailstore::EndpointStatus& status : store->endpoints().statuses()) {
    const auto isThis = [&](const EndpointSettings& one) { return one.name == status.endpoint.name; };
    if (std::none_of(plan.endpoints.begin(), plan.endpoints.end(), isThis)) continue;
    const std::string braid = store->mailboxes().nameOfBraid(status.endpoint.braid);
    if (braid == plan.braid || store->endpoints().mailboxes(status.endpoint.id).empty()) continue;
    throw mailstore::Error(mailstore::ErrorKind::Configuration, mailstore::Scope::Run, mailstore::Retry::Never,
                           status.endpoint.name + " has been synced in the braid \"" + braid +
                               "\", and this migration goes through the braid \"" + plan.braid +
                               "\": write braid = \"" + plan.braid + "\" for all its endpoints in " +
                               context.configurationFile().string() + " if they shall hold the same mail");
  }
}

Migration balanceOf(Context& context, const MigrateArguments& arguments, const MigrationPlan& plan,
                    const RunReport& report) {
  Migration out;
  out.destination = arguments.destination;
  out.braid = plan.braid;
  out.isFinal = arguments.final;
  const std::unique_ptr<mailstore::Store> store = context.storeToRead();
  if (!store) return out;
  std::map<std::string, mailstore::EndpointId> known;
  for (const mailstore::EndpointStatus& one : store->endpoints().statuses())
    known.emplace(one.endpoint.name, one.endpoint.id);
  for (const EndpointSettings& one : plan.endpoints) {
    if (one.name == arguments.destination || !known.contains(one.name)) continue;
    Migration::Source source;
    source.name = one.name;
    source.type = one.type;
    const auto isIt = [&](const sync::engine::EndpointReport& other) { return other.name == one.name; };
    const auto reported = std::find_if(report.endpoints.begin(), report.endpoints.end(), isIt);
    // A POP3 server was listed before this run deleted there.
    const std::uint64_t deleted = reported == report.endpoints.end() ? 0 : reported->counts.removedThere;
    for (const mailstore::EndpointMailbox& mailbox : store->endpoints().mailboxes(known.at(one.name))) {
      const std::uint64_t taken = store->pairs().count(mailbox.id);
      const std::uint64_t there = mailbox.anchor.messages - std::min<std::uint64_t>(deleted, mailbox.anchor.messages);
      source.leftThere += there;
      source.notTaken += there - std::min(taken, there);
    }
    source.balance = store->backlog().balance(known.at(one.name), known.at(arguments.destination));
    out.sources.push_back(std::move(source));
  }
  return out;
}

/// What the destination holds now, message by message.
VerificationReport compare(Context& context, const MigrateArguments& arguments, const MigrationPlan& plan,
                           const RunReport& run, const Migration& migration, const std::stop_token& stop) {
  VerificationReport out;
  out.version = MAILBRAID_VERSION;
  std::string sources;
  for (const std::string& source : arguments.sources) sources += (sources.empty() ? "" : ", ") + source;
  out.title = "Migration of " + sources + " to " + arguments.destination;
  for (const Migration::Source& source : migration.sources) {
    out.facts.push_back({"source_" + source.name, "Source " + source.name,
                         counted(source.balance.messages, "message") + ", " + sizeText(source.balance.octets) + "; " +
                             grouped(source.balance.there) + " of them at " + arguments.destination});
  }
  const std::int64_t now = sync::engine::secondsNow();
  out.facts.push_back({"run", "Run", std::to_string(run.run->value()) + (arguments.final ? ", the final one" : "")});
  out.facts.push_back({"run_seconds", "It took", elapsedText(run.seconds)});
  out.facts.push_back({"uploaded", "Uploaded in it", counted(run.endpoints.back().counts.uploaded, "message")});
  out.facts.push_back({"recognised", "Recognised in it", counted(run.totals.adopted, "message")});
  sync::engine::VerifyRequest request;
  request.full = arguments.full;
  const std::unique_ptr<mailstore::Store> store = context.storeToRead();
  // What somebody removed at the destination is missing there, whatever the migration makes of it.
  EndpointSettings destination = plan.endpoints.back();
  destination.pull.removals = true;
  out.endpoints.push_back(sync::engine::verifyEndpoint(*store, destination, request, context.log(), stop));
  out.when = rfc3339(now);
  return out;
}

}  // namespace

ExitCode runMigrate(Context& context, const MigrateArguments& arguments) {
  const StopOnSignal signals;
  const MigrationPlan plan = planFor(context, arguments, signals.token());
  requireBraid(context, plan);
  ReportFiles files(arguments.reports);
  sync::engine::SyncRequest request;
  request.command = "migrate";
  for (const std::string& source : arguments.sources) request.command += " " + source;
  request.command += " " + arguments.destination + (arguments.final ? " --final" : "");
  request.endpoints = plan.endpoints;
  request.pulledFirst = arguments.destination;
  request.deletionsConfirmedBy = arguments.destination;
  request.dryRun = arguments.dryRun;
  request.retention = context.configuration().store.retention;
  request.exitCode = [](const RunReport& ended) { return number(exitCodeOf(ended)); };
  const RunReport report = syncOrTell(context, request, signals.token());
  if (arguments.dryRun) {
    const std::unique_ptr<mailstore::Store> store = context.storeToRead();
    const auto speed = speedOf(store ? store->runs().list(100) : std::vector<mailstore::RunRow>{}, arguments.rate);
    printRun(context, report, {estimateLines(report, speed), estimateJson(report, speed)});
    return exitCodeOf(report);
  }
  Migration migration = balanceOf(context, arguments, plan, report);
  ExitCode code = exitCodeOf(report);
  std::optional<VerificationReport> comparison;
  if ((arguments.final || !arguments.reports.empty()) && !signals.token().stop_requested()) {
    comparison = compare(context, arguments, plan, report, migration, signals.token());
    migration.isProven = exitCodeOf(*comparison) == ExitCode::Complete;
    code = graver(code, exitCodeOf(*comparison));
    // Mail that was not taken is no difference between the store and the destination, but it is not there either.
    if (arguments.final && !migration.isWhole()) code = graver(code, ExitCode::Different);
  }
  printRun(context, report, {migrationLines(report, migration), migrationJson(report, migration)});
  if (comparison) {
    printVerification(context, *comparison);
    files.write(*comparison);
  }
  return code;
}

}  // namespace mailbraid::cli
