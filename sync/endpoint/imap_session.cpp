#include "sync/endpoint/imap_session.h"

#include "sync/endpoint/words.h"

#include <algorithm>
#include <utility>

namespace mailbraid::sync::endpoint {

using imap::CommandResult;
using imap::ResponseCodeKind;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;

namespace {

constexpr std::size_t kBlock = std::size_t{256} * 1024;

}  // namespace

ImapSession::ImapSession(const EndpointSettings& settings, const Environment& environment,
                         std::shared_ptr<net::TlsSessionCache> cache, Restraint& restraint)
    : settings_(settings), environment_(environment), cache_(std::move(cache)), restraint_(restraint), block_(kBlock) {}

ImapSession::~ImapSession() {
  close();
}

void ImapSession::fail(ErrorKind kind, Scope scope, Retry retry, const std::string& what) const {
  throw Error(kind, scope, retry, settings_.server.host + ":" + std::to_string(settings_.server.port) + ": " + what);
}

void ImapSession::giveWayIfAsked(imap::ResponseCodeKind code, std::string_view text, Moment moment,
                                 const std::string& what) const {
  const ServerLimit limit = limitTold(code, text, moment);
  if (limit.kind != ServerLimit::Kind::None) restraint_.giveWay(limit, what + ": \"" + quoted(text) + "\"");
}

void ImapSession::trace(char direction, std::string_view text) const {
  if (environment_.logLevel < 3 || !environment_.log || text.empty()) return;
  environment_.log(3, "endpoint=" + settings_.name + " wire=" + direction + " " + quoted(text));
}

void ImapSession::open() {
  transport_ = net::Transport::connect(settings_.server, environment_.stop, cache_);
  client_ = std::make_unique<imap::Client>();
  inflater_.reset();
  deflater_.reset();
  compressed_.clear();
  bye_.clear();
  awaitGreeting();
  if (settings_.server.tls == net::TlsMode::StartTls) secure();
  if (client_->state() == imap::SessionState::NotAuthenticated) {
    if (capabilities().empty()) command(imap::Capability{});
    login();
  }
  if (capabilities().empty()) command(imap::Capability{});
}

void ImapSession::awaitGreeting() {
  bool greeted = false;
  bool preAuth = false;
  while (!greeted) {
    pump([&](const imap::Event& event) {
      if (const auto* greeting = std::get_if<imap::Greeting>(&event)) {
        greeted = true;
        preAuth = greeting->kind == imap::GreetingKind::PreAuth;
        greeting_ = quoted(greeting->text);
        if (greeting->kind == imap::GreetingKind::Bye) {
          giveWayIfAsked(greeting->code.kind, greeting->text, Moment::Login, "the server refuses the connection");
          fail(ErrorKind::TemporaryFailure, Scope::Endpoint, Retry::Later,
               "the server refuses the connection: \"" + greeting_ + "\"; try again later");
        }
      }
    });
  }
  // Somebody who speaks for the server before TLS could log us in as whom he likes (RFC 9051 section 11.2).
  if (preAuth && settings_.server.tls == net::TlsMode::StartTls) {
    fail(ErrorKind::Protocol, Scope::Endpoint, Retry::Never,
         "the server says PREAUTH before STARTTLS, which would leave the connection unencrypted; use tls = "
         "\"implicit\"");
  }
}

void ImapSession::secure() {
  if (capabilities().empty()) command(imap::Capability{});
  if (!capabilities().has("STARTTLS")) {
    fail(ErrorKind::Refused, Scope::Endpoint, Retry::Never,
         "the server does not offer STARTTLS; nothing was sent; use tls = \"implicit\" if it has a TLS port");
  }
  const Outcome outcome = command(imap::StartTls{});
  if (outcome.result != CommandResult::Ok) {
    fail(ErrorKind::Refused, Scope::Endpoint, Retry::Later, "the server refuses STARTTLS: \"" + outcome.text + "\"");
  }
  transport_->startTls(client_->hasUnprocessedInput() ? std::string_view("?") : std::string_view{});
  client_->forgetPlaintextState();
  command(imap::Capability{});
}

ImapSession::Outcome ImapSession::command(imap::Command request, const Handler& extra) {
  const imap::CommandId id = client_->send(std::move(request));
  Outcome outcome;
  bool done = false;
  while (!done) {
    pump([&](const imap::Event& event) {
      if (extra) extra(event);
      const auto* end = std::get_if<imap::CommandDone>(&event);
      if (end == nullptr || end->id != id) return;
      outcome = {end->result, end->code.kind, quoted(end->text)};
      done = true;
    });
  }
  return outcome;
}

void ImapSession::refuseLogin(const Outcome& outcome, const std::string& reason) const {
  giveWayIfAsked(outcome.code, outcome.text, Moment::Login, "the server cannot log in user " + settings_.user + " now");
  const std::string said = reason.empty() ? "\"" + outcome.text + "\"" : reason;
  if (imap::adviceOf(outcome.code) == imap::FailureAdvice::TryLater) {
    fail(ErrorKind::TemporaryFailure, Scope::Endpoint, Retry::Later,
         "the server cannot log in user " + settings_.user + " now: " + said + "; try again later");
  }
  fail(ErrorKind::Refused, Scope::Endpoint, Retry::Never,
       "the server refuses the login of user " + settings_.user + ": " + said + "; check user and password");
}

void ImapSession::login() {
  sasl::Choice choice;
  choice.announced = capabilities().authMechanisms();
  choice.allowed = settings_.auth;
  choice.transport = transport_->encrypted()                      ? sasl::TransportSecurity::Encrypted
                     : settings_.server.tls == net::TlsMode::None ? sasl::TransportSecurity::PlaintextAllowed
                                                                  : sasl::TransportSecurity::Plaintext;
  if (const auto binding = transport_->channelBinding()) {
    choice.binding = sasl::ChannelBinding{binding->type, binding->data};
  }
  choice.clientCertificate = !settings_.server.clientCertificate.empty();
  const auto chosen = sasl::chooseMechanism(choice);
  if (const auto* mechanism = std::get_if<sasl::Mechanism>(&chosen)) {
    authenticate(*mechanism);
  } else if (!capabilities().has("LOGINDISABLED") && sasl::passwordCommandAllowed(choice, "LOGIN")) {
    loginWithPassword();
  } else {
    fail(ErrorKind::Refused, Scope::Endpoint, Retry::Never, std::get<sasl::Refusal>(chosen).reason);
  }
}

void ImapSession::loginWithPassword() {
  mechanism_ = "LOGIN command";
  if (!settings_.password) {
    fail(ErrorKind::Configuration, Scope::Endpoint, Retry::Never, "no password is configured for this endpoint");
  }
  const sasl::Secret password = settings_.password();
  const Outcome outcome = command(imap::Login{settings_.user, imap::SecretText(password.reveal())});
  if (outcome.result == CommandResult::NotSent) {
    fail(ErrorKind::Configuration, Scope::Endpoint, Retry::Never,
         "the user name or the password cannot be sent: " + outcome.text);
  }
  if (outcome.result != CommandResult::Ok) refuseLogin(outcome, {});
}

void ImapSession::authenticate(sasl::Mechanism mechanism) {
  mechanism_ = std::string(sasl::factsOf(mechanism).name);
  std::optional<sasl::ChannelBinding> binding;
  if (const auto told = transport_->channelBinding()) binding = sasl::ChannelBinding{told->type, told->data};
  sasl::Exchange exchange(mechanism, {settings_.user, settings_.password},
                          {"imap", settings_.server.host, settings_.server.port}, binding);
  std::string abortReason;
  const auto encoded = [&](const sasl::Step& step) -> std::optional<sasl::Secret> {
    if (const auto* abort = std::get_if<sasl::Abort>(&step)) {
      abortReason = abort->reason;
      return std::nullopt;
    }
    return sasl::encodeBase64(std::get<sasl::Respond>(step).octets);
  };
  imap::Authenticate request{mechanism_, std::nullopt};
  if (exchange.hasInitialResponse()) {
    const std::optional<sasl::Secret> initial = encoded(exchange.initialResponse());
    if (!initial) fail(ErrorKind::Refused, Scope::Endpoint, Retry::Never, abortReason);
    request.initialResponse = imap::SecretText(initial->reveal());
  }
  const Outcome outcome = command(std::move(request), [&](const imap::Event& event) {
    const auto* challenge = std::get_if<imap::Continuation>(&event);
    if (challenge == nullptr) return;
    const std::optional<std::string> decoded = sasl::decodeBase64(challenge->text);
    if (!decoded) abortReason = "the server's challenge is not base64";
    const std::optional<sasl::Secret> answer = decoded ? encoded(exchange.respond(*decoded)) : std::nullopt;
    client_->respond(answer ? answer->reveal() : std::string_view("*"));
  });
  if (!abortReason.empty()) fail(ErrorKind::Refused, Scope::Endpoint, Retry::Never, abortReason);
  if (outcome.result != CommandResult::Ok) refuseLogin(outcome, exchange.failureReason());
  if (const auto doubt = exchange.accepted()) fail(ErrorKind::Refused, Scope::Endpoint, Retry::Never, *doubt);
}

imap::CommandId ImapSession::send(imap::Command command) {
  return client_->send(std::move(command));
}

bool ImapSession::writePending() {
  while (!client_->pendingOutput().empty() && compressed_.empty()) {
    if (environment_.logLevel >= 3) trace('C', client_->redactedOutput());
    const std::string_view output = client_->pendingOutput();
    if (deflater_) {
      deflater_->compress(output, compressed_);
      contentOut_ += output.size();
      client_->consumeOutput(output.size());
      continue;
    }
    const std::size_t written = transport_->writeSome(output);
    contentOut_ += written;
    client_->consumeOutput(written);
    if (written < output.size()) return false;
  }
  if (compressed_.empty()) return true;
  compressed_.erase(0, transport_->writeSome(compressed_));
  return compressed_.empty() && client_->pendingOutput().empty();
}

void ImapSession::common(const imap::Event& event) {
  if (const auto* bye = std::get_if<imap::Bye>(&event)) {
    bye_ = quoted(bye->text);
    if (!loggingOut_) giveWayIfAsked(bye->code.kind, bye->text, Moment::Session, "the server said good-bye");
  } else if (const auto* done = std::get_if<imap::CommandDone>(&event)) {
    const bool refused = done->result == CommandResult::No || done->result == CommandResult::Bad;
    if (refused) giveWayIfAsked(done->code.kind, done->text, Moment::Session, "the server asks for patience");
  } else if (const auto* alert = std::get_if<imap::Alert>(&event)) {
    if (environment_.log) environment_.log(0, "endpoint=" + settings_.name + " alert=\"" + quoted(alert->text) + "\"");
  } else if (const auto* bad = std::get_if<imap::Malformed>(&event)) {
    if (bad->severity == imap::Severity::Fatal) {
      if (client_->state() == imap::SessionState::BeforeGreeting) {
        fail(ErrorKind::Protocol, Scope::Endpoint, Retry::Never,
             "what answers there does not speak IMAP; check the port, and the type of the endpoint");
      }
      fail(ErrorKind::Protocol, Scope::Connection, Retry::Now,
           "the server broke the IMAP protocol: " + std::string(bad->reason) + " at octet " +
               std::to_string(bad->offset));
    }
    if (environment_.log) {
      environment_.log(0, "endpoint=" + settings_.name + " malformed=\"" + std::string(bad->reason) +
                              "\" offset=" + std::to_string(bad->offset));
    }
  }
}

void ImapSession::dispatch(std::string_view block, const Handler& handler) {
  contentIn_ += block.size();
  client_->receive(block);
  while (const std::optional<imap::Event> event = client_->nextEvent()) {
    common(*event);
    if (handler) handler(*event);
  }
}

bool ImapSession::readBlock(const Handler& handler, std::optional<std::size_t> count) {
  if (!count) return false;
  if (*count == 0) {
    fail(ErrorKind::Unreachable, Scope::Connection, Retry::Now, "the server closed the connection");
  }
  const std::string_view block(block_.data(), *count);
  if (inflater_) {
    inflater_->receive(block);
    for (std::string_view piece = inflater_->next(); !piece.empty(); piece = inflater_->next())
      dispatch(piece, handler);
    if (!inflater_->problem().empty()) {
      fail(ErrorKind::Protocol, Scope::Connection, Retry::Now,
           "the compressed stream is broken: " + std::string(inflater_->problem()));
    }
  } else {
    if (environment_.logLevel >= 3) trace('S', block.substr(0, block.find('\r')));
    dispatch(block, handler);
  }
  // What follows a BYE is only the end of the line, which servers bring about in many ways.
  if (!bye_.empty() && !loggingOut_ && client_->state() != imap::SessionState::BeforeGreeting) {
    fail(ErrorKind::Unreachable, Scope::Connection, Retry::Now, "the server said good-bye: \"" + bye_ + "\"");
  }
  return true;
}

void ImapSession::pump(const Handler& handler) {
  // A server that does not read while nobody reads what it sends must not stop us from reading.
  while (!writePending()) {
    const net::Transport::Readiness ready = transport_->wait(net::Transport::Interest::ReadOrWrite);
    if (ready.readable && readBlock(handler, transport_->readSome(block_))) return;
  }
  readBlock(handler, transport_->read(block_));
}

void ImapSession::drain(const Handler& handler) {
  while (!writePending()) {
    const net::Transport::Readiness ready = transport_->wait(net::Transport::Interest::ReadOrWrite);
    if (ready.readable) readBlock(handler, transport_->readSome(block_));
  }
}

void ImapSession::finish(const Handler& handler) {
  while (client_->unfinishedCommands() > 0) pump(handler);
}

bool ImapSession::compress(const Handler& handler) {
  if (command(imap::Compress{}, handler).result != CommandResult::Ok) return false;
  inflater_ = std::make_unique<imap::Inflater>();
  deflater_ = std::make_unique<imap::Deflater>();
  const std::string early = client_->takeUnprocessedInput();
  inflater_->receive(early);
  for (std::string_view piece = inflater_->next(); !piece.empty(); piece = inflater_->next()) dispatch(piece, handler);
  return true;
}

void ImapSession::close() noexcept {
  if (!transport_) return;
  try {
    if (client_ && !client_->failed() && client_->unfinishedCommands() == 0 &&
        client_->state() != imap::SessionState::BeforeGreeting && bye_.empty()) {
      loggingOut_ = true;
      client_->send(imap::Logout{});
      writePending();
    }
  } catch (const std::exception&) {
    // The line is gone already; there is nobody to say good-bye to.
  }
  transport_->close();
}

WireTotals ImapSession::totals() const {
  if (!transport_) return {};
  const net::Traffic& traffic = transport_->traffic();
  return {traffic.octetsIn, traffic.octetsOut, traffic.turns, contentIn_, contentOut_};
}

std::string ImapSession::describeConnection() const {
  return transport_ ? transport_->describe() : std::string();
}

}  // namespace mailbraid::sync::endpoint
