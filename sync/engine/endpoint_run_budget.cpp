// EndpointRun: what an account may be asked for in a day, over all runs of that day.
#include "sync/endpoint/words.h"
#include "sync/engine/endpoint_run.h"

#include <algorithm>
#include <utility>

namespace mailbraid::sync::engine {

using endpoint::KeyRequest;
using endpoint::KeySet;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::RemoteKey;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Store;
using mailstore::Uid;
using mailstore::Uidl;
using mailstore::UidSet;

namespace {

/// Endpoints that are the same account share what its server allows.
std::string accountOf(const endpoint::EndpointSettings& settings) {
  return std::string(endpoint::endpointTypeName(settings.type)) + ":" + settings.user + "@" + settings.server.host;
}

struct Sized {
  std::size_t request = 0;
  RemoteKey key;
  std::uint64_t size = 0;  ///< octets
};

bool isEmpty(const std::vector<KeyRequest>& requests) {
  return std::all_of(requests.begin(), requests.end(),
                     [](const KeyRequest& one) { return endpoint::isEmpty(one.keys); });
}

/// Moves what fits today from `waiting` to `portion`.
void takeFitting(std::vector<Sized>& waiting, std::vector<KeyRequest>& portion, const plan::DayBudget& budget) {
  std::vector<std::uint64_t> sizes;
  sizes.reserve(waiting.size());
  for (const Sized& one : waiting) sizes.push_back(one.size);
  const std::vector<bool> fits = plan::fitting(sizes, budget);
  std::vector<Sized> rest;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if (fits[i]) {
      endpoint::addTo(portion[waiting[i].request].keys, waiting[i].key);
    } else {
      rest.push_back(std::move(waiting[i]));
    }
  }
  waiting = std::move(rest);
}

}  // namespace

bool EndpointRun::hasBudget() const {
  return settings_.limits.downloadPerDay != 0 || settings_.limits.uploadPerDay != 0;
}

void EndpointRun::spend(std::uint64_t messagesIn, std::uint64_t messagesOut) {
  if (!hasBudget() || context_.request.dryRun) return;
  const endpoint::WireTotals now = endpoint_->wireTotals();
  const mailstore::Spending more{now.contentIn - counted_.contentIn, now.contentOut - counted_.contentOut, messagesIn,
                                 messagesOut};
  counted_ = now;
  if (more == mailstore::Spending{}) return;
  const std::int64_t day = plan::dayOf(context_.request.clock());
  context_.writer.give(
      [account = accountOf(settings_), day, more](Store& store) { store.spendings().add(account, day, more); }, 0);
}

mailstore::Spending EndpointRun::spentToday() {
  spend(0, 0);
  budgetDay_ = plan::dayOf(context_.request.clock());
  mailstore::Spending out;
  job([&](Store& store) { out = store.spendings().of(accountOf(settings_), budgetDay_); });
  return out;
}

std::optional<plan::DayBudget> EndpointRun::uploadBudget() {
  if (settings_.limits.uploadPerDay == 0 || context_.request.dryRun) return std::nullopt;
  const mailstore::Spending today = spentToday();
  return plan::DayBudget{settings_.limits.uploadPerDay, today.octetsOut, today.messagesOut != 0};
}

void EndpointRun::bringWithinBudget(const std::vector<KeyRequest>& fresh, const std::vector<std::size_t>& works) {
  std::vector<Sized> waiting;
  std::vector<UidSet> told(fresh.size());
  const auto outcomes = endpoint_->measure(fresh, [&](std::size_t request, endpoint::RemoteMessage&& message) {
    if (const auto* uid = std::get_if<Uid>(&message.key)) told[request].add(*uid);
    waiting.push_back({request, std::move(message.key), message.size});
  });
  giveUp(outcomes, works);
  std::erase_if(waiting, [&](const Sized& one) { return outcomes[one.request].has_value(); });
  std::vector<KeyRequest> portion = withoutKeys(fresh);
  for (std::size_t r = 0; r < fresh.size(); ++r) {
    // One whose size is not told is asked for all the same: whether it is there shows then.
    UidSet untold = endpoint::uidsOf(fresh[r].keys);
    untold.remove(told[r]);
    if (!outcomes[r] && !untold.empty()) portion[r].keys = std::move(untold);
  }
  while (true) {
    const mailstore::Spending today = spentToday();
    takeFitting(waiting, portion, {settings_.limits.downloadPerDay, today.octetsIn, today.messagesIn != 0});
    if (isEmpty(portion)) break;
    // What is recognised costs nothing of the budget, which then is enough for more.
    bring(std::exchange(portion, withoutKeys(fresh)), works);
  }
  for (const Sized& one : waiting) {
    ++leftThere_.messages;
    leftThere_.octets += one.size;
    read_[works[one.request]].reset();
  }
  // What is missing elsewhere may be among what was left.
  if (!waiting.empty() && pull_->somethingIsMissing()) unread_ = exec::EndpointPull::Unread::Some;
}

void EndpointRun::tellLimits() {
  if (full_) problem(*full_, {});
  tellBudget("downloads from ", settings_.limits.downloadPerDay, leftThere_);
  tellBudget("uploads to ", settings_.limits.uploadPerDay, leftToUpload_);
}

void EndpointRun::tellBudget(const std::string& what, std::uint64_t whole, const plan::Leftover& left) {
  if (left.messages == 0) return;
  problem(
      Error(ErrorKind::TemporaryFailure, Scope::Endpoint, Retry::Later,
            "today's budget of " + endpoint::sizeInWords(whole) + " for " + what + settings_.server.host +
                " is used up: " + endpoint::messagesInWords(left.messages) + " (" + endpoint::sizeInWords(left.octets) +
                ") " + (left.messages == 1 ? "is" : "are") + " left; run again after " + plan::endOfDay(budgetDay_)),
      {});
}

}  // namespace mailbraid::sync::engine
