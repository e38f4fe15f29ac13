#include "sync/imap/cursor.h"
#include "sync/imap/response_parser.h"
#include "sync/imap/session.h"

#include <algorithm>

namespace mailbraid::sync::imap {

void Client::Session::receive(std::string_view octets) {
  if (!failed_) framer_.receive(octets);
}

std::optional<Event> Client::Session::nextEvent() {
  while (true) {
    if (nextEvent_ < events_.size()) return std::move(events_[nextEvent_++]);
    events_.clear();
    nextEvent_ = 0;
    if (failed_ || layerChanges_) return std::nullopt;
    // Not before all events of the last response are taken: with its CommandDone, selected() still tells of its
    // mailbox.
    makeSelectCurrent();
    const bool loggedOn = state_ == SessionState::Authenticated || state_ == SessionState::Selected;
    const Framer::Frame frame = framer_.next(loggedOn ? limits_.line : std::min(limits_.line, limits_.lineBeforeLogin));
    if (frame.kind == Framer::FrameKind::NeedMore) return std::nullopt;
    if (auto event = handleFrame(frame)) return event;
  }
}

std::optional<Event> Client::Session::handleFrame(const Framer::Frame& frame) {
  switch (frame.kind) {
    case Framer::FrameKind::LiteralChunk:
      return literalChunk(frame.octets);
    case Framer::FrameKind::Line:
      handleLine(frame.octets);
      return std::nullopt;
    case Framer::FrameKind::LineTooLong:
      abandon(0, state_ == SessionState::BeforeGreeting ? "the server does not speak IMAP" : "a line is too long");
      return std::nullopt;
    case Framer::FrameKind::NeedMore:
      return std::nullopt;
  }
  return std::nullopt;
}

void Client::Session::handleLine(std::string_view line) {
  if (mode_ == Mode::Start) return beginResponse(line);
  // A literal that is longer than announced goes on as a line: a mail's text could end a command or forge a response.
  const bool continues = line.empty() ? mode_ == Mode::Gather || mode_ == Mode::Skip : line[0] == ' ' || line[0] == ')';
  if (!continues) return abandon(0, "a literal is not followed by the rest of its response");
  switch (mode_) {
    case Mode::Fetch:
      return fetchPart(line, 0);
    case Mode::Gather:
      return gather(line);
    case Mode::Start:
    case Mode::SkippedFetch:
    case Mode::Skip:
      return skipLine(line);
  }
}

void Client::Session::beginResponse(std::string_view line) {
  literals_ = 0;
  responseOffset_ = framer_.frameOffset();
  if (state_ == SessionState::BeforeGreeting) return greeting(line);
  if (line.empty()) return;  // quirk EmptyLine
  if (line.front() == '*') return untagged(line);
  if (line.front() == '+') return continuation(line);
  tagged(line);
}

void Client::Session::untagged(std::string_view line) {
  if (beginFetch(line)) return;
  Cursor cursor(line);
  cursor.skip(1);
  cursor.spaces();
  if (const auto status = parseStatusLine(cursor.rest())) return untaggedStatus(*status);
  gathered_.clear();
  if (const auto literal = announced(line)) return gather(line);
  if (!failed_) untaggedData(line, cursor.at());
}

bool Client::Session::beginFetch(std::string_view line) {
  Cursor cursor(line);
  cursor.skip(1);
  cursor.spaces();
  if (cursor.peek() < '0' || cursor.peek() > '9') return false;
  const auto number = cursor.numberOf<std::uint32_t>();
  cursor.spaces();
  if (!equalsIgnoringCase(cursor.word(), "FETCH")) return false;
  cursor.spaces();
  if (!number || *number == 0) {
    report(0, "0 or too much for a sequence number");
    mode_ = Mode::Skip;
    skipLine(line);
    return true;
  }
  fetch_.begin(SequenceNumber{*number}, events_);
  mode_ = Mode::Fetch;
  fetchPart(line, cursor.at());
  return true;
}

void Client::Session::fetchPart(std::string_view line, std::size_t at) {
  const auto literal = announced(line);
  if (failed_) return;
  const std::size_t length = literal ? literal->lineLength : line.size();
  const std::string_view text = line.substr(at, std::max(length, at) - at);
  const auto outcome =
      fetch_.part(text, literal ? std::optional(literal->size) : std::nullopt, framer_.frameOffset() + at, events_);
  malformed_ += outcome.remarks;
  if (!outcome.problem.empty()) {
    report(at + outcome.at, outcome.problem);
    mode_ = Mode::SkippedFetch;
    return skipLine(line);
  }
  if (!literal) {
    fetch_.end(events_);
    mode_ = Mode::Start;
    return;
  }
  if (outcome.skipped) report(length, "a body is larger than the limit");
  literalSink_ = LiteralSink::Discard;
  if (outcome.literal == LiteralUse::Stream) literalSink_ = LiteralSink::Body;
  if (outcome.literal == LiteralUse::Label) {
    literalSink_ = LiteralSink::Label;
    gathered_.clear();
    if (literal->size > limits_.gatheredLiteral || fetch_.labelOctets() + literal->size > limits_.gatheredResponse) {
      report(length, "a label is larger than the limit");
      literalSink_ = LiteralSink::Discard;
    }
  }
  startLiteral(literal->size);
}

void Client::Session::untaggedData(std::string_view text, std::size_t at) {
  Cursor cursor(text);
  cursor.skip(at);
  const std::size_t firstEvent = events_.size();
  const std::string_view rest = cursor.rest();
  if (equalsIgnoringCase(cursor.word(), "CAPABILITY")) return learnCapabilities(cursor.rest());
  Cursor data(rest);
  parseUntaggedData(data, ResponseContext{limits_, nameEncoding(), events_});
  if (data.failed()) return reportAt(responseOffset_ + at + data.at(), data.reason());
  observe(firstEvent);
}

void Client::Session::gather(std::string_view line) {
  const auto literal = announced(line);
  if (failed_) return;
  mode_ = Mode::Gather;
  const std::uint64_t size = literal ? literal->size : 0;
  if (size > limits_.gatheredLiteral || gathered_.size() + line.size() + size > limits_.gatheredResponse) {
    report(0, "a response with literals is larger than the limit");
    mode_ = Mode::Skip;
    return skipLine(line);
  }
  gathered_.append(line);
  if (literal) {
    gathered_.append("\r\n");
    literalSink_ = LiteralSink::Gather;
    return startLiteral(size);
  }
  mode_ = Mode::Start;
  Cursor cursor(gathered_);
  cursor.skip(1);
  cursor.spaces();
  untaggedData(gathered_, cursor.at());
}

void Client::Session::skipLine(std::string_view line) {
  const auto literal = announced(line);
  if (failed_) return;
  if (literal) {
    literalSink_ = LiteralSink::Discard;
    return startLiteral(literal->size);
  }
  if (mode_ == Mode::SkippedFetch) fetch_.end(events_);
  mode_ = Mode::Start;
}

std::optional<LiteralAnnouncement> Client::Session::announced(std::string_view line) {
  const auto literal = announcedLiteral(line);
  if (!literal || !literal->overflows) return literal;
  abandon(literal->lineLength, "the size of a literal is out of range");
  return std::nullopt;
}

void Client::Session::startLiteral(std::uint64_t size) {
  if (++literals_ > limits_.literalsPerResponse) return abandon(0, "a response has too many literals");
  framer_.expectLiteral(size);
  if (size == 0) endLiteral();
}

std::optional<Event> Client::Session::literalChunk(std::string_view octets) {
  if (literalSink_ == LiteralSink::Gather || literalSink_ == LiteralSink::Label) gathered_.append(octets);
  const bool isBody = literalSink_ == LiteralSink::Body;
  if (framer_.literalLeft() == 0) endLiteral();
  return isBody ? std::optional<Event>(BodyChunk{octets}) : std::nullopt;
}

void Client::Session::endLiteral() {
  if (literalSink_ == LiteralSink::Body) events_.emplace_back(BodyEnd{});
  if (literalSink_ == LiteralSink::Label) fetch_.label(gathered_);
}

void Client::Session::observe(std::size_t firstEvent) {
  for (std::size_t i = firstEvent; i < events_.size(); ++i) {
    if (const auto* exists = std::get_if<Exists>(&events_[i])) {
      if (SelectedMailbox* const mailbox = selectedForData()) mailbox->exists = exists->count;
    } else if (const auto* enabled = std::get_if<Enabled>(&events_[i])) {
      for (const std::string& name : enabled->capabilities) {
        if (!isEnabled(name) && enabled_.size() < limits_.capabilities) enabled_.push_back(name);
      }
    }
  }
}

void Client::Session::report(std::size_t at, std::string_view reason) {
  reportAt(framer_.frameOffset() + at, reason);
}

void Client::Session::reportAt(std::uint64_t offset, std::string_view reason) {
  if (++malformed_ > limits_.malformedResponses) return abandon(0, "too many responses are malformed");
  events_.emplace_back(Malformed{offset, reason, Severity::Skipped});
}

void Client::Session::abandon(std::size_t at, std::string_view reason) {
  if (failed_) return;
  failed_ = true;
  events_.emplace_back(Malformed{framer_.frameOffset() + at, reason, Severity::Fatal});
}

}  // namespace mailbraid::sync::imap
