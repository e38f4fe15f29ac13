#include "tests/simulation/sim_server.h"

#include <algorithm>

namespace mailbraid::simulation {

using mailstore::Flags;
using mailstore::RemoteKey;
using mailstore::Uid;
using mailstore::Uidl;

SimMessage* SimMailbox::find(const RemoteKey& key) {
  for (SimMessage& message : messages) {
    const Uid* uid = std::get_if<Uid>(&key);
    if (uid != nullptr ? uid->value() == message.uid : std::get<Uidl>(key).value() == message.name) return &message;
  }
  return nullptr;
}

SimServer::SimServer(std::string name, Abilities abilities) : name_(std::move(name)), abilities_(abilities) {
  make("INBOX");
}

sync::endpoint::RemoteStatus SimServer::statusOf(const SimMailbox& mailbox, std::uint32_t treeValidity) const {
  sync::endpoint::RemoteStatus status;
  if (abilities_.isPop3()) {
    status.uidValidity = mailstore::UidValidity{1};
    status.messages = static_cast<std::uint32_t>(mailbox.messages.size());
  } else if (abilities_.isMaildir()) {
    status.uidValidity = mailstore::UidValidity{treeValidity};
    status.uidNext = Uid{1};
    status.highestModSeq = mailstore::ModSeq{abilities_.answersInSession ? mailbox.modSeq : 0};
  } else {
    status.uidValidity = mailstore::UidValidity{mailbox.uidValidity};
    status.uidNext = Uid{mailbox.uidNext};
    if (abilities_.tracking != Abilities::Tracking::None) status.highestModSeq = mailstore::ModSeq{mailbox.modSeq};
    status.messages = static_cast<std::uint32_t>(mailbox.messages.size());
  }
  return status;
}

RemoteKey SimServer::keyOf(const SimMessage& message) const {
  if (abilities_.isImap()) return Uid{message.uid};
  return Uidl{message.name};
}

std::string SimServer::objectIdOf(const SimMessage& message) const {
  if (abilities_.isMaildir()) return "inode-" + message.name;
  return abilities_.objectIds ? "M" + std::to_string(message.content) : std::string();
}

Flags SimServer::kept(const Flags& flags) const {
  return abilities_.keywords ? flags : Flags::fromColumns(flags.bits(), {});
}

SimMailbox& SimServer::make(const std::string& mailbox) {
  const auto [place, isNew] = mailboxes.try_emplace(mailbox);
  if (isNew) {
    place->second.uidValidity = static_cast<std::uint32_t>(1000 + serial++);
    // A directory that is made anew was changed later than the one that it replaces.
    if (abilities_.isMaildir()) place->second.modSeq = 1000 * serial++;
    if (abilities_.objectIds) place->second.objectId = "F" + std::to_string(serial++);
  }
  return place->second;
}

void SimServer::rename(const std::string& from, const std::string& to) {
  SimMailbox mailbox = std::move(mailboxes.at(from));
  mailboxes.erase(from);
  mailboxes.emplace(to, std::move(mailbox));
}

SimMessage& SimServer::add(SimMailbox& mailbox, std::size_t content, const Flags& flags, mailstore::InternalDate date) {
  SimMessage message;
  message.uid = mailbox.uidNext++;
  message.name = "f" + std::to_string(serial++);
  message.content = content;
  message.flags = kept(flags);
  message.date = date;
  message.modSeq = ++mailbox.modSeq;
  return mailbox.messages.emplace_back(std::move(message));
}

void SimServer::setFlags(SimMailbox& mailbox, SimMessage& message, const Flags& flags) {
  if (message.flags == kept(flags)) return;
  message.flags = kept(flags);
  message.modSeq = ++mailbox.modSeq;
}

void SimServer::expunge(SimMailbox& mailbox, const RemoteKey& key) {
  SimMessage* message = mailbox.find(key);
  if (message == nullptr) return;
  mailbox.vanished.emplace_back(++mailbox.modSeq, message->uid);
  mailbox.messages.erase(mailbox.messages.begin() + (message - mailbox.messages.data()));
}

SimMessage& SimServer::copy(const SimMessage& message, SimMailbox& to) {
  const SimMessage original = message;
  return add(to, original.content, original.flags, original.date);
}

void SimServer::move(SimMailbox& from, const RemoteKey& key, SimMailbox& to) {
  const SimMessage original = *from.find(key);
  SimMessage& moved = copy(original, to);
  if (abilities_.isMaildir()) moved.name = original.name;
  expunge(from, key);
}

bool SimServer::holds(std::size_t content) const {
  const auto isIt = [&](const SimMessage& message) { return message.content == content; };
  return std::any_of(mailboxes.begin(), mailboxes.end(), [&](const auto& named) {
    return std::any_of(named.second.messages.begin(), named.second.messages.end(), isIt);
  });
}

void SimServer::changeValidity(SimMailbox& mailbox) {
  if (abilities_.isMaildir()) {
    mark = {};
    return;
  }
  mailbox.uidValidity = static_cast<std::uint32_t>(1000 + serial++);
  mailbox.uidNext = 1;
  mailbox.vanished.clear();
  for (SimMessage& message : mailbox.messages) {
    message.uid = mailbox.uidNext++;
    if (abilities_.isPop3()) message.name = "f" + std::to_string(serial++);
  }
}

void SimServer::wipe() {
  mark = {};
  if (abilities_.isMaildir()) mailboxes.clear();
  for (auto& [name, mailbox] : mailboxes) {
    mailbox.messages.clear();
    changeValidity(mailbox);
  }
  make("INBOX");
}

void SimServer::restore(const Snapshot& old) {
  mailboxes = old.mailboxes;
  mark = old.mark;
  // Without change numbers nothing would tell that it went back, so such a server numbers its messages anew.
  const bool silent = abilities_.isImap() && abilities_.tracking == Abilities::Tracking::None;
  for (auto& [name, mailbox] : mailboxes) {
    if (silent || abilities_.isPop3()) changeValidity(mailbox);
  }
}

}  // namespace mailbraid::simulation
