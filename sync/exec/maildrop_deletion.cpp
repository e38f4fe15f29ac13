#include "sync/exec/maildrop_deletion.h"

#include "sync/plan/brake.h"

#include <algorithm>
#include <utility>

namespace mailbraid::sync::exec {

using endpoint::DeletionOutcome;
using mailstore::Entry;
using mailstore::EntryId;
using mailstore::Pair;
using mailstore::Store;
using mailstore::Uidl;
using mailstore::WaitKind;
using plan::Deletion;
using Sharing = plan::ListedMessage::Sharing;

namespace {

std::string counted(std::uint64_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string_view reasonOf(Deletion why) {
  return why == Deletion::Removed ? "removed elsewhere" : "safe in the store";
}

}  // namespace

void MaildropDeletion::forgetWaiting(Store& store, mailstore::EndpointId endpoint,
                                     const std::unordered_set<EntryId>& but) {
  for (const mailstore::WaitingRow& row : store.backlog().waiting(endpoint)) {
    if (row.kind == WaitKind::Held && !but.contains(row.entry)) store.backlog().done(endpoint, row.entry);
  }
}

void MaildropDeletion::plan(Store& store, const Maildrop& maildrop) {
  record_ = maildrop.record;
  std::vector<Planned> planned = lookAtAll(store, maildrop);
  brake(store, planned);
  if (settings_.stage == DeletionSettings::Stage::AtEnd) tellWhatStays();
  if (settings_.mode == DeletionSettings::Mode::Rehearse) tellPlan(planned);
  for (Planned& one : planned) {
    items_.push_back(one.message);
    byKey_.emplace(one.message.key.value(), std::move(one));
  }
}

void MaildropDeletion::tellWhatStays() {
  if (unnamed_ > 0) {
    notes_.push_back(record_.name + ": " + counted(unnamed_, "message stays", "messages stay") +
                     " there, because the server has no unique-id (UIDL) for what it would have to delete");
  }
  if (shared_ > 0) {
    const std::string them = shared_ == 1 ? "it" : "them";
    notes_.push_back(record_.name + ": " + counted(shared_, "message stays", "messages stay") +
                     " there, because an IMAP account had " + them + " already, or may have " + them +
                     " among what is left out there: if the two are one account, deleting " + them + " would lose " +
                     them);
  }
  if (unconfirmed_ > 0) {
    notes_.push_back(record_.name + ": " + counted(unconfirmed_, "message stays", "messages stay") + " there until " +
                     settings_.confirmedBy + " is known to hold " + (unconfirmed_ == 1 ? "it" : "them"));
  }
}

/// Only when something may go: most runs delete nothing.
const MaildropDeletion::ImapSide& MaildropDeletion::imapSide(Store& store) {
  if (imap_) return *imap_;
  imap_.emplace();
  for (const mailstore::EndpointStatus& status : store.endpoints().statuses()) {
    if (status.endpoint.type != endpoint::endpointTypeName(endpoint::EndpointType::Imap)) continue;
    const auto companion = settings_.companions.find(status.endpoint.name);
    const bool isCompanion = companion != settings_.companions.end();
    const Sharing sharing = isCompanion && companion->second.keeps ? Sharing::Kept : Sharing::Followed;
    bool hides = isCompanion && companion->second.leavesOut;
    for (const mailstore::EndpointMailbox& mailbox : store.endpoints().mailboxes(status.endpoint.id)) {
      imap_->mailboxes.emplace(mailbox.id, ImapMailbox{status.endpoint.id, sharing});
      // In quarantine, say.
      hides = hides || (isCompanion && store.pairs().count(mailbox.id) < mailbox.anchor.messages);
    }
    if (hides) imap_->hiding.emplace(status.endpoint.id, sharing);
  }
  return *imap_;
}

void MaildropDeletion::lookElsewhere(Store& store, const Pair& pair, plan::ListedMessage& facts) {
  const ImapSide& imap = imapSide(store);
  std::unordered_set<mailstore::EndpointId> copies;
  facts.isConfirmed = settings_.confirmedBy.empty();
  for (const Pair& other : store.pairs().ofEntry(pair.entry)) {
    if (other.held) continue;
    facts.isConfirmed = facts.isConfirmed || settings_.confirming.contains(other.endpointMailbox);
    const auto at = imap.mailboxes.find(other.endpointMailbox);
    if (at == imap.mailboxes.end()) continue;
    // However the two accounts are spelled: what mailbraid has taken from here and put there is a copy.
    if (other.uploaded && pair.id < other.id) {
      copies.insert(at->second.endpoint);
    } else {
      facts.sharing = std::max(facts.sharing, at->second.sharing);
    }
  }
  // What it leaves out may be the very message, without a pair to tell.
  for (const auto& [endpoint, sharing] : imap.hiding) {
    if (!copies.contains(endpoint)) facts.sharing = std::max(facts.sharing, sharing);
  }
}

MaildropDeletion::Planned MaildropDeletion::look(Store& store, const Uidl& key, const Pair& pair) {
  Planned out;
  out.message.key = key;
  out.pair = pair.id;
  // Most messages stay for what the pair tells: the rest is looked up for those that may go.
  plan::ListedMessage facts;
  facts.copy = plan::ListedMessage::Copy::Sound;
  facts.local = plan::Local::Tombstone;
  facts.isNamed = endpoint::isServersName(key);
  facts.firstSeen = pair.firstSeen;
  facts.newer = staying_;
  if (plan::decideDeletion(facts, settings_.rules) == Deletion::Leave) return out;
  const std::optional<Entry> entry = store.entries().find(pair.entry);
  if (!entry) return out;
  facts.local = entry->removedAt == 0 ? plan::Local::Live : plan::Local::Tombstone;
  if (plan::decideDeletion(facts, settings_.rules) == Deletion::Leave) return out;
  const mailstore::MessageInfo info = store.messages().info(entry->message);
  if (store.messages().isDamaged(info.id)) facts.copy = plan::ListedMessage::Copy::Damaged;
  facts.size = info.size;
  lookElsewhere(store, pair, facts);
  out.why = plan::decideDeletion(facts, settings_.rules);
  out.entry = entry->id;
  out.message = {key, info.headerDigest, info.contentKey};
  return out;
}

MaildropDeletion::Planned MaildropDeletion::lookAtFetched(const Uidl& key) const {
  plan::ListedMessage facts;
  facts.copy = plan::ListedMessage::Copy::Sound;
  facts.isNamed = endpoint::isServersName(key);
  facts.firstSeen = settings_.rules.now;
  facts.newer = staying_;
  facts.isConfirmed = settings_.confirmedBy.empty();
  for (const auto& [name, companion] : settings_.companions) {
    if (companion.leavesOut && !companion.takesNew)
      facts.sharing = std::max(facts.sharing, companion.keeps ? Sharing::Kept : Sharing::Followed);
  }
  Planned out;
  out.message.key = key;
  out.why = plan::decideDeletion(facts, settings_.rules);
  return out;
}

std::vector<MaildropDeletion::Planned> MaildropDeletion::lookAtAll(Store& store, const Maildrop& maildrop) {
  std::vector<Planned> out;
  for (auto listed = maildrop.listed.rbegin(); listed != maildrop.listed.rend(); ++listed) {
    const Uidl& key = *listed;
    const std::optional<Pair> pair = store.pairs().find(record_.id, key);
    if (pair && pair->held) continue;  // it was deleted since it was listed
    Planned one;
    if (pair) {
      one = look(store, key, *pair);
    } else if (maildrop.wouldBeStored.contains(key.value())) {
      one = lookAtFetched(key);
    }
    if (one.why == Deletion::Expired || one.why == Deletion::Removed) {
      out.push_back(std::move(one));
      continue;
    }
    ++staying_;
    if (one.why == Deletion::Unnamed) ++unnamed_;
    if (one.why == Deletion::Shared) ++shared_;
    if (one.why == Deletion::Unconfirmed) ++unconfirmed_;
  }
  std::reverse(out.begin(), out.end());
  return out;
}

void MaildropDeletion::brake(Store& store, std::vector<Planned>& planned) {
  const auto isRemoval = [](const Planned& one) { return one.why == Deletion::Removed; };
  const auto counts = [&](const Planned& one) {
    return isRemoval(one) && !settings_.allowedEntries.contains(one.entry);
  };
  const std::uint64_t before = staying_ + planned.size() + settings_.removedEarlier;
  const auto removals =
      settings_.removedEarlier + static_cast<std::uint64_t>(std::count_if(planned.begin(), planned.end(), counts));
  std::unordered_set<EntryId> held;
  if (plan::brakes(removals, before) && !settings_.removalsAllowed(record_.name)) {
    for (const Planned& one : planned) {
      if (isRemoval(one)) held.insert(one.entry);
    }
    std::erase_if(planned, isRemoval);
  }
  if (settings_.stage == DeletionSettings::Stage::Midway) return;
  forgetWaiting(store, record_.endpoint, held);
  if (held.empty()) return;
  for (const EntryId entry : held) {
    store.backlog().wait(record_.endpoint, {entry, WaitKind::Held, "held back by the brake", settings_.rules.now, 0});
  }
  held_ = held.size();
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
