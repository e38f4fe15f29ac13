#include "sync/engine/view.h"

#include "sync/engine/verify_reader.h"

#include <algorithm>
#include <unordered_set>
#include <utility>
#include <vector>

namespace mailbraid::sync::engine {
namespace {

using endpoint::KeySet;
using endpoint::RemoteMailbox;
using endpoint::RemoteMessage;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;

/// One view, once.
class ViewReader {
 public:
  ViewReader(mailstore::Store& store, const endpoint::EndpointSettings& settings, const std::string& mailbox,
             const VerifyRequest& request, Observer& observer, std::stop_token stop)
      : store_(store),
        settings_(settings),
        name_(mailbox),
        request_(request),
        observer_(observer),
        hub_(observer),
        stop_(std::move(stop)) {}

  ViewReading run() {
    ViewReading out;
    out.mailbox = name_;
    try {
      out.notInStore = count();
    } catch (const Error& error) {
      if (error.scope() == Scope::Run && error.kind() != ErrorKind::Cancelled) throw;
      out.problem = Problem{error.kind(), error.retry(), name_, error.what()};
    } catch (const std::exception& error) {
      out.problem = Problem{ErrorKind::Internal, Retry::Later, name_, std::string("internal error: ") + error.what()};
    }
    if (endpoint_) endpoint_->close();
    return out;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later, name_ + ": " + why);
  }

  void know() {
    for (const mailstore::EndpointStatus& status : store_.endpoints().statuses()) {
      if (status.endpoint.name == settings_.name) record_ = status.endpoint;
    }
    if (record_.id.value() == 0) fail("nothing of " + settings_.name + " was ever taken");
  }

  void open() {
    endpoint::Environment environment = environmentToCompare(hub_, observer_, stop_);
    endpoint_ = request_.makeEndpoint(settings_, std::move(environment));
    endpoint_->open();
    for (const RemoteMailbox& listed : endpoint_->list()) {
      if (listed.name == name_) view_ = &listed;
    }
    if (view_ == nullptr) fail("the server does not list it any more");
  }

  std::uint64_t count() {
    know();
    open();
    VerifyReader reader(*endpoint_, settings_.name, hub_, stop_);
    const VerifyReader::Listing listing = std::move(reader.list({view_}).front());
    if (listing.failure) throw Error(*listing.failure);
    if (!listing.incomplete.empty()) fail(listing.incomplete);
    validity_ = listing.status.uidValidity;
    hub_.expect(1, endpoint::countOf(listing.present));
    const KeySet unnamed = endpoint::without(listing.present, known(reader, listing.present));
    const KeySet left = unlike(reader, unnamed);
    return strangers_ + endpoint::countOf(readBodies(reader, left));
  }

  using Told = std::function<void(const RemoteMessage&, const mailstore::PreparedMessage*)>;
  using Refused = std::function<void(const RemoteMessage&)>;
  void read(VerifyReader& reader, VerifyReader::What what, const KeySet& keys, const Told& told,
            const Refused& refused) const {
    if (endpoint::isEmpty(keys)) return;
    const auto outcomes = reader.read(
        what, {{view_, validity_, keys}},
        [&](std::size_t, RemoteMessage&& message, const mailstore::PreparedMessage* prepared) {
          told(message, prepared);
        },
        [&](std::size_t, const RemoteMessage& message, const std::string&) { refused(message); });
    if (outcomes.front()) throw Error(*outcomes.front());
  }

  /// By the names that the server gives to messages in whatever mailbox, where it does.
  std::vector<mailstore::RemoteKey> known(VerifyReader& reader, const KeySet& keys) {
    std::vector<mailstore::RemoteKey> out;
    const auto told = [&](const RemoteMessage& message, const mailstore::PreparedMessage*) {
      const bool isNamed = !message.objectId.empty();
      if (isNamed && store_.pairs().findEntryByObjectId(record_.id, message.objectId)) out.push_back(message.key);
    };
    read(reader, VerifyReader::What::Sizes, keys, told, [](const RemoteMessage&) {});
    return out;
  }

  /// What is not known by its header, and may be known by its content.
  KeySet unlike(VerifyReader& reader, const KeySet& keys) {
    KeySet out = endpoint::emptyLike(keys);
    const auto told = [&](const RemoteMessage& message, const mailstore::PreparedMessage*) {
      if (isKnown(message)) return;
      if (mayBeKnown(message)) {
        endpoint::addTo(out, message.key);
      } else {
        ++strangers_;
      }
    };
    read(reader, VerifyReader::What::Headers, keys, told,
         [&](const RemoteMessage& message) { endpoint::addTo(out, message.key); });
    return out;
  }

  /// As a pull recognises messages.
  bool isKnown(const RemoteMessage& told) const {
    return told.header && told.hasMessageId && told.size != 0 &&
           store_.entries().findMessage(record_.braid, *told.header, told.size);
  }

  bool mayBeKnown(const RemoteMessage& told) {
    if (!told.index) return true;
    const std::uint64_t likeness = plan::likenessOf(*told.index);
    return likeness == 0 || likenesses().contains(likeness);
  }

  /// Of all that the braid has: what has none of them is nothing that came over another route either.
  const std::unordered_set<std::uint64_t>& likenesses() {
    if (likenesses_) return *likenesses_;
    likenesses_.emplace();
    for (const mailstore::Mailbox& mailbox : store_.mailboxes().ofBraid(record_.braid)) {
      store_.entries().list(mailbox.id, [&](const mailstore::EntryRow& row) {
        if (stop_.stop_requested())
          throw Error(ErrorKind::Cancelled, Scope::Endpoint, Retry::Later, settings_.name + " was left on request");
        likenesses_->insert(plan::likenessOf(row.message.header));
      });
    }
    return *likenesses_;
  }

  /// Those that the store has not, or that could not be read.
  KeySet readBodies(VerifyReader& reader, const KeySet& keys) {
    KeySet out = endpoint::emptyLike(keys);
    const auto told = [&](const RemoteMessage& message, const mailstore::PreparedMessage* prepared) {
      if (!store_.entries().findMessage(record_.braid, prepared->contentKey)) endpoint::addTo(out, message.key);
    };
    read(reader, VerifyReader::What::Bodies, keys, told,
         [&](const RemoteMessage& message) { endpoint::addTo(out, message.key); });
    return out;
  }

  mailstore::Store& store_;
  const endpoint::EndpointSettings& settings_;
  const std::string& name_;
  const VerifyRequest& request_;
  Observer& observer_;
  ProgressHub hub_;
  const std::stop_token stop_;
  mailstore::EndpointRecord record_;
  std::unique_ptr<endpoint::Endpoint> endpoint_;
  const RemoteMailbox* view_ = nullptr;
  mailstore::UidValidity validity_;
  std::uint64_t strangers_ = 0;
  std::optional<std::unordered_set<std::uint64_t>> likenesses_;
};

}  // namespace

ViewReading readView(mailstore::Store& store, const endpoint::EndpointSettings& settings, const std::string& mailbox,
                     const VerifyRequest& request, Observer& observer, std::stop_token stop) {
  return ViewReader(store, settings, mailbox, request, observer, std::move(stop)).run();
}

}  // namespace mailbraid::sync::engine
