// EndpointRun: what the others of the braid bring is uploaded while they are still being pulled.
#include "sync/engine/endpoint_run.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mailbraid::sync::engine {

using mailstore::Error;
using mailstore::Store;

bool EndpointRun::mayUploadAhead() const {
  // A window by number is known when all are there, so is what a day's budget is best spent on; and what is marked may
  // be expunged instead.
  const bool plain = window().isOpen() && !settings_.expungeDeleted && settings_.limits.uploadPerDay == 0;
  return company_ == Company::Shared && plain && context_.request.uploadsAhead > 0 && settings_.push.fresh &&
         !context_.request.dryRun && mayPush() && endpoint_->pushAbility().append;
}

/// Only what is new in this run, and only where it is no copy of what the endpoint has: what else the other endpoints
/// have to say about a message can only be known when all of them were pulled.
void EndpointRun::uploadAhead() {
  if (!mayUploadAhead()) return;
  bool goesOn = true;
  {
    // The others fill the writer's queue, and each upload waits for it some times.
    const exec::StoreWriter::Precedence precedence(context_.writer);
    bool any = false;
    while (goesOn &&
           context_.board.awaitMessages(settings_.braid, broughtUpTo_, context_.request.uploadsAhead, context_.stop)) {
      goesOn = uploadNew();
      any = true;
    }
    if (!any || context_.stop.stop_requested()) return;
  }
  if (goesOn) uploadNew();  // the rest, so that it is read again only once
  if (rereads_) readAgain({}, 0);
}

/// False when it is better left to the push.
bool EndpointRun::uploadNew() {
  preparePush();
  job([&](Store& store) { push_->planAhead(store, pushPlaces(), std::max(madeUpTo_, context_.before)); });
  madeUpTo_ = push_->plannedUpTo();
  if (push_->isIdle()) {
    push_.reset();
    return true;
  }
  rereads_ = true;
  const bool makesMailboxes = push_->makesMailboxes();
  const std::uint64_t before = report_.counts.uploaded;
  push_->goOnAhead([this] {
    return context_.board.hasMessages(settings_.braid, broughtUpTo_,
                                      std::max<std::uint64_t>(context_.request.uploadsAhead / 2, 1));
  });
  std::optional<Error> broken;
  try {
    runPush();
  } catch (const Error& error) {
    broken = error;
  }
  madeUpTo_ = push_->plannedUpTo();
  const bool nothingFailed = push_->failures().empty() && !push_->full() && !push_->wantsAnotherRound();
  std::vector<mailstore::WaitingRow> refused = push_->takeRefused();
  refusedAhead_.insert(refusedAhead_.end(), std::make_move_iterator(refused.begin()),
                       std::make_move_iterator(refused.end()));
  absorbPush();
  if (broken || (makesMailboxes && nothingFailed)) {
    // New mailboxes are known like any other from now on; after a break it is seen what has arrived.
    readAgain(broken, report_.counts.uploaded - before);
    rereads_ = false;
  }
  return nothingFailed && !broken;
}

}  // namespace mailbraid::sync::engine
