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
  ViewReader(mailstore::Store& store, const endpoint::EndpointSettings& settings, const LeftOutMailbox& view,
             const ViewRequest& request, Observer& observer, std::stop_token stop)
      : store_(store),
        settings_(settings),
        listed_(view),
        name_(view.name),
        request_(request),
        observer_(observer),
        hub_(observer),
        stop_(std::move(stop)) {}

  ViewReading run() {
    ViewReading out;
    out.mailbox = name_;
    try {
      out.notThere = count();
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
    endpoint_ = request_.how.makeEndpoint(settings_, std::move(environment));
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
    const KeySet present = withoutArrivals(listing.present);
    if (request_.how.full) return endpoint::countOf(readBodies(reader, present));
    const KeySet unnamed = endpoint::without(present, known(reader, present));
    const KeySet left = unlike(reader, unnamed);
    return strangers_ + endpoint::countOf(readBodies(reader, left));
  }

  /// What came after the view was listed is for the next run, as it is with every mailbox.
  [[nodiscard]] KeySet withoutArrivals(const KeySet& keys) const {
    const auto* uids = std::get_if<mailstore::UidSet>(&keys);
    const bool isSame = listed_.uidValidity == validity_ && listed_.uidNext.value() != 0;
    if (uids == nullptr || !isSame) return keys;
    mailstore::UidSet arrived;
    arrived.add(listed_.uidNext, mailstore::Uid{UINT32_MAX});
    mailstore::UidSet out = *uids;
    out.remove(arrived);
    return out;
  }

  /// Any of them is at the destination, or is for the balance of a source to count.
  [[nodiscard]] bool isAccountedFor(const std::vector<mailstore::Entry>& entries) const {
    return std::any_of(entries.begin(), entries.end(), [this](const mailstore::Entry& entry) {
      const std::vector<mailstore::Pair> pairs = store_.pairs().ofEntry(entry.id);
      return std::any_of(pairs.begin(), pairs.end(), [&](const mailstore::Pair& pair) {
        const bool isThere = entry.removedAt == 0 && request_.destination.contains(pair.endpointMailbox);
        return !pair.held && (isThere || request_.sources.contains(pair.endpointMailbox));
      });
    });
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
      if (isNamed(message)) out.push_back(message.key);
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

  bool isNamed(const RemoteMessage& told) const {
    if (told.objectId.empty()) return false;
    const auto id = store_.pairs().findEntryByObjectId(record_.id, told.objectId);
    const auto entry = id ? store_.entries().find(*id) : std::nullopt;
    // A name that the server gives to several messages is none.
    return entry && store_.messages().info(entry->message).size == told.size && isAccountedFor({*entry});
  }

  /// As a pull recognises messages.
  bool isKnown(const RemoteMessage& told) const {
    return told.header && told.hasMessageId && told.size != 0 &&
           isAccountedFor(store_.entries().like(record_.braid, *told.header, told.size));
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

  /// Those that are not accounted for, or that could not be read.
  KeySet readBodies(VerifyReader& reader, const KeySet& keys) {
    KeySet out = endpoint::emptyLike(keys);
    const auto told = [&](const RemoteMessage& message, const mailstore::PreparedMessage* prepared) {
      if (!isAccountedFor(store_.entries().like(record_.braid, prepared->contentKey)))
        endpoint::addTo(out, message.key);
    };
    read(reader, VerifyReader::What::Bodies, keys, told,
         [&](const RemoteMessage& message) { endpoint::addTo(out, message.key); });
    return out;
  }

  mailstore::Store& store_;
  const endpoint::EndpointSettings& settings_;
  const LeftOutMailbox& listed_;
  const std::string& name_;
  const ViewRequest& request_;
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

ViewReading readView(mailstore::Store& store, const endpoint::EndpointSettings& settings, const LeftOutMailbox& view,
                     const ViewRequest& request, Observer& observer, std::stop_token stop) {
  return ViewReader(store, settings, view, request, observer, std::move(stop)).run();
}

}  // namespace mailbraid::sync::engine
