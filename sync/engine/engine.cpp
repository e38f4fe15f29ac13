#include "sync/engine/engine.h"

#include "mailstore/mail_date.h"
#include "sync/engine/endpoint_run.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <unordered_set>

namespace mailbraid::sync::engine {

using exec::StoreWriter;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Store;

namespace {

void addTo(Counts& sum, const Counts& one) {
  sum.fresh += one.fresh;
  sum.adopted += one.adopted;
  sum.flags += one.flags;
  sum.moved += one.moved;
  sum.removed += one.removed;
  sum.uploaded += one.uploaded;
  sum.uploadedOctets += one.uploadedOctets;
  sum.flagsStored += one.flagsStored;
  sum.movedThere += one.movedThere;
  sum.removedThere += one.removedThere;
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
         field("moved", c.moved) + "," + field("removed", c.removed) + "," + field("uploaded", c.uploaded) + "," +
         field("flags_stored", c.flagsStored) + "," + field("moved_there", c.movedThere) + "," +
         field("removed_there", c.removedThere) + "," + field("held", c.held) + "," +
         field("quarantined", c.quarantined) + "," + field("bytes_in", c.bytesIn) + "," +
         field("bytes_out", c.bytesOut) + "}";
}

using Runs = std::vector<std::unique_ptr<EndpointRun>>;

/// Runs a phase of every endpoint; the first error that ends the run is rethrown after all have stopped.
void runPhase(const SyncRequest& request, const std::vector<EndpointRun*>& runs, void (EndpointRun::*phase)()) {
  std::vector<std::exception_ptr> ends(runs.size());
  std::vector<std::function<void()>> tasks;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    tasks.emplace_back([&, i] {
      try {
        (runs[i]->*phase)();
      } catch (...) {
        ends[i] = std::current_exception();
      }
    });
  }
  request.carryOut(tasks);
  for (const std::exception_ptr& end : ends) {
    if (end) std::rethrow_exception(end);
  }
}

Runs makeRuns(const RunContext& context) {
  const std::vector<endpoint::EndpointSettings>& endpoints = context.request.endpoints;
  std::map<std::string, int> members;
  for (const endpoint::EndpointSettings& settings : endpoints) ++members[settings.braid];
  Runs runs;
  for (const endpoint::EndpointSettings& settings : endpoints) {
    const auto company = members[settings.braid] > 1 ? EndpointRun::Company::Shared : EndpointRun::Company::Alone;
    runs.push_back(std::make_unique<EndpointRun>(settings, company, context));
  }
  return runs;
}

/// Pulls all, then pushes to all, then deletes what POP3 servers need not keep: others may have to hold it first.
void carryOut(const SyncRequest& request, Runs& runs) {
  std::vector<EndpointRun*> all;
  for (const auto& run : runs) all.push_back(run.get());
  runPhase(request, all, &EndpointRun::pull);
  std::unordered_set<mailstore::EntryId> allowed;
  for (const auto& run : runs) allowed.merge(run->allowedEntries());
  std::vector<EndpointRun*> busy;
  for (const auto& run : runs) {
    if (run->planPush(allowed)) busy.push_back(run.get());
  }
  if (!busy.empty()) runPhase(request, busy, &EndpointRun::push);
  std::vector<EndpointRun*> leaving;
  for (const auto& run : runs) {
    if (run->planDeletions(allowed)) leaving.push_back(run.get());
  }
  if (!leaving.empty()) runPhase(request, leaving, &EndpointRun::deleteStored);
}

void seal(Runs& runs, StoreWriter& writer, mailstore::RunId run) {
  bool flushed = false;
  for (const auto& one : runs) {
    if (!one->deservesSeal()) continue;
    // The mark says that the store knows: it comes after what it speaks of.
    if (!flushed) writer.flush();
    flushed = true;
    one->seal(run);
  }
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

/// What has outlived its retention, once a day, a batch a transaction.
void forgetOld(StoreWriter& writer, const SyncRequest& request, std::int64_t last, std::int64_t now,
               const std::stop_token& stop) {
  constexpr std::int64_t kDay = 86'400;
  if (!request.retention || now - last < kDay) return;
  bool more = true;
  while (more && !stop.stop_requested()) {
    writer.run([&](Store& store) { more = store.retention().forget(now - request.retention->count()).more; });
    if (more) writer.flush();
  }
  if (!more) writer.run([&](Store& store) { store.retention().setLastTime(now); });
}

int exitCodeOf(Store& store, const RunReport& report, const SyncRequest& request) {
  if (request.exitCode) return request.exitCode(store, report);
  const bool complete = std::all_of(report.endpoints.begin(), report.endpoints.end(),
                                    [](const EndpointReport& one) { return one.complete(); });
  return complete ? 0 : 75;
}

RunReport syncWith(const StoreWriter::Opener& open, const std::filesystem::path& directory, const SyncRequest& request,
                   Observer& observer, const std::stop_token& asked) {
  // A store that cannot be opened ends the connecting, too.
  std::stop_source stopping;
  const std::stop_callback forward(asked, [&stopping] { stopping.request_stop(); });
  const std::stop_token stop = stopping.get_token();
  std::promise<std::map<std::string, std::set<std::string>>> unsure;
  const auto openOrStop = [&]() -> Store& {
    try {
      Store& store = open();
      std::map<std::string, std::set<std::string>> known;
      for (const auto& one : request.endpoints) known[one.name] = unsureMailboxes(store, one.name);
      unsure.set_value(std::move(known));
      return store;
    } catch (...) {
      stopping.request_stop();
      unsure.set_exception(std::current_exception());
      throw;
    }
  };
  const auto began = std::chrono::steady_clock::now();
  ProgressHub hub(observer);
  BraidTurns turns;
  PullBoard board(request.endpoints, request.pass);
  exec::OpLog log;
  RunReport report;
  const auto mode = request.dryRun ? exec::StoreWriter::Mode::Rehearse : exec::StoreWriter::Mode::Commit;
  mailstore::SpoolOptions spool = Store::spoolOptionsFor(directory);
  StoreWriter::Limits limits;
  limits.transactionAge = request.commitAge;
  StoreWriter writer(openOrStop, mode, limits);
  writer.beforeCommit([&log](Store& s) { log.flush(s); });
  const std::int64_t now = request.clock();
  mailstore::ChangeNumber before;
  std::int64_t lastUpkeep = 0;
  spool.latestDate = mailstore::latestDateAt(now);
  for (const auto& one : request.endpoints) spool.repairs.add(one.repairs);
  if (!request.dryRun) {
    writer.give(
        [&](Store& s) {
          before = s.entries().lastChange();
          lastUpkeep = s.retention().lastTime();
          report.run = s.runs().begin(request.command, now);
          log.setRun(*report.run);
        },
        0);
  }
  std::unordered_set<mailstore::EntryId> adopted;
  const RunContext context{writer,
                           log,
                           hub,
                           turns,
                           board,
                           spool,
                           now,
                           observer.logLevel(),
                           request,
                           stop,
                           adopted,
                           before,
                           unsure.get_future().share()};
  Runs runs = makeRuns(context);
  carryOut(request, runs);
  writer.wait();  // or throws why the store could not be opened
  if (!request.dryRun) seal(runs, writer, *report.run);
  for (const auto& run : runs) report.endpoints.push_back(run->finish());
  for (const EndpointReport& one : report.endpoints) addTo(report.totals, one.counts);
  report.cancelled = asked.stop_requested();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (!request.dryRun) forgetOld(writer, request, lastUpkeep, now, asked);
  if (request.dryRun) {
    writer.run([&](Store&) { report.plan = log.takeLines(); });
  } else {
    writer.run([&](Store& s) {
      recordOutcomes(s, report, request, request.clock());
      s.runs().finish(*report.run, request.clock(), exitCodeOf(s, report, request), summaryOf(report));
    });
    writer.flush();
  }
  return report;
}

}  // namespace

void onThreads(std::span<const std::function<void()>> tasks) {
  std::vector<std::jthread> threads;
  for (const std::function<void()>& task : tasks) threads.emplace_back(task);
}

std::int64_t secondsNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

RunReport sync(Store& store, const SyncRequest& request, Observer& observer, const std::stop_token& stop) {
  return syncWith([&store]() -> Store& { return store; }, store.directory(), request, observer, stop);
}

RunReport sync(Store::Claim&& claim, const SyncRequest& request, Observer& observer, const std::stop_token& stop) {
  const std::filesystem::path directory = claim.directory();
  std::unique_ptr<Store> store;
  const auto open = [&]() -> Store& {
    store = Store::open(std::move(claim));
    return *store;
  };
  return syncWith(open, directory, request, observer, stop);
}

}  // namespace mailbraid::sync::engine
