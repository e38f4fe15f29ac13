#include "sync/imap/client.h"

#include "sync/imap/session.h"

#include <utility>

namespace mailbraid::sync::imap {

Client::Client(const Limits& limits) : session_(std::make_unique<Session>(limits)) {}
Client::~Client() = default;

CommandId Client::send(Command command) {
  return session_->send(std::move(command));
}
void Client::supply(std::string_view octets) {
  session_->supply(octets);
}

std::uint64_t Client::owedOctets() const {
  return session_->owedOctets();
}

void Client::respond(std::string_view base64) {
  session_->respond(base64);
}
void Client::receive(std::string_view octets) {
  session_->receive(octets);
}
std::optional<Event> Client::nextEvent() {
  return session_->nextEvent();
}

std::string_view Client::pendingOutput() const {
  return session_->output().pending();
}
void Client::consumeOutput(std::size_t count) {
  session_->consumeOutput(count);
}
std::string Client::redactedOutput() const {
  return session_->output().redactedPending();
}

bool Client::stopped() const {
  return session_->stopped();
}
bool Client::hasUnprocessedInput() const {
  return session_->hasUnprocessedInput();
}
void Client::forgetPlaintextState() {
  session_->forgetPlaintextState();
}
std::string Client::takeUnprocessedInput() {
  return session_->takeUnprocessedInput();
}

SessionState Client::state() const {
  return session_->state();
}
const Capabilities& Client::capabilities() const {
  return session_->capabilities();
}
bool Client::isEnabled(std::string_view capability) const {
  return session_->isEnabled(capability);
}
NameEncoding Client::nameEncoding() const {
  return session_->nameEncoding();
}
const SelectedMailbox* Client::selected() const {
  return session_->selected();
}
std::size_t Client::unfinishedCommands() const {
  return session_->unfinishedCommands();
}
bool Client::failed() const {
  return session_->failed();
}

}  // namespace mailbraid::sync::imap
