// ImapEndpoint::identify() and fetch(): named messages of named mailboxes, in one pipeline.
#include "sync/endpoint/imap_endpoint.h"

#include <utility>

namespace mailbraid::sync::endpoint {

using imap::CommandResult;
using imap::FetchItem;
using mailstore::Error;
using mailstore::Uid;
using mailstore::UidSet;

imap::FetchItems ImapEndpoint::identityItems(FetchItem section) const {
  imap::FetchItems items{FetchItem::Flags, FetchItem::InternalDate, FetchItem::Size, section};
  addObjectIds(items);
  return items;
}

void ImapEndpoint::addObjectIds(imap::FetchItems& items) const {
  const imap::Capabilities& can = session_->capabilities();
  if (can.has("OBJECTID")) items.add(FetchItem::EmailId);
  if (can.has("X-GM-EXT-1")) items.add(FetchItem::GmailMessageId);
}

/// Fetches headers or bodies of named messages.
class ImapEndpoint::Fetching final : public ImapStepSink {
 public:
  Fetching(ImapEndpoint& endpoint, std::span<const KeyRequest> requests, const IdentitySink* identities,
           PullSink* bodies)
      : endpoint_(endpoint), requests_(requests), identities_(identities), bodies_(bodies), states_(requests.size()) {}

  std::vector<std::optional<Error>> run() {
    ImapSteps steps(*endpoint_.session_, endpoint_.environment_, endpoint_.settings_.compress, *this);
    try {
      for (std::size_t i = 0; i < requests_.size(); ++i) plan(i, steps);
      steps.run();
      settleMissing(steps);
    } catch (...) {
      endpoint_.inProgress_.reset();
      if (const auto at = steps.inProgress()) {
        endpoint_.inProgress_ = MessagePlace{requests_[at->request].mailbox, mailstore::RemoteKey{at->uid}};
      }
      throw;
    }
    std::vector<std::optional<Error>> outcomes;
    for (std::size_t i = 0; i < requests_.size(); ++i) outcomes.push_back(outcomeOf(i));
    return outcomes;
  }

  void onAttributes(const ImapStep&, const imap::FetchAttributes&) override {}
  void onVanished(const ImapStep& step, const imap::Vanished& vanished) override {
    states_[step.request].missing.remove(vanished.uids);
  }
  void onSearch(const ImapStep& step, const imap::SearchResult& result) override {
    states_[step.request].stillThere.add(result.uids);
  }
  void onBody(const ImapStep& step, RemoteMessage&& message, mailstore::PreparedMessage&& prepared) override {
    if (came(step, message)) bodies_->onMessage(step.request, std::move(message), std::move(prepared));
  }
  void onHeader(const ImapStep& step, RemoteMessage&& message) override {
    if (came(step, message)) (*identities_)(step.request, std::move(message));
  }
  void onRefused(const ImapStep& step, const RemoteMessage& message, const std::string& reason) override {
    if (came(step, message)) refuse(step.request, message, reason);
  }
  void onOctets(std::uint64_t octets) override {
    if (bodies_ != nullptr) bodies_->onOctets(octets);
  }
  void onEnd(const ImapStep& step, const ImapStepEnd& end) override {
    State& state = states_[step.request];
    if (end.result != CommandResult::Ok) {
      if (state.failure.empty()) state.failure = "the server would not give its messages: \"" + end.text + "\"";
    } else if (step.kind == ImapStep::Kind::Open) {
      const imap::SelectedMailbox* selected = endpoint_.session_->client().selected();
      const mailstore::UidValidity wanted = requests_[step.request].uidValidity;
      // A mailbox that was replaced meanwhile is not what the keys are of.
      state.opened = wanted.value() == 0 || (selected != nullptr && selected->uidValidity == wanted);
      if (!state.opened) state.failure = "it was replaced by another mailbox while it was read; run again";
    }
  }

 private:
  struct State {
    bool opened = false;
    std::string failure;
    UidSet missing;  ///< asked for and, but for `came`, not come
    UidSet came;
    UidSet stillThere;
  };

  [[nodiscard]] std::optional<Error> outcomeOf(std::size_t index) const {
    if (states_[index].failure.empty()) return std::nullopt;
    return Error(mailstore::ErrorKind::TemporaryFailure, mailstore::Scope::Mailbox, mailstore::Retry::Later,
                 requests_[index].mailbox->name + ": " + states_[index].failure);
  }

  /// A header that the server does not give says nothing about the body: the message is told without it.
  void refuse(std::size_t request, const RemoteMessage& message, const std::string& reason) {
    if (bodies_ != nullptr) {
      bodies_->onRefused(request, message, reason);
    } else {
      RemoteMessage unknown = message;
      unknown.header.reset();
      (*identities_)(request, std::move(unknown));
    }
  }

  /// A message is taken once, and only when it was asked for.
  bool came(const ImapStep& step, const RemoteMessage& message) {
    State& state = states_[step.request];
    const Uid uid = std::get<Uid>(message.key);
    if (!state.opened || !state.missing.contains(uid) || state.came.contains(uid)) return false;
    state.came.add(uid);
    return true;
  }

  void open(std::size_t index, ImapSteps& steps) {
    const std::string& wire = requests_[index].mailbox->wireName;
    steps.add({ImapStep::Kind::Open, index, imap::Select{wire, imap::SelectMode::ReadOnly, {}, {}}, {}});
  }

  void plan(std::size_t index, ImapSteps& steps) {
    const UidSet& uids = uidsOf(requests_[index].keys);
    if (uids.empty()) return;
    open(index, steps);
    states_[index].missing = uids;
    const FetchItem section = bodies_ != nullptr ? FetchItem::BodyPeek : FetchItem::HeaderPeek;
    const ImapStep::Kind kind = bodies_ != nullptr ? ImapStep::Kind::Bodies : ImapStep::Kind::Headers;
    steps.add({kind, index, imap::UidFetch{{}, endpoint_.identityItems(section), {}, imap::VanishedMode::None}, uids});
  }

  void settleMissing(ImapSteps& steps) {
    for (State& state : states_) state.missing.remove(std::exchange(state.came, {}));
    bool any = false;
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      if (states_[i].missing.empty() || !states_[i].failure.empty()) continue;
      any = true;
      open(i, steps);
      for (const UidSet& part : states_[i].missing.chunksOfText(kLongestSet)) {
        steps.add({ImapStep::Kind::Search, i, imap::UidSearch{imap::UidRange{part}, {}}, {}});
      }
    }
    if (!any) return;
    steps.run();
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      const UidSet left = states_[i].stillThere.intersectedWith(states_[i].missing);
      for (const UidSet::Range& range : left.ranges()) {
        for (std::uint64_t uid = range.first.value(); uid <= range.last.value(); ++uid) {
          RemoteMessage message;
          message.key = Uid{static_cast<std::uint32_t>(uid)};
          refuse(i, message, "the server left it out of its answer");
        }
      }
    }
  }

  ImapEndpoint& endpoint_;
  std::span<const KeyRequest> requests_;
  const IdentitySink* identities_;
  PullSink* bodies_;
  std::vector<State> states_;
};

std::vector<std::optional<Error>> ImapEndpoint::identify(std::span<const KeyRequest> requests,
                                                         const IdentitySink& sink) {
  return Fetching(*this, requests, &sink, nullptr).run();
}

std::vector<std::optional<Error>> ImapEndpoint::fetch(std::span<const KeyRequest> requests, PullSink& sink) {
  return Fetching(*this, requests, nullptr, &sink).run();
}

}  // namespace mailbraid::sync::endpoint
