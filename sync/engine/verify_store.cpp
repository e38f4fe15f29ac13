#include "sync/engine/verify_store.h"

#include "sync/engine/rules.h"

#include <algorithm>
#include <sstream>
#include <utility>

namespace mailbraid::sync::engine {

using endpoint::EndpointType;
using endpoint::RemovalStyle;
using mailstore::Entry;
using mailstore::EntryId;
using mailstore::EntryRow;
using mailstore::Mailbox;
using mailstore::Pair;
using mailstore::Role;
using mailstore::Store;
using mailstore::SystemFlag;
using mailstore::Uid;
using mailstore::Uidl;
using mailstore::WaitKind;
using plan::ExpectedMessage;
using plan::FoundMessage;
using plan::MappedMailbox;

namespace {

constexpr char kNotYet[] = "no sync has carried it there yet";

ExpectedMessage expectedFrom(const Entry& entry, const mailstore::MessageInfo& message) {
  ExpectedMessage out;
  out.entry = entry.id;
  out.digest = message.digest;
  out.header = message.headerDigest;
  out.content = message.contentKey;
  out.size = message.size;
  out.likeness = plan::likenessOf(message.header);
  out.flags = entry.flags;
  out.date = entry.internalDate;
  return out;
}

}  // namespace

VerifyStore::VerifyStore(Store& store, const endpoint::EndpointSettings& settings, std::int64_t now,
                         std::stop_token stop)
    : store_(store), settings_(settings), now_(now), stop_(std::move(stop)), window_(windowOf(settings)) {
  for (const mailstore::MailboxSummary& one : store_.mailboxes().list()) {
    if (one.mailbox.braidName == settings_.braid) braid_.push_back(one.mailbox);
  }
  for (const mailstore::EndpointStatus& status : store_.endpoints().statuses()) {
    // In another braid it would be met anew.
    const bool same = !braid_.empty() && status.endpoint.braid == braid_.front().braid;
    if (status.endpoint.name == settings_.name && same) endpoint_ = status.endpoint;
  }
  if (!endpoint_) return;
  records_ = store_.endpoints().mailboxes(endpoint_->id);
  for (mailstore::WaitingRow& row : store_.backlog().waiting(endpoint_->id))
    waiting_.emplace(row.entry, std::move(row));
  readUploads();
}

void VerifyStore::checkStop() const {
  if (!stop_.stop_requested()) return;
  throw mailstore::Error(mailstore::ErrorKind::Cancelled, mailstore::Scope::Endpoint, mailstore::Retry::Later,
                         settings_.name + " was left on request");
}

void VerifyStore::readUploads() {
  constexpr std::size_t kMostRuns = 10'000;
  for (const mailstore::RunRow& run : store_.runs().list(kMostRuns)) {
    std::vector<std::string> metAgain;
    for (const mailstore::OperationRow& row : store_.runs().operations(run.id)) {
      if (row.endpoint != settings_.name) continue;
      if (row.kind == "first contact again" || row.kind == "rename") metAgain.push_back(row.mailbox);
      Uploads& uploads = uploads_[row.mailbox];
      if (row.kind != "upload" || uploads.closed) continue;
      if (keysAreUids()) {
        uploads.uids.add(mailstore::UidSet::parse(row.keys).value_or(mailstore::UidSet{}));
      } else {
        std::istringstream names(row.keys);
        for (std::string name; names >> name;) uploads.names.insert(name);
      }
    }
    for (const std::string& mailbox : metAgain) uploads_[mailbox].closed = true;
  }
}

endpoint::Seal VerifyStore::seal() const {
  return endpoint_ ? endpoint::Seal{endpoint_->seal, endpoint_->lastRun} : endpoint::Seal{};
}

std::optional<Mailbox> VerifyStore::targetOf(const std::string& storeName, Role role) const {
  const auto find = [&](auto&& test) -> std::optional<Mailbox> {
    const auto found = std::find_if(braid_.begin(), braid_.end(),
                                    [&](const Mailbox& one) { return !taken_.contains(one.id) && test(one); });
    return found == braid_.end() ? std::nullopt : std::optional(*found);
  };
  if (role != Role::None) {
    if (auto byRole = find([&](const Mailbox& one) { return one.role == role; })) return byRole;
  }
  return find([&](const Mailbox& one) { return one.name == storeName; });
}

bool VerifyStore::getsMailbox(const Mailbox& mailbox, const std::string& name) {
  if (settings_.type == EndpointType::Pop3 || !plan::takesMailbox(name, mailbox.role, mappingRulesOf(settings_)))
    return false;
  const bool known =
      std::any_of(records_.begin(), records_.end(), [&](const auto& record) { return record.mailbox == mailbox.id; });
  if (known) return true;
  if (endpoint_ && store_.backlog().isUnwanted(endpoint_->id, mailbox.id)) return false;
  return settings_.push.fresh;
}

std::vector<VerifyPlace> VerifyStore::places(
    const std::vector<endpoint::RemoteMailbox>& listed,
    const std::function<void(const std::string& name, const std::string& why)>& refuse) {
  const std::vector<MappedMailbox> mapped = plan::mapMailboxes(listedNames(listed), mappingRulesOf(settings_));
  std::vector<VerifyPlace> out;
  std::vector<std::size_t> unknown;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    if (mapped[i].fate == MappedMailbox::Fate::Refused) refuse(listed[i].name, mapped[i].reason);
    const auto record =
        std::find_if(records_.begin(), records_.end(), [&](const auto& one) { return one.name == listed[i].name; });
    if (mapped[i].fate != MappedMailbox::Fate::Sync) {
      if (record != records_.end()) taken_.insert(record->mailbox);
      continue;
    }
    VerifyPlace& place = out.emplace_back();
    place.remote = &listed[i];
    place.name = listed[i].name;
    if (record == records_.end()) {
      unknown.push_back(out.size() - 1);
      continue;
    }
    place.record = *record;
    place.mailbox = store_.mailboxes().find(record->mailbox);
    taken_.insert(record->mailbox);
  }
  for (const std::size_t at : unknown) {
    const MappedMailbox& name = mapped[static_cast<std::size_t>(out[at].remote - listed.data())];
    out[at].mailbox = targetOf(name.storeName, name.byMap ? Role::None : name.role);
    if (out[at].mailbox) taken_.insert(out[at].mailbox->id);
  }
  for (const Mailbox& mailbox : braid_) {
    if (taken_.contains(mailbox.id)) continue;
    const auto record =
        std::find_if(records_.begin(), records_.end(), [&](const auto& one) { return one.mailbox == mailbox.id; });
    VerifyPlace place;
    place.name =
        record != records_.end() ? record->name : plan::endpointNameFor(mailbox.name, mappingRulesOf(settings_));
    place.mailbox = mailbox;
    if (record != records_.end()) place.record = *record;
    if (getsMailbox(mailbox, place.name)) out.push_back(std::move(place));
  }
  return out;
}

