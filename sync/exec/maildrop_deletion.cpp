#include "sync/exec/maildrop_deletion.h"

#include "sync/plan/brake.h"

#include <algorithm>
#include <ranges>
#include <utility>

namespace mailbraid::sync::exec {

using endpoint::DeletionOutcome;
using endpoint::StoredMessage;
using mailstore::Entry;
using mailstore::EntryId;
using mailstore::Pair;
using mailstore::Store;
using mailstore::Uidl;
using mailstore::WaitKind;
using plan::Deletion;

namespace {

std::string counted(std::uint64_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string_view reasonOf(Deletion why) {
  return why == Deletion::Removed ? "removed elsewhere" : "safe in the store";
}

}  // namespace

void MaildropDeletion::forgetWaiting(Store& store, mailstore::EndpointId endpoint) {
  for (const mailstore::WaitingRow& row : store.backlog().waiting(endpoint)) {
    if (row.kind == WaitKind::Held) store.backlog().done(endpoint, row.entry);
  }
}

void MaildropDeletion::plan(Store& store, const Maildrop& maildrop) {
  maildrop_ = &maildrop;
  record_ = maildrop.record;
  for (const mailstore::EndpointStatus& status : store.endpoints().statuses()) {
    if (status.endpoint.name != settings_.confirmedBy) continue;
    for (const mailstore::EndpointMailbox& mailbox : store.endpoints().mailboxes(status.endpoint.id)) {
      confirming_.insert(mailbox.id);
    }
  }
  std::vector<Planned> planned;
  for (const Uidl& key : std::views::reverse(maildrop.listed)) look(store, key, planned);
  std::reverse(planned.begin(), planned.end());
  brake(store, planned);
  if (settings_.stage == DeletionSettings::Stage::AtEnd) tellWhatStays();
  if (settings_.mode == DeletionSettings::Mode::Rehearse) tellPlan(planned);
  for (Planned& one : planned) {
    items_.push_back(one.message);
    byKey_.emplace(one.message.key.value(), std::move(one));
  }
  maildrop_ = nullptr;
}

void MaildropDeletion::tellWhatStays() {
  if (unnamed_ > 0) {
    notes_.push_back(record_.name + ": " + counted(unnamed_, "message stays", "messages stay") +
                     " there, because the server has no unique-id (UIDL) for what it would have to delete");
  }
  if (unconfirmed_ > 0) {
    notes_.push_back(record_.name + ": " + counted(unconfirmed_, "message stays", "messages stay") + " there until " +
                     settings_.confirmedBy + " is known to hold " + (unconfirmed_ == 1 ? "it" : "them"));
  }
}

bool MaildropDeletion::isConfirmed(Store& store, EntryId entry) {
  if (settings_.confirmedBy.empty()) return true;
  const std::vector<Pair> pairs = store.pairs().ofEntry(entry);
  return std::any_of(pairs.begin(), pairs.end(),
                     [&](const Pair& pair) { return !pair.held && confirming_.contains(pair.endpointMailbox); });
}

void MaildropDeletion::look(Store& store, const Uidl& key, std::vector<Planned>& planned) {
  plan::ListedMessage facts;
  facts.newer = staying_;
  facts.isNamed = endpoint::isServersName(key);
  Planned one;
  one.message.key = key;
  const std::optional<Pair> pair = store.pairs().find(record_.id, key);
  if (pair && pair->held) return;  // it was deleted since it was listed
  if (const std::optional<Entry> entry = pair ? store.entries().find(pair->entry) : std::nullopt) {
    const mailstore::MessageInfo info = store.messages().info(entry->message);
    facts.copy =
        store.messages().isDamaged(info.id) ? plan::ListedMessage::Copy::Damaged : plan::ListedMessage::Copy::Sound;
    facts.local = entry->removedAt == 0 ? plan::Local::Live : plan::Local::Tombstone;
    facts.firstSeen = pair->firstSeen;
    facts.size = info.size;
    facts.isConfirmed = isConfirmed(store, entry->id);
    one.pair = pair->id;
    one.entry = entry->id;
    one.message = {key, info.size, info.headerDigest, info.contentKey, pair->deletedAt != 0};
  } else if (maildrop_->wouldBeStored.contains(key.value())) {
    facts.copy = plan::ListedMessage::Copy::Sound;
    facts.firstSeen = settings_.rules.now;
    facts.isConfirmed = settings_.confirmedBy.empty();
  }
  one.why = plan::decideDeletion(facts, settings_.rules);
  if (one.why == Deletion::Expired || one.why == Deletion::Removed) {
    planned.push_back(std::move(one));
    return;
  }
  ++staying_;
  if (one.why == Deletion::Unnamed) ++unnamed_;
  if (one.why == Deletion::Unconfirmed) ++unconfirmed_;
}

void MaildropDeletion::brake(Store& store, std::vector<Planned>& planned) {
  const auto isRemoval = [](const Planned& one) { return one.why == Deletion::Removed; };
  const auto counts = [&](const Planned& one) {
    return isRemoval(one) && !settings_.allowedEntries.contains(one.entry);
  };
  const std::uint64_t before = staying_ + planned.size() + settings_.removedEarlier;
  const auto removals =
      settings_.removedEarlier + static_cast<std::uint64_t>(std::count_if(planned.begin(), planned.end(), counts));
  const bool atEnd = settings_.stage == DeletionSettings::Stage::AtEnd;
  if (atEnd) forgetWaiting(store, record_.endpoint);
  if (!plan::brakes(removals, before) || settings_.removalsAllowed(record_.name)) return;
  if (!atEnd) {
    std::erase_if(planned, isRemoval);
    return;
  }
  for (const Planned& one : planned) {
    if (!isRemoval(one)) continue;
    ++held_;
    store.backlog().wait(record_.endpoint,
                         {one.entry, WaitKind::Held, "held back by the brake", settings_.rules.now, 0});
  }
  std::erase_if(planned, isRemoval);
  notes_.push_back(record_.name + ": " + std::to_string(held_) + " of " + std::to_string(before) +
                   " messages were removed elsewhere; their removal here is held back");
  log_.note(settings_.endpointName, record_.name, "hold", std::to_string(held_) + " removals there");
}

void MaildropDeletion::tellPlan(const std::vector<Planned>& planned) {
  for (const Planned& one : planned) {
    log_.add(settings_.endpointName, record_.name, "remove there", one.message.key, reasonOf(one.why));
  }
  deleted_ = planned.size();
}

void MaildropDeletion::record(Store& store, const DeletionOutcome& outcome) {
  for (const Uidl& key : outcome.deleted) {
    const Planned& one = byKey_.at(key.value());
    store.pairs().setDeleted(one.pair, settings_.rules.now);
    log_.add(settings_.endpointName, record_.name, "remove there", key, reasonOf(one.why));
    ++deleted_;
    if (one.why == Deletion::Removed) ++removed_;
  }
  // The pair only remembers that it is not listed, as a reading would.
  for (const Uidl& key : outcome.vanished) store.pairs().setHeld(byKey_.at(key.value()).pair, true);
  for (const Uidl& key : outcome.replaced) {
    store.pairs().remove(byKey_.at(key.value()).pair);
    log_.add(settings_.endpointName, record_.name, "forget", key, "the server names another message so now");
  }
  if (!outcome.replaced.empty()) {
    notes_.push_back(record_.name + ": the server has given " +
                     counted(outcome.replaced.size(), "unique-id", "unique-ids") +
                     " a second time; the new mail is fetched in the next run");
  }
  if (!outcome.refused.empty()) {
    problems_.push_back(counted(outcome.refused.size(), "message", "messages") +
                        " could not be deleted there and will be tried again: " + outcome.refused.front().second);
  }
  if (!outcome.unconfirmed.empty()) {
    problems_.push_back(counted(outcome.unconfirmed.size(), "deletion was", "deletions were") +
                        " not confirmed by the server (" + outcome.unconfirmedReason + "); they will be tried again");
  }
}

}  // namespace mailbraid::sync::exec
