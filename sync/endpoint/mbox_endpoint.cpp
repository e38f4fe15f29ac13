// MboxEndpoint: the tree, and what is in it.
#include "sync/endpoint/mbox_endpoint.h"
#include "mailstore/mail_date.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace mailbraid::sync::endpoint {

namespace fs = std::filesystem;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Uidl;

namespace {

/// Of a tree that is one file, the mark lies beside it.
fs::path markFor(const EndpointSettings& settings, const MboxTree& tree) {
  if (!tree.isOneFile()) return settings.path / ".mailbraid";
  return fs::absolute(settings.path).parent_path() / (".mailbraid-" + settings.path.filename().string());
}

/// Beside the store, under a name that tells endpoints and files apart (FNV-1a).
MboxFolder::Memory memoryFor(const Environment& environment, const std::string& file) {
  if (environment.seal.endpoint.empty() || environment.dryRun) return {};
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : file) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return {environment.spool.directory / ("mbox-" + environment.seal.endpoint + "-" + std::to_string(hash))};
}

Error notReadable(const RemoteMailbox& mailbox, const Error& error) {
  return {error.kind(), Scope::Mailbox, error.retry(), mailbox.name + ": " + error.what()};
}

}  // namespace

MboxEndpoint::MboxEndpoint(const EndpointSettings& settings, Environment environment)
    : settings_(settings),
      environment_(std::move(environment)),
      tree_(settings.path, settings.subfolders),
      seal_(markFor(settings, tree_)),
      appender_(environment_.spool.directory / ("append-" + environment_.seal.endpoint)) {}

void MboxEndpoint::checkStop() const {
  if (!environment_.stop.stop_requested()) return;
  throw Error(ErrorKind::Cancelled, Scope::Endpoint, Retry::Later, settings_.path.string() + " was left on request");
}

void MboxEndpoint::open() {
  std::error_code error;
  const fs::file_status status = fs::status(settings_.path, error);
  if (!fs::exists(status)) {
    throw Error(
        ErrorKind::Unreachable, Scope::Endpoint, Retry::Later,
        settings_.path.string() + " does not exist: is its disk there? Make the directory if it shall be a new tree");
  }
  const int wanted = fs::is_directory(status) ? R_OK | X_OK : R_OK;
  if ((!fs::is_directory(status) && !fs::is_regular_file(status)) || ::access(settings_.path.c_str(), wanted) != 0) {
    throw Error(ErrorKind::Unreachable, Scope::Endpoint, Retry::Never,
                settings_.path.string() + " is no directory or mbox file that this user can read");
  }
  const TreeSeal::Reading reading = seal_.read(environment_.seal);
  uidValidity_ = reading.uidValidity;
  lostState_ = reading.lostState;
  if (reading.isElsewhere) throw notHere(settings_.path);
  if (environment_.dryRun || environment_.seal.endpoint.empty()) return;
  try {
    appender_.recover({settings_.server.timeout, environment_.stop});
  } catch (const Error& problem) {
    throw Error(problem.kind(), Scope::Endpoint, Retry::Later, problem.what());
  }
}

bool MboxEndpoint::seal(std::int64_t run) {
  return seal_.write(environment_.seal, uidValidity_, run);
}

RemoteStatus MboxEndpoint::statusOf(const MboxFolder& folder) const {
  return {uidValidity_, mailstore::Uid{1}, mailstore::ModSeq{folder.changeNumber()}, 0};
}

const std::vector<RemoteMailbox>& MboxEndpoint::list() {
  if (isListed_) return mailboxes_;
  for (MboxTree::Place& place : tree_.list()) {
    checkStop();
    RemoteMailbox& mailbox = mailboxes_.emplace_back();
    mailbox.wireName = place.file.string();
    mailbox.name = std::move(place.name);
    mailbox.refusal = std::move(place.refusal);
    if (mailbox.name == "INBOX") mailbox.role = mailstore::Role::Inbox;
    if (mailbox.refusal.empty()) mailbox.status = statusOf(folder(mailbox));
  }
  isListed_ = true;
  return mailboxes_;
}

void MboxEndpoint::refresh() {
  lostState_ = false;  // what is there from now on is what this run makes of it
  mailboxes_.clear();
  made_.clear();
  isListed_ = false;
}

MboxFolder& MboxEndpoint::folder(const RemoteMailbox& mailbox) {
  std::unique_ptr<MboxFolder>& found = folders_[mailbox.wireName];
  if (!found) {
    found = std::make_unique<MboxFolder>(mailbox.wireName, settings_.quoting,
                                         LockPatience{settings_.server.timeout, environment_.stop},
                                         memoryFor(environment_, mailbox.wireName));
  }
  return *found;
}

bool MboxEndpoint::isGone(const std::string& mailboxName) {
  const auto same = [&](const RemoteMailbox& mailbox) { return mailbox.name == mailboxName; };
  if (std::any_of(mailboxes_.begin(), mailboxes_.end(), same)) return false;
  try {
    return isRemoved(tree_.fileFor(mailboxName), settings_.path);
  } catch (const Error&) {
    return true;  // no file can have that name
  }
}

