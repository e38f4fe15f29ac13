#include "sync/pop3/client.h"

#include "sync/pop3/reply.h"
#include "sync/pop3/text.h"

#include <algorithm>

namespace mailbraid::sync::pop3 {

namespace {

/// RFC 1939 section 7: longer ids are a quirk, not an error.
constexpr std::size_t kUidlByTheBook = 70;

void wipe(std::string& text) {
  for (volatile char* at = text.data(); at != text.data() + text.size(); ++at) *at = 0;
  text.clear();
}

bool isUidl(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x21 && c <= 0x7E; });
}

}  // namespace

std::optional<CommandId> Client::send(const Command& command) {
  std::optional<std::string> line = encode(command);
  if (!line) return std::nullopt;
  const CommandFacts& facts = factsOf(command);
  if (facts.carriesSecret) outputHasSecret_ = true;
  append(*line);
  if (facts.carriesSecret) wipe(*line);
  inFlight_.push_back({++lastId_, facts.shape, std::holds_alternative<Auth>(command)});
  return lastId_;
}

void Client::sendContinuation(std::string_view text) {
  outputHasSecret_ = true;
  append(text);
  append("\r\n");
}

void Client::append(std::string_view octets) {
  // A string that grows by itself leaves its old buffer behind unwiped.
  if (outputHasSecret_ && output_.capacity() < output_.size() + octets.size()) {
    std::string grown;
    grown.reserve(2 * (output_.size() + octets.size()));
    grown += output_;
    wipe(output_);
    output_ = std::move(grown);
  }
  output_ += octets;
}

void Client::consumeOutput(std::size_t octets) {
  sent_ = std::min(sent_ + octets, output_.size());
  if (sent_ < output_.size()) return;
  if (outputHasSecret_) wipe(output_);
  output_.clear();
  sent_ = 0;
  outputHasSecret_ = false;
}

void Client::receive(std::string_view octets) {
  dropped_ += at_;
  input_.erase(0, at_);
  scanned_ -= std::min(scanned_, at_);
  at_ = 0;
  input_ += octets;
}

void Client::tlsEstablished() {
  input_.clear();
  at_ = scanned_ = 0;
  dropped_ = 0;
}

std::optional<Event> Client::nextEvent() {
  if (state_ == State::Broken) return std::nullopt;
  if (std::optional<Event> event = parse()) return event;
  if (!ended_) return std::nullopt;
  return closed();
}

std::optional<Event> Client::parse() {
  return state_ == State::Body ? parseBody() : parseLine();
}

std::optional<Event> Client::parseLine() {
  for (;;) {
    bool tooLong = false;
    const std::optional<std::string_view> line = takeLine(tooLong);
    if (tooLong) return malformed("a line of more than " + std::to_string(limits_.line) + " octets");
    if (!line) return state_ == State::Greeting ? foreignGreeting() : std::nullopt;
    if (state_ == State::Greeting) return onGreeting(*line);
    if (state_ == State::Status) return onStatus(*line);
    if (std::optional<Event> event = onListingLine(*line)) return event;
  }
}

std::optional<std::string_view> Client::takeLine(bool& tooLong) {
  scanned_ = std::max(scanned_, at_);
  for (std::size_t lf = input_.find('\n', scanned_); lf != std::string::npos; lf = input_.find('\n', lf + 1)) {
    const bool afterCr = lf > at_ && input_[lf - 1] == '\r';
    // Before any mail was sent the first line tells how this server ends its lines.
    if (!afterCr && state_ == State::Greeting) {
      ending_ = LineEnding::Lf;
      quirks_.add(Quirk::LfOnlyLines);
    }
    if (!afterCr && ending_ == LineEnding::CrLf) continue;
    const std::string_view line = std::string_view(input_).substr(at_, lf - at_ - (afterCr ? 1 : 0));
    tooLong = line.size() > limits_.line;
    lineStart_ = at_;
    if (tooLong) return std::nullopt;
    at_ = scanned_ = lf + 1;
    return line;
  }
  scanned_ = input_.size();
  lineStart_ = at_;
  // Two octets more than a line may have: its end.
  tooLong = input_.size() - at_ > limits_.line + 2;
  return std::nullopt;
}

std::optional<Event> Client::onGreeting(std::string_view line) {
  std::optional<Status> status = parseStatus(line, quirks_);
  if (!status) {
    if (std::optional<Event> foreign = foreignGreeting()) return foreign;
    return malformed("the server does not greet as a POP3 server");
  }
  state_ = State::Status;
  if (status->text.starts_with("Gpop ready")) quirks_.add(Quirk::ListsInParts);
  return Greeting{status->ok, apopTimestamp(line, quirks_), status->code, std::move(status->text)};
}

std::optional<Event> Client::foreignGreeting() {
  const std::string_view protocol = foreignProtocol(input_);
  if (protocol.empty()) return std::nullopt;
  return malformed("the server speaks " + std::string(protocol) + ", not POP3");
}

