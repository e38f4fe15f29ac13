// ImapEndpoint: uploads, several commands in flight, several messages in each where the server takes them.
#include "sync/endpoint/imap_endpoint.h"
#include "sync/endpoint/imap_push.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace mailbraid::sync::endpoint {

using imap::ResponseCodeKind;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Flags;
using mailstore::kMostRepaired;
using mailstore::RemoteKey;
using mailstore::Repair;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Uid;

namespace {

// A message above it is streamed, alone in its command; the others of a batch lie in memory together.
constexpr std::uint64_t kLargeMessage = std::uint64_t{512} * 1024;
constexpr std::uint64_t kBatchOctets = std::uint64_t{1} << 20U;
constexpr std::size_t kBatchMessages = 100;
constexpr std::uint64_t kMostInFlight = std::uint64_t{4} << 20U;

/// The server would refuse the next message for the same reason.
bool concernsMailbox(ResponseCodeKind code) {
  switch (code) {
    case ResponseCodeKind::OverQuota:
    case ResponseCodeKind::TryCreate:
    case ResponseCodeKind::NonExistent:
    case ResponseCodeKind::NoPerm:
    case ResponseCodeKind::ReadOnly:
      return true;
    default:
      return imap::adviceOf(code) == imap::FailureAdvice::TryLater;
  }
}

/// Of the account, not of the mailbox alone: the next mailbox would be refused its messages, too.
Error quotaUsedUp(const std::string& said) {
  return {ErrorKind::TemporaryFailure, Scope::Endpoint, Retry::Later,
          "the server takes no more messages, its quota is used up: \"" + said + "\""};
}

/// The nearest one that no server takes for a mistake: mail is not older than 1970, nor of the future.
mailstore::InternalDate nearestDate(const mailstore::InternalDate& date) {
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  if (date.seconds >= 0 && date.seconds <= now) return date;
  return {std::clamp<std::int64_t>(date.seconds, 0, now), 0};
}

bool isNeeded(const std::string& octets, Repair repair) {
  return mailstore::repaired(octets, repair).has_value();
}

Error refusedMessage(const std::string& why) {
  return {ErrorKind::Protocol, Scope::Message, Retry::Never, why};
}

}  // namespace

std::optional<Error> ImapUpload::run() {
  if (items_.empty()) return std::nullopt;
  const RemoteStatus status = request_.mailbox->status.value_or(RemoteStatus{});
  if (status.uidValidity.value() != 0) {
    if (auto replaced = push_.replaced(*request_.mailbox, status.uidValidity)) return replaced;
  }
  sendBatches(0);
  if (request_.more) sendFurther();
  push_.run();
  // In order, and each part only when it is known what became of the one before: some fit, and then none does.
  while (!again_.empty() && !stopped_) {
    std::vector<Batch> batches;
    batches.swap(again_);
    for (Batch& batch : batches) {
      if (!stopped_) sendBatch(batch);
      if (tight_) push_.run();
    }
    push_.run();
  }
  if (tight_ && !stopped_) stopped_ = quotaUsedUp(quotaText_);
  return stopped_;
}

/// Before anything is sent: what is refused here already leaves no trace there.
void ImapUpload::announce() {
  if (std::exchange(announced_, true)) return;
  const RemoteStatus status = request_.mailbox->status.value_or(RemoteStatus{});
  sink_.onAppending(index_, status.uidValidity, status.uidNext);
}

void ImapUpload::refuse(const AppendItem& item, const Error& error) {
  sink_.onAppendRefused(index_, item.token, error);
}

bool ImapUpload::admits(const AppendItem& item) {
  const std::optional<std::uint64_t>& ofMailbox = request_.mailbox->appendLimit;
  const std::optional<std::uint64_t> limit = ofMailbox ? ofMailbox : push_.session().capabilities().appendLimit();
  if (!limit || item.size <= *limit) return true;
  refuse(item, refusedMessage("it has " + std::to_string(item.size) + " octets; the server takes " +
                              std::to_string(*limit) + " at most"));
  return false;
}

std::optional<std::string> ImapUpload::read(const AppendItem& item) {
  std::string octets;
  octets.reserve(item.size);
  try {
    octets_(item, [&](std::string_view piece) { octets.append(piece); });
  } catch (const Error& error) {
    if (error.scope() != Scope::Message) throw;
    refuse(item, error);
    return std::nullopt;
  }
  return octets;
}

