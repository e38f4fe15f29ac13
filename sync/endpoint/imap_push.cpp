#include "sync/endpoint/imap_push.h"

#include <algorithm>
#include <utility>

namespace mailbraid::sync::endpoint {

using imap::ResponseCodeKind;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;
using mailstore::UidSet;

Error refusal(const RemoteMailbox& mailbox, const std::string& what, const ImapPush::End& end) {
  const imap::FailureAdvice advice = imap::adviceOf(end.code);
  const bool isGone = end.code == ResponseCodeKind::TryCreate || end.code == ResponseCodeKind::NonExistent;
  const bool never = !isGone && (advice == imap::FailureAdvice::Never || advice == imap::FailureAdvice::Refused);
  std::string sentence = mailbox.name + ": the server would not " + what + ": \"" + end.text + "\"";
  if (end.code == ResponseCodeKind::OverQuota) sentence += "; its quota is used up: make room there and run again";
  if (end.code == ResponseCodeKind::TryCreate) sentence += "; the mailbox was removed meanwhile: run again";
  return {ErrorKind::TemporaryFailure, Scope::Mailbox, never ? Retry::Never : Retry::Later, sentence};
}

namespace {

/// A server that moves many messages tells of them in parts.
void addTo(std::optional<imap::CopyUid>& all, std::optional<imap::CopyUid> part) {
  if (!part) return;
  if (!all || all->uidValidity != part->uidValidity) {
    all = std::move(part);
  } else {
    all->uids.insert(all->uids.end(), part->uids.begin(), part->uids.end());
  }
}

}  // namespace

void ImapPush::send(imap::Command command, WhenDone done) {
  flying_.push_back({session_.send(std::move(command)), std::move(done), {}});
}

void ImapPush::pump() {
  session_.pump([this](const imap::Event& event) { handle(event); });
}

void ImapPush::drain() {
  session_.drain([this](const imap::Event& event) { handle(event); });
}

void ImapPush::run() {
  awaitFewer(1);
}

void ImapPush::awaitFewer(std::size_t most) {
  while (flying_.size() >= most && !flying_.empty()) pump();
}

ImapPush::End ImapPush::command(imap::Command command) {
  End out;
  send(std::move(command), [&out](const End& end) { out = end; });
  run();
  return out;
}

void ImapPush::clear() {
  flags_.clear();
  vanished_ = {};
}

void ImapPush::handle(const imap::Event& event) {
  if (const auto* end = std::get_if<imap::FetchEnd>(&event)) {
    if (end->attributes.uid && end->attributes.flags) flags_[*end->attributes.uid] = *end->attributes.flags;
  } else if (const auto* vanished = std::get_if<imap::Vanished>(&event)) {
    vanished_.add(vanished->uids);
  } else if (const auto* status = std::get_if<imap::UntaggedStatus>(&event)) {
    if (status->code.kind == ResponseCodeKind::CopyUid && !flying_.empty()) {
      addTo(flying_.front().copied, imap::parseCopyUid(status->code.arguments));
    }
  } else if (const auto* answer = std::get_if<imap::CommandDone>(&event)) {
    done(*answer);
  }
}

void ImapPush::done(const imap::CommandDone& done) {
  const auto found = std::find_if(flying_.begin(), flying_.end(), [&](const Flying& one) { return one.id == done.id; });
  if (found == flying_.end()) return;
  const Flying flying = std::move(*found);
  flying_.erase(found);
  End end;
  end.result = done.result;
  end.code = done.code.kind;
  end.text = std::string(done.text.substr(0, 300));
  for (char& c : end.text) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  end.copied = flying.copied;
  if (end.code == ResponseCodeKind::CopyUid) addTo(end.copied, imap::parseCopyUid(done.code.arguments));
  if (end.code == ResponseCodeKind::AppendUid) end.appended = imap::parseAppendUid(done.code.arguments);
  if (end.code == ResponseCodeKind::Modified) {
    end.modified = imap::parseModified(done.code.arguments).value_or(UidSet{});
  }
  if (flying.done) flying.done(end);
}

std::optional<Error> ImapPush::open(const RemoteMailbox& mailbox, mailstore::UidValidity uidValidity) {
  clear();
  const auto isOpen = [&]() {
    const imap::SelectedMailbox* now = session_.client().selected();
    return now != nullptr && now->mailbox == mailbox.wireName && now->mode == imap::SelectMode::ReadWrite &&
           session_.client().state() == imap::SessionState::Selected;
  };
  if (!isOpen()) {
    const End end = command(imap::Select{mailbox.wireName, imap::SelectMode::ReadWrite, {}, {}});
    if (!end.isOk()) return refusal(mailbox, "open it for writing", end);
    if (!isOpen()) {
      return Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Never,
                   mailbox.name + ": it is read-only for this user; nothing was changed there");
    }
  }
  clear();
  return replaced(mailbox, uidValidity);
}

std::optional<Error> ImapPush::replaced(const RemoteMailbox& mailbox, mailstore::UidValidity uidValidity) const {
  const imap::SelectedMailbox* now = session_.client().selected();
  if (now == nullptr || now->mailbox != mailbox.wireName || !now->uidValidity || *now->uidValidity == uidValidity)
    return std::nullopt;
  return Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later,
               mailbox.name + ": it was replaced by another mailbox meanwhile; nothing was changed there; run again");
}

}  // namespace mailbraid::sync::endpoint
