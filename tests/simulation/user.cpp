#include "tests/simulation/user.h"

#include "tests/simulation/sim_endpoint.h"

#include <array>

namespace mailbraid::simulation {

using mailstore::Flags;
using mailstore::SystemFlag;

namespace {

constexpr std::array<const char*, 4> kMailboxes{"INBOX", "Work", "Play", "Work/Deep"};

std::string mail(std::size_t content) {
  return "mail " + std::to_string(content);
}

}  // namespace

Member* User::anyMember() {
  Member& member = world_.members()[world_.below(world_.members().size())];
  return member.resting ? nullptr : &member;
}

std::string User::anyMailbox(const Member& member) {
  auto at = member.server.mailboxes.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(world_.below(member.server.mailboxes.size())));
  return at->first;
}

std::optional<User::Found> User::anyMessage(Member& member) {
  std::vector<Found> all;
  for (const auto& [name, mailbox] : member.server.mailboxes) {
    // What is marked is not seen any more.
    for (std::size_t i = 0; i < mailbox.messages.size(); ++i) {
      if (!mailbox.messages[i].flags.has(SystemFlag::Deleted)) all.push_back({&member, name, i});
    }
  }
  if (all.empty()) return std::nullopt;
  return all[world_.below(all.size())];
}

Flags User::otherFlags(const Flags& flags, bool keywords) {
  static const std::array<Flags, 5> kOnes{Flags::of(SystemFlag::Seen), Flags::of(SystemFlag::Flagged),
                                          Flags::of(SystemFlag::Answered), Flags::of(SystemFlag::Draft),
                                          Flags::parse({"kw"})};
  const Flags& one = kOnes[world_.below(keywords ? kOnes.size() : kOnes.size() - 1)];
  return flags.without(one) == flags ? flags.unitedWith(one) : flags.without(one);
}

void User::deliverTo(Member& member, const std::string& mailbox, std::size_t number) {
  Content& content = world_.ledger().at(number);
  ++content.created;
  content.reachable = content.reachable || member.settings.pull.fresh;
  world_.note("  delivered: " + mail(number) + " to " + member.server.name() + " " + mailbox);
  member.server.add(member.server.make(mailbox), number, {}, content.date);
}

void User::deliver() {
  Member* member = anyMember();
  if (member == nullptr) return;
  const std::string mailbox = anyMailbox(*member);
  const std::string& braid = member->settings.braid;
  const std::size_t number = world_.ledger().make(braid, {}, world_.chance(15));
  const bool certain = world_.ledger().touch(number);
  Content& content = world_.ledger().at(number);
  const std::string name = world_.storeName(*member, mailbox);
  if (member->settings.pull.fresh && certain) content.expected.emplace(name, "");
  deliverTo(*member, mailbox, number);
  if (world_.chance(8)) {
    deliverTo(*member, mailbox, number);
    if (!content.expected.empty()) content.expected.emplace(name, "");
  } else if (world_.chance(25)) {
    // Another account got it as well; there it is the same message.
    Member* other = anyMember();
    if (other == nullptr || other == member || other->settings.braid != braid) return;
    if (!other->server.mailboxes.contains(mailbox) || world_.storeName(*other, mailbox) != name) return;
    if (content.expected.empty() && other->settings.pull.fresh) content.expected.emplace(name, "");
    deliverTo(*other, mailbox, number);
  }
}

void User::deliverMany() {
  Member* member = anyMember();
  if (member == nullptr) return;
  for (int i = 0; i < 24; ++i) {
    Placement expected;
    if (member->settings.pull.fresh) expected.emplace("INBOX", "");
    const std::size_t number = world_.ledger().make(member->settings.braid, std::move(expected), false);
    world_.ledger().touch(number);
    deliverTo(*member, "INBOX", number);
  }
}

void User::removeMany() {
  Member* member = anyMember();
  if (member == nullptr || member->settings.removals != sync::endpoint::RemovalStyle::Expunge) return;
  while (!member->server.mailboxes.at("INBOX").messages.empty()) {
    const Found first{member, "INBOX", 0};
    Content& content = world_.ledger().at(first.message().content);
    remove(first);
    // While it is held back, a keyword that this endpoint cannot hold looks like one that somebody added meanwhile.
    if (!member->server.abilities().keywords) content.exact = false;
  }
}

