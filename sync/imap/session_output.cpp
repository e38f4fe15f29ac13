#include "sync/imap/cursor.h"
#include "sync/imap/session.h"

#include <algorithm>

namespace mailbraid::sync::imap {

namespace {

std::string tagOf(CommandId id) {
  return "A" + std::to_string(static_cast<std::uint32_t>(id));
}

}  // namespace

CommandId Client::Session::send(Command command) {
  const CommandId id{++lastId_};
  waiting_.emplace_back(id, std::move(command));
  pump();
  return id;
}

void Client::Session::respond(std::string_view base64) {
  if (!challenged_) return;
  challenged_ = false;
  std::string line;
  line.reserve(base64.size() + 2);
  line.append(base64).append("\r\n");
  output_.add(std::move(line), "<redacted>\r\n");
}

bool Client::Session::mayEncode(CommandKind next) const {
  if (state_ == SessionState::BeforeGreeting || state_ == SessionState::LoggedOut || layerChanges_ || failed_)
    return false;
  // Behind a literal that the server has not asked for, a command would become part of the literal.
  if (output_.hasWait() || output_.hasOwed() || sent_.size() >= limits_.commandsInFlight) return false;
  return mayPipeline(sentKinds_, next);
}

void Client::Session::pump() {
  while (!waiting_.empty()) {
    const CommandKind kind = kindOf(waiting_.front().second);
    if (!mayEncode(kind)) return;
    auto [id, command] = std::move(waiting_.front());
    waiting_.pop_front();
    encodeCommand(id, std::move(command), kind);
  }
}

EncodeContext Client::Session::encodeContext() const {
  EncodeContext context;
  if (capabilities_.has("LITERAL+")) {
    context.literals = LiteralMode::Plus;
  } else if (capabilities_.has("LITERAL-")) {
    context.literals = LiteralMode::Minus;
  }
  if (nameEncoding() == NameEncoding::Utf8) context.utf8 = Utf8Quoting::Allowed;
  if (capabilities_.has("SASL-IR")) context.initialResponse = InitialResponse::WithCommand;
  return context;
}

void Client::Session::encodeCommand(CommandId id, Command command, CommandKind kind) {
  const EncodeContext context = encodeContext();
  EncodedCommand encoded = encode(tagOf(id), command, context);
  if (!encoded.problem.empty()) {
    events_.emplace_back(CommandDone{id, CommandResult::NotSent, {}, encoded.problem});
    return;
  }
  Sent sent;
  sent.id = id;
  sent.kind = kind;
  if (auto* select = std::get_if<Select>(&command)) {
    sent.mailbox = std::move(select->mailbox);
    sent.mode = select->mode;
  }
  if (auto* authenticate = std::get_if<Authenticate>(&command)) {
    if (context.initialResponse == InitialResponse::Later) sent.heldResponse = std::move(authenticate->initialResponse);
  }
  if (kind == CommandKind::Login || kind == CommandKind::Authenticate) capabilitiesAreFresh_ = false;
  queuePieces(encoded, sent);
  sent_.push_back(std::move(sent));
  sentKinds_.push_back(kind);
}

void Client::Session::queuePieces(EncodedCommand& encoded, Sent& sent) {
  for (std::size_t i = 0; i < encoded.pieces.size(); ++i) {
    // A trace shows a command once, however many pieces it has.
    const std::string shown = encoded.redacted.empty() ? std::string() : i == 0 ? encoded.redacted : "<redacted>\r\n";
    const auto owed = std::find_if(encoded.owed.begin(), encoded.owed.end(),
                                   [i](const EncodedCommand::Owed& one) { return one.piece == i; });
    if (owed != encoded.owed.end()) {
      if (owed->mode == LiteralMode::Synchronising) {
        output_.addAndWait(std::move(encoded.pieces[i]), shown);
      } else {
        output_.add(std::move(encoded.pieces[i]), shown);
      }
      if (i == 0) sent.writtenAt = output_.added();
      output_.addOwed(owed->octets);
      continue;
    }
    if (i + 1 == encoded.pieces.size()) {
      output_.add(std::move(encoded.pieces[i]), shown);
    } else {
      output_.addAndWait(std::move(encoded.pieces[i]), shown);
    }
    if (i == 0) sent.writtenAt = output_.added();
  }
}

}  // namespace mailbraid::sync::imap