VerifyStore::Pairs VerifyStore::pairsOf(const VerifyPlace& place) {
  Pairs out;
  if (!place.record) return out;
  const bool isOpen = place.remote != nullptr && place.remote->status;
  out.keysHold = !keysAreUids() || (isOpen && place.remote->status->uidValidity == place.record->anchor.uidValidity);
  store_.pairs().forMailbox(place.record->id, [&](const Pair& pair) {
    checkStop();
    // Of two, the one that is there.
    Known& known = out.byEntry.try_emplace(pair.entry, Known{pair.key, true}).first->second;
    if (known.held) known = {pair.key, pair.held, pair.expunged, pair.markedApart, pair.flags.has(SystemFlag::Deleted)};
  });
  return out;
}

std::vector<ExpectedMessage> VerifyStore::expected(const VerifyPlace& place) {
  std::vector<ExpectedMessage> out;
  Pairs pairs = pairsOf(place);
  out.reserve(pairs.byEntry.size());
  const auto uploads = uploads_.find(place.name);
  const auto wasUploaded = [&](const mailstore::RemoteKey& key) {
    if (uploads == uploads_.end()) return false;
    if (const Uid* uid = std::get_if<Uid>(&key)) return uploads->second.uids.contains(*uid);
    return uploads->second.names.contains(std::get<Uidl>(key).value());
  };
  if (place.mailbox) {
    const auto oldestTaken = settings_.maxMessages
                                 ? store_.entries().nthNewest(place.mailbox->id, *settings_.maxMessages)
                                 : std::optional<Entry>{};
    store_.entries().list(place.mailbox->id, [&](const EntryRow& row) {
      checkStop();
      ExpectedMessage& message = out.emplace_back(expectedFrom(row.entry, row.message));
      const auto pair = pairs.byEntry.find(row.entry.id);
      const bool paired = pair != pairs.byEntry.end();
      if (paired && pairs.keysHold) {
        message.key = pair->second.key;
        // No server keeps a date that has not come yet.
        message.wasUploaded = message.date.seconds <= now_ && wasUploaded(pair->second.key);
      }
      if (paired && pair->second.markedApart) message.flags.add(SystemFlag::Deleted);
      judge(message, row.entry, paired ? &pair->second : nullptr, oldestTaken);
      if (paired) pairs.byEntry.erase(pair);
    });
  }
  addRemoved(place, pairs, out);
  return out;
}