bool User::touch(const Found& found) {
  const std::size_t number = found.message().content;
  const bool certain = world_.ledger().touch(number);
  Content& content = world_.ledger().at(number);
  // Where an endpoint was never told what became of it, it goes on from what it knows: that may be another copy by now.
  if (content.lingers) ++content.created;
  // Without UIDPLUS a server says neither that what it shall move is not there any more nor where an upload is: when
  // its entry was moved meanwhile, it is one more copy.
  if (meddles_ && world_.hidesKeys()) ++content.created;
  // A message that lies elsewhere in the store, or more than once, leaves more than one way.
  std::multiset<std::string> here;
  for (const auto& [name, mailbox] : found.member->server.mailboxes) {
    for (const SimMessage& message : mailbox.messages) {
      if (message.content == number) here.insert(world_.storeName(*found.member, name));
    }
  }
  const bool plain = here.size() == 1 && mailboxesOf(content.expected) == here && found.member->tellsAll() &&
                     !found.message().flags.has(SystemFlag::Deleted) &&
                     (found.member->settings.push.removals || !content.removed);
  if (!plain) content.exact = false;
  return certain && plain;
}

void User::changeFlags(const Found& found) {
  SimMessage& message = found.message();
  const Abilities& can = found.member->server.abilities();
  if (can.isPop3()) return;
  // A flag that is taken away between an upload and the next reading looks like one that the server did not keep.
  if (meddles_ && world_.ledger().at(message.content).unsure) return;
  const Flags flags = otherFlags(message.flags, can.keywords);
  const std::size_t number = message.content;
  Content& content = world_.ledger().at(number);
  if (touch(found)) {
    // What this endpoint cannot hold stays as it is in the store.
    const std::string mailbox = content.expected.begin()->first;
    const Flags before = flagsOf(content.expected.begin()->second);
    const Flags after = before.unitedWith(flags.without(message.flags)).without(message.flags.without(flags));
    content.expected = {{mailbox, textOf(after)}};
  }
  world_.note("  flags (" + textOf(flags) + "): " + mail(number) + " at " + found.member->server.name() + " " +
              found.mailbox);
  found.member->server.setFlags(found.box(), message, flags);
}

void User::remove(const Found& found) {
  SimMessage& message = found.message();
  Content& content = world_.ledger().at(message.content);
  content.removed = true;
  if (world_.trashesBlindly(content.braid)) ++content.created;
  // Who is not told of flags does not know what else was done to it, and that keeps it.
  const bool knows = found.member->settings.push.flags && !world_.trashesBlindly(content.braid);
  if (touch(found) && knows && !found.member->server.abilities().isPop3()) {
    content.expected = {};
  } else {
    content.exact = false;
  }
  world_.note("  removed: " + mail(message.content) + " at " + found.member->server.name() + " " + found.mailbox);
  found.member->server.expunge(found.box(), found.member->server.keyOf(message));
}

void User::move(const Found& found) {
  const std::string to = kMailboxes[world_.below(kMailboxes.size())];
  if (found.member->server.abilities().isPop3() || to == found.mailbox) return;
  SimMessage& message = found.message();
  Content& content = world_.ledger().at(message.content);
  content.moved = true;
  // Where new mail is not taken, it is removed from one mailbox, and what is new in the other stays there.
  content.removed = content.removed || !found.member->settings.pull.fresh;
  // The old copy may be found first: then it is a removal.
  const bool blind = world_.trashesBlindly(content.braid);
  if (blind) ++content.created;
  if (touch(found)) content.expected = {{world_.storeName(*found.member, to), content.expected.begin()->second}};
  if (blind || !found.member->settings.push.flags) content.exact = false;
  world_.note("  moved: " + mail(message.content) + " at " + found.member->server.name() + " from " + found.mailbox +
              " to " + to);
  SimServer& server = found.member->server;
  SimMailbox& target = server.make(to);
  server.move(found.box(), server.keyOf(message), target);
}

