#include "sync/engine/engine.h"

#include "sync/engine/endpoint_run.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <thread>

namespace mailbraid::sync::engine {

using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Store;

namespace {

std::int64_t secondsNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void addTo(Counts& sum, const Counts& one) {
  sum.fresh += one.fresh;
  sum.adopted += one.adopted;
  sum.flags += one.flags;
  sum.moved += one.moved;
  sum.removed += one.removed;
  sum.held += one.held;
  sum.quarantined += one.quarantined;
  sum.bytesIn += one.bytesIn;
  sum.bytesOut += one.bytesOut;
  sum.roundTrips += one.roundTrips;
}

std::string summaryOf(const RunReport& report) {
  const Counts& c = report.totals;
  const auto field = [](const char* name, std::uint64_t value) {
    return std::string("\"") + name + "\":" + std::to_string(value);
  };
  return "{" + field("new", c.fresh) + "," + field("adopted", c.adopted) + "," + field("flags", c.flags) + "," +
         field("moved", c.moved) + "," + field("removed", c.removed) + "," + field("held", c.held) + "," +
         field("quarantined", c.quarantined) + "," + field("bytes_in", c.bytesIn) + "," +
         field("bytes_out", c.bytesOut) + "}";
}

/// Runs every endpoint on a thread of its own; the first error that ends the run is rethrown after all have stopped.
std::vector<EndpointReport> runAll(const std::vector<endpoint::EndpointSettings>& endpoints,
                                   const RunContext& context) {
  std::map<std::string, int> members;
  for (const endpoint::EndpointSettings& settings : endpoints) ++members[settings.braid];
  std::vector<EndpointReport> reports(endpoints.size());
  std::vector<std::exception_ptr> ends(endpoints.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
      threads.emplace_back([&, i] {
        const auto company =
            members[endpoints[i].braid] > 1 ? EndpointRun::Company::Shared : EndpointRun::Company::Alone;
        try {
          reports[i] = EndpointRun(endpoints[i], company, context).run();
        } catch (...) {
          ends[i] = std::current_exception();
        }
      });
    }
  }
  for (const std::exception_ptr& end : ends) {
    if (end) std::rethrow_exception(end);
  }
  return reports;
}

void recordOutcomes(Store& store, const RunReport& report, const SyncRequest& request, std::int64_t now) {
  for (std::size_t i = 0; i < report.endpoints.size(); ++i) {
    const endpoint::EndpointSettings& settings = request.endpoints[i];
    const EndpointReport& one = report.endpoints[i];
    // An endpoint that could not even be reached has not been met yet.
    const mailstore::EndpointRecord record = store.endpoints().ensure(
        settings.name, endpoint::endpointTypeName(settings.type), store.mailboxes().ensureBraid(settings.braid));
    if (one.problems.empty()) {
      store.endpoints().recordSuccess(record.id, now);
    } else {
      store.endpoints().recordProblem(record.id, now, one.problems.front().sentence);
    }
  }
}

int exitCodeOf(const RunReport& report, const SyncRequest& request) {
  if (request.exitCode) return request.exitCode(report);
  const bool complete = std::all_of(report.endpoints.begin(), report.endpoints.end(),
                                    [](const EndpointReport& one) { return one.complete(); });
  return complete ? 0 : 75;
}

}  // namespace

RunReport sync(Store& store, const SyncRequest& request, Observer& observer, std::stop_token stop) {
  const auto began = std::chrono::steady_clock::now();
  ProgressHub hub(observer);
  BraidTurns turns;
  exec::OpLog log;
  RunReport report;
  const auto mode = request.dryRun ? exec::StoreWriter::Mode::Rehearse : exec::StoreWriter::Mode::Commit;
  const mailstore::SpoolOptions spool = store.spoolOptions();
  exec::StoreWriter writer(store, mode);
  writer.beforeCommit([&log](Store& s) { log.flush(s); });
  const std::int64_t now = secondsNow();
  if (!request.dryRun) {
    writer.give(
        [&](Store& s) {
          report.run = s.runs().begin(request.command, now);
          log.setRun(*report.run);
        },
        0);
  }
  const RunContext context{writer, log, hub, turns, spool, now, observer.logLevel(), request, stop};
  report.endpoints = runAll(request.endpoints, context);
  for (const EndpointReport& one : report.endpoints) addTo(report.totals, one.counts);
  report.cancelled = stop.stop_requested();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (request.dryRun) {
    writer.run([&](Store&) { report.plan = log.takeLines(); });
  } else {
    writer.run([&](Store& s) {
      recordOutcomes(s, report, request, secondsNow());
      s.runs().finish(*report.run, secondsNow(), exitCodeOf(report, request), summaryOf(report));
    });
    writer.flush();
  }
  return report;
}

}  // namespace mailbraid::sync::engine
