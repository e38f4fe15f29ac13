#include "sync/endpoint/pop3_endpoint.h"

#include <algorithm>
#include <deque>
#include <map>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace mailbraid::sync::endpoint {

using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::Uidl;
using pop3::ListedMessage;

namespace {

constexpr const char* kInbox = "INBOX";
/// POP3 has no UIDVALIDITY; 0 would mean that the mailbox was never read.
constexpr mailstore::UidValidity kUidValidity{1};
/// Requests that the session holds: more than its window, less than a large mailbox.
constexpr std::size_t kQueued = 2048;

const std::vector<Uidl>& uidlsOf(const KeySet& keys) {
  static const std::vector<Uidl> kNone;
  const auto* uidls = std::get_if<std::vector<Uidl>>(&keys);
  return uidls != nullptr ? *uidls : kNone;
}

}  // namespace

Pop3Endpoint::Pop3Endpoint(const EndpointSettings& settings, Environment environment)
    : settings_(settings),
      environment_(std::move(environment)),
      cache_(std::make_shared<net::TlsSessionCache>()),
      restraint_(settings_, environment_) {}

Pop3Endpoint::~Pop3Endpoint() = default;

void Pop3Endpoint::startSession() {
  byUidl_.clear();
  listing_.reset();
  fetched_.clear();
  while (true) {
    restraint_.beforeConnecting();
    earlier_ = wireTotals();
    connection_.reset();
    connection_ = std::make_unique<Pop3Connection>(settings_, environment_, cache_, restraint_);
    try {
      connection_->open();
      return;
    } catch (const mailstore::Error&) {
      if (!restraint_.hasToWait()) throw;
    }
  }
}

void Pop3Endpoint::open() {
  startSession();
}

void Pop3Endpoint::reconnect() {
  startSession();
}

void Pop3Endpoint::refresh() {
  try {
    if (connection_ && connection_->isOpen()) connection_->quit();
  } catch (const mailstore::Error&) {
    connection_->abandon();  // the new session tells whether there is anything wrong
  }
  mailboxes_.clear();
  inProgress_.reset();
  startSession();
}

bool Pop3Endpoint::listsInParts() const {
  return connection_ && connection_->connected() && connection_->session().quirks().has(pop3::Quirk::ListsInParts);
}

void Pop3Endpoint::ensureListing() {
  if (listing_) return;
  connection_->session().requestListing();
  connection_->finish([this](pop3::SessionEvent& event) {
    if (auto* done = std::get_if<pop3::ListingDone>(&event)) listing_ = std::move(done->listing);
  });
  if (!listing_) {
    connection_->fail(ErrorKind::Protocol, Scope::Connection, Retry::Now, "the server would not list its messages");
  }
  if (!listing_->identified) identifyUnnamed();
  byUidl_.reserve(listing_->messages.size());
  for (std::size_t i = 0; i < listing_->messages.size(); ++i) byUidl_.emplace(listing_->messages[i].uidl.value(), i);
}

/// Gives every message without a usable unique-id a key made of its header and size.
void Pop3Endpoint::identifyUnnamed() {
  std::vector<const ListedMessage*> unnamed;
  for (const ListedMessage& message : listing_->messages) {
    if (message.uidl.value().empty()) unnamed.push_back(&message);
  }
  std::map<pop3::MessageNumber, Uidl> names;
  std::map<Uidl, std::size_t> seen;
  readHeaders(unnamed, [&](const ListedMessage& message, const std::optional<HeaderFacts>& header) {
    if (!header) return;
    const std::size_t ordinal = seen[pop3::fallbackUidl(header->digest, message.size, 0)]++;
    names.emplace(message.number, pop3::fallbackUidl(header->digest, message.size, ordinal));
  });
  for (ListedMessage& message : listing_->messages) {
    if (!message.uidl.value().empty()) continue;
    const auto found = names.find(message.number);
    // Its header could not be read: a key of this session only, which no later listing has.
    message.uidl = found != names.end() ? found->second : Uidl(" number " + std::to_string(message.number));
    if (found == names.end()) listing_->complete = false;
  }
}

void Pop3Endpoint::readHeaders(const std::vector<const ListedMessage*>& messages, const HeaderSink& sink) {
  mailstore::HeaderDigester digester;
  std::deque<const ListedMessage*> asked;
  std::vector<const ListedMessage*> again;
  bool byTop = connection_->session().topWorks();
  const auto handler = [&](pop3::SessionEvent& event) {
    if (const auto* octets = std::get_if<pop3::MessageOctets>(&event)) {
      digester.append(octets->octets);
    } else if (std::holds_alternative<pop3::MessageEnd>(event)) {
      HeaderFacts facts;
      facts.digest = digester.finish();
      facts.hasMessageId = digester.hadMessageId();
      if (environment_.describes) facts.index = digester.index();
      sink(*asked.front(), facts);
      asked.pop_front();
    } else if (std::holds_alternative<pop3::MessageRefused>(event)) {
      const ListedMessage& message = *asked.front();
      asked.pop_front();
      if (byTop && !connection_->session().topWorks()) {
        again.push_back(&message);
      } else {
        sink(message, std::nullopt);
      }
    }
  };
  pop3::Session& session = connection_->session();
  for (const ListedMessage* message : messages) {
    asked.push_back(message);
    if (byTop) {
      session.requestHeader(message->number);
    } else {
      session.requestMessage(message->number, message->size);
    }
  }
  connection_->finish(handler);
  // A server that turns out to have no TOP shows headers with the whole message only.
  byTop = false;
  for (const ListedMessage* message : std::exchange(again, {})) {
    asked.push_back(message);
    session.requestMessage(message->number, message->size);
  }
  connection_->finish(handler);
}

