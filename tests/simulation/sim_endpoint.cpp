// SimEndpoint: what it tells.
#include "tests/simulation/sim_endpoint.h"

#include <algorithm>
#include <set>

namespace mailbraid::simulation {

using endpoint::Delta;
using endpoint::DeltaRequest;
using endpoint::KeyRequest;
using endpoint::RemoteMailbox;
using endpoint::RemoteMessage;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::RemoteKey;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Uid;
using mailstore::Uidl;
using mailstore::UidSet;

std::vector<RemoteKey> keysOf(const endpoint::KeySet& keys) {
  std::vector<RemoteKey> out;
  for (const UidSet::Range& range : endpoint::uidsOf(keys).ranges()) {
    for (std::uint32_t uid = range.first.value(); uid <= range.last.value(); ++uid) out.emplace_back(Uid{uid});
  }
  for (const Uidl& name : endpoint::namesOf(keys)) out.emplace_back(name);
  return out;
}

SimEndpoint::SimEndpoint(SimServer& server, Stage& stage, endpoint::Environment environment)
    : server_(server), stage_(stage), environment_(std::move(environment)) {
  stage_.turnstile().pass();
}

void SimEndpoint::pass() {
  // A POP3 session lasts as long as its endpoint's turn in the braid, for which others wait.
  if (!server_.abilities().isPop3()) stage_.turnstile().pass();
  stage_.needsLife();
  if (stage_.mayMeddle() && stage_.onMeddle) stage_.onMeddle(server_);
}

void SimEndpoint::open() {
  pass();
  stage_.step(server_, "open");
  if (!server_.abilities().isMaildir()) return;
  const Mark& mark = server_.mark;
  if (mark.endpoint == environment_.seal.endpoint && mark.run >= environment_.seal.lastRun && mark.validity != 0) {
    treeValidity_ = mark.validity;
  } else {
    treeValidity_ = static_cast<std::uint32_t>(1'000'000 + server_.serial++);
    lostState_ = environment_.seal.lastRun != 0;
  }
}

void SimEndpoint::reconnect() {
  stage_.step(server_, "reconnect");
  inProgress_.reset();
}

RemoteMailbox SimEndpoint::describe(const std::string& name) {
  const SimMailbox& mailbox = server_.mailboxes.at(name);
  RemoteMailbox out;
  out.wireName = name;
  out.name = name;
  if (name == "INBOX") out.role = mailstore::Role::Inbox;
  if (isImap()) out.objectId = mailbox.objectId;
  out.status = server_.statusOf(mailbox, treeValidity_);
  return out;
}

const std::vector<RemoteMailbox>& SimEndpoint::list() {
  if (isListed_) return listed_;
  pass();
  stage_.step(server_, "list");
  for (const auto& [name, mailbox] : server_.mailboxes) listed_.push_back(describe(name));
  isListed_ = true;
  return listed_;
}

void SimEndpoint::refresh() {
  lostState_ = false;
  listed_.clear();
  made_.clear();
  isListed_ = false;
}

bool SimEndpoint::isGone(const std::string& mailboxName) {
  pass();
  stage_.step(server_, "is gone? " + mailboxName);
  return !server_.mailboxes.contains(mailboxName);
}

SimMailbox* SimEndpoint::find(const RemoteMailbox* mailbox) {
  const auto found = server_.mailboxes.find(mailbox->wireName);
  return found == server_.mailboxes.end() ? nullptr : &found->second;
}

SimMailbox* SimEndpoint::opened(const RemoteMailbox* mailbox, mailstore::UidValidity validity,
                                std::optional<Error>& failure) {
  SimMailbox* found = find(mailbox);
  if (found == nullptr) {
    failure = Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later, mailbox->name + ": no such mailbox");
  } else if (isImap() && validity.value() != 0 && validity.value() != found->uidValidity) {
    failure = Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later, mailbox->name + ": it was replaced");
    found = nullptr;
  } else if (stage_.refuses(server_.name() + " open " + mailbox->name)) {
    stage_.hampers();
    failure = Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later, mailbox->name + ": try later");
    found = nullptr;
  }
  return found;
}