std::optional<Event> Client::onStatus(std::string_view line) {
  if (!inFlight_.empty() && inFlight_.front().auth && (line == "+" || line.substr(0, 2) == "+ ")) {
    return Continuation{inFlight_.front().id, std::string(line.substr(std::min<std::size_t>(2, line.size())))};
  }
  std::optional<Status> status = parseStatus(line, quirks_);
  if (!status) return malformed("a reply that is neither +OK nor -ERR");
  if (inFlight_.empty()) {
    if (status->ok) return malformed("a reply to no command");
    return Notice{status->code, std::move(status->text)};
  }
  const InFlight command = inFlight_.front();
  Reply reply{command.id, status->ok, status->code, std::move(status->text)};
  if (!status->ok || command.shape == ReplyShape::Line) {
    inFlight_.pop_front();
    return reply;
  }
  lines_ = unreadable_ = 0;
  bodySize_ = 0;
  bodyTooLong_ = false;
  capabilities_ = {};
  body_ = BodyDecoder(ending_);
  state_ = command.shape == ReplyShape::Body ? State::Body : State::Listing;
  return reply;
}

std::optional<Event> Client::onListingLine(std::string_view line) {
  if (line == ".") return endListing();
  if (!line.empty() && line.front() == '.') line.remove_prefix(1);
  const ReplyShape shape = inFlight_.front().shape;
  ++lines_;
  if (shape == ReplyShape::CapaLines) {
    if (lines_ > limits_.capabilityLines) return malformed("too many capabilities");
    capabilities_.add(line);
    return std::nullopt;
  }
  if (lines_ > limits_.items) return malformed("a listing of more than " + std::to_string(limits_.items) + " messages");
  std::optional<Event> item = shape == ReplyShape::SizeLines ? onListItem(line) : onUidlItem(line);
  if (!item) {
    ++unreadable_;
    quirks_.add(Quirk::UnreadableListingLine);
  }
  return item;
}

std::optional<Event> Client::onListItem(std::string_view line) {
  const Word number = takeWord(line);
  const Word size = takeWord(line);
  const auto parsedNumber = parseNumber<MessageNumber>(number.text);
  const auto parsedSize = parseNumber<std::uint64_t>(size.text);
  if (!parsedNumber || *parsedNumber == 0 || *parsedNumber > limits_.items || !parsedSize) return std::nullopt;
  noteSpacing(number.skipped + 1);
  noteSpacing(size.skipped);
  if (!takeWord(line).text.empty()) quirks_.add(Quirk::ColumnsAfterSize);
  return ListItem{*parsedNumber, *parsedSize};
}

std::optional<Event> Client::onUidlItem(std::string_view line) {
  const Word number = takeWord(line);
  const Word uidl = takeWord(line);
  const auto parsedNumber = parseNumber<MessageNumber>(number.text);
  if (!parsedNumber || *parsedNumber == 0 || *parsedNumber > limits_.items) return std::nullopt;
  noteSpacing(number.skipped + 1);
  noteSpacing(uidl.skipped);
  if (!takeWord(line).text.empty()) quirks_.add(Quirk::TextAfterUidl);
  if (uidl.text.size() > kUidlByTheBook) quirks_.add(Quirk::LongUidl);
  if (uidl.text.size() > limits_.uidl || !isUidl(uidl.text)) return UidlItem{*parsedNumber, {}};
  return UidlItem{*parsedNumber, mailstore::Uidl(std::string(uidl.text))};
}

Event Client::endListing() {
  const InFlight command = inFlight_.front();
  inFlight_.pop_front();
  state_ = State::Status;
  if (command.shape == ReplyShape::CapaLines) return CapaDone{command.id, std::move(capabilities_)};
  return ListingEnd{command.id, lines_ - unreadable_, unreadable_};
}

std::optional<Event> Client::parseBody() {
  while (at_ < input_.size()) {
    if (bodyTooLong_) return malformed("a message of more than " + std::to_string(limits_.body) + " octets");
    const BodyDecoder::Step step = body_.decode(std::string_view(input_).substr(at_));
    if (step.consumed == 0) return std::nullopt;
    at_ += step.consumed;
    const CommandId id = inFlight_.front().id;
    if (step.end) {
      inFlight_.pop_front();
      state_ = State::Status;
      return BodyEnd{id, bodySize_};
    }
    const std::string_view chunk = step.chunk.substr(
        0, static_cast<std::size_t>(std::min<std::uint64_t>(step.chunk.size(), limits_.body - bodySize_)));
    bodySize_ += chunk.size();
    if (chunk.size() < step.chunk.size()) {
      bodyTooLong_ = true;
      at_ = static_cast<std::size_t>(chunk.data() + chunk.size() - input_.data());
    }
    if (!chunk.empty()) return BodyChunk{id, chunk};
  }
  return std::nullopt;
}

Event Client::malformed(std::string reason) {
  const std::size_t at = state_ == State::Body ? at_ : lineStart_;
  state_ = State::Broken;
  return Malformed{dropped_ + at, std::move(reason)};
}

Event Client::closed() {
  Closed event;
  event.unanswered = inFlight_.size();
  if (state_ == State::Body) {
    event.within = Closed::Within::Body;
  } else if (state_ == State::Listing) {
    event.within = Closed::Within::Listing;
  } else if (at_ < input_.size()) {
    event.within = Closed::Within::Line;
  }
  state_ = State::Broken;
  return event;
}

}  // namespace mailbraid::sync::pop3