void User::copy(const Found& found) {
  const std::string to = kMailboxes[world_.below(kMailboxes.size())];
  if (found.member->server.abilities().isPop3()) return;
  Content& content = world_.ledger().at(found.message().content);
  ++content.created;
  if (touch(found)) content.expected.emplace(world_.storeName(*found.member, to), textOf(found.message().flags));
  // Where the copy's UID is not told, its flags unite with those of the original.
  if (world_.hidesKeys()) content.exact = false;
  world_.note("  copied: " + mail(found.message().content) + " at " + found.member->server.name() + " from " +
              found.mailbox + " to " + to);
  SimServer& server = found.member->server;
  SimMailbox& target = server.make(to);
  server.copy(found.message(), target);
}

void User::blurMailbox(Member& member, const std::string& mailbox) {
  for (const SimMessage& message : member.server.mailboxes.at(mailbox).messages) {
    world_.ledger().touch(message.content);
    Content& content = world_.ledger().at(message.content);
    content.exact = false;
    content.moved = true;
  }
}

void User::changeMailboxes(Member& member) {
  if (member.server.abilities().isPop3()) return;
  const std::string mailbox = anyMailbox(member);
  const std::string other = kMailboxes[world_.below(kMailboxes.size())];
  const std::uint64_t what = world_.below(4);
  if (what < 2) {
    world_.note("  mailbox " + other + " is made at " + member.server.name());
    member.server.make(other);
  } else if (mailbox == "INBOX" || mailbox == "Trash") {
    return;
  } else if (what == 2) {
    world_.note("  mailbox " + mailbox + " is removed at " + member.server.name());
    blurMailbox(member, mailbox);
    for (const SimMessage& message : member.server.mailboxes.at(mailbox).messages) {
      world_.ledger().at(message.content).removed = true;
      if (world_.trashesBlindly(member.settings.braid)) ++world_.ledger().at(message.content).created;
    }
    member.server.removeMailbox(mailbox);
  } else if (!member.server.mailboxes.contains(other)) {
    world_.note("  mailbox " + mailbox + " is renamed to " + other + " at " + member.server.name());
    blurMailbox(member, mailbox);
    // Where others file into it by its old name meanwhile, what comes of all of it is not certain.
    world_.ledger().blur(member.settings.braid);
    world_.ledger().numberNames(member.settings.braid);
    member.server.rename(mailbox, other);
  }
}

void User::actAt(Member& member) {
  const std::uint64_t what = world_.below(100);
  if (what >= 92) {
    changeMailboxes(member);
    return;
  }
  const std::optional<Found> found = anyMessage(member);
  if (!found) return;
  if (what < 35) {
    changeFlags(*found);
  } else if (what < 60) {
    remove(*found);
  } else if (what < 84) {
    move(*found);
  } else {
    copy(*found);
  }
}

void User::act() {
  const std::uint64_t what = world_.below(100);
  if (what < 35) {
    deliver();
  } else if (what < 50) {
    actInStore();
  } else if (Member* member = anyMember()) {
    actAt(*member);
  }
}

void User::meddle(SimServer& server) {
  for (Member& member : world_.members()) {
    if (&member.server != &server || member.resting) continue;
    world_.note("    meanwhile:");
    for (const std::size_t content : world_.stage().changed()) world_.ledger().at(content).unsure = true;
    meddles_ = true;
    actAt(member);
    meddles_ = false;
  }
}