RemoteMessage SimEndpoint::describe(const SimMessage& message) const {
  RemoteMessage out;
  out.key = server_.keyOf(message);
  out.size = stage_.ledger().at(message.content).octets.size();
  if (server_.abilities().isPop3()) return out;
  out.flags = message.flags;
  out.date = message.date;
  out.objectId = server_.objectIdOf(message);
  return out;
}

void SimEndpoint::tell(std::size_t index, const RemoteMailbox* mailbox, const SimMessage& message,
                       endpoint::PullSink& sink) {
  inProgress_ = endpoint::MessagePlace{mailbox, server_.keyOf(message)};
  Content& content = stage_.ledger().at(message.content);
  // What is not known may come from elsewhere, and is there twice then.
  const auto isSetAside = [&content] {
    content.exact = false;
    ++content.created;
  };
  if (++content.breaks > 1) isSetAside();
  stage_.step(server_, "fetch from " + mailbox->name);
  --content.breaks;
  inProgress_.reset();
  const std::string& octets = content.octets;
  if (stage_.refuses(server_.name() + " fetch mail " + std::to_string(message.content))) {
    isSetAside();
    sink.onRefused(index, describe(message), "it would not");
    return;
  }
  mailstore::MessageBuilder builder(environment_.spool);
  builder.append(octets);
  sink.onOctets(octets.size());
  sink.onMessage(index, describe(message), builder.finish());
}

namespace {

/// See ImapEndpoint::Reading::freshRange().
UidSet freshRange(const DeltaRequest& request, std::uint32_t uidNext) {
  UidSet fresh = endpoint::uidsOf(request.due);
  const bool first = request.anchor.uidValidity.value() == 0;
  const std::uint32_t from = first || request.anchor.uidNext.value() == 0 ? 1 : request.anchor.uidNext.value();
  if (uidNext > from) fresh.add(Uid{from}, Uid{uidNext - 1});
  fresh.remove(endpoint::uidsOf(request.skip));
  return fresh;
}

/// How ImapEndpoint would read it.
struct Way {
  bool first = false;
  bool resyncs = false;
  bool listsAll = false;
  bool searches = false;
};

Way wayFor(const DeltaRequest& request, Abilities::Tracking tracking) {
  const mailstore::Anchor& anchor = request.anchor;
  const endpoint::RemoteStatus& status = *request.mailbox->status;
  const bool resumes = anchor.uidValidity.value() != 0 && anchor.highestModSeq.value() != 0;
  Way way;
  way.first = anchor.uidValidity.value() == 0;
  way.resyncs = tracking == Abilities::Tracking::Qresync && resumes;
  if (way.first || way.resyncs) return way;
  way.listsAll = tracking == Abilities::Tracking::None || !resumes;
  way.searches =
      !way.listsAll && (status.messages != anchor.messages || status.uidNext != anchor.uidNext || !anchor.complete);
  return way;
}

}  // namespace

Delta SimEndpoint::readImap(const DeltaRequest& request, std::size_t index, endpoint::PullSink& sink) {
  Delta delta;
  const RemoteMailbox& remote = *request.mailbox;
  const auto expected =
      request.anchor.uidValidity.value() == 0 ? remote.status->uidValidity : request.anchor.uidValidity;
  SimMailbox* mailbox = opened(&remote, expected, delta.failure);
  if (mailbox == nullptr) return delta;
  const Way way = wayFor(request, server_.abilities().tracking);
  delta.status = server_.statusOf(*mailbox, 0);
  sink.onOpened(index, delta.status);
  UidSet listed;
  std::vector<endpoint::FlagState> flags;
  const std::uint64_t since = request.anchor.highestModSeq.value();
  for (const SimMessage& message : mailbox->messages) {
    const Uid uid{message.uid};
    listed.add(uid);
    const bool below = uid < request.anchor.uidNext || endpoint::uidsOf(request.skip).contains(uid);
    const bool told = way.listsAll || message.modSeq > since;
    if (!way.first && below && told) flags.push_back({uid, message.flags});
  }
  if (way.resyncs) {
    for (const auto& [modSeq, uid] : mailbox->vanished) {
      if (modSeq > since) delta.vanished.add(Uid{uid});
    }
  }
  UidSet fresh = freshRange(request, mailbox->uidNext);
  if (way.listsAll || way.searches) {
    fresh = listed.intersectedWith(fresh);
    if (stage_.fallsShort()) {
      stage_.note("    " + server_.name() + " " + remote.name + ": the listing falls short");
      stage_.hampers();
      delta.incomplete = "it falls short";
      flags.resize(flags.size() / 2);
    } else {
      delta.present = listed;
    }
  } else if (!way.first && !way.resyncs) {
    const std::uint32_t known = request.anchor.uidNext.value();
    delta.status.messages = request.anchor.messages + (mailbox->uidNext > known ? mailbox->uidNext - known : 0);
  }
  sink.onFlags(index, std::move(flags));
  if (request.fetchFresh && !way.searches) {
    for (const RemoteKey& key : keysOf(fresh)) {
      if (const SimMessage* message = mailbox->find(key)) tell(index, &remote, *message, sink);
    }
    fresh = {};
  }
  delta.fresh = fresh;
  return delta;
}

