#include "sync/pop3/session.h"

#include "sync/pop3/text.h"

#include <type_traits>
#include <utility>

namespace mailbraid::sync::pop3 {

namespace {

template <class... Kinds>
bool isOneOf(const Command& command) {
  return (std::holds_alternative<Kinds>(command) || ...);
}

/// Headers seldom are longer; only the window depends on it.
constexpr std::uint64_t kExpectedHeader = 4096;

bool blamesCredentials(ResponseCode code, const Capabilities& capabilities) {
  switch (code) {
    case ResponseCode::InUse:
    case ResponseCode::LoginDelay:
    case ResponseCode::SysTemp:
    case ResponseCode::SysPerm:
      return false;
    case ResponseCode::Auth:
      return true;
    case ResponseCode::None:
    case ResponseCode::Utf8:
    case ResponseCode::Other:
      // RFC 3206: a server with AUTH-RESP-CODE marks every refusal that is due to the credentials.
      return !capabilities.authRespCode;
  }
  return true;
}

/// A command to remember: text arguments are views of the caller's and must not outlive the call.
struct WithoutText {
  template <class Kind>
  Command operator()(const Kind& command) const {
    if constexpr (std::is_same_v<Kind, Top> || std::is_same_v<Kind, Retr> || std::is_same_v<Kind, Dele>) return command;
    return Kind{};
  }
};

struct NumberOf {
  MessageNumber operator()(const Top& command) const { return command.number; }
  MessageNumber operator()(const Retr& command) const { return command.number; }
  MessageNumber operator()(const Dele& command) const { return command.number; }
  template <class Other>
  MessageNumber operator()(const Other&) const {
    return 0;
  }
};

}  // namespace

Session::Session(TlsUpgrade tls, Limits limits, WindowLimits window)
    : client_(limits), tls_(tls), window_(Pipelining::OneAtATime, window) {}

const QuirkSet& Session::quirks() const {
  quirks_.add(client_.quirks());
  return quirks_;
}

std::optional<SessionEvent> Session::nextEvent() {
  while (!over_) {
    std::optional<Event> event = client_.nextEvent();
    if (!event) return std::nullopt;
    std::optional<SessionEvent> out = std::visit([this](auto& one) { return on(one); }, *event);
    if (out) return out;
  }
  return std::nullopt;
}

bool Session::say(const Command& command) {
  if (!client_.send(command)) return false;
  flight_.push_back({std::visit(WithoutText{}, command), 0});
  window_.sent(0);
  return true;
}

void Session::ask(const Command& command, std::uint64_t expected) {
  waiting_.push_back({command, expected});
  fill();
}

void Session::fill() {
  while (!waiting_.empty() && window_.maySend()) {
    const Request request = waiting_.front();
    waiting_.pop_front();
    client_.send(request.command);
    window_.sent(request.expected);
    flight_.push_back(request);
  }
}

Session::Request Session::finished() {
  const Request request = flight_.front();
  flight_.pop_front();
  window_.answered();
  fill();
  return request;
}

void Session::tlsEstablished() {
  client_.tlsEstablished();
  timestamp_.clear();
  ask(Capa{});
}

bool Session::authenticate(std::string_view mechanism, std::optional<std::string_view> initialResponse) {
  return say(Auth{mechanism, initialResponse});
}
bool Session::apop(std::string_view name, std::string_view digest) {
  return say(Apop{name, digest});
}
bool Session::user(std::string_view name) {
  return say(User{name});
}
bool Session::password(std::string_view password) {
  return say(Pass{password});
}

void Session::requestListing() {
  replies_ = {};
  listingParts_ = 3;
  ask(Stat{});
  ask(Uidl{});
  ask(List{});
}

void Session::requestMessage(MessageNumber number, std::uint64_t expectedSize) {
  ask(Retr{number}, expectedSize);
}
void Session::requestHeader(MessageNumber number) {
  ask(Top{number, 0}, kExpectedHeader);
}
void Session::requestDeletion(MessageNumber number) {
  ask(Dele{number});
}
void Session::requestQuit() {
  ask(Quit{});
}

std::optional<SessionEvent> Session::on(Greeting& event) {
  greeting_ = event.text;
  timestamp_ = std::move(event.timestamp);
  if (!event.ok) {
    return fail(Failure::Kind::Temporary,
                "the server refuses the connection: " + (event.text.empty() ? "-ERR" : event.text));
  }
  // CAPA before STLS would cost a round trip for words that anybody could have changed.
  if (tls_ == TlsUpgrade::Stls) {
    ask(Stls{});
  } else {
    ask(Capa{});
  }
  return std::nullopt;
}

std::optional<SessionEvent> Session::on(Reply& event) {
  if (flight_.empty()) return fail(Failure::Kind::Protocol, "a reply to no command");
  const Command& command = flight_.front().command;
  if (isOneOf<Retr, Top, Dele>(command)) return onMessageReply(event, currentNumber());
  if (isOneOf<User, Pass, Apop, Auth>(command)) return onLoginReply(event);
  if (isOneOf<Stat>(command)) return onStat(event);
  if (isOneOf<Capa, List, Uidl>(command)) {
    if (event.ok) return std::nullopt;
    const Request request = finished();
    if (isOneOf<Capa>(request.command)) {
      quirks_.add(Quirk::NoCapa);
      return afterCapa();
    }
    (isOneOf<List>(request.command) ? replies_.listRefused : replies_.uidlRefused) = true;
    if (replies_.uidlRefused) quirks_.add(Quirk::NoUidl);
    return listingPartDone();
  }
  const Request request = finished();
  if (isOneOf<Stls>(request.command)) {
    if (event.ok) return TlsWanted{};
    return fail(Failure::Kind::NoTls, "the server refuses STLS: " + event.text);
  }
  if (isOneOf<Quit>(request.command)) {
    over_ = true;
    return QuitDone{event.ok, std::move(event.text)};
  }
  return std::nullopt;
}

std::optional<SessionEvent> Session::onLoginReply(Reply& event) {
  const Request request = finished();
  if (!event.ok) {
    return LoginRefused{event.code, std::move(event.text), blamesCredentials(event.code, capabilities_)};
  }
  if (isOneOf<User>(request.command)) return PasswordWanted{};
  loggedIn_ = true;
  // Some servers tell PIPELINING only to who is logged in; asking once more is worth it for whole mailboxes.
  if (!capabilities_.pipelining && !quirks_.has(Quirk::NoCapa)) {
    ask(Capa{});
    return std::nullopt;
  }
  return LoggedIn{};
}

std::optional<SessionEvent> Session::on(CapaDone& event) {
  capabilities_ = std::move(event.capabilities);
  window_.pipeline(capabilities_.pipelining ? Pipelining::Announced : Pipelining::OneAtATime);
  finished();
  return afterCapa();
}

std::optional<SessionEvent> Session::afterCapa() {
  if (loggedIn_) return LoggedIn{};
  // RFC 6856 section 2.1: before the login. Without it the server may send downgraded messages. Only in the flight of
  // the login: it is not worth a round trip.
  if (capabilities_.utf8 && capabilities_.pipelining) ask(Utf8{});
  return LoginWanted{};
}

std::optional<SessionEvent> Session::onStat(const Reply& event) {
  std::string_view rest = event.text;
  if (event.ok) replies_.statCount = parseNumber<std::uint64_t>(takeWord(rest).text);
  finished();
  return listingPartDone();
}

std::optional<SessionEvent> Session::on(ListItem& event) {
  replies_.sizes.push_back(event);
  return std::nullopt;
}

std::optional<SessionEvent> Session::on(UidlItem& event) {
  replies_.uidls.push_back(std::move(event));
  return std::nullopt;
}

std::optional<SessionEvent> Session::on(ListingEnd& event) {
  replies_.unreadable += event.unreadable;
  finished();
  return listingPartDone();
}

std::optional<SessionEvent> Session::listingPartDone() {
  if (--listingParts_ > 0) return std::nullopt;
  return ListingDone{analyse(std::exchange(replies_, {}))};
}

MessageNumber Session::currentNumber() const {
  return flight_.empty() ? 0 : std::visit(NumberOf{}, flight_.front().command);
}

std::optional<SessionEvent> Session::onMessageReply(Reply& event, MessageNumber number) {
  if (event.ok && !isOneOf<Dele>(flight_.front().command)) return MessageBegin{number};
  const Request request = finished();
  if (event.ok) return MessageMarked{number};
  if (isOneOf<Top>(request.command) && !capabilities_.top) quirks_.add(Quirk::NoTop);
  return MessageRefused{number, event.code, std::move(event.text)};
}

std::optional<SessionEvent> Session::on(BodyChunk& event) {
  return MessageOctets{currentNumber(), event.octets};
}

std::optional<SessionEvent> Session::on(BodyEnd& event) {
  const MessageNumber number = currentNumber();
  finished();
  return MessageEnd{number, event.size};
}

std::optional<SessionEvent> Session::on(Continuation& event) {
  return Challenge{std::move(event.text)};
}

std::optional<SessionEvent> Session::on(Notice& event) {
  return fail(Failure::Kind::Bye, "the server ends the session: " + (event.text.empty() ? "-ERR" : event.text));
}

std::optional<SessionEvent> Session::on(Malformed& event) {
  return fail(Failure::Kind::Protocol, event.reason + " (octet " + std::to_string(event.offset) + ")");
}

std::optional<SessionEvent> Session::on(Closed& event) {
  std::string where = "the server closed the connection";
  if (event.within == Closed::Within::Body) {
    where += " in the middle of message " + std::to_string(currentNumber());
  } else if (event.within == Closed::Within::Listing) {
    where += " in the middle of a listing";
  } else if (event.unanswered != 0) {
    where += " before it answered " + std::string(factsOf(flight_.front().command).verb);
  }
  return fail(Failure::Kind::Closed, std::move(where));
}

SessionEvent Session::fail(Failure::Kind kind, std::string reason) {
  over_ = true;
  return Failure{kind, std::move(reason)};
}

}  // namespace mailbraid::sync::pop3