RemoteStatus Pop3Endpoint::status() const {
  RemoteStatus status;
  status.uidValidity = kUidValidity;
  status.messages = static_cast<std::uint32_t>(listing_->messages.size());
  return status;
}

const std::vector<RemoteMailbox>& Pop3Endpoint::list() {
  if (!mailboxes_.empty()) return mailboxes_;
  ensureListing();
  RemoteMailbox inbox;
  inbox.name = kInbox;
  inbox.role = mailstore::Role::Inbox;
  inbox.status = status();
  mailboxes_.push_back(std::move(inbox));
  return mailboxes_;
}

RemoteMessage Pop3Endpoint::describe(const ListedMessage& message) {
  RemoteMessage out;
  out.key = message.uidl;
  out.size = message.sizeKnown ? message.size : 0;
  return out;
}

std::vector<const ListedMessage*> Pop3Endpoint::find(const KeySet& keys) const {
  std::vector<const ListedMessage*> out;
  for (const Uidl& uidl : uidlsOf(keys)) {
    const auto found = byUidl_.find(uidl.value());
    if (found != byUidl_.end()) out.push_back(&listing_->messages[found->second]);
  }
  return out;
}

std::vector<Delta> Pop3Endpoint::changes(std::span<const DeltaRequest> requests, PullSink& sink) {
  ensureListing();
  std::vector<Delta> out;
  for (std::size_t i = 0; i < requests.size(); ++i) out.push_back(change(i, requests[i], sink));
  return out;
}

Delta Pop3Endpoint::change(std::size_t index, const DeltaRequest& request, PullSink& sink) {
  Delta delta;
  delta.status = status();
  sink.onOpened(index, delta.status);
  std::unordered_set<std::string_view> skip;
  for (const Uidl& uidl : uidlsOf(request.skip)) skip.insert(uidl.value());
  for (const Uidl& uidl : uidlsOf(request.due)) skip.erase(uidl.value());
  std::vector<const ListedMessage*> fresh;
  std::vector<Uidl> present;
  present.reserve(listing_->messages.size());
  for (const ListedMessage& message : listing_->messages) {
    present.push_back(message.uidl);
    if (!skip.contains(message.uidl.value())) fresh.push_back(&message);
  }
  if (listing_->complete) {
    delta.present = std::move(present);
  } else {
    for (const pop3::ListingDefect defect : listing_->defects) {
      delta.incomplete += (delta.incomplete.empty() ? "" : "; ") + std::string(pop3::describe(defect));
    }
    delta.incomplete += "; no removal is derived from that";
  }
  if (request.fetchFresh) {
    delta.fresh = std::vector<Uidl>{};
    fetchMessages(index, fresh, sink);
    return delta;
  }
  std::vector<Uidl> keys;
  keys.reserve(fresh.size());
  for (const ListedMessage* message : fresh) keys.push_back(message->uidl);
  delta.fresh = std::move(keys);
  return delta;
}

std::vector<std::optional<mailstore::Error>> Pop3Endpoint::identify(std::span<const KeyRequest> requests,
                                                                    const IdentitySink& sink) {
  ensureListing();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    readHeaders(find(requests[i].keys), [&](const ListedMessage& listed, const std::optional<HeaderFacts>& header) {
      RemoteMessage message = describe(listed);
      if (header) {
        message.header = header->digest;
        message.hasMessageId = header->hasMessageId;
        message.index = header->index;
      }
      sink(i, std::move(message));
    });
  }
  return std::vector<std::optional<mailstore::Error>>(requests.size());
}

std::vector<std::optional<mailstore::Error>> Pop3Endpoint::measure(std::span<const KeyRequest> requests,
                                                                   const IdentitySink& sink) {
  ensureListing();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    for (const ListedMessage* message : find(requests[i].keys)) sink(i, describe(*message));
  }
  return std::vector<std::optional<mailstore::Error>>(requests.size());
}

/// Takes the bodies of messages in the order in which they were asked for.
class Pop3Endpoint::Fetching {
 public:
  Fetching(Pop3Endpoint& endpoint, std::size_t index, PullSink& sink)
      : endpoint_(endpoint), index_(index), sink_(sink), builder_(endpoint.environment_.spool) {}

  void ask(const ListedMessage& message) {
    if (message.sizeKnown && message.size > endpoint_.environment_.maxMessageSize) {
      refuse(message, message.size);
      return;
    }
    asked_.push_back(&message);
    endpoint_.connection_->session().requestMessage(message.number, message.size);
  }

