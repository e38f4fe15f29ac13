#include "sync/endpoint/pop3_connection.h"

#include "sync/endpoint/words.h"

#include <algorithm>
#include <utility>

namespace mailbraid::sync::endpoint {

using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;

namespace {

constexpr std::size_t kBlock = std::size_t{256} * 1024;

std::string inQuotes(std::string_view text) {
  return "\"" + quoted(text) + "\"";
}

/// What a failed session means to who waits for it.
struct FailureMeaning {
  ErrorKind kind;
  Scope scope;
  Retry retry;
};
FailureMeaning meaningOf(pop3::Failure::Kind kind) {
  switch (kind) {
    case pop3::Failure::Kind::Protocol:
      return {ErrorKind::Protocol, Scope::Connection, Retry::Now};
    case pop3::Failure::Kind::NoTls:
      return {ErrorKind::Refused, Scope::Endpoint, Retry::Never};
    case pop3::Failure::Kind::Temporary:
      return {ErrorKind::TemporaryFailure, Scope::Endpoint, Retry::Later};
    case pop3::Failure::Kind::Bye:
    case pop3::Failure::Kind::Closed:
      return {ErrorKind::Unreachable, Scope::Connection, Retry::Now};
  }
  return {ErrorKind::Internal, Scope::Endpoint, Retry::Later};
}

bool allowsApop(const std::vector<std::string>& allowed) {
  return allowed.empty() ||
         (!sasl::secretIsToken(allowed) && std::find(allowed.begin(), allowed.end(), "APOP") != allowed.end());
}

}  // namespace

Pop3Connection::Pop3Connection(const EndpointSettings& settings, const Environment& environment,
                               std::shared_ptr<net::TlsSessionCache> cache, Restraint& restraint)
    : settings_(settings), environment_(environment), cache_(std::move(cache)), restraint_(restraint), block_(kBlock) {}

Pop3Connection::~Pop3Connection() {
  close();
}

void Pop3Connection::fail(ErrorKind kind, Scope scope, Retry retry, const std::string& what) const {
  throw mailstore::Error(kind, scope, retry,
                         settings_.server.host + ":" + std::to_string(settings_.server.port) + ": " + what);
}

void Pop3Connection::giveWayIfAsked(std::string_view said) const {
  const ServerLimit limit = limitTold(pop3::ResponseCode::None, said, Moment::Session, {});
  if (limit.kind != ServerLimit::Kind::None)
    restraint_.giveWay(limit, "the server asks for patience: " + inQuotes(said));
}

void Pop3Connection::end(const pop3::Failure& failure) const {
  if (failure.kind == pop3::Failure::Kind::Temporary || failure.kind == pop3::Failure::Kind::Bye) {
    const bool greeting = failure.kind == pop3::Failure::Kind::Temporary;
    const ServerLimit limit = limitTold(greeting ? pop3::ResponseCode::SysTemp : pop3::ResponseCode::None,
                                        failure.reason, greeting ? Moment::Login : Moment::Session, {});
    if (limit.kind != ServerLimit::Kind::None) restraint_.giveWay(limit, failure.reason);
  }
  const FailureMeaning meaning = meaningOf(failure.kind);
  std::string what = failure.reason;
  if (failure.kind == pop3::Failure::Kind::NoTls)
    what += "; nothing was sent; use tls = \"implicit\" if it has a TLS port";
  fail(meaning.kind, meaning.scope, meaning.retry, what);
}

void Pop3Connection::trace(char direction, std::string_view text) const {
  if (environment_.logLevel < 3 || !environment_.log || text.empty()) return;
  environment_.log(3,
                   "endpoint=" + settings_.name + " wire=" + direction + " " + quoted(text.substr(0, text.find('\n'))));
}

void Pop3Connection::open() {
  transport_ = net::Transport::connect(settings_.server, environment_.stop, cache_);
  const bool upgrade = settings_.server.tls == net::TlsMode::StartTls;
  session_ = std::make_unique<pop3::Session>(upgrade ? pop3::TlsUpgrade::Stls : pop3::TlsUpgrade::None);
  loggedIn_ = false;
  pop3::SessionEvent event = awaitEvent();
  if (upgrade && std::holds_alternative<pop3::TlsWanted>(event)) {
    transport_->startTls(session_->unread());
    session_->tlsEstablished();
    event = awaitEvent();
  }
  if (!std::holds_alternative<pop3::LoginWanted>(event)) {
    fail(ErrorKind::Protocol, Scope::Connection, Retry::Now, "the server does not go the way of a POP3 session");
  }
  login();
  loggedIn_ = true;
}

sasl::Choice Pop3Connection::choice() const {
  sasl::Choice choice;
  choice.announced = session_->capabilities().sasl;
  choice.allowed = settings_.auth;
  choice.transport = transport_->encrypted()                      ? sasl::TransportSecurity::Encrypted
                     : settings_.server.tls == net::TlsMode::None ? sasl::TransportSecurity::PlaintextAllowed
                                                                  : sasl::TransportSecurity::Plaintext;
  if (const auto told = transport_->channelBinding()) choice.binding = sasl::ChannelBinding{told->type, told->data};
  choice.clientCertificate = !settings_.server.clientCertificate.empty();
  return choice;
}

void Pop3Connection::login() {
  const sasl::Choice choice = this->choice();
  const auto chosen = sasl::chooseMechanism(choice);
  const auto* mechanism = std::get_if<sasl::Mechanism>(&chosen);
  // APOP shows no password and stands between CRAM-MD5 and PLAIN. Many servers greet with a timestamp and have no APOP
  // secret of the user: a refusal is not yet the end where a weaker way is safe.
  const bool challenged = mechanism != nullptr && !sasl::factsOf(*mechanism).showsSecret;
  const bool tryApop = !challenged && !session_->timestamp().empty() && allowsApop(settings_.auth);
  const bool tryUser = mechanism == nullptr && sasl::passwordCommandAllowed(choice, "USER");
  if (mechanism == nullptr && !tryApop && !tryUser) {
    fail(ErrorKind::Refused, Scope::Endpoint, Retry::Never, std::get<sasl::Refusal>(chosen).reason);
  }
  const bool needsSecret = mechanism == nullptr || *mechanism != sasl::Mechanism::External;
  if (needsSecret && !settings_.password) {
    fail(ErrorKind::Configuration, Scope::Endpoint, Retry::Never, "no password is configured for this endpoint");
  }
  const sasl::Secret secret = needsSecret ? settings_.password() : sasl::Secret();
  Outcome outcome;
  if (tryApop) {
    outcome = apop(secret);
    if (!outcome || !outcome->credentials || (mechanism == nullptr && !tryUser)) {
      if (outcome) refuse(*outcome);
      return;
    }
  }
  outcome = mechanism != nullptr ? authenticate(*mechanism, choice, secret) : userAndPassword(secret);
  if (outcome) refuse(*outcome);
}

void Pop3Connection::refuse(const Refused& refused) const {
  const std::string notNow = "the server cannot log in user " + settings_.user + " now: " + refused.reason;
  if (refused.limit.kind != ServerLimit::Kind::None) restraint_.giveWay(refused.limit, notNow);
  if (!refused.credentials) {
    fail(ErrorKind::TemporaryFailure, Scope::Endpoint, Retry::Later, notNow + "; try again later");
  }
  fail(ErrorKind::Refused, Scope::Endpoint, Retry::Never,
       "the server refuses the login of user " + settings_.user + ": " + refused.reason + "; check user and password");
}

Pop3Connection::Outcome Pop3Connection::authenticate(sasl::Mechanism mechanism, const sasl::Choice& choice,
                                                     const sasl::Secret& secret) {
  mechanism_ = std::string(sasl::factsOf(mechanism).name);
  sasl::Exchange exchange(mechanism, {settings_.user, [&secret] { return secret; }},
                          {"pop", settings_.server.host, settings_.server.port}, choice.binding);
  std::optional<sasl::Secret> initial;
  if (exchange.hasInitialResponse()) {
    sasl::Step step = exchange.initialResponse();
    if (const auto* abort = std::get_if<sasl::Abort>(&step)) {
      fail(ErrorKind::Refused, Scope::Endpoint, Retry::Never, abort->reason);
    }
    initial = sasl::encodeBase64(std::get<sasl::Respond>(step).octets);
  }
  session_->authenticate(mechanism_, initial ? std::optional(initial->reveal()) : std::nullopt);
  return awaitLogin(&exchange, secret);
}

Pop3Connection::Outcome Pop3Connection::apop(const sasl::Secret& secret) {
  mechanism_ = "APOP";
  // A name with a space cannot be said in APOP: then it was not tried.
  if (!session_->apop(settings_.user, sasl::apopDigest(session_->timestamp(), secret))) {
    return Refused{true, "the user name cannot be sent with APOP", {}};
  }
  return awaitLogin(nullptr, secret);
}

Pop3Connection::Outcome Pop3Connection::userAndPassword(const sasl::Secret& secret) {
  mechanism_ = "USER";
  if (!session_->user(settings_.user)) {
    fail(ErrorKind::Configuration, Scope::Endpoint, Retry::Never,
         "the user name is empty or holds a control character");
  }
  return awaitLogin(nullptr, secret);
}

void Pop3Connection::answer(sasl::Exchange* exchange, const pop3::Challenge& challenge, std::string& abortReason) {
  const std::optional<std::string> decoded = sasl::decodeBase64(challenge.text);
  if (exchange == nullptr || !decoded) {
    abortReason = "the server's challenge is not base64";
    session_->cancelLogin();
    return;
  }
  sasl::Step step = exchange->respond(*decoded);
  if (const auto* abort = std::get_if<sasl::Abort>(&step)) {
    abortReason = abort->reason;
    session_->cancelLogin();
    return;
  }
  session_->answer(sasl::encodeBase64(std::get<sasl::Respond>(step).octets).reveal());
}

Pop3Connection::Outcome Pop3Connection::awaitLogin(sasl::Exchange* exchange, const sasl::Secret& secret) {
  std::string abortReason;
  while (true) {
    pop3::SessionEvent event = awaitEvent();
    if (const auto* challenge = std::get_if<pop3::Challenge>(&event)) {
      answer(exchange, *challenge, abortReason);
    } else if (std::holds_alternative<pop3::PasswordWanted>(event)) {
      if (!session_->password(secret.reveal())) {
        fail(ErrorKind::Configuration, Scope::Endpoint, Retry::Never,
             "the password is empty or holds a control character");
      }
    } else if (auto* refused = std::get_if<pop3::LoginRefused>(&event)) {
      if (!abortReason.empty()) fail(ErrorKind::Refused, Scope::Endpoint, Retry::Never, abortReason);
      std::string reason = exchange != nullptr ? exchange->failureReason() : std::string();
      return Refused{refused->credentials, reason.empty() ? inQuotes(refused->text) : std::move(reason),
                     limitTold(refused->code, refused->text, Moment::Login, session_->capabilities().loginDelay)};
    } else if (std::holds_alternative<pop3::LoggedIn>(event)) {
      if (!abortReason.empty()) fail(ErrorKind::Refused, Scope::Endpoint, Retry::Never, abortReason);
      const std::optional<std::string> doubt = exchange != nullptr ? exchange->accepted() : std::nullopt;
      if (doubt) fail(ErrorKind::Refused, Scope::Endpoint, Retry::Never, *doubt);
      return std::nullopt;
    }
  }
}

void Pop3Connection::write() {
  while (!session_->pendingOutput().empty()) {
    const std::string_view output = session_->pendingOutput();
    trace('C', session_->outputIsSecret() ? "*** (login)" : output);
    transport_->write(output);
    session_->consumeOutput(output.size());
  }
}

pop3::SessionEvent Pop3Connection::awaitEvent() {
  // What a login waits for comes one at a time; nothing may follow it unasked.
  while (true) {
    if (std::optional<pop3::SessionEvent> event = session_->nextEvent()) {
      if (const auto* failure = std::get_if<pop3::Failure>(&*event)) end(*failure);
      return std::move(*event);
    }
    write();
    const std::size_t count = transport_->read(block_);
    if (count == 0) {
      session_->endOfInput();
    } else {
      trace('S', {block_.data(), count});
      session_->receive({block_.data(), count});
    }
  }
}

void Pop3Connection::pump(const Handler& handler) {
  write();
  const std::size_t count = transport_->read(block_);
  if (count == 0) {
    session_->endOfInput();
  } else {
    trace('S', {block_.data(), count});
    session_->receive({block_.data(), count});
  }
  while (std::optional<pop3::SessionEvent> event = session_->nextEvent()) {
    if (const auto* failure = std::get_if<pop3::Failure>(&*event)) end(*failure);
    handler(*event);
  }
}

void Pop3Connection::finish(const Handler& handler) {
  while (session_->unanswered() > 0) pump(handler);
}

pop3::QuitDone Pop3Connection::quit() {
  pop3::QuitDone answer;
  session_->requestQuit();
  finish([&answer](pop3::SessionEvent& event) {
    if (const auto* done = std::get_if<pop3::QuitDone>(&event)) answer = *done;
  });
  loggedIn_ = false;
  transport_->close();
  return answer;
}

void Pop3Connection::abandon() noexcept {
  loggedIn_ = false;
  if (transport_) transport_->close();
}

void Pop3Connection::close() noexcept {
  if (!transport_) return;
  try {
    if (loggedIn_ && session_->unanswered() == 0) {
      session_->requestQuit();
      write();
    }
  } catch (const std::exception&) {
    // The line is gone already; there is nobody to say good-bye to.
  }
  loggedIn_ = false;
  transport_->close();
}

WireTotals Pop3Connection::totals() const {
  if (!transport_) return {};
  const net::Traffic& traffic = transport_->traffic();
  return {traffic.octetsIn, traffic.octetsOut, traffic.turns, traffic.octetsIn, traffic.octetsOut};
}

std::string Pop3Connection::describeConnection() const {
  return transport_ ? transport_->describe() : std::string();
}

}  // namespace mailbraid::sync::endpoint