void User::actInStore() {
  mailstore::Store& store = world_.store();
  std::vector<std::pair<mailstore::EntryRow, mailstore::Mailbox>> all;
  for (const Member& member : world_.members()) {
    for (const mailstore::Mailbox& mailbox :
         store.mailboxes().ofBraid(store.mailboxes().ensureBraid(member.settings.braid))) {
      store.entries().list(mailbox.id, [&](const mailstore::EntryRow& row) { all.emplace_back(row, mailbox); });
    }
  }
  if (all.empty()) return;
  const auto& [row, mailbox] = all[world_.below(all.size())];
  const std::size_t number = world_.ledger().find(row.message.digest);
  bool certain = world_.ledger().touch(number);
  Content& content = world_.ledger().at(number);
  certain = certain && content.expected == Placement{{mailbox.name, textOf(row.entry.flags)}};
  if (!certain) content.exact = false;
  mailstore::Store::Transaction transaction(store);
  const std::uint64_t what = world_.below(3);
  if (what == 0) {
    const Flags flags = otherFlags(row.entry.flags, true);
    world_.note("  flags (" + textOf(flags) + "): " + mail(number) + " in the store");
    if (certain) content.expected = {{mailbox.name, textOf(flags)}};
    store.entries().setFlags(row.entry.id, flags);
  } else if (what == 1) {
    world_.note("  removed: " + mail(number) + " in the store");
    content.removed = true;
    if (world_.trashesBlindly(content.braid)) {
      content.exact = false;
      ++content.created;
    }
    if (certain) content.expected = {};
    store.entries().remove(row.entry.id, world_.now());
  } else {
    const std::string to = kMailboxes[world_.below(kMailboxes.size())];
    world_.note("  moved: " + mail(number) + " in the store from " + mailbox.name + " to " + to);
    content.moved = true;
    if (certain) content.expected = {{to, textOf(row.entry.flags)}};
    const auto role = to == "INBOX" ? mailstore::Role::Inbox : mailstore::Role::None;
    store.entries().move(row.entry.id, store.mailboxes().ensure(mailbox.braid, to, role));
  }
  transaction.commit();
}

void User::befall() {
  const std::uint64_t what = world_.below(10);
  if (what == 0) {
    world_.loseStore();
    return;
  }
  Member* member = anyMember();
  if (member == nullptr) return;
  SimServer& server = member->server;
  if (what < 5) {
    const std::string mailbox = anyMailbox(*member);
    world_.note("  UIDVALIDITY changes: " + server.name() + " " + mailbox);
    // Which of its old names are gone a POP3 server tells by a whole listing only; until then all is new.
    for (const SimMessage& message : server.mailboxes.at(mailbox).messages) {
      Content& content = world_.ledger().at(message.content);
      const std::pair here(world_.storeName(*member, mailbox), textOf(message.flags));
      // Flags that were never carried there unite with the store's when both meet again.
      content.exact = content.exact && !server.abilities().isPop3() && content.expected.contains(here);
      if (server.abilities().isPop3()) ++content.created;
    }
    server.changeValidity(server.mailboxes.at(mailbox));
  } else if (what < 7) {
    world_.note("  wiped: " + server.name());
    // What only it had is nowhere any more.
    for (const auto& [name, mailbox] : server.mailboxes) {
      for (const SimMessage& message : mailbox.messages) {
        Content& content = world_.ledger().at(message.content);
        if (content.stored) continue;
        content.removed = true;
        content.exact = false;
      }
    }
    server.wipe();
  } else if (!member->snapshot) {
    member->snapshot = server.snapshot();
    return;
  } else {
    // The mark of a tree is renewed when a run went through to its end: before that it does not tell.
    if (server.abilities().isMaildir() && !world_.wasWhole()) return;
    world_.note("  restored to an older state: " + server.name());
    for (const auto& [name, mailbox] : server.mailboxes) {
      for (const SimMessage& message : mailbox.messages) {
        Content& content = world_.ledger().at(message.content);
        if (!content.stored) content.removed = true;
      }
    }
    // A mailbox that the old state does not have is as good as removed where nothing else tells that it went back.
    for (const auto& [name, mailbox] : server.mailboxes) {
      const bool silent = server.abilities().isImap() && server.abilities().tracking != Abilities::Tracking::None;
      if (!silent || member->snapshot->mailboxes.contains(name)) continue;
      for (const SimMessage& message : mailbox.messages) world_.ledger().at(message.content).removed = true;
    }
    server.restore(*member->snapshot);
    for (std::size_t i = 0; i < world_.ledger().size(); ++i) {
      // What was changed since, the old state brings back: each message is a case of its own.
      world_.ledger().touch(i);
      world_.ledger().at(i).exact = false;
      if (world_.ledger().at(i).braid == member->settings.braid) world_.ledger().at(i).moved = true;
    }
    member->resting = true;
  }
  world_.ledger().blur(member->settings.braid);
}

}  // namespace mailbraid::simulation
