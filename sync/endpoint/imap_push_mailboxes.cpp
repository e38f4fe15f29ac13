// ImapEndpoint: mailboxes made, renamed, removed.
#include "sync/endpoint/held_name.h"
#include "sync/endpoint/imap_endpoint.h"
#include "sync/endpoint/imap_push.h"

#include <algorithm>
#include <utility>

namespace mailbraid::sync::endpoint {

using imap::ResponseCodeKind;
using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;

namespace {

Error cannotHold(const std::string& name, const std::string& why) {
  return {ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Never,
          name + ": the server cannot have a mailbox of this name (" + why + "); give it another one with \"map\""};
}

bool isSpelledLike(const std::string& one, const std::string& other) {
  return one != other && one.size() == other.size() &&
         std::equal(one.begin(), one.end(), other.begin(), [](char a, char b) {
           const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
           return lower(a) == lower(b);
         });
}

}  // namespace

bool ImapEndpoint::isAnothers(const RemoteMailbox& made) const {
  const auto isSame = [&](const RemoteMailbox& one) {
    if (!isSpelledLike(one.name, made.name) || !one.status) return false;
    return made.objectId.empty() ? one.status->uidValidity == made.status->uidValidity : one.objectId == made.objectId;
  };
  return std::any_of(mailboxes_.begin(), mailboxes_.end(), isSame) ||
         std::any_of(made_.begin(), made_.end(), [&](const auto& one) { return isSame(*one); });
}

bool ImapEndpoint::isThereInOtherSpelling(const std::string& name) const {
  const auto isSame = [&](const RemoteMailbox& one) { return isSpelledLike(one.name, name); };
  return std::any_of(mailboxes_.begin(), mailboxes_.end(), isSame) ||
         std::any_of(made_.begin(), made_.end(), [&](const auto& one) { return isSame(*one); });
}

std::optional<std::string> ImapEndpoint::wireNameFor(const std::string& held) const {
  const auto encoded = imap::encodeMailboxName(held, delimiter_, session_->client().nameEncoding());
  if (!encoded) return std::nullopt;
  return held == "INBOX" ? *encoded : prefix() + *encoded;
}

RemoteMailbox ImapEndpoint::askFor(const std::string& wireName, const std::string& name, mailstore::Role role) {
  RemoteMailbox made;
  made.wireName = wireName;
  made.name = name;
  made.role = role;
  session_->send(imap::Status{wireName, statusItems()});
  session_->finish([&](const imap::Event& event) {
    const auto* data = std::get_if<imap::StatusData>(&event);
    if (data == nullptr || data->mailbox != wireName) return;
    made.objectId = data->mailboxId;
    made.appendLimit = data->appendLimit;
    made.status =
        RemoteStatus{data->uidValidity.value_or(mailstore::UidValidity{}), data->uidNext.value_or(mailstore::Uid{}),
                     data->highestModSeq.value_or(mailstore::ModSeq{}), data->messages.value_or(0)};
  });
  return made;
}

MailboxOutcome ImapEndpoint::make(const MailboxChange& change) {
  const bool clashes = isThereInOtherSpelling(change.name);
  MailboxOutcome out = makeAs(change, heldName(change.name, forbidden()));
  // A server for which "work" is "Work".
  const std::string apart = heldApart(change.name);
  if (out.failure && clashes && !apart.empty()) out = makeAs(change, apart);
  return out;
}

MailboxOutcome ImapEndpoint::makeAs(const MailboxChange& change, const std::string& held) {
  const std::optional<std::string> wireName = wireNameFor(held);
  if (!wireName) return {nullptr, cannotHold(change.name, "it has a character that no name there can have")};
  ImapPush push(*session_);
  imap::Create create{*wireName, mailstore::Role::None};
  if (push.has("CREATE-SPECIAL-USE")) create.role = change.role;
  ImapPush::End end = push.command(create);
  if (!end.isOk() && create.role != mailstore::Role::None) {
    // USEATTR, or a server that has its own idea of the role: the mailbox is what counts.
    create.role = mailstore::Role::None;
    end = push.command(create);
  }
  // Another mailbox whose name differs only in case is not this one: SELECT would say so, STATUS does.
  if (!end.isOk() && end.code != ResponseCodeKind::AlreadyExists) {
    RemoteMailbox asked;
    asked.name = change.name;
    return {nullptr, refusal(asked, "make the mailbox", end)};
  }
  push.command(imap::Subscribe{*wireName});
  RemoteMailbox made = askFor(*wireName, change.name, change.role);
  if (!made.status) return {nullptr, cannotHold(change.name, "it made the mailbox, and does not know it afterwards")};
  if (isAnothers(made)) return {nullptr, cannotHold(change.name, "it has that name in another spelling")};
  if (held != change.name) made.calledThere = held;
  made_.push_back(std::make_unique<RemoteMailbox>(std::move(made)));
  return {made_.back().get(), std::nullopt};
}

MailboxOutcome ImapEndpoint::rename(const MailboxChange& change, RenamedNames& renames) {
  const std::string before = renames.now(change.mailbox->name);
  if (before == change.name && before == change.mailbox->name) return {change.mailbox, std::nullopt};
  const std::optional<std::string> wireName = wireNameFor(heldName(change.name, forbidden()));
  if (!wireName) return {nullptr, cannotHold(change.name, "it has a character that no name there can have")};
  ImapPush push(*session_);
  if (session_->client().selected() != nullptr && push.has("UNSELECT")) push.command(imap::Unselect{});
  if (before != change.name) {
    const std::string from = before == change.mailbox->name
                                 ? change.mailbox->wireName
                                 : wireNameFor(heldName(before, forbidden())).value_or(before);
    const ImapPush::End end = push.command(imap::Rename{from, *wireName});
    if (!end.isOk()) return {nullptr, refusal(*change.mailbox, "rename it to " + change.name, end)};
    renames.add(before, change.name);
    push.command(imap::Unsubscribe{from});
  }
  push.command(imap::Subscribe{*wireName});
  made_.push_back(std::make_unique<RemoteMailbox>(askFor(*wireName, change.name, change.mailbox->role)));
  return {made_.back().get(), std::nullopt};
}

MailboxOutcome ImapEndpoint::removeMailbox(const MailboxChange& change) {
  ImapPush push(*session_);
  // A mailbox that is selected cannot be removed at some servers.
  if (session_->client().selected() != nullptr && push.has("UNSELECT")) push.command(imap::Unselect{});
  const RemoteMailbox now = askFor(change.mailbox->wireName, change.mailbox->name, change.mailbox->role);
  if (now.status && now.status->messages != 0) {
    return {nullptr, Error(ErrorKind::TemporaryFailure, Scope::Mailbox, Retry::Later,
                           change.mailbox->name + ": it has messages again, and is kept")};
  }
  const ImapPush::End end = push.command(imap::Delete{change.mailbox->wireName});
  const bool gone = end.isOk() || end.code == ResponseCodeKind::NonExistent;
  if (!gone) return {nullptr, refusal(*change.mailbox, "remove it", end)};
  push.command(imap::Unsubscribe{change.mailbox->wireName});
  return {};
}

std::vector<MailboxOutcome> ImapEndpoint::changeMailboxes(std::span<const MailboxChange> changes) {
  std::vector<MailboxOutcome> out;
  RenamedNames renames;
  for (const MailboxChange& change : changes) {
    switch (change.kind) {
      case MailboxChange::Kind::Create:
        out.push_back(make(change));
        break;
      case MailboxChange::Kind::Rename:
        out.push_back(rename(change, renames));
        break;
      case MailboxChange::Kind::Remove:
        out.push_back(removeMailbox(change));
        break;
    }
  }
  return out;
}

}  // namespace mailbraid::sync::endpoint
