// What ImapEndpoint::changes() has in hand while it reads: the answers of each mailbox, and what they come to.
#pragma once

#include "sync/endpoint/imap_endpoint.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mailbraid::sync::endpoint {

/// Reads the mailboxes of one changes() call.
class ImapEndpoint::Reading final : public ImapStepSink {
 public:
  Reading(ImapEndpoint& endpoint, std::span<const DeltaRequest> requests, PullSink& sink)
      : endpoint_(endpoint), requests_(requests), sink_(sink), states_(requests.size()) {}

  std::vector<Delta> run();

  void onAttributes(const ImapStep& step, const imap::FetchAttributes& attributes) override;
  void onVanished(const ImapStep& step, const imap::Vanished& vanished) override;
  void onSearch(const ImapStep& step, const imap::SearchResult& result) override;
  void onBody(const ImapStep& step, RemoteMessage&& message, mailstore::PreparedMessage&& prepared) override;
  void onHeader(const ImapStep&, RemoteMessage&&) override {}
  void onRefused(const ImapStep& step, const RemoteMessage& message, const std::string& reason) override;
  void onOctets(std::uint64_t octets) override { sink_.onOctets(octets); }
  void onEnd(const ImapStep& step, const ImapStepEnd& end) override;

 private:
  struct State {
    Delta delta;
    std::uint32_t exists = 0;    ///< on opening
    mailstore::UidSet expunged;  ///< since EXISTS was told
    mailstore::UidSet listed;    ///< by the FLAGS of all, or by a SEARCH
    bool listsAll = false;
    bool resyncs = false;    ///< QRESYNC tells what vanished
    mailstore::UidSet told;  ///< by FETCH, whatever of it
    bool recounts = false;   ///< it did not add up: all are listed, after it was opened again
    bool searches = false;
    bool opened = false;
    /// It says that it holds more messages than it shows, also when both are asked for side by side.
    struct Hidden {
      std::uint32_t held = 0;
      std::uint32_t shown = 0;
    };
    std::optional<Hidden> hidden;
    std::vector<FlagState> doubtful;  ///< of messages that are said to have vanished as well
    mailstore::UidSet wanted;         ///< bodies asked for
    mailstore::UidSet delivered;      ///< bodies that came or were refused
  };

  /// A server may tell of a message that nobody asked for, or twice: it is taken once, and only when it was asked for.
  static bool firstTime(State& state, const RemoteMessage& message) {
    const mailstore::Uid uid = std::get<mailstore::Uid>(message.key);
    if (!state.opened || !state.wanted.contains(uid) || state.delivered.contains(uid)) return false;
    state.delivered.add(uid);
    return true;
  }

  void plan(std::size_t index, ImapSteps& steps);
  void planBodies(std::size_t index, const mailstore::UidSet& uids, ImapSteps& steps);
  void opened(std::size_t index);
  void tellFlags(std::size_t index);
  void openedAgain(std::size_t index, const imap::SelectedMailbox& selected);
  [[nodiscard]] bool addsUp(std::size_t index) const;
  void recount(ImapSteps& steps);
  [[nodiscard]] bool leave(const std::string& wireName);
  void askForHidden();
  void settle(std::size_t index);
  void settleListed(std::size_t index);
  void askForSkipped(ImapSteps& steps);
  [[nodiscard]] mailstore::UidSet freshRange(const DeltaRequest& request, mailstore::Uid uidNext) const;
  [[nodiscard]] bool isFirst(const DeltaRequest& request) const { return request.anchor.uidValidity.value() == 0; }
  /// Far more UIDs than messages can have: those that are there are listed first.
  static bool isSparse(const mailstore::UidSet& uids, std::uint64_t messages);
  void narrow(ImapSteps& steps);
  void failMailbox(std::size_t index, const std::string& sentence, mailstore::Retry retry);

  ImapEndpoint& endpoint_;
  std::span<const DeltaRequest> requests_;
  PullSink& sink_;
  std::vector<State> states_;
};

}  // namespace mailbraid::sync::endpoint
