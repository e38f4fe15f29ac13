// SimEndpoint: what it takes. Each step can fail before anything was done, and after, before it is told.
#include "tests/simulation/sim_endpoint.h"

namespace mailbraid::simulation {

using endpoint::MailboxChange;
using endpoint::RemoveRequest;
using endpoint::TransferRequest;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Flags;
using mailstore::RemoteKey;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::SystemFlag;

namespace {

Error refusedHere(const std::string& what) {
  return {ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later, what + ": refused, try later"};
}

std::string mail(const SimMessage& message) {
  return "mail " + std::to_string(message.content);
}

}  // namespace

endpoint::PushAbility SimEndpoint::pushAbility() const {
  if (server_.abilities().isPop3()) return {};
  return {true, true, true, true, true};
}

endpoint::MailboxOutcome SimEndpoint::change(const MailboxChange& change) {
  const bool creates = change.kind == MailboxChange::Kind::Create;
  const std::string about = creates ? change.name : change.mailbox->name;
  stage_.step(server_, "change mailbox " + about);
  if (stage_.refuses(server_.name() + " change mailbox " + about)) return {nullptr, refusedHere(about)};
  if (change.kind == MailboxChange::Kind::Remove) {
    const SimMailbox* mailbox = find(change.mailbox);
    if (mailbox != nullptr && !mailbox->messages.empty()) return {nullptr, refusedHere(about)};
    server_.removeMailbox(about);
    stage_.wrote(server_, "remove mailbox " + about);
    return {};
  }
  if (creates) {
    if (!server_.mailboxes.contains(change.name)) stage_.wrote(server_, "create mailbox " + change.name);
    server_.make(change.name);
  } else {
    if (find(change.mailbox) == nullptr || server_.mailboxes.contains(change.name))
      return {nullptr, refusedHere(about)};
    server_.rename(about, change.name);
    stage_.wrote(server_, "rename mailbox " + about + " to " + change.name);
  }
  stage_.step(server_, "changed mailbox " + about);
  made_.push_back(std::make_unique<endpoint::RemoteMailbox>(describe(change.name)));
  return {made_.back().get(), std::nullopt};
}

std::vector<endpoint::MailboxOutcome> SimEndpoint::changeMailboxes(std::span<const MailboxChange> changes) {
  pass();
  std::vector<endpoint::MailboxOutcome> out;
  for (const MailboxChange& one : changes) out.push_back(change(one));
  return out;
}

void SimEndpoint::storeOne(const endpoint::FlagRequest& request, const endpoint::FlagChange& change, std::size_t index,
                           SimMailbox& mailbox, const RemoteKey& key, endpoint::PushSink& sink) {
  SimMessage* message = mailbox.find(key);
  if (message == nullptr) {
    sink.onVanished(index, key);
    return;
  }
  const Abilities& can = server_.abilities();
  const bool guarded = isImap() && can.tracking != Abilities::Tracking::None && change.unchangedSince.value() != 0;
  if (guarded && message->modSeq > change.unchangedSince.value()) {
    sink.onChangedMeanwhile(index, key);
    return;
  }
  const Flags add = can.saysWhatItKeeps ? server_.kept(change.add) : change.add;
  const Flags remove = can.saysWhatItKeeps ? server_.kept(change.remove) : change.remove;
  if (add.empty() && remove.empty()) {
    // It is not even asked: what cannot be kept is not there, and not taken away.
    sink.onFlags(index, key, change.remove);
    return;
  }
  stage_.wrote(server_, "store +(" + textOf(add) + ") -(" + textOf(remove) + ") " + mail(*message) + " in " +
                            request.mailbox->name);
  server_.setFlags(mailbox, *message, message->flags.unitedWith(add).without(remove));
  stage_.changes(message->content);
  sink.onFlags(index, key, message->flags);
}

endpoint::Outcomes SimEndpoint::storeFlags(std::span<const endpoint::FlagRequest> requests, endpoint::PushSink& sink) {
  pass();
  endpoint::Outcomes out(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    SimMailbox* mailbox = opened(requests[i].mailbox, requests[i].uidValidity, out[i]);
    if (mailbox == nullptr) continue;
    for (const endpoint::FlagChange& change : requests[i].changes) {
      for (const RemoteKey& key : keysOf(change.keys)) {
        stage_.step(server_, "store flags");
        storeOne(requests[i], change, i, *mailbox, key, sink);
        stage_.step(server_, "stored flags");
      }
    }
  }
  return out;
}

void SimEndpoint::expunge(const std::string& mailbox, const RemoteKey& key) {
  SimMailbox& there = server_.mailboxes.at(mailbox);
  const SimMessage* message = there.find(key);
  if (message == nullptr) return;
  stage_.removes(server_, mailbox, message->content);
  stage_.wrote(server_, "expunge " + mail(*message) + " from " + mailbox);
  server_.expunge(there, key);
}

void SimEndpoint::transferOne(const TransferRequest& request, std::size_t index, endpoint::PushSink& sink,
                              const RemoteKey& key) {
  SimMailbox& from = *find(request.from);
  SimMailbox& to = *find(request.to);
  const Abilities& can = server_.abilities();
  const bool tellsKeys = !can.isImap() || can.uidplus;
  const SimMessage* message = from.find(key);
  if (message == nullptr) {
    if (tellsKeys) {
      sink.onVanished(index, key);
    } else {
      sink.onTransferred(index, key, std::nullopt);
    }
    return;
  }
  const auto keyOfLast = [&] {
    return tellsKeys ? std::optional(server_.keyOf(to.messages.back())) : std::optional<RemoteKey>{};
  };
  const bool moves = request.kind == TransferRequest::Kind::Move;
  stage_.changes(message->content);
  const std::string where = mail(*message) + " from " + request.from->name + " to " + request.to->name;
  stage_.step(server_, "transfer " + where);
  if (moves && (!can.isImap() || can.move)) {
    stage_.wrote(server_, "move " + where);
    server_.move(from, key, to);
    stage_.step(server_, "moved " + where);
    sink.onTransferred(index, key, keyOfLast());
    return;
  }
  stage_.wrote(server_, "copy " + where);
  server_.copy(*message, to);
  stage_.step(server_, "copied " + where);
  const auto there = keyOfLast();
  if (!moves) {
    sink.onTransferred(index, key, there);
    return;
  }
  SimMessage& source = *from.find(key);
  server_.setFlags(from, source, source.flags.unitedWith(Flags::of(SystemFlag::Deleted)));
  stage_.step(server_, "marked " + where);
  if (can.uidplus) {
    expunge(request.from->name, key);
    stage_.step(server_, "expunged " + where);
    sink.onTransferred(index, key, there);
  } else {
    sink.onTransferred(index, key, there);
    sink.onMarked(index, key);
  }
}

endpoint::Outcomes SimEndpoint::transfer(std::span<const TransferRequest> requests, endpoint::PushSink& sink) {
  pass();
  endpoint::Outcomes out(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (opened(requests[i].from, requests[i].uidValidity, out[i]) == nullptr) continue;
    if (find(requests[i].to) == nullptr) {
      out[i] = refusedHere(requests[i].to->name);
      continue;
    }
    for (const RemoteKey& key : keysOf(requests[i].keys)) transferOne(requests[i], i, sink, key);
  }
  return out;
}

namespace {
/// False when there was none.
bool addMore(std::vector<endpoint::AppendItem>& items, const endpoint::AppendRequest& request) {
  const std::vector<endpoint::AppendItem> more = request.more();
  items.insert(items.end(), more.begin(), more.end());
  return !more.empty();
}
}  // namespace

void SimEndpoint::appendAll(const endpoint::AppendRequest& request, std::size_t index,
                            const endpoint::OctetSource& octets, endpoint::PushSink& sink,
                            std::optional<Error>& failure) {
  const endpoint::RemoteStatus status = request.mailbox->status.value_or(endpoint::RemoteStatus{});
  sink.onAppending(index, status.uidValidity, isImap() ? status.uidNext : mailstore::Uid{});
  std::vector<endpoint::AppendItem> items = request.items;
  for (std::size_t i = 0; i < items.size() || (request.more && addMore(items, request)); ++i) {
    const endpoint::AppendItem item = items[i];
    stage_.step(server_, "append to " + request.mailbox->name);
    SimMailbox* mailbox = find(request.mailbox);
    if (mailbox == nullptr || stage_.refuses(server_.name() + " append to " + request.mailbox->name)) {
      failure = refusedHere(request.mailbox->name);
      return;
    }
    if (stage_.refuses(server_.name() + " one message")) {
      sink.onAppendRefused(index, item.token, Error(ErrorKind::Protocol, Scope::Message, Retry::Never, "not this one"));
      continue;
    }
    std::string text;
    octets(item, [&](std::string_view piece) { text.append(piece); });
    std::size_t content = 0;
    try {
      content = stage_.ledger().find(text);
    } catch (const Broken& broken) {
      stage_.broke(broken.what());
      continue;
    }
    stage_.changes(content);
    const SimMessage& made = server_.add(*mailbox, content, item.flags, item.date);
    stage_.wrote(server_, "append " + mail(made) + " (" + textOf(item.flags) + ") to " + request.mailbox->name);
    const bool tellsKeys = !isImap() || server_.abilities().uidplus;
    const auto key = tellsKeys ? std::optional(server_.keyOf(made)) : std::optional<RemoteKey>{};
    stage_.step(server_, "appended to " + request.mailbox->name);
    // An IMAP server does not tell which flags it has kept.
    sink.onAppended(index, item.token, key, isImap() ? Flags{} : made.flags);
  }
}

endpoint::Outcomes SimEndpoint::append(std::span<const endpoint::AppendRequest> requests,
                                       const endpoint::OctetSource& octets, endpoint::PushSink& sink) {
  pass();
  endpoint::Outcomes out(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (!requests[i].items.empty()) appendAll(requests[i], i, octets, sink, out[i]);
  }
  return out;
}

void SimEndpoint::removeOne(const RemoveRequest& request, std::size_t index, endpoint::PushSink& sink,
                            const RemoteKey& key) {
  SimMailbox& mailbox = *find(request.mailbox);
  SimMessage* message = mailbox.find(key);
  const bool expunges = request.kind == RemoveRequest::Kind::Expunge && (!isImap() || server_.abilities().uidplus);
  stage_.step(server_, "remove from " + request.mailbox->name);
  if (expunges && isImap() && message != nullptr) {
    server_.setFlags(mailbox, *message, message->flags.unitedWith(Flags::of(SystemFlag::Deleted)));
    stage_.step(server_, "marked in " + request.mailbox->name);
  }
  if (expunges) {
    expunge(request.mailbox->name, key);
    stage_.step(server_, "removed from " + request.mailbox->name);
    sink.onRemoved(index, key);
    return;
  }
  if (message != nullptr) {
    stage_.wrote(server_, "mark " + mail(*message) + " in " + request.mailbox->name);
    server_.setFlags(mailbox, *message, message->flags.unitedWith(Flags::of(SystemFlag::Deleted)));
  } else if (!isImap()) {
    sink.onVanished(index, key);
    return;
  }
  stage_.step(server_, "marked in " + request.mailbox->name);
  sink.onMarked(index, key);
}

endpoint::Outcomes SimEndpoint::remove(std::span<const RemoveRequest> requests, endpoint::PushSink& sink) {
  pass();
  endpoint::Outcomes out(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (opened(requests[i].mailbox, requests[i].uidValidity, out[i]) == nullptr) continue;
    for (const RemoteKey& key : keysOf(requests[i].keys)) removeOne(requests[i], i, sink, key);
  }
  return out;
}

endpoint::DeletionOutcome SimEndpoint::deleteStored(std::span<const endpoint::StoredMessage> messages) {
  endpoint::DeletionOutcome out;
  std::vector<mailstore::Uidl> marked;
  stage_.step(server_, "delete");
  SimMailbox& inbox = server_.mailboxes.at("INBOX");
  for (const endpoint::StoredMessage& message : messages) {
    const SimMessage* found = inbox.find(message.key);
    if (found == nullptr) {
      out.vanished.push_back(message.key);
    } else if (stage_.refuses(server_.name() + " delete " + mail(*found))) {
      out.refused.emplace_back(message.key, "refused, try later");
    } else {
      marked.push_back(message.key);
    }
  }
  try {
    stage_.step(server_, "quit");
    for (const mailstore::Uidl& key : marked) {
      stage_.wrote(server_, "delete " + mail(*inbox.find(key)));
      server_.expunge(inbox, key);
    }
    stage_.step(server_, "left");
    out.deleted = std::move(marked);
  } catch (const Error& error) {
    stage_.needsLife();
    out.unconfirmed = std::move(marked);
    out.unconfirmedReason = error.what();
  }
  return out;
}

bool SimEndpoint::seal(std::int64_t run) {
  stage_.needsLife();
  if (!server_.abilities().isMaildir()) return true;
  try {
    stage_.step(server_, "seal");
  } catch (const Error&) {
    stage_.hampers();  // without its mark the next run meets it anew
    throw;
  }
  server_.mark = {environment_.seal.endpoint, treeValidity_, run};
  stage_.step(server_, "sealed");
  return true;
}

}  // namespace mailbraid::simulation
