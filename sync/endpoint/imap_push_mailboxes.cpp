// ImapEndpoint: mailboxes made, renamed, removed.
#include "sync/endpoint/imap_endpoint.h"
#include "sync/endpoint/imap_push.h"

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

}  // namespace

std::optional<std::string> ImapEndpoint::wireNameFor(const std::string& name) const {
  std::string prefix;
  if (namespaces_ && !namespaces_->personal.empty()) prefix = namespaces_->personal.front().prefix;
  const auto encoded = imap::encodeMailboxName(name, delimiter_, session_->client().nameEncoding());
  if (!encoded) return std::nullopt;
  return name == "INBOX" ? *encoded : prefix + *encoded;
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
    made.status =
        RemoteStatus{data->uidValidity.value_or(mailstore::UidValidity{}), data->uidNext.value_or(mailstore::Uid{}),
                     data->highestModSeq.value_or(mailstore::ModSeq{}), data->messages.value_or(0)};
  });
  return made;
}

MailboxOutcome ImapEndpoint::make(const MailboxChange& change) {
  const std::optional<std::string> wireName = wireNameFor(change.name);
  if (!wireName) return {nullptr, cannotHold(change.name, "it has the server's delimiter in it")};
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
  made_.push_back(std::make_unique<RemoteMailbox>(std::move(made)));
  return {made_.back().get(), std::nullopt};
}

MailboxOutcome ImapEndpoint::rename(const MailboxChange& change, RenamedNames& renames) {
  const std::string before = renames.now(change.mailbox->name);
  if (before == change.name && before == change.mailbox->name) return {change.mailbox, std::nullopt};
  const std::optional<std::string> wireName = wireNameFor(change.name);
  if (!wireName) return {nullptr, cannotHold(change.name, "it has the server's delimiter in it")};
  ImapPush push(*session_);
  if (session_->client().selected() != nullptr && push.has("UNSELECT")) push.command(imap::Unselect{});
  if (before != change.name) {
    const std::string from =
        before == change.mailbox->name ? change.mailbox->wireName : wireNameFor(before).value_or(before);
    const ImapPush::End end = push.command(imap::Rename{from, *wireName});
    if (!end.isOk()) return {nullptr, refusal(*change.mailbox, "rename it to " + change.name, end)};
    renames.add(before, change.name);
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
