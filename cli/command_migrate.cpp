#include "cli/command_verify_endpoints.h"
#include "cli/commands.h"
#include "cli/migration_balance.h"
#include "cli/migration_left_out.h"
#include "cli/migration_report.h"
#include "cli/report.h"
#include "cli/report_files.h"
#include "cli/signals.h"
#include "cli/sync_run.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"
#include "sync/engine/migration.h"

#include <algorithm>
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

void addSourceFacts(const Migration& migration, VerificationReport& out) {
  std::size_t leftOut = 0;
  for (const Migration::Source& source : migration.sources) {
    out.facts.push_back({"source_" + source.name, "Source " + source.name,
                         counted(source.balance.messages, "message") + ", " + sizeText(source.balance.octets) + "; " +
                             grouped(source.balance.there) + " of them at " + migration.destination});
    for (const std::string& line : leftOutLines(source))
      out.facts.push_back({"left_out_" + std::to_string(++leftOut), "Not taken", line});
    if (source.notTaken > 0) {
      out.facts.push_back(
          {"not_taken_" + source.name, "Not taken of " + source.name,
           counted(source.notTaken, "message") + " by max_size, max_age or max_messages, or quarantined"});
    }
  }
  if (!migration.isAllTaken())
    out.facts.push_back({"compared", "Compared", "what was taken; what was not taken is no part of it"});
}

sync::engine::ViewRequest viewRequest(mailstore::Store& store, const MigrationPlan& plan, const RunReport& run) {
  sync::engine::ViewRequest out;
  const auto& read = run.endpoints.back().known;
  out.destination.insert(read.begin(), read.end());
  for (std::size_t i = 0; i + 1 < plan.endpoints.size(); ++i) {
    for (const auto& mailbox : store.endpoints().mailboxes(store.endpoints().find(plan.endpoints[i].name)))
      out.sources.insert(mailbox.id);
  }
  return out;
}

/// Which messages of the views of all mail that are left out are not at the destination. The gravest of what went
/// wrong.
ExitCode readViews(Context& context, const MigrateArguments& arguments, const MigrationPlan& plan, const RunReport& run,
                   Migration& migration, const std::stop_token& stop) {
  ExitCode code = ExitCode::Complete;
  const std::unique_ptr<mailstore::Store> store = context.storeToRead();
  if (!store) return code;
  sync::engine::ViewRequest request = viewRequest(*store, plan, run);
  request.how.full = arguments.full;
  const auto read = [&](const EndpointSettings& settings, Migration::Source& source) {
    for (const sync::engine::LeftOutMailbox& mailbox : source.leftOut) {
      if (!isViewOfAll(mailbox) || stop.stop_requested()) continue;
      source.views.push_back(sync::engine::readView(*store, settings, mailbox, request, context.log(), stop));
      const std::optional<sync::engine::Problem>& problem = source.views.back().problem;
      if (!problem || problem->kind == mailstore::ErrorKind::Cancelled) continue;
      code = graver(code, exitCodeOf(problem->kind));
      context.log().error(harmlessLine(source.name + ": " + problem->sentence));
    }
  };
  for (Migration::Source& source : migration.sources) {
    for (std::size_t i = 0; i + 1 < plan.endpoints.size(); ++i) {
      if (plan.endpoints[i].name == source.name && run.endpoints[i].complete()) read(plan.endpoints[i], source);
    }
  }
  return code;
}

/// What the destination holds now, message by message.
VerificationReport compare(Context& context, const MigrateArguments& arguments, const MigrationPlan& plan,
                           const RunReport& run, const Migration& migration, const std::stop_token& stop) {
  VerificationReport out;
  out.version = MAILBRAID_VERSION;
  std::string sources;
  for (const std::string& source : arguments.sources) sources += (sources.empty() ? "" : ", ") + source;
  out.title = "Migration of " + sources + " to " + arguments.destination;
  addSourceFacts(migration, out);
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
  out.shortfall = shortfallOf(run, migration);
  return out;
}

/// The history tells what the program ends with, which is known only when all was counted and compared.
void noteExitCode(Context& context, const RunReport& report, ExitCode code) {
  if (code == exitCodeOf(report)) return;
  try {
    const std::unique_ptr<mailstore::Store> store = context.storeToWrite();
    const std::optional<mailstore::RunRow> run = store->runs().find(*report.run);
    if (!run) return;
    mailstore::Store::Transaction transaction(*store);
    store->runs().finish(run->id, run->finished, number(code), run->summary);
    transaction.commit();
  } catch (const mailstore::Error& error) {
    context.log().error("the history keeps exit code " + std::to_string(number(exitCodeOf(report))) +
                        " of this run instead of " + std::to_string(number(code)) + ": " + error.what());
  }
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
  request.notInRun = context.otherEndpoints(plan.endpoints);
  request.pulledFirst = arguments.destination;
  request.deletionsConfirmedBy = arguments.destination;
  request.dryRun = arguments.dryRun;
  request.retention = context.configuration().store.retention;
  Migration migration;
  migration.destination = arguments.destination;
  migration.braid = plan.braid;
  migration.isFinal = arguments.final;
  // The store is at hand here: to open it again takes as long as its log is large.
  request.exitCode = [&](mailstore::Store& store, const RunReport& ended) {
    migration.sources = balancesOf(store, plan, ended);
    return number(exitCodeOf(ended));
  };
  const RunReport report = syncOrTell(context, request, signals.token());
  if (arguments.dryRun) {
    const std::unique_ptr<mailstore::Store> store = context.storeToRead();
    const auto speed = speedOf(store ? store->runs().list(100) : std::vector<mailstore::RunRow>{}, arguments.rate);
    const std::vector<Migration::Source> sources = sourcesOf(plan, report);
    printRun(context, report, {estimateLines(report, speed, sources), estimateJson(report, speed, sources), {}});
    return exitCodeOf(report);
  }
  ExitCode code = ExitCode::Complete;
  std::optional<VerificationReport> comparison;
  const bool isDue = arguments.final || !arguments.reports.empty();
  if (isDue) code = readViews(context, arguments, plan, report, migration, signals.token());
  if (isDue && signals.token().stop_requested()) {
    context.log().error("stopped before the comparison; nothing is lost, run it again to go on");
    code = ExitCode::Partial;
    migration.isProven = false;
  } else if (isDue) {
    comparison = compare(context, arguments, plan, report, migration, signals.token());
    code = graver(code, exitCodeOf(*comparison));
    migration.isProven = code == ExitCode::Complete;
  }
  code = graver(code, exitCodeOf(report, migration));
  migration.isCutShort = gravity(code) < gravity(ExitCode::Different);
  noteExitCode(context, report, code);
  printRun(context, report, {migrationLines(report, migration), migrationJson(report, migration), code});
  if (comparison) {
    printVerification(context, *comparison);
    files.write(*comparison);
  }
  return code;
}

}  // namespace mailbraid::cli
