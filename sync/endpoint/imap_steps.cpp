#include "sync/endpoint/imap_steps.h"

#include <algorithm>
#include <utility>

namespace mailbraid::sync::endpoint {

using mailstore::Uid;

namespace {

// The line's speed is judged on so many octets of bodies, and COMPRESS pays below so many octets a second: servers
// deflate at about 25 MB/s.
constexpr std::uint64_t kMeasuredOctets = 1024UL * 1024;
constexpr double kCompressBelow = 12e6;
// Commands in flight: few while the line is being measured, so that a slow one is not committed to much uncompressed
// mail.
constexpr std::size_t kMeasuringWindow = 8;
// Messages asked for by one command: few at first, for the same reason. Their UIDs must fit on a command line that
// every server takes (RFC 7162 section 4 asks for 8000 octets).
constexpr std::uint64_t kFirstChunk = 100;
constexpr std::uint64_t kChunk = 1000;
constexpr std::size_t kRanges = 320;
constexpr std::size_t kWindow = 32;

bool bringsBodies(const ImapStep& step) {
  return step.kind == ImapStep::Kind::Bodies || step.kind == ImapStep::Kind::Headers;
}

}  // namespace

RemoteMessage messageOf(const imap::FetchAttributes& attributes) {
  RemoteMessage message;
  message.key = attributes.uid.value_or(Uid{});
  message.flags = attributes.flags.value_or(mailstore::Flags{});
  message.date = attributes.internalDate;
  message.size = attributes.size.value_or(0);
  message.objectId = attributes.emailId;
  if (message.objectId.empty() && attributes.gmailMessageId)
    message.objectId = std::to_string(*attributes.gmailMessageId);
  return message;
}

ImapSteps::ImapSteps(ImapSession& session, const Environment& environment, Compression compression, ImapStepSink& sink)
    : session_(session),
      environment_(environment),
      compression_(compression),
      sink_(sink),
      builder_(environment.spool) {
  const bool possible = session_.capabilities().has("COMPRESS=DEFLATE") && !session_.compressed();
  if (compression_ == Compression::No || !possible) speed_ = Speed::Fast;
  if (compression_ == Compression::Yes && possible) speed_ = Speed::Slow;
}

void ImapSteps::add(ImapStep step) {
  if (const auto* open = std::get_if<imap::Select>(&step.command)) wireNames_[step.request] = open->mailbox;
  waiting_.push_back(std::move(step));
}

bool ImapSteps::wantsCompression() const {
  return speed_ == Speed::Slow && !session_.compressed() && !waiting_.empty();
}

ImapStep ImapSteps::takeNext() {
  ImapStep& front = waiting_.front();
  if (!bringsBodies(front)) {
    ImapStep step = std::move(front);
    waiting_.pop_front();
    return step;
  }
  ImapStep step{front.kind, front.request, std::get<imap::UidFetch>(front.command), {}};
  const std::uint64_t chunk = speed_ == Speed::Unknown ? kFirstChunk : kChunk;
  step.uids = front.uids.lowest(std::min(chunk, session_.restraint().mostMessages()), kRanges);
  front.uids.remove(step.uids);
  if (front.uids.empty()) waiting_.pop_front();
  std::get<imap::UidFetch>(step.command).uids = step.uids;
  return step;
}

void ImapSteps::feed() {
  if (wantsCompression() && bringsBodies(waiting_.front())) {
    if (!flying_.empty()) return;
    session_.compress([](const imap::Event&) {});
    speed_ = Speed::Fast;
  }
  while (!waiting_.empty() && !environment_.stop.stop_requested()) {
    const bool bodies = bringsBodies(waiting_.front());
    if (flying_.size() >= (bodies && speed_ == Speed::Unknown ? kMeasuringWindow : kWindow)) return;
    if (bodies && wantsCompression()) return;
    // What the server has not answered yet would go at its own pace.
    const bool paced = session_.restraint().limitsMessages() && waiting_.front().kind == ImapStep::Kind::Bodies;
    if (paced && !flying_.empty()) return;
    ImapStep step = takeNext();
    if (paced) session_.restraint().awaitMessages(step.uids.count());
    imap::Command command;
    // A fetch is kept, in case that it has to be asked for again in parts.
    if (const auto* fetch = std::get_if<imap::UidFetch>(&step.command)) {
      command = *fetch;
    } else {
      command = std::move(step.command);
    }
    flying_.push_back({session_.send(std::move(command)), std::move(step), {}});
  }
}

void ImapSteps::run() {
  feed();
  while (!flying_.empty()) {
    session_.pump([this](const imap::Event& event) { handle(event); });
    feed();
  }
  if (environment_.stop.stop_requested()) {
    session_.fail(mailstore::ErrorKind::Cancelled, mailstore::Scope::Run, mailstore::Retry::Later, "stopped");
  }
}

void ImapSteps::measure(std::size_t octets) {
  sink_.onOctets(octets);
  if (speed_ != Speed::Unknown) return;
  if (measured_ == 0) firstOctet_ = std::chrono::steady_clock::now();
  measured_ += octets;
  if (measured_ < kMeasuredOctets) return;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - firstOctet_;
  speed_ = static_cast<double>(measured_) < kCompressBelow * took.count() ? Speed::Slow : Speed::Fast;
}

void ImapSteps::bodyBegins(const imap::BodyBegin& begin) {
  inProgress_.reset();
  const Flying* flying = flyingFor(ImapStep::Kind::Bodies);
  if (begin.uid && flying != nullptr) inProgress_ = Place{flying->step.request, *begin.uid};
  if (begin.section == imap::BodySection::Whole) {
    const bool tooLarge = begin.size > environment_.maxMessageSize;
    section_ = tooLarge ? Section::Skip : Section::Body;
    if (tooLarge) {
      refusal_ = "it has " + std::to_string(begin.size) + " octets, more than the limit of " +
                 std::to_string(environment_.maxMessageSize);
    }
  } else {
    section_ = begin.section == imap::BodySection::Header ? Section::Header : Section::Skip;
  }
}

void ImapSteps::bodyEnds() {
  headerCame_ = headerCame_ || section_ == Section::Header;
  bodyCame_ = bodyCame_ || section_ == Section::Body;
  inProgress_.reset();
}

ImapSteps::Flying* ImapSteps::flyingFor(ImapStep::Kind wanted) {
  const imap::SelectedMailbox* selected = session_.client().selected();
  if (selected == nullptr) return nullptr;
  Flying* ofMailbox = nullptr;
  for (Flying& flying : flying_) {
    if (wireNames_[flying.step.request] != selected->mailbox) continue;
    if (flying.step.kind == wanted) return &flying;
    if (ofMailbox == nullptr) ofMailbox = &flying;
  }
  return ofMailbox;
}

void ImapSteps::fetchEnds(const imap::FetchEnd& end) {
  const bool header = headerCame_ && !bodyCame_;
  const bool body = bodyCame_ || (!header && !refusal_.empty());
  using Kind = ImapStep::Kind;
  Flying* flying = flyingFor(header ? Kind::Headers : body ? Kind::Bodies : Kind::Flags);
  if (body && flying != nullptr && flying->step.kind != Kind::Bodies) flying = flyingFor(Kind::Headers);
  inFetch_ = false;
  if (flying == nullptr) {
    builder_.discard();
    header_.discard();
    return;
  }
  const ImapStep& step = flying->step;
  RemoteMessage message = messageOf(end.attributes);
  const bool named = end.attributes.uid.has_value();
  // A header is no answer to who asked for the message.
  const bool came = step.kind == Kind::Headers ? headerCame_ : bodyCame_;
  if (named && (came || !refusal_.empty())) {
    for (Flying& asked : flying_) {
      if (asked.step.request == step.request && asked.step.uids.contains(*end.attributes.uid)) {
        asked.came.add(*end.attributes.uid);
      }
    }
  }
  if (!bringsBodies(step) || (!came && refusal_.empty())) {
    // Without a body: the flags that were asked for, or an unsolicited change.
    if (named) sink_.onAttributes(step, end.attributes);
    builder_.discard();
    header_.discard();
  } else if (!refusal_.empty() || !named) {
    builder_.discard();
    header_.discard();
    if (named) sink_.onRefused(step, message, refusal_);
  } else if (step.kind == ImapStep::Kind::Headers) {
    builder_.discard();
    message.header = header_.finish();
    message.hasMessageId = header_.hadMessageId();
    if (environment_.describes) message.index = header_.index();
    sink_.onHeader(step, std::move(message));
  } else {
    header_.discard();
    takeBody(step, std::move(message));
  }
}

void ImapSteps::takeBody(const ImapStep& step, RemoteMessage&& message) {
  std::optional<mailstore::PreparedMessage> prepared;
  try {
    prepared = builder_.finish();
  } catch (const mailstore::Error& error) {
    if (error.scope() != mailstore::Scope::Message) throw;
    builder_.discard();
    sink_.onRefused(step, message, error.what());
    return;
  }
  message.size = prepared->size;
  sink_.onBody(step, std::move(message), std::move(*prepared));
}

bool ImapSteps::retryInHalves(const ImapStep& step, const mailstore::UidSet& missing, const std::string& reason) {
  constexpr unsigned kMostHalvings = 2000;
  if (missing.count() == 1) {
    RemoteMessage message;
    message.key = missing.ranges().front().first;
    sink_.onRefused(step, message, reason);
    return true;
  }
  if (++halvings_[step.request] > kMostHalvings) return false;
  const auto* fetch = std::get_if<imap::UidFetch>(&step.command);
  if (fetch == nullptr) return false;
  // Another mailbox may have been opened meanwhile.
  add({ImapStep::Kind::Open,
       step.request,
       imap::Select{wireNames_[step.request], imap::SelectMode::ReadOnly, {}, {}},
       {}});
  for (const mailstore::UidSet& half : missing.chunksOfCount((missing.count() + 1) / 2)) {
    add({step.kind, step.request, *fetch, half});
  }
  return true;
}

void ImapSteps::stepEnds(const imap::CommandDone& done) {
  const auto which = std::find_if(flying_.begin(), flying_.end(), [&](const Flying& f) { return f.id == done.id; });
  if (which == flying_.end()) return;
  const Flying ended = std::move(*which);
  flying_.erase(which);
  const std::string text(done.text);
  if (ended.step.kind == ImapStep::Kind::Open && done.result != imap::CommandResult::Ok) {
    unopened_.insert(ended.step.request);
  }
  if (bringsBodies(ended.step) && done.result != imap::CommandResult::Ok && !unopened_.contains(ended.step.request)) {
    mailstore::UidSet missing = ended.step.uids;
    missing.remove(ended.came);
    if (missing.empty() || retryInHalves(ended.step, missing, "the server would not give it: \"" + text + "\"")) return;
  }
  sink_.onEnd(ended.step, {done.result, done.code.kind, text});
}

void ImapSteps::handle(const imap::Event& event) {
  if (const auto* chunk = std::get_if<imap::BodyChunk>(&event)) {
    measure(chunk->octets.size());
    if (section_ == Section::Body) builder_.append(chunk->octets);
    if (section_ == Section::Header) header_.append(chunk->octets);
    return;
  }
  if (const auto* begin = std::get_if<imap::BodyBegin>(&event)) {
    bodyBegins(*begin);
  } else if (std::holds_alternative<imap::BodyEnd>(event)) {
    bodyEnds();
  } else if (std::holds_alternative<imap::FetchBegin>(event)) {
    inFetch_ = true;
    headerCame_ = false;
    bodyCame_ = false;
    section_ = Section::None;
    refusal_.clear();
  } else if (std::holds_alternative<imap::BodyMissing>(event)) {
    refusal_ = "the server has no content for it (NIL)";
  } else if (const auto* end = std::get_if<imap::FetchEnd>(&event)) {
    fetchEnds(*end);
  } else if (const auto* bad = std::get_if<imap::Malformed>(&event)) {
    const bool skipped = inFetch_ && bad->severity != imap::Severity::LeftOut;
    if (skipped) refusal_ = "the server's answer could not be understood: " + std::string(bad->reason);
  } else if (const auto* vanished = std::get_if<imap::Vanished>(&event)) {
    if (const Flying* flying = flyingFor(ImapStep::Kind::Open)) sink_.onVanished(flying->step, *vanished);
  } else if (const auto* found = std::get_if<imap::SearchResult>(&event)) {
    // Dovecot ends a SEARCH before the FETCH that it was sent behind: the answer is not always of the first in flight.
    const auto asked = std::find_if(flying_.begin(), flying_.end(), [&](const Flying& f) {
      return found->id ? f.id == *found->id : f.step.kind == ImapStep::Kind::Search;
    });
    if (asked != flying_.end()) sink_.onSearch(asked->step, *found);
  } else if (const auto* done = std::get_if<imap::CommandDone>(&event)) {
    stepEnds(*done);
  }
}

}  // namespace mailbraid::sync::endpoint