std::optional<imap::LiteralKind> ImapUpload::literalFor(std::size_t i, bool hasNul) {
  const AppendItem& item = items_[i];
  if (!hasNul) return imap::LiteralKind::Text;
  if (push_.has("BINARY")) return imap::LiteralKind::Binary;
  if (repairs_.has(Repair::Nul) && item.size <= kMostRepaired) {
    mailstore::Repairs repaired;
    repaired.add(Repair::Nul);
    again_.push_back({{i}, 0, Batch::Keywords::Kept, repaired});
  } else {
    refuse(item, refusedMessage("it has NUL octets, which this server cannot take (it has no BINARY, RFC 3516)"));
  }
  return std::nullopt;
}

/// Tries the next repair that the user allows and that the message is in need of; false: there is none.
bool ImapUpload::sendRepaired(const Batch& batch) {
  const AppendItem& item = items_[batch.items.front()];
  if (repairs_.empty() || item.size > kMostRepaired) return false;
  const std::optional<std::string> octets = read(item);
  if (!octets) return true;  // it is refused for that already
  for (std::size_t i = 0; i < mailstore::kRepairNames.size(); ++i) {
    const auto repair = static_cast<Repair>(i);
    if (!repairs_.has(repair) || batch.repaired.has(repair)) continue;
    const bool needed = repair == Repair::Date ? nearestDate(item.date) != item.date : isNeeded(*octets, repair);
    if (!needed) continue;
    Batch next{batch.items, 0, batch.keywords, batch.repaired};
    next.repaired.add(repair);
    again_.push_back(std::move(next));
    return true;
  }
  return false;
}

Flags ImapUpload::flagsOf(const AppendItem& item, Batch::Keywords keywords) const {
  return keywords == Batch::Keywords::Kept ? item.flags : Flags::fromColumns(item.flags.bits(), {});
}

/// What comes meanwhile is sent behind the rest: it does not wait for the last answer.
void ImapUpload::sendFurther() {
  while (!stopped_ && !tight_) {
    std::vector<AppendItem> further = request_.more();
    if (!further.empty()) {
      const std::size_t first = items_.size();
      items_.insert(items_.end(), std::make_move_iterator(further.begin()), std::make_move_iterator(further.end()));
      sendBatches(first);
    } else if (push_.isIdle()) {
      return;
    } else {
      push_.pump();
    }
  }
}

void ImapUpload::sendBatches(std::size_t first) {
  const std::size_t taken = push_.has("MULTIAPPEND") ? kBatchMessages : 1;
  const auto most =
      static_cast<std::size_t>(std::min<std::uint64_t>(taken, push_.session().restraint().mostMessages()));
  Batch batch;
  const auto flush = [&] {
    if (!batch.items.empty()) sendBatch(std::exchange(batch, {}));
  };
  for (std::size_t i = first; i < items_.size() && !stopped_ && !tight_; ++i) {
    const AppendItem& item = items_[i];
    if (!admits(item)) continue;
    if (item.size > kLargeMessage) {
      flush();
      if (!stopped_ && !tight_) sendLarge(i);
      continue;
    }
    if (batch.items.size() >= most || batch.octets + item.size > kBatchOctets) flush();
    batch.items.push_back(i);
    batch.octets += item.size;
  }
  if (!stopped_) flush();
}

void ImapUpload::sendBatch(const Batch& batch) {
  imap::Append command{request_.mailbox->wireName, {}};
  Batch sent;
  sent.keywords = batch.keywords;
  sent.repaired = batch.repaired;
  for (const std::size_t i : batch.items) {
    const AppendItem& item = items_[i];
    std::optional<std::string> octets = read(item);
    if (!octets) continue;
    if (!batch.repaired.empty()) {
      octets = mailstore::repaired(*octets, batch.repaired);
      sink_.onRepairing(index_, item.token, mailstore::formOf(*octets, batch.repaired));
    }
    const auto literal = literalFor(i, octets->find('\0') != std::string::npos);
    if (!literal) continue;
    sent.items.push_back(i);
    sent.octets += octets->size();
    const mailstore::InternalDate date = batch.repaired.has(Repair::Date) ? nearestDate(item.date) : item.date;
    command.messages.push_back({flagsOf(item, batch.keywords), date, octets->size(), std::move(octets), *literal});
  }
  if (sent.items.empty()) return;
  while (inFlight_ != 0 && inFlight_ + sent.octets > kMostInFlight) push_.pump();
  if (stopped_) return;
  push_.session().restraint().awaitMessages(sent.items.size());
  announce();
  inFlight_ += sent.octets;
  sink_.onOctets(sent.octets);
  push_.send(std::move(command), [this, sent](const ImapPush::End& end) { ended(sent, end); });
  push_.drain();
}