void VerifyStore::judge(ExpectedMessage& message, const Entry& entry, const Known* pair,
                        const std::optional<Entry>& oldestTaken) {
  const bool pop3 = settings_.type == EndpointType::Pop3;
  if (pair == nullptr) {
    judgeUnpaired(message, entry, oldestTaken);
    return;
  }
  if (endpoint_) message.repairs = store_.backlog().repairsOf(endpoint_->id, entry.id);
  if (!message.repairs.empty()) message.forms = store_.messages().formsOf(entry.message);
  if (pair->held && (pop3 || pair->expunged || !settings_.pull.removals)) {
    message.standing = Standing::LeftOut;
  } else if (pair->held) {
    message.reason = "it was removed there, and that is held back";
  }
}

void VerifyStore::judgeUnpaired(ExpectedMessage& message, const Entry& entry, const std::optional<Entry>& oldestTaken) {
  const auto age = [](const Entry& one) { return std::pair(one.internalDate.seconds, one.id); };
  if (isPairedElsewhere(entry.id)) {
    if (movesThere()) {
      message.reason = kNotYet;
    } else {
      message.standing = Standing::LeftOut;
    }
    return;
  }
  const auto waits = waiting_.find(entry.id);
  const bool never = settings_.type == EndpointType::Pop3 || !settings_.push.fresh ||
                     window_.leavesOut(message.size, entry.internalDate, now_) ||
                     (oldestTaken && age(entry) < age(*oldestTaken)) ||
                     (settings_.expungeDeleted && entry.flags.has(SystemFlag::Deleted)) ||
                     (waits != waiting_.end() && waits->second.kind == WaitKind::Policy);
  if (never) {
    message.standing = Standing::LeftOut;
  } else if (waits != waiting_.end()) {
    if (waits->second.kind == WaitKind::Refused) message.standing = Standing::Refused;
    message.reason = waits->second.reason;
  } else if (!endpoint_ || entry.change > endpoint_->pushed) {
    message.reason = kNotYet;
  }
}

bool VerifyStore::movesThere() const {
  const bool can = settings_.type == EndpointType::Imap || settings_.type == EndpointType::Maildir;
  return can && settings_.push.fresh && settings_.push.removals;
}

