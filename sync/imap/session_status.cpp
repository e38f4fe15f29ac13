#include "sync/imap/cursor.h"
#include "sync/imap/flag_list.h"
#include "sync/imap/session.h"

#include <algorithm>
#include <array>

namespace mailbraid::sync::imap {

namespace {

constexpr std::string_view kNotImap = "the server does not speak IMAP";

CommandResult resultOf(StatusWord word) {
  switch (word) {
    case StatusWord::Ok:
      return CommandResult::Ok;
    case StatusWord::No:
      return CommandResult::No;
    case StatusWord::Bad:
    case StatusWord::Bye:
    case StatusWord::PreAuth:
      return CommandResult::Bad;
  }
  return CommandResult::Bad;
}

std::string objectIdIn(std::string_view arguments) {
  Cursor cursor(arguments);
  cursor.take('(');
  return std::string(cursor.word());
}

struct SelectCodeRow {
  ResponseCodeKind kind;
  void (*apply)(const ResponseCode& code, SelectedMailbox& mailbox);
};
constexpr std::array kSelectCodes = {
    SelectCodeRow{ResponseCodeKind::UidValidity,
                  [](const ResponseCode& code, SelectedMailbox& mailbox) {
                    mailbox.uidValidity = mailstore::UidValidity{static_cast<std::uint32_t>(code.number)};
                  }},
    SelectCodeRow{ResponseCodeKind::UidNext,
                  [](const ResponseCode& code, SelectedMailbox& mailbox) {  // quirk UidNextZero
                    if (code.number != 0) mailbox.uidNext = mailstore::Uid{static_cast<std::uint32_t>(code.number)};
                  }},
    SelectCodeRow{ResponseCodeKind::HighestModSeq,
                  [](const ResponseCode& code, SelectedMailbox& mailbox) {  // quirk HighestModSeqZero
                    if (code.number != 0) mailbox.highestModSeq = mailstore::ModSeq{code.number};
                  }},
    SelectCodeRow{ResponseCodeKind::NoModSeq,
                  [](const ResponseCode&, SelectedMailbox& mailbox) {
                    mailbox.noModSeq = true;
                    mailbox.highestModSeq.reset();
                  }},
    SelectCodeRow{ResponseCodeKind::UidNotSticky,
                  [](const ResponseCode&, SelectedMailbox& mailbox) { mailbox.uidNotSticky = true; }},
    SelectCodeRow{
        ResponseCodeKind::MailboxId,
        [](const ResponseCode& code, SelectedMailbox& mailbox) { mailbox.mailboxId = objectIdIn(code.arguments); }},
    SelectCodeRow{ResponseCodeKind::ReadOnly,
                  [](const ResponseCode&, SelectedMailbox& mailbox) { mailbox.mode = SelectMode::ReadOnly; }},
};

}  // namespace

void Client::Session::greeting(std::string_view line) {
  Cursor cursor(line);
  const auto status = cursor.take('*') ? parseStatusLine(cursor.rest()) : std::nullopt;
  if (!status || status->word == StatusWord::No || status->word == StatusWord::Bad) return abandon(0, kNotImap);
  GreetingKind kind = GreetingKind::Ok;
  state_ = SessionState::NotAuthenticated;
  if (status->word == StatusWord::PreAuth) {
    kind = GreetingKind::PreAuth;
    state_ = SessionState::Authenticated;
  } else if (status->word == StatusWord::Bye) {
    kind = GreetingKind::Bye;
    state_ = SessionState::LoggedOut;
  }
  events_.emplace_back(Greeting{kind, status->code, status->text});
  applyCode(status->code, status->text);
  pump();
}

void Client::Session::continuation(std::string_view line) {
  Cursor cursor(line);
  cursor.skip(1);  // quirk ContinuationWithoutSpace
  cursor.spaces();
  if (output_.waits()) {
    output_.proceed();
    return pump();
  }
  const bool authenticates =
      !sent_.empty() && sent_.front().kind == CommandKind::Authenticate && output_.written() >= sent_.front().writtenAt;
  if (!authenticates || challenged_) return report(0, "a continuation request that nobody waits for");
  challenged_ = true;
  if (!sent_.front().heldResponse) {
    events_.emplace_back(Continuation{cursor.rest()});
    return;
  }
  respond(sent_.front().heldResponse->reveal());
  sent_.front().heldResponse.reset();
}

void Client::Session::tagged(std::string_view line) {
  Cursor cursor(line);
  const auto number = cursor.take('A') ? cursor.numberOf<std::uint32_t>() : std::nullopt;
  // Whoever says this has lost count, or we have: a message's text must not be taken for responses.
  if (!number || cursor.peek() != ' ') return abandon(0, "a line that is no IMAP response");
  const auto status = parseStatusLine(cursor.rest());
  const auto found =
      std::find_if(sent_.begin(), sent_.end(), [&](const Sent& sent) { return sent.id == CommandId{*number}; });
  if (!status || found == sent_.end()) {
    return report(0, status ? "an answer to a command that is not in flight" : "an answer that is no OK, NO or BAD");
  }
  if (output_.written() < found->writtenAt) return abandon(0, "an answer to a command that was not sent yet");
  // The server refused the literal that was announced to it; it expects a new command now.
  if (output_.hasWait() && found + 1 == sent_.end()) output_.dropRest();
  const Sent sent = std::move(*found);
  sentKinds_.erase(sentKinds_.begin() + (found - sent_.begin()));
  sent_.erase(found);
  complete(sent, *status);
  pump();
}

void Client::Session::complete(const Sent& sent, const StatusLine& status) {
  const bool good = status.word == StatusWord::Ok;
  applyCode(status.code, status.text);
  switch (sent.kind) {
    case CommandKind::Login:
    case CommandKind::Authenticate:
      challenged_ = false;
      if (good) loggedIn();
      break;
    case CommandKind::Select:
      if (good) {
        if (!sent.isCurrent || !selected_) selected_ = freshlySelected(sent);
        if (status.code.kind == ResponseCodeKind::ReadOnly) selected_->mode = SelectMode::ReadOnly;
        state_ = SessionState::Selected;
      } else {
        // RFC 9051 section 6.3.2: when a SELECT fails, none is selected.
        selected_.reset();
        state_ = SessionState::Authenticated;
      }
      break;
    case CommandKind::Unselect:
    case CommandKind::Close:
      if (good) {
        selected_.reset();
        state_ = SessionState::Authenticated;
      }
      break;
    case CommandKind::Logout:
      if (good) state_ = SessionState::LoggedOut;
      break;
    case CommandKind::StartTls:
    case CommandKind::Compress:
      layerChanges_ = good;
      break;
    case CommandKind::Capability:
    case CommandKind::Noop:
    case CommandKind::Id:
    case CommandKind::Enable:
    case CommandKind::EnableUtf8:
    case CommandKind::Namespace:
    case CommandKind::List:
    case CommandKind::Lsub:
    case CommandKind::Status:
    case CommandKind::UidFetch:
    case CommandKind::UidSearch:
    case CommandKind::UidStore:
    case CommandKind::UidCopy:
    case CommandKind::UidMove:
    case CommandKind::UidExpunge:
    case CommandKind::Append:
    case CommandKind::Create:
    case CommandKind::Rename:
    case CommandKind::Delete:
    case CommandKind::Subscribe:
    case CommandKind::Unsubscribe:
      break;
  }
  events_.emplace_back(CommandDone{sent.id, resultOf(status.word), status.code, status.text});
}

void Client::Session::loggedIn() {
  state_ = SessionState::Authenticated;
  if (capabilitiesAreFresh_ || capabilities_.empty()) return;
  // RFC 9051 section 6.2.3: they may be others now. Nobody said which.
  capabilities_ = Capabilities{};
  events_.emplace_back(CapabilitiesChanged{});
}

void Client::Session::untaggedStatus(const StatusLine& status) {
  if (status.word == StatusWord::PreAuth) return report(0, "PREAUTH is no response but a greeting");
  if (status.word == StatusWord::Bye) {
    applyCode(status.code, status.text);
    state_ = SessionState::LoggedOut;
    events_.emplace_back(Bye{status.code, status.text});
    return;
  }
  if (status.code.kind == ResponseCodeKind::PermanentFlags) return permanentFlags(status.code.arguments);
  applyCode(status.code, status.text);
  if (status.code.kind == ResponseCodeKind::Capability) return;
  StatusKind kind = StatusKind::Ok;
  if (status.word == StatusWord::No) kind = StatusKind::No;
  if (status.word == StatusWord::Bad) kind = StatusKind::Bad;
  events_.emplace_back(UntaggedStatus{kind, status.code, status.text});
}

void Client::Session::applyCode(const ResponseCode& code, std::string_view text) {
  if (code.kind == ResponseCodeKind::Alert) events_.emplace_back(Alert{text});
  if (code.kind == ResponseCodeKind::Capability) learnCapabilities(code.arguments);
  if (code.kind == ResponseCodeKind::Unknown && isKnownResponseCode(code.name)) {
    report(0, "a response code whose argument is missing or out of range");
  }
  applySelectCode(code);
}

void Client::Session::applySelectCode(const ResponseCode& code) {
  if (code.kind == ResponseCodeKind::Closed) return closePrevious();
  for (const SelectCodeRow& row : kSelectCodes) {
    if (row.kind != code.kind) continue;
    if (SelectedMailbox* const mailbox = selectedForData()) row.apply(code, *mailbox);
  }
}

void Client::Session::permanentFlags(std::string_view arguments) {
  Cursor cursor(arguments);
  auto list = takeFlagList(cursor, limits_.listLength);
  if (!list) return report(0, cursor.reason());
  if (SelectedMailbox* const mailbox = selectedForData()) {
    mailbox->permanentFlags = list->flags;
    mailbox->newKeywords = list->newKeywords;
  }
  events_.emplace_back(PermanentFlags{std::move(list->flags), list->newKeywords});
}

void Client::Session::learnCapabilities(std::string_view names) {
  capabilities_ = Capabilities::parse(names, limits_.capabilities);
  capabilitiesAreFresh_ = true;
  events_.emplace_back(CapabilitiesChanged{});
}

SelectedMailbox Client::Session::freshlySelected(const Sent& sent) {
  SelectedMailbox out;
  out.mailbox = sent.mailbox;
  out.mode = sent.mode;
  return out;
}

void Client::Session::makeSelectCurrent() {
  if (sent_.empty() || sent_.front().kind != CommandKind::Select || sent_.front().isCurrent) return;
  sent_.front().isCurrent = true;
  selected_ = freshlySelected(sent_.front());
}

void Client::Session::closePrevious() {
  // RFC 7162 section 3.2.11: what follows is about the mailbox of the SELECT that is being answered.
  selected_.reset();
  const auto next =
      std::find_if(sent_.begin(), sent_.end(), [](const Sent& sent) { return sent.kind == CommandKind::Select; });
  if (next == sent_.end()) return;
  next->isCurrent = true;
  selected_ = freshlySelected(*next);
}

SelectedMailbox* Client::Session::selectedForData() {
  if (!selected_) closePrevious();
  return selected_ ? &*selected_ : nullptr;
}

bool Client::Session::isEnabled(std::string_view capability) const {
  return std::any_of(enabled_.begin(), enabled_.end(),
                     [capability](const std::string& name) { return equalsIgnoringCase(name, capability); });
}

NameEncoding Client::Session::nameEncoding() const {
  const bool onlyRev2 = capabilities_.announces("IMAP4rev2") && !capabilities_.announces("IMAP4rev1");
  return onlyRev2 || isEnabled("UTF8=ACCEPT") || isEnabled("IMAP4rev2") ? NameEncoding::Utf8
                                                                        : NameEncoding::ModifiedUtf7;
}

void Client::Session::forgetPlaintextState() {
  capabilities_ = Capabilities{};
  capabilitiesAreFresh_ = false;
  enabled_.clear();
  selected_.reset();
  state_ = SessionState::NotAuthenticated;
  framer_.takeInput();
  layerChanges_ = false;
  pump();
}

std::string Client::Session::takeUnprocessedInput() {
  layerChanges_ = false;
  std::string input = framer_.takeInput();
  pump();
  return input;
}

}  // namespace mailbraid::sync::imap