Delta SimEndpoint::readNames(const DeltaRequest& request, std::size_t index, endpoint::PullSink& sink) {
  Delta delta;
  SimMailbox* mailbox = opened(request.mailbox, {}, delta.failure);
  if (mailbox == nullptr) return delta;
  delta.status = server_.statusOf(*mailbox, treeValidity_);
  sink.onOpened(index, delta.status);
  std::set<std::string> skip;
  for (const Uidl& name : endpoint::namesOf(request.skip)) skip.insert(name.value());
  if (server_.abilities().isPop3()) {
    for (const Uidl& name : endpoint::namesOf(request.due)) skip.erase(name.value());
  }
  std::vector<Uidl> present;
  std::vector<Uidl> fresh;
  const bool isShort = stage_.fallsShort();
  for (const SimMessage& message : mailbox->messages) {
    if (isShort && message.uid % 2 == 0) continue;
    present.emplace_back(message.name);
    if (!skip.contains(message.name)) {
      fresh.emplace_back(message.name);
    } else if (!server_.abilities().isPop3()) {
      delta.flags.push_back({Uidl{message.name}, message.flags});
    }
  }
  delta.fresh = std::move(fresh);
  if (isShort) {
    stage_.note("    " + server_.name() + " " + request.mailbox->name + ": the listing falls short");
    stage_.hampers();
    delta.incomplete = "it falls short";
  } else {
    delta.present = std::move(present);
  }
  return delta;
}

std::vector<Delta> SimEndpoint::changes(std::span<const DeltaRequest> requests, endpoint::PullSink& sink) {
  std::vector<Delta> out;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    stage_.step(server_, "read " + requests[i].mailbox->name);
    out.push_back(isImap() ? readImap(requests[i], i, sink) : readNames(requests[i], i, sink));
  }
  return out;
}

endpoint::Outcomes SimEndpoint::identify(std::span<const KeyRequest> requests, const endpoint::IdentitySink& sink) {
  endpoint::Outcomes out(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    stage_.step(server_, "identify in " + requests[i].mailbox->name);
    SimMailbox* mailbox = opened(requests[i].mailbox, requests[i].uidValidity, out[i]);
    if (mailbox == nullptr) continue;
    for (const RemoteKey& key : keysOf(requests[i].keys)) {
      const SimMessage* message = mailbox->find(key);
      if (message == nullptr) continue;
      RemoteMessage told = describe(*message);
      mailstore::HeaderDigester digester;
      digester.append(stage_.ledger().at(message->content).octets);
      told.header = digester.finish();
      told.hasMessageId = digester.hadMessageId();
      sink(i, std::move(told));
    }
  }
  return out;
}

endpoint::Outcomes SimEndpoint::fetch(std::span<const KeyRequest> requests, endpoint::PullSink& sink) {
  endpoint::Outcomes out(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    stage_.needsLife();
    if (endpoint::isEmpty(requests[i].keys)) continue;
    SimMailbox* mailbox = opened(requests[i].mailbox, requests[i].uidValidity, out[i]);
    if (mailbox == nullptr) continue;
    for (const RemoteKey& key : keysOf(requests[i].keys)) {
      if (const SimMessage* message = mailbox->find(key)) tell(i, requests[i].mailbox, *message, sink);
    }
  }
  return out;
}

}  // namespace mailbraid::simulation