bool VerifyStore::isPairedElsewhere(EntryId entry) const {
  const std::vector<Pair> pairs = records_.empty() ? std::vector<Pair>{} : store_.pairs().ofEntry(entry);
  return std::any_of(pairs.begin(), pairs.end(), [&](const Pair& pair) {
    return !pair.held && std::any_of(records_.begin(), records_.end(),
                                     [&](const auto& record) { return record.id == pair.endpointMailbox; });
  });
}

/// What the pairs name besides live entries of the mailbox: what was removed in the store, and what was moved there
/// and stays where it is here. (What is to be moved here, too, is expected in its new mailbox.)
void VerifyStore::addRemoved(const VerifyPlace& place, const Pairs& pairs, std::vector<ExpectedMessage>& out) {
  for (const auto& [id, pair] : pairs.byEntry) {
    checkStop();
    const std::optional<Entry> entry = pair.held ? std::nullopt : store_.entries().find(id);
    if (!entry || (entry->removedAt == 0 && movesThere())) continue;
    ExpectedMessage message = expectedFrom(*entry, store_.messages().info(entry->message));
    if (pairs.keysHold) message.key = pair.key;
    message.standing = entry->removedAt == 0 ? Standing::LeftOut : Standing::Removed;
    if (entry->removedAt != 0) message.reason = whyNotRemoved(place, id, pair).value_or("");
    out.push_back(std::move(message));
  }
}

std::optional<std::string> VerifyStore::whyNotRemoved(const VerifyPlace& place, EntryId entry,
                                                      const Known& pair) const {
  const bool can = settings_.type == EndpointType::Imap || settings_.type == EndpointType::Maildir;
  const bool parked = settings_.removals == RemovalStyle::Trash && place.mailbox && place.mailbox->role == Role::Trash;
  // Where single messages cannot be expunged, too, the mark is all.
  const bool stays = settings_.removals == RemovalStyle::Never || pair.marked;
  if (!can || parked || stays || !settings_.push.removals) return std::nullopt;
  const auto waits = waiting_.find(entry);
  if (waits == waiting_.end()) return "it was removed in the store, and no sync has removed it there yet";
  if (waits->second.kind == WaitKind::Policy) return std::nullopt;
  return "it was removed in the store; there: " + waits->second.reason;
}

void VerifyStore::excuse(const VerifyPlace& place, std::vector<FoundMessage>& found) {
  std::map<mailstore::RemoteKey, std::string> quarantine;
  std::set<mailstore::RemoteKey> leftOut;
  const bool anchored = place.record && place.record->anchor.complete;
  if (place.record) {
    for (mailstore::QuarantineRow& row : store_.quarantine().of(place.record->id))
      quarantine.emplace(row.key, std::move(row.reason));
    for (Uidl& name : store_.quarantine().leftOut(place.record->id)) leftOut.insert(std::move(name));
  }
  std::uint64_t older =
      found.size() - std::min<std::uint64_t>(found.size(), settings_.maxMessages.value_or(UINT64_MAX));
  for (FoundMessage& message : found) {
    const bool isOlder = older > 0;
    older -= isOlder ? 1 : 0;
    const Uid* uid = std::get_if<Uid>(&message.key);
    const bool isNew = anchored && uid != nullptr && *uid >= place.record->anchor.uidNext;
    const auto refused = quarantine.find(message.key);
    // Where single messages cannot be expunged, what was moved or removed leaves a marked copy behind.
    const bool marked = message.flags && message.flags->has(SystemFlag::Deleted);
    const bool leftBehind = marked && (settings_.expungeDeleted || (anchored && uid != nullptr && !isNew));
    if (refused != quarantine.end()) {
      message.excuse = FoundMessage::Excuse::Refused;
      message.reason = refused->second;
    } else if (isOlder || leftBehind || !settings_.pull.fresh || leftOut.contains(message.key) ||
               window_.leavesOut(message.size, message.date, now_)) {
      message.excuse = FoundMessage::Excuse::LeftOut;
    } else if (isNew) {
      message.reason = "it arrived after the last sync";
    }
  }
}

}  // namespace mailbraid::sync::engine
