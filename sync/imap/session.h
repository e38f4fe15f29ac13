// The client's inside: commands in flight on one side, responses on the other. Internal to sync/imap.
#pragma once

#include "sync/imap/client.h"
#include "sync/imap/encoder.h"
#include "sync/imap/fetch_parser.h"
#include "sync/imap/framer.h"
#include "sync/imap/output_queue.h"
#include "sync/imap/pipelining.h"
#include "sync/imap/status_line.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailbraid::sync::imap {

/// See Client, whose functions these are. session_output.cpp has the commands, session_input.cpp the frames,
/// session_status.cpp what status responses change.
class Client::Session {
 public:
  explicit Session(const Limits& limits) : limits_(limits), fetch_(limits_) {}

  CommandId send(Command command);
  void supply(std::string_view octets) {
    output_.supply(octets);
    pump();
  }
  [[nodiscard]] std::uint64_t owedOctets() const { return output_.owed(); }
  void respond(std::string_view base64);
  void receive(std::string_view octets);
  std::optional<Event> nextEvent();
  void consumeOutput(std::size_t count) { output_.consume(count); }
  void forgetPlaintextState();
  std::string takeUnprocessedInput();

  [[nodiscard]] const OutputQueue& output() const { return output_; }
  [[nodiscard]] bool stopped() const { return layerChanges_; }
  [[nodiscard]] bool hasUnprocessedInput() const { return framer_.hasInput(); }
  [[nodiscard]] SessionState state() const { return state_; }
  [[nodiscard]] const Capabilities& capabilities() const { return capabilities_; }
  [[nodiscard]] bool isEnabled(std::string_view capability) const;
  [[nodiscard]] NameEncoding nameEncoding() const;
  [[nodiscard]] const SelectedMailbox* selected() const { return selected_ ? &*selected_ : nullptr; }
  [[nodiscard]] std::size_t unfinishedCommands() const { return waiting_.size() + sent_.size(); }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  /// A command that awaits its answer.
  struct Sent {
    CommandId id{};
    CommandKind kind{};
    std::uint64_t writtenAt = 0;  ///< an answer before so many octets were written is no answer to it
    std::string mailbox;          ///< of Select
    SelectMode mode = SelectMode::ReadOnly;
    bool isCurrent = false;                  ///< of Select: selected_ is its mailbox
    std::optional<SecretText> heldResponse;  ///< of Authenticate: the initial response, until the server says "+"
  };

  // session_output.cpp
  void pump();
  [[nodiscard]] bool mayEncode(CommandKind next) const;
  void encodeCommand(CommandId id, Command command, CommandKind kind);
  void queuePieces(EncodedCommand& encoded, Sent& sent);
  [[nodiscard]] EncodeContext encodeContext() const;

  // session_input.cpp
  std::optional<Event> handleFrame(const Framer::Frame& frame);
  void handleLine(std::string_view line);
  void beginResponse(std::string_view line);
  void untagged(std::string_view line);
  bool beginFetch(std::string_view line);
  void fetchPart(std::string_view line, std::size_t at);
  void untaggedData(std::string_view text, std::size_t at);
  void gather(std::string_view line);
  void skipLine(std::string_view line);
  void startLiteral(std::uint64_t size);
  std::optional<Event> literalChunk(std::string_view octets);
  void endLiteral();
  std::optional<LiteralAnnouncement> announced(std::string_view line);
  void observe(std::size_t firstEvent);
  /// `at` is a place in the line that is being read.
  void report(std::size_t at, std::string_view reason);
  void reportAt(std::uint64_t offset, std::string_view reason);
  void abandon(std::size_t at, std::string_view reason);

  // session_status.cpp
  void greeting(std::string_view line);
  void tagged(std::string_view line);
  void continuation(std::string_view line);
  void untaggedStatus(const StatusLine& status);
  void applyCode(const ResponseCode& code, std::string_view text);
  void applySelectCode(const ResponseCode& code);
  void permanentFlags(std::string_view arguments);
  void learnCapabilities(std::string_view names);
  void complete(const Sent& sent, const StatusLine& status);
  void loggedIn();
  static SelectedMailbox freshlySelected(const Sent& sent);
  void makeSelectCurrent();
  void closePrevious();
  SelectedMailbox* selectedForData();

  enum class Mode : std::uint8_t { Start, Fetch, SkippedFetch, Gather, Skip };
  enum class LiteralSink : std::uint8_t { Body, Label, Gather, Discard };

  const Limits limits_;
  SessionState state_ = SessionState::BeforeGreeting;
  Capabilities capabilities_;
  bool capabilitiesAreFresh_ = false;  // told since the last LOGIN or AUTHENTICATE was sent
  std::vector<std::string> enabled_;
  std::optional<SelectedMailbox> selected_;

  std::uint32_t lastId_ = 0;
  std::deque<std::pair<CommandId, Command>> waiting_;
  std::deque<Sent> sent_;
  std::vector<CommandKind> sentKinds_;  // of sent_
  OutputQueue output_;
  bool challenged_ = false;  // the server waits for respond()

  Framer framer_;
  FetchParser fetch_;
  std::vector<Event> events_;
  std::size_t nextEvent_ = 0;
  Mode mode_ = Mode::Start;
  LiteralSink literalSink_ = LiteralSink::Discard;
  std::string gathered_;              // a response with literals, or a label
  std::uint64_t responseOffset_ = 0;  // where this response began
  std::size_t literals_ = 0;          // in this response
  std::size_t malformed_ = 0;
  bool layerChanges_ = false;
  bool failed_ = false;
};

}  // namespace mailbraid::sync::imap
