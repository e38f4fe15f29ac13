#include "sync/endpoint/imap_endpoint.h"

#include "sync/endpoint/held_name.h"

#include <algorithm>
#include <set>
#include <utility>

namespace mailbraid::sync::endpoint {

using imap::CommandResult;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;

ImapEndpoint::ImapEndpoint(const EndpointSettings& settings, Environment environment)
    : settings_(settings),
      environment_(std::move(environment)),
      cache_(std::make_shared<net::TlsSessionCache>()),
      restraint_(settings_, environment_) {}

ImapEndpoint::~ImapEndpoint() = default;

void ImapEndpoint::startSession() {
  while (true) {
    restraint_.beforeConnecting();
    if (session_) earlier_ = earlier_ + session_->totals();
    session_ = std::make_unique<ImapSession>(settings_, environment_, cache_, restraint_);
    try {
      session_->open();
      return;
    } catch (const Error&) {
      if (!restraint_.hasToWait()) throw;
    }
  }
}

void ImapEndpoint::open() {
  startSession();
}

void ImapEndpoint::reconnect() {
  startSession();
  enableExtensions();
  session_->finish({});
}

ChangeTracking ImapEndpoint::tracking() const {
  if (session_->capabilities().has("QRESYNC")) return ChangeTracking::Qresync;
  if (session_->capabilities().has("CONDSTORE")) return ChangeTracking::Condstore;
  return ChangeTracking::None;
}

imap::StatusItems ImapEndpoint::statusItems() const {
  imap::StatusItems items{imap::StatusItem::Messages, imap::StatusItem::UidNext, imap::StatusItem::UidValidity};
  if (tracking() != ChangeTracking::None) items.add(imap::StatusItem::HighestModSeq);
  if (session_->capabilities().has("OBJECTID")) items.add(imap::StatusItem::MailboxId);
  // Without a number in the capability it is one of each mailbox (RFC 7889 section 2).
  if (session_->capabilities().has("APPENDLIMIT")) items.add(imap::StatusItem::AppendLimit);
  return items;
}

void ImapEndpoint::enableExtensions() {
  std::vector<std::string> wanted;
  const imap::Capabilities& can = session_->capabilities();
  if (can.has("ENABLE")) {
    if (tracking() == ChangeTracking::Qresync) wanted.emplace_back("QRESYNC");
    if (tracking() == ChangeTracking::Condstore) wanted.emplace_back("CONDSTORE");
    if (can.has("UTF8=ACCEPT") || can.has("UTF8=ONLY")) wanted.emplace_back("UTF8=ACCEPT");
  }
  if (!wanted.empty()) session_->send(imap::Enable{wanted});
}

void ImapEndpoint::take(const imap::Event& event) {
  if (const auto* entry = std::get_if<imap::ListEntry>(&event)) {
    takeListed(*entry);
  } else if (const auto* status = std::get_if<imap::StatusData>(&event)) {
    takeStatus(*status);
  } else if (const auto* namespaces = std::get_if<imap::Namespaces>(&event)) {
    namespaces_ = *namespaces;
  } else if (const auto* id = std::get_if<imap::ServerId>(&event)) {
    serverId_ = id->fields;
  }
}

void ImapEndpoint::takeListed(const imap::ListEntry& entry) {
  constexpr std::size_t kMostMailboxes = 100'000;
  if (entry.delimiter) delimiter_ = entry.delimiter;
  if (listed_.size() >= kMostMailboxes) {
    session_->fail(ErrorKind::Protocol, Scope::Endpoint, Retry::Never,
                   "the server lists more than " + std::to_string(kMostMailboxes) + " mailboxes");
  }
  // A quirk: some servers list INBOX, or a mailbox in two namespaces, twice.
  if (!entry.wireName.empty() && listedByWireName_.emplace(entry.wireName, listed_.size()).second) {
    listed_.push_back({entry, {}});
  }
}

void ImapEndpoint::takeStatus(const imap::StatusData& data) {
  const auto known = listedByWireName_.find(data.mailbox);
  if (known != listedByWireName_.end()) listed_[known->second].status = data;
}

void ImapEndpoint::askStatuses() {
  for (const Listed& listed : listed_) {
    if (!listed.entry.attributes.has(imap::ListAttribute::NoSelect) &&
        !listed.entry.attributes.has(imap::ListAttribute::NonExistent)) {
      session_->send(imap::Status{listed.entry.wireName, statusItems()});
    }
  }
}

const std::vector<RemoteMailbox>& ImapEndpoint::list() {
  if (isListed_) return mailboxes_;
  const imap::Capabilities& can = session_->capabilities();
  if (!isIntroduced_) {
    enableExtensions();
    if (can.has("ID")) session_->send(imap::Id{{{"name", "mailbraid"}}});
    if (can.has("NAMESPACE")) session_->send(imap::Namespace{});
    isIntroduced_ = true;
  }
  imap::List list;
  const bool statusToo = can.has("LIST-STATUS");
  if (can.has("SPECIAL-USE") && can.has("LIST-EXTENDED")) list.returns.add(imap::ListReturn::SpecialUse);
  if (statusToo) list.status = statusItems();
  const imap::CommandId id = session_->send(std::move(list));
  std::string failure;
  const auto handler = [&](const imap::Event& event) {
    take(event);
    const auto* done = std::get_if<imap::CommandDone>(&event);
    if (done != nullptr && done->id == id && done->result != CommandResult::Ok) failure = std::string(done->text);
  };
  session_->finish(handler);
  if (!failure.empty()) {
    session_->fail(ErrorKind::Protocol, Scope::Endpoint, Retry::Later,
                   "the server would not list its mailboxes: \"" + failure + "\"");
  }
  if (!statusToo) {
    askStatuses();
    session_->finish([this](const imap::Event& event) { take(event); });
  }
  nameMailboxes();
  isListed_ = true;
  return mailboxes_;
}

void ImapEndpoint::refresh() {
  // STATUS is not for the mailbox that is selected (RFC 9051 section 6.3.11).
  if (session_->client().selected() != nullptr && session_->capabilities().has("UNSELECT")) {
    session_->send(imap::Unselect{});
  }
  listed_.clear();
  listedByWireName_.clear();
  mailboxes_.clear();
  made_.clear();
  isListed_ = false;
}

std::string ImapEndpoint::prefix() const {
  return namespaces_ && !namespaces_->personal.empty() ? namespaces_->personal.front().prefix : std::string();
}

std::string ImapEndpoint::forbidden() const {
  if (!delimiter_) return "/";
  return *delimiter_ == '/' ? std::string() : std::string(1, *delimiter_);
}

void ImapEndpoint::nameMailboxes() {
  const std::string prefix = this->prefix();
  std::vector<std::string> foreign;
  if (namespaces_) {
    for (const auto* others : {&namespaces_->otherUsers, &namespaces_->shared}) {
      for (const imap::NamespaceEntry& entry : *others) {
        if (!entry.prefix.empty()) foreign.push_back(entry.prefix);
      }
    }
  }
  std::set<std::string> names;
  for (const Listed& listed : listed_) {
    const imap::ListEntry& entry = listed.entry;
    const auto below = [&](const std::string& p) { return entry.wireName.rfind(p, 0) == 0; };
    if (std::any_of(foreign.begin(), foreign.end(), below)) continue;  // other people's mail
    RemoteMailbox mailbox;
    mailbox.wireName = entry.wireName;
    mailbox.name = entry.name;
    // "INBOX.Sent" of a server that keeps all below INBOX is the user's "Sent".
    if (!prefix.empty() && entry.delimiter && entry.wireName != "INBOX" && below(prefix)) {
      const imap::DecodedName decoded = imap::decodeMailboxName(std::string_view(entry.wireName).substr(prefix.size()),
                                                                entry.delimiter, session_->client().nameEncoding());
      if (decoded.problem.empty() && decoded.name != "INBOX") mailbox.name = decoded.name;
    }
    mailbox.name = nameHeldAs(mailbox.name, forbidden());
    if (!entry.nameProblem.empty()) {
      mailbox.name = entry.wireName;
      mailbox.refusal = std::string(entry.nameProblem);
    } else if (!names.insert(mailbox.name).second) {
      mailbox.refusal = "another mailbox of this account has the same name: rename one of the two";
    }
    mailbox.role = entry.role;
    mailbox.selectable =
        !entry.attributes.has(imap::ListAttribute::NoSelect) && !entry.attributes.has(imap::ListAttribute::NonExistent);
    if (listed.status) {
      const imap::StatusData& data = *listed.status;
      mailbox.objectId = data.mailboxId;
      mailbox.status =
          RemoteStatus{data.uidValidity.value_or(mailstore::UidValidity{}), data.uidNext.value_or(mailstore::Uid{}),
                       data.highestModSeq.value_or(mailstore::ModSeq{}), data.messages.value_or(0)};
      mailbox.appendLimit = data.appendLimit;
    }
    if (!mailbox.appendLimit) mailbox.appendLimit = session_->capabilities().appendLimit();
    mailboxes_.push_back(std::move(mailbox));
  }
}

bool ImapEndpoint::isGone(const std::string& mailboxName) {
  const std::string prefix = this->prefix();
  // Where only the spelling tells it from another one, it has the name that it was given for that.
  const std::string apart = isThereInOtherSpelling(mailboxName) ? heldApart(mailboxName) : std::string();
  const auto encoded = imap::encodeMailboxName(apart.empty() ? heldName(mailboxName, forbidden()) : apart, delimiter_,
                                               session_->client().nameEncoding());
  if (!encoded || listedByWireName_.contains(prefix + *encoded) || listedByWireName_.contains(*encoded)) return false;
  // Both what the server says of the name and a second list have to agree: a NO without a code may mean anything.
  bool refused = false;
  bool listed = false;
  const imap::CommandId status = session_->send(imap::Status{prefix + *encoded, {imap::StatusItem::Messages}});
  imap::List again;
  again.patterns = {prefix + *encoded};
  const imap::CommandId list = session_->send(std::move(again));
  session_->finish([&](const imap::Event& event) {
    listed = listed || std::holds_alternative<imap::ListEntry>(event);
    const auto* done = std::get_if<imap::CommandDone>(&event);
    if (done == nullptr) return;
    if (done->id == status) {
      refused = done->result == CommandResult::No && (done->code.kind == imap::ResponseCodeKind::NonExistent ||
                                                      done->code.kind == imap::ResponseCodeKind::TryCreate ||
                                                      done->code.kind == imap::ResponseCodeKind::None);
    }
    if (done->id == list) listed = listed || done->result != CommandResult::Ok;
  });
  return refused && !listed;
}

void ImapEndpoint::close() noexcept {
  if (session_) session_->close();
}

WireTotals ImapEndpoint::wireTotals() const {
  return session_ ? earlier_ + session_->totals() : earlier_;
}

EndpointFacts ImapEndpoint::facts() const {
  EndpointFacts facts;
  if (!session_ || !session_->connected()) return facts;
  facts.connection = session_->describeConnection();
  facts.mechanism = session_->mechanism();
  facts.capabilities = session_->capabilities().names();
  facts.server = session_->greeting();
  for (const auto& [name, value] : serverId_) {
    if (name == "name" || name == "version") facts.server += (facts.server.empty() ? "" : ", ") + value;
  }
  if (tracking() == ChangeTracking::None) {
    facts.remarks.emplace_back("no CONDSTORE: every run reads the flags of all messages");
  } else if (tracking() == ChangeTracking::Condstore) {
    facts.remarks.emplace_back("no QRESYNC: removals are found by comparing the UIDs of all messages");
  }
  if (!session_->capabilities().has("LIST-STATUS")) {
    facts.remarks.emplace_back("no LIST-STATUS: one STATUS a mailbox");
  }
  return facts;
}

std::optional<MessagePlace> ImapEndpoint::inProgress() const {
  return inProgress_;
}

}  // namespace mailbraid::sync::endpoint
