#include "sync/engine/verify_reader.h"

#include <filesystem>
#include <utility>

namespace mailbraid::sync::engine {

using endpoint::DeltaRequest;
using endpoint::KeyRequest;
using endpoint::KeySet;
using endpoint::RemoteMailbox;
using endpoint::RemoteMessage;
using endpoint::RemoteStatus;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::RemoteKey;
using mailstore::Uid;
using mailstore::Uidl;
using mailstore::UidSet;

namespace {

constexpr unsigned kMostFailures = 3;

class NoSink final : public endpoint::PullSink {
 public:
  void onOpened(std::size_t, const RemoteStatus&) override {}
  void onMessage(std::size_t, RemoteMessage&&, mailstore::PreparedMessage&&) override {}
  void onFlags(std::size_t, std::vector<endpoint::FlagState>&&) override {}
  void onRefused(std::size_t, const RemoteMessage&, const std::string&) override {}
  void onOctets(std::uint64_t) override {}
};

}  // namespace

endpoint::Environment environmentToCompare(ProgressHub& hub, const Observer& observer, std::stop_token stop) {
  endpoint::Environment out;
  out.spool.directory = std::filesystem::temp_directory_path();
  out.spool.keepsOctets = false;
  out.dryRun = true;
  out.describes = true;
  out.logLevel = observer.logLevel();
  out.log = [&hub](int level, const std::string& line) { hub.log(level, line); };
  out.stop = std::move(stop);
  return out;
}

/// Passes on what comes, and remembers what has come.
class VerifyReader::Sink final : public endpoint::PullSink {
 public:
  Sink(VerifyReader& reader, const std::vector<KeyRequest>& requests, const Told& told, const Refused& refused)
      : reader_(reader), requests_(requests), told_(told), refused_(refused), came_(requests.size()) {}

  void onOpened(std::size_t, const RemoteStatus&) override {}
  void onMessage(std::size_t index, RemoteMessage&& message, mailstore::PreparedMessage&& prepared) override {
    arrived(index, message.key);
    told_(index, std::move(message), &prepared);
  }
  void onIdentity(std::size_t index, RemoteMessage&& message) {
    arrived(index, message.key);
    told_(index, std::move(message), nullptr);
  }
  void onFlags(std::size_t, std::vector<endpoint::FlagState>&&) override {}
  void onRefused(std::size_t index, const RemoteMessage& message, const std::string& reason) override {
    arrived(index, message.key);
    refused_(index, message, reason);
  }
  void onOctets(std::uint64_t octets) override { reader_.hub_.messages(0, octets, {}); }

  [[nodiscard]] std::vector<KeyRequest> left() const {
    std::vector<KeyRequest> out = requests_;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (!came_[i].empty()) out[i].keys = endpoint::without(out[i].keys, came_[i]);
    }
    return out;
  }
  /// The line broke here twice.
  void giveUp(const endpoint::MessagePlace& place) {
    RemoteMessage message;
    message.key = place.key;
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      if (requests_[i].mailbox == place.mailbox) onRefused(i, message, "the connection broke twice while it was read");
    }
  }

 private:
  void arrived(std::size_t index, const RemoteKey& key) {
    came_[index].push_back(key);
    ++reader_.delivered_;
    reader_.hub_.messages(1, 0, reader_.name_ + " " + requests_[index].mailbox->name);
  }

  VerifyReader& reader_;
  const std::vector<KeyRequest>& requests_;
  const Told& told_;
  const Refused& refused_;
  std::vector<std::vector<RemoteKey>> came_;  ///< by request
};

void VerifyReader::reconnect(const Error& error) {
  const bool again = error.scope() == mailstore::Scope::Connection && error.retry() == mailstore::Retry::Now &&
                     error.kind() != ErrorKind::Cancelled && !stop_.stop_requested();
  failures_ = delivered_ == 0 ? failures_ + 1 : 1;
  if (!again || failures_ > kMostFailures) throw error;
  delivered_ = 0;
  hub_.log(0, "endpoint=" + name_ + " result=reconnect reason=\"" + error.what() + "\"");
  endpoint_.reconnect();
}

template <class Work>
void VerifyReader::overConnections(const Work& work) {
  while (true) {
    try {
      work();
      return;
    } catch (const Error& error) {
      reconnect(error);
    }
  }
}

std::vector<VerifyReader::Listing> VerifyReader::list(const std::vector<const RemoteMailbox*>& mailboxes) {
  std::vector<DeltaRequest> requests;
  for (const RemoteMailbox* mailbox : mailboxes) {
    DeltaRequest& request = requests.emplace_back();
    request.mailbox = mailbox;
    // As if it had been read before, when nothing was in it: then the server lists all that is there now.
    if (mailbox->status) request.anchor.uidValidity = mailbox->status->uidValidity;
    request.anchor.uidNext = Uid{1};
  }
  std::vector<endpoint::Delta> deltas;
  NoSink sink;
  overConnections([&] { deltas = endpoint_.changes(requests, sink); });
  std::vector<Listing> out;
  out.reserve(deltas.size());
  for (endpoint::Delta& delta : deltas) {
    out.push_back({delta.status, delta.present ? std::move(*delta.present) : std::move(delta.fresh), delta.failure,
                   std::move(delta.incomplete)});
  }
  return out;
}

std::vector<std::optional<Error>> VerifyReader::read(What what, const std::vector<KeyRequest>& requests,
                                                     const Told& told, const Refused& refused) {
  Sink sink(*this, requests, told, refused);
  std::optional<endpoint::MessagePlace> suspect;
  std::vector<std::optional<Error>> outcomes;
  overConnections([&] {
    const std::vector<KeyRequest> left = sink.left();
    try {
      const auto identified = [&](std::size_t index, RemoteMessage&& message) {
        sink.onIdentity(index, std::move(message));
      };
      switch (what) {
        case What::Sizes:
          outcomes = endpoint_.measure(left, identified);
          break;
        case What::Headers:
          outcomes = endpoint_.identify(left, identified);
          break;
        case What::Bodies:
          outcomes = endpoint_.fetch(left, sink);
          break;
      }
    } catch (const Error&) {
      const std::optional<endpoint::MessagePlace> at = endpoint_.inProgress();
      if (at && suspect && *at == *suspect) sink.giveUp(*at);
      suspect = at;
      throw;
    }
  });
  return outcomes;
}

}  // namespace mailbraid::sync::engine
