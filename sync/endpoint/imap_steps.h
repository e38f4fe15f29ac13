// Runs many IMAP commands over many mailboxes in one pipeline and hands each response to the step that it belongs to.
#pragma once

#include "sync/endpoint/endpoint.h"
#include "sync/endpoint/imap_session.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mailbraid::sync::endpoint {

/// One command and what it is for. `request` is the place in the caller's span.
struct ImapStep {
  enum class Kind : std::uint8_t { Open, Flags, Search, Bodies, Headers };
  Kind kind = Kind::Open;
  std::size_t request = 0;
  imap::Command command;
  mailstore::UidSet uids;  ///< Bodies, Headers: what is asked for, cut into commands as they are sent
};

/// How a step ended.
struct ImapStepEnd {
  imap::CommandResult result = imap::CommandResult::Ok;
  imap::ResponseCodeKind code = imap::ResponseCodeKind::None;
  std::string text;
};

/// What the steps bring. Called on the endpoint's thread.
class ImapStepSink {
 public:
  virtual ~ImapStepSink() = default;
  /// FETCH responses without a body: flags.
  virtual void onAttributes(const ImapStep& step, const imap::FetchAttributes& attributes) = 0;
  virtual void onVanished(const ImapStep& step, const imap::Vanished& vanished) = 0;
  virtual void onSearch(const ImapStep& step, const imap::SearchResult& result) = 0;
  /// A message whose BODY[] arrived whole.
  virtual void onBody(const ImapStep& step, RemoteMessage&& message, mailstore::PreparedMessage&& prepared) = 0;
  /// A message whose BODY[HEADER] arrived whole; `message.header` is set.
  virtual void onHeader(const ImapStep& step, RemoteMessage&& message) = 0;
  /// A message that the server told of without giving what was asked for, or that is too large.
  virtual void onRefused(const ImapStep& step, const RemoteMessage& message, const std::string& reason) = 0;
  virtual void onOctets(std::uint64_t octets) = 0;
  virtual void onEnd(const ImapStep& step, const ImapStepEnd& end) = 0;
};

/// A command for bodies that the server refuses as a whole is tried again in halves, so that one bad message is found
/// and refused alone.
///
/// Keeps a window of commands in flight; more bodies are asked for as soon as it is known how fast the line is. Where
/// it is slow enough for COMPRESS=DEFLATE to pay (below about 100 Mbit/s), it drains the window and turns it on.
class ImapSteps {
 public:
  ImapSteps(ImapSession& session, const Environment& environment, Compression compression, ImapStepSink& sink);

  void add(ImapStep step);
  /// Runs all steps that were added, and those that are added meanwhile.
  void run();
  /// The message whose body was arriving, if its UID was told before.
  struct Place {
    std::size_t request = 0;
    mailstore::Uid uid;
  };
  [[nodiscard]] std::optional<Place> inProgress() const { return inProgress_; }

 private:
  struct Flying {
    imap::CommandId id;
    ImapStep step;
    mailstore::UidSet came;  ///< messages that were told or refused
  };
  void feed();
  ImapStep takeNext();
  /// The step that a response belongs to: of the mailbox that is selected as the server sends it, the first that asks
  /// for such a response, else its first. Not simply the oldest command: Dovecot sends data of the next FETCH or SEARCH
  /// before the OK of the one before. Null when no step of that mailbox is in flight.
  Flying* flyingFor(ImapStep::Kind wanted);
  void handle(const imap::Event& event);
  void measure(std::size_t octets);
  [[nodiscard]] bool wantsCompression() const;
  void bodyBegins(const imap::BodyBegin& begin);
  void bodyEnds();
  void fetchEnds(const imap::FetchEnd& end);
  void stepEnds(const imap::CommandDone& done);
  void takeBody(const ImapStep& step, RemoteMessage&& message);
  bool retryInHalves(const ImapStep& step, const mailstore::UidSet& missing, const std::string& reason);

  ImapSession& session_;
  const Environment& environment_;
  const Compression compression_;
  ImapStepSink& sink_;
  std::deque<ImapStep> waiting_;
  std::deque<Flying> flying_;
  std::map<std::size_t, std::string> wireNames_;  ///< by request: what its Open step opens
  std::map<std::size_t, unsigned> halvings_;      ///< by request
  std::set<std::size_t> unopened_;                ///< requests whose mailbox could not be opened

  mailstore::MessageBuilder builder_;
  mailstore::HeaderDigester header_;
  enum class Section : std::uint8_t { None, Body, Header, Skip };
  Section section_ = Section::None;
  bool headerCame_ = false;  ///< whole, in the current FETCH
  bool bodyCame_ = false;    ///< likewise
  bool inFetch_ = false;
  std::string refusal_;  ///< why the message of the current FETCH cannot be taken
  std::optional<Place> inProgress_;

  enum class Speed : std::uint8_t { Unknown, Fast, Slow } speed_ = Speed::Unknown;
  std::uint64_t measured_ = 0;
  std::chrono::steady_clock::time_point firstOctet_;
};

RemoteMessage messageOf(const imap::FetchAttributes& attributes);

}  // namespace mailbraid::sync::endpoint
