#include "cli/migration_balance.h"

#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>

namespace mailbraid::cli {
namespace {

using mailstore::EndpointMailbox;
using mailstore::Role;
using mailstore::Store;
using sync::endpoint::EndpointSettings;
using sync::engine::EndpointReport;
using sync::engine::LeftOutMailbox;
using Source = Migration::Source;

Source describe(const EndpointSettings& settings, const EndpointReport& report) {
  using Kind = sync::endpoint::LeaveOnServer::Kind;
  Source out;
  out.name = settings.name;
  out.type = settings.type;
  out.leftOut = report.leftOut;
  out.mailboxes = settings.mailboxes;
  out.map = settings.map;
  out.hasLimits = settings.maxSize || settings.maxAge || settings.maxMessages;
  if (settings.leaveOnServer.kind != Kind::Forever || settings.newest)
    out.deletions = settings.push.removals ? Source::Deletions::Configured : Source::Deletions::Withheld;
  return out;
}

void count(Store& store, const std::vector<EndpointMailbox>& mailboxes, const EndpointReport& report, Source& source) {
  const std::uint64_t deleted = report.counts.removedThere;
  for (const EndpointMailbox& mailbox : mailboxes) {
    if (std::find(report.gone.begin(), report.gone.end(), mailbox.name) != report.gone.end()) continue;
    const std::uint64_t taken = store.pairs().count(mailbox.id);
    // A POP3 server was listed before this run deleted there.
    const std::uint64_t there = mailbox.anchor.messages - std::min<std::uint64_t>(deleted, mailbox.anchor.messages);
    const std::uint64_t rest = there - std::min(taken, there);
    source.leftThere += there;
    source.notTaken += rest;
    const auto in = store.mailboxes().find(mailbox.mailbox);
    source.hasArchive = source.hasArchive || (in && in->role == Role::Archive);
  }
  for (const LeftOutMailbox& mailbox : source.leftOut) {
    if (mailbox.why != LeftOutMailbox::Why::View) source.leftThere += mailbox.messages.value_or(0);
  }
}

/// How many messages of `source` are at the destination, if at all, in mailboxes that the run did not read: those that
/// the configuration leaves out by now, and those that could not be read.
std::uint64_t countUnread(Store& store, const std::vector<EndpointMailbox>& source,
                          const std::vector<EndpointMailbox>& destination, const EndpointReport& report) {
  using Mailboxes = std::unordered_set<mailstore::EndpointMailboxId>;
  const Mailboxes known(report.known.begin(), report.known.end());
  Mailboxes from;
  for (const EndpointMailbox& mailbox : source) from.insert(mailbox.id);
  std::unordered_set<mailstore::EntryId> seen;
  std::uint64_t sum = 0;
  const auto look = [&](const mailstore::Pair& there) {
    if (there.held || !seen.insert(there.entry).second) return;
    const auto entry = store.entries().find(there.entry);
    if (!entry || entry->removedAt != 0) return;
    std::uint64_t taken = 0;
    for (const mailstore::Pair& pair : store.pairs().ofEntry(there.entry)) {
      if (!pair.held && known.contains(pair.endpointMailbox)) return;
      if (!pair.expunged && from.contains(pair.endpointMailbox)) ++taken;
    }
    sum += taken;
  };
  for (const EndpointMailbox& mailbox : destination) {
    if (!known.contains(mailbox.id)) store.pairs().forMailbox(mailbox.id, look);
  }
  return sum;
}

void addBalance(Store& store, mailstore::EndpointId from, mailstore::EndpointId to, const EndpointReport& report,
                Source& source) {
  source.balance = store.backlog().balance(from, to);
  source.unread = countUnread(store, store.endpoints().mailboxes(from), store.endpoints().mailboxes(to), report);
  source.balance.there -= std::min(source.unread, source.balance.there);
}

}  // namespace

std::vector<Source> balancesOf(Store& store, const sync::engine::MigrationPlan& plan,
                               const sync::engine::RunReport& report) {
  std::map<std::string, mailstore::EndpointId> known;
  for (const mailstore::EndpointStatus& one : store.endpoints().statuses())
    known.emplace(one.endpoint.name, one.endpoint.id);
  std::vector<Source> out;
  const std::string& destination = plan.endpoints.back().name;
  for (std::size_t i = 0; i + 1 < plan.endpoints.size(); ++i) {
    if (!known.contains(plan.endpoints[i].name)) continue;
    const mailstore::EndpointId id = known.at(plan.endpoints[i].name);
    Source source = describe(plan.endpoints[i], report.endpoints[i]);
    count(store, store.endpoints().mailboxes(id), report.endpoints[i], source);
    if (known.contains(destination)) addBalance(store, id, known.at(destination), report.endpoints.back(), source);
    out.push_back(std::move(source));
  }
  return out;
}

std::vector<Source> sourcesOf(const sync::engine::MigrationPlan& plan, const sync::engine::RunReport& report) {
  std::vector<Source> out;
  for (std::size_t i = 0; i + 1 < plan.endpoints.size(); ++i)
    out.push_back(describe(plan.endpoints[i], report.endpoints[i]));
  return out;
}

}  // namespace mailbraid::cli