  void take(pop3::SessionEvent& event) {
    if (const auto* octets = std::get_if<pop3::MessageOctets>(&event)) {
      sink_.onOctets(octets->octets.size());
      append(octets->octets);
    } else if (std::holds_alternative<pop3::MessageBegin>(event)) {
      endpoint_.inProgress_ = mailstore::RemoteKey{asked_.front()->uidl};
    } else if (const auto* end = std::get_if<pop3::MessageEnd>(&event)) {
      finish(end->size);
    } else if (const auto* refused = std::get_if<pop3::MessageRefused>(&event)) {
      endpoint_.connection_->giveWayIfAsked(refused->text);
      sink_.onRefused(index_, describe(*asked_.front()), "the server will not give it: \"" + refused->text + "\"");
      asked_.pop_front();
    }
  }

 private:
  void append(std::string_view octets) {
    if (tooLarge_) return;
    tooLarge_ = builder_.size() + octets.size() > endpoint_.environment_.maxMessageSize;
    if (tooLarge_) {
      builder_.discard();
    } else {
      builder_.append(octets);
    }
  }

  void finish(std::uint64_t size) {
    const ListedMessage& message = *asked_.front();
    asked_.pop_front();
    endpoint_.inProgress_.reset();
    if (std::exchange(tooLarge_, false)) {
      refuse(message, size);
      return;
    }
    endpoint_.fetched_.insert(message.number);
    RemoteMessage told = describe(message);
    told.size = size;
    sink_.onMessage(index_, std::move(told), builder_.finish());
  }

  void refuse(const ListedMessage& message, std::uint64_t size) {
    sink_.onRefused(index_, describe(message),
                    "it has " + std::to_string(size) + " octets, more than the limit of " +
                        std::to_string(endpoint_.environment_.maxMessageSize));
  }

  Pop3Endpoint& endpoint_;
  std::size_t index_;
  PullSink& sink_;
  mailstore::MessageBuilder builder_;
  std::deque<const ListedMessage*> asked_;
  bool tooLarge_ = false;
};

void Pop3Endpoint::fetchMessages(std::size_t index, const std::vector<const ListedMessage*>& messages, PullSink& sink) {
  inProgress_.reset();
  Fetching fetching(*this, index, sink);
  const pop3::Session& session = connection_->session();
  auto next = messages.begin();
  while (next != messages.end() || session.unanswered() > 0) {
    while (next != messages.end() && session.unanswered() < kQueued) {
      if (restraint_.limitsMessages() && session.unanswered() > 0) break;
      restraint_.awaitMessages(1);
      fetching.ask(**next++);
    }
    if (session.unanswered() > 0) connection_->pump([&](pop3::SessionEvent& event) { fetching.take(event); });
  }
}

std::vector<std::optional<mailstore::Error>> Pop3Endpoint::fetch(std::span<const KeyRequest> requests, PullSink& sink) {
  ensureListing();
  for (std::size_t i = 0; i < requests.size(); ++i) fetchMessages(i, find(requests[i].keys), sink);
  return std::vector<std::optional<mailstore::Error>>(requests.size());
}

bool Pop3Endpoint::isGone(const std::string& mailboxName) {
  return mailboxName != kInbox;
}

void Pop3Endpoint::close() noexcept {
  if (connection_) connection_->close();
}

WireTotals Pop3Endpoint::wireTotals() const {
  return connection_ ? earlier_ + connection_->totals() : earlier_;
}

EndpointFacts Pop3Endpoint::facts() const {
  EndpointFacts facts;
  if (!connection_ || !connection_->connected()) return facts;
  const pop3::Session& session = connection_->session();
  facts.connection = connection_->describeConnection();
  facts.server =
      session.capabilities().implementation.empty() ? session.greeting() : session.capabilities().implementation;
  facts.mechanism = connection_->mechanism();
  facts.capabilities = session.capabilities().lines;
  if (!session.capabilities().pipelining)
    facts.remarks.emplace_back("no PIPELINING: one command at a time, slow on far servers");
  if (const auto& delay = session.capabilities().loginDelay) {
    facts.remarks.push_back("logins must be " + std::to_string(delay->count()) + " s apart");
  }
  if (const auto& expire = session.capabilities().expire; expire && expire->days) {
    facts.remarks.push_back("the server removes messages after " + std::to_string(*expire->days) + " days");
  }
  for (const pop3::QuirkFacts& known : pop3::kQuirks) {
    if (session.quirks().has(known.quirk)) {
      facts.remarks.push_back("quirk " + std::string(known.name) + ": " + std::string(known.handling));
    }
  }
  if (!listing_) return facts;
  for (const pop3::ListingDefect defect : listing_->defects) facts.remarks.emplace_back(pop3::describe(defect));
  return facts;
}

std::optional<MessagePlace> Pop3Endpoint::inProgress() const {
  if (!inProgress_ || mailboxes_.empty()) return std::nullopt;
  return MessagePlace{&mailboxes_.front(), *inProgress_};
}

}  // namespace mailbraid::sync::endpoint