void ImapUpload::sendLarge(std::size_t i) {
  const AppendItem& item = items_[i];
  bool hasNul = false;
  try {
    octets_(item, [&](std::string_view piece) { hasNul = hasNul || piece.find('\0') != std::string_view::npos; });
  } catch (const Error& error) {
    if (error.scope() != Scope::Message) throw;
    refuse(item, error);
    return;
  }
  const auto literal = literalFor(i, hasNul);
  if (!literal) return;
  push_.run();
  push_.session().restraint().awaitMessages(1);
  announce();
  Batch sent;
  sent.items.push_back(i);
  bool isDone = false;
  push_.send(imap::Append{request_.mailbox->wireName, {{item.flags, item.date, item.size, std::nullopt, *literal}}},
             [&, sent](const ImapPush::End& end) {
               isDone = true;
               ended(sent, end);
             });
  push_.drain();
  imap::Client& client = push_.session().client();
  while (client.owedOctets() == 0 && !isDone) push_.pump();  // until the server says that it wants it
  try {
    octets_(item, [&](std::string_view piece) {
      if (client.owedOctets() == 0) return;  // refused before it was sent
      client.supply(piece);
      sink_.onOctets(piece.size());
      push_.drain();
    });
  } catch (const Error& error) {
    if (error.scope() != Scope::Message) throw;
    // The server waits for the rest of a message that cannot be had: only the end of the line takes that back.
    refuse(item, error);
    throw Error(ErrorKind::TemporaryFailure, Scope::Connection, Retry::Now, error.what());
  }
  if (!isDone) push_.run();
}

void ImapUpload::ended(const Batch& batch, const ImapPush::End& end) {
  inFlight_ -= std::min(inFlight_, batch.octets);
  if (end.isOk()) {
    std::vector<Uid> uids;
    const auto& known = request_.mailbox->status;
    const bool other = end.appended && known && known->uidValidity.value() != 0 &&
                       known->uidValidity != end.appended->uidValidity;  // it was replaced by another mailbox meanwhile
    if (end.appended && !other && end.appended->uids.count() == batch.items.size()) {
      forEachUid(end.appended->uids, [&](Uid uid) { uids.push_back(uid); });
    }
    for (std::size_t i = 0; i < batch.items.size(); ++i) {
      const AppendItem& item = items_[batch.items[i]];
      const auto key = uids.empty() ? std::optional<RemoteKey>{} : RemoteKey{uids[i]};
      if (!batch.repaired.empty()) sink_.onRepaired(index_, item.token, batch.repaired);
      // Which flags it has kept it does not tell; the next reading does.
      sink_.onAppended(index_, item.token, key, {});
    }
    return;
  }
  const bool together = batch.items.size() > 1;
  const bool full = end.code == ResponseCodeKind::OverQuota;
  if (full) {
    tight_ = true;
    quotaText_ = end.text;
  }
  if (concernsMailbox(end.code) && !(together && full)) {
    if (!stopped_) stopped_ = full ? quotaUsedUp(end.text) : refusal(*request_.mailbox, "take messages", end);
    return;
  }
  if (together) {
    // One of them is at fault, or not all of them fit: the others shall not suffer.
    const auto middle = batch.items.begin() + static_cast<std::ptrdiff_t>(batch.items.size() / 2);
    again_.push_back({{batch.items.begin(), middle}, 0, batch.keywords, batch.repaired});
    again_.push_back({{middle, batch.items.end()}, 0, batch.keywords, batch.repaired});
    return;
  }
  const AppendItem& item = items_[batch.items.front()];
  const bool mayBeKeyword = batch.keywords == Batch::Keywords::Kept && !item.flags.keywords().empty() &&
                            item.size <= kLargeMessage && end.code != ResponseCodeKind::TooBig;
  if (mayBeKeyword) {
    again_.push_back({batch.items, 0, Batch::Keywords::LeftOut, batch.repaired});
    return;
  }
  if (end.code != ResponseCodeKind::TooBig && sendRepaired(batch)) return;
  refuse(item, refusedMessage("the server would not take it: \"" + end.text + "\""));
}

Outcomes ImapEndpoint::append(std::span<const AppendRequest> requests, const OctetSource& octets, PushSink& sink) {
  Outcomes out(requests.size());
  ImapPush push(*session_);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    out[i] = ImapUpload(push, requests[i], i, octets, sink).run();
    if (!out[i] || out[i]->scope() != Scope::Endpoint) continue;
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(i), out.end(), out[i]);
    break;
  }
  return out;
}

}  // namespace mailbraid::sync::endpoint