std::string MboxEndpoint::whyNotGone(const std::string& mailboxName) {
  return whyNotRemoved(tree_.fileFor(mailboxName), settings_.path);
}

EndpointFacts MboxEndpoint::facts() const {
  EndpointFacts facts;
  facts.connection = (tree_.isOneFile() ? "mbox file " : "mbox tree ") + settings_.path.string();
  if (environment_.seal.lastRun != 0) facts.server = "last synced by run " + std::to_string(environment_.seal.lastRun);
  return facts;
}

Delta MboxEndpoint::read(const DeltaRequest& request, PullSink& sink, std::size_t index) {
  Delta delta;
  MboxFolder& folder = this->folder(*request.mailbox);
  delta.status = statusOf(folder);
  folder.scan();
  sink.onOpened(index, delta.status);
  std::set<std::string_view> skip;
  for (const Uidl& name : namesOf(request.skip)) skip.insert(name.value());
  std::vector<Uidl> present;
  std::vector<Uidl> fresh;
  for (const MboxFolder::Message& message : folder.messages()) {
    if (message.key.empty()) continue;
    present.emplace_back(message.key);
    if (skip.contains(message.key)) {
      delta.flags.push_back({Uidl{message.key}, message.found.flags});
    } else {
      fresh.emplace_back(message.key);
    }
  }
  delta.fresh = std::move(fresh);
  delta.present = std::move(present);
  return delta;
}

std::vector<Delta> MboxEndpoint::changes(std::span<const DeltaRequest> requests, PullSink& sink) {
  std::vector<Delta> out;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    checkStop();
    try {
      out.push_back(read(requests[i], sink, i));
    } catch (const Error& error) {
      if (error.scope() != Scope::Mailbox) throw;
      out.emplace_back().failure = notReadable(*requests[i].mailbox, error);
    }
  }
  return out;
}

bool MboxEndpoint::isBelievable(mailstore::InternalDate date) const {
  return mailstore::isBelievable(date, environment_.spool.latestDate);
}

std::optional<mailstore::InternalDate> MboxEndpoint::deliveryOf(const MboxFolder::Message& message) const {
  const auto& date = message.found.date;
  return date && !message.found.isThunderbirds && isBelievable(*date) ? date : std::nullopt;
}

RemoteMessage MboxEndpoint::described(const MboxFolder& folder, const MboxFolder::Message& message) const {
  RemoteMessage out;
  out.key = Uidl{message.key};
  out.flags = message.found.flags;
  out.size = message.found.size;
  out.header = message.header;
  out.hasMessageId = message.hasMessageId;
  out.date = deliveryOf(message).value_or(message.found.date && isBelievable(*message.found.date)
                                              ? *message.found.date
                                              : mailstore::InternalDate{folder.modified(), 0});
  return out;
}

Outcomes MboxEndpoint::identify(std::span<const KeyRequest> requests, const IdentitySink& sink) {
  return forEachRequest(requests, [&](const KeyRequest& request, std::size_t i) {
    MboxFolder& mailbox = folder(*request.mailbox);
    mailbox.scan();
    std::optional<MboxFolder::Session> session;
    if (environment_.describes) session.emplace(mailbox);
    for (const Uidl& name : namesOf(request.keys)) {
      checkStop();
      const MboxFolder::Message* message = mailbox.find(name.value());
      if (message == nullptr) continue;
      RemoteMessage told = described(mailbox, *message);
      if (session) told.index = session->describe(*message);
      sink(i, std::move(told));
    }
  });
}

void MboxEndpoint::fetchAll(const KeyRequest& request, std::size_t index, PullSink& sink,
                            mailstore::MessageBuilder& builder) {
  MboxFolder& mailbox = folder(*request.mailbox);
  mailbox.scan();
  const MboxFolder::Session session(mailbox);
  for (const Uidl& name : namesOf(request.keys)) {
    checkStop();
    const MboxFolder::Message* message = mailbox.find(name.value());
    if (message == nullptr) continue;  // gone meanwhile
    RemoteMessage told = described(mailbox, *message);
    if (told.size > environment_.maxMessageSize) {
      sink.onRefused(index, told, "it has " + std::to_string(told.size) + " octets, more than can be stored");
      continue;
    }
    const bool whole = session.read(*message, [&](std::string_view octets) {
      builder.append(octets);
      sink.onOctets(octets.size());
    });
    mailstore::PreparedMessage prepared = builder.finish();
    // Another program that takes no lock was quicker than this one: what came is not what was found.
    if (!whole || prepared.digest != message->digest) {
      mailbox.forget();
      throw changedMeanwhile(mailbox.file());
    }
    const mailstore::InternalDate fallback = prepared.fallbackDate;
    if (!deliveryOf(*message) && fallback.seconds != 0) told.date = fallback;
    sink.onMessage(index, std::move(told), std::move(prepared));
  }
}

Outcomes MboxEndpoint::fetch(std::span<const KeyRequest> requests, PullSink& sink) {
  mailstore::MessageBuilder builder(environment_.spool);
  return forEachRequest(requests,
                        [&](const KeyRequest& request, std::size_t i) { fetchAll(request, i, sink, builder); });
}

}  // namespace mailbraid::sync::endpoint
