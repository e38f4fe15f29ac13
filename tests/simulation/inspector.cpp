// What has to be true after a run, and when all agree.
#include "tests/simulation/world.h"

#include <algorithm>

namespace mailbraid::simulation {

namespace {

/// Marks as deleted that were met when a state was lost stay with who has them.
std::string withoutMark(const mailstore::Flags& flags) {
  return textOf(flags.without(mailstore::Flags::of(mailstore::SystemFlag::Deleted)));
}

/// "Work (2)" is "Work".
Placement withoutNumbers(const Placement& placement) {
  Placement out;
  for (const auto& [mailbox, flags] : placement) out.emplace(mailbox.substr(0, mailbox.find(" (")), flags);
  return out;
}

}  // namespace

Inspector::Placements Inspector::inStore(const std::string& braid) {
  Placements out;
  mailstore::Store& store = world_.store();
  for (const mailstore::Mailbox& mailbox : store.mailboxes().ofBraid(store.mailboxes().ensureBraid(braid))) {
    store.entries().list(mailbox.id, [&](const mailstore::EntryRow& row) {
      const std::size_t content = world_.ledger().find(row.message.digest);
      out[content].emplace(mailbox.name, textOf(row.entry.flags));
      const mailstore::InternalDate& date = world_.ledger().at(content).date;
      if (row.entry.internalDate.seconds != date.seconds && row.entry.internalDate.seconds != 1'704'103'200) {
        fail("P2: mail " + std::to_string(content) + " has another internal date in the store");
      }
    });
  }
  return out;
}

Inspector::Placements Inspector::at(const Member& member) {
  Placements out;
  for (const auto& [name, mailbox] : member.server.mailboxes) {
    const std::string storeName = mailbox.messages.empty() ? name : world_.storeName(member, name);
    for (const SimMessage& message : mailbox.messages) out[message.content].emplace(storeName, textOf(message.flags));
  }
  return out;
}

void Inspector::checkStoreKeeps() {
  for (std::size_t i = 0; i < world_.ledger().size(); ++i) {
    Content& content = world_.ledger().at(i);
    const auto stored = world_.store().messages().findByDigest(content.digest);
    if (!stored && content.stored) fail("P1: mail " + std::to_string(i) + " was in the store and is not any more");
    if (!stored) continue;
    content.stored = true;
    std::string octets;
    world_.store().messages().read(*stored, [&](std::string_view piece) { octets.append(piece); });
    if (octets != content.octets) fail("P2: mail " + std::to_string(i) + " has other octets in the store");
  }
}

void Inspector::checkRun() {
  checkStoreKeeps();
  std::map<std::string, Placements> stores;
  for (const Member& member : world_.members()) stores[member.settings.braid] = {};
  for (auto& [braid, placements] : stores) placements = inStore(braid);
  for (const auto& [braid, placements] : stores) {
    for (const auto& [number, placement] : placements) {
      if (world_.ledger().at(number).braid != braid) fail("mail " + std::to_string(number) + " came to braid " + braid);
    }
  }
  std::map<const Member*, Placements> members;
  for (const Member& member : world_.members()) members[&member] = at(member);
  for (std::size_t i = 0; i < world_.ledger().size(); ++i) {
    const Content& content = world_.ledger().at(i);
    if (content.removed) continue;
    bool somewhere = stores[content.braid].contains(i);
    for (const Member& member : world_.members()) {
      const bool here = members[&member].contains(i);
      somewhere = somewhere || here;
      if (here && member.settings.braid != content.braid) {
        fail("mail " + std::to_string(i) + " came from braid " + content.braid + " to " + member.server.name());
      }
    }
    if (!somewhere) fail("P1: mail " + std::to_string(i) + " is gone, and nobody has removed it");
  }
}

void Inspector::checkContent(std::size_t number, const Placement& found) {
  const Content& content = world_.ledger().at(number);
  const std::string what = "mail " + std::to_string(number) + " is " + textOf(found) + " in the store";
  // Where the mailbox that it was moved from could not be read, it was a copy first, with the flags that it had there.
  const bool wasCopied = content.moved && world_.ledger().isHampered();
  if (content.exact && !wasCopied) {
    const bool same = world_.ledger().hasNumbers(content.braid)
                          ? withoutNumbers(found) == withoutNumbers(content.expected)
                          : found == content.expected;
    if (!same) fail("P3/P4: " + what + ", expected " + textOf(content.expected));
    return;
  }
  if (!content.removed && content.reachable && found.empty()) fail("P1: " + what + ", and nobody has removed it");
  // Where a server forgot what it called a message that was moved or removed meanwhile, it is not known to be the same
  // one, and nothing is removed. Likewise where the mailbox that it was moved to could not be read, and it was flagged
  // since.
  const bool unknown = (content.moved || content.removed || content.lingers) &&
                       (world_.ledger().isBlurred(content.braid) || world_.ledger().isHampered());
  if (found.size() > content.created && !unknown) {
    fail("P4/P5: " + what + ", only " + std::to_string(content.created) + " were ever made");
  }
}

void Inspector::checkMember(const Member& member, const Placements& here, const Placements& store) {
  if (!member.isFull()) return;
  for (std::size_t i = 0; i < world_.ledger().size(); ++i) {
    if (world_.ledger().at(i).braid != member.settings.braid) continue;
    const auto inStoreToo = store.find(i);
    Placement wanted;
    if (inStoreToo != store.end()) {
      for (const auto& [mailbox, flags] : inStoreToo->second) {
        wanted.emplace(mailbox, withoutMark(member.server.kept(flagsOf(flags))));
      }
    }
    const auto found = here.find(i);
    Placement has;
    if (found != here.end()) {
      for (const auto& [mailbox, flags] : found->second) has.emplace(mailbox, withoutMark(flagsOf(flags)));
    }
    // What lies in the trash may be there because it was removed.
    const auto isInTrash = [](const auto& copy) { return copy.first == "Trash"; };
    if (world_.ledger().at(i).removed && copiesIn(has, "Trash") > copiesIn(wanted, "Trash")) {
      std::erase_if(has, isInTrash);
      std::erase_if(wanted, isInTrash);
    }
    if (has != wanted) {
      fail("P3: mail " + std::to_string(i) + " is " + textOf(has) + " at " + member.server.name() + ", and " +
           textOf(wanted) + " in the store");
    }
  }
}

bool Inspector::isPlain(const std::string& braid) {
  const std::vector<Member>& all = world_.members();
  return std::all_of(all.begin(), all.end(),
                     [&](const Member& member) { return member.settings.braid != braid || member.isFull(); });
}

void Inspector::settle(const std::map<const Member*, Placements>& members, std::map<std::string, Placements>& stores) {
  for (std::size_t i = 0; i < world_.ledger().size(); ++i) {
    Content& content = world_.ledger().at(i);
    const Placement found = stores[content.braid][i];
    content.expected = found;
    content.lingers = false;
    for (const auto& [member, here] : members) {
      if (member->settings.braid != content.braid) continue;
      const auto copies = here.find(i);
      content.lingers =
          content.lingers || mailboxesOf(copies == here.end() ? Placement{} : copies->second) != mailboxesOf(found);
    }
    content.created = std::max(content.created, static_cast<unsigned>(found.size()));
    // Where everybody carries out everything, nothing of it is left to be done later.
    if (isPlain(content.braid) && !found.empty()) content.removed = content.moved = false;
  }
  world_.ledger().settle();
  for (Member& member : world_.members()) member.resting = false;
}

void Inspector::checkSettled() {
  std::map<std::string, Placements> stores;
  std::map<const Member*, Placements> members;
  for (const Member& member : world_.members()) {
    stores[member.settings.braid] = inStore(member.settings.braid);
    members[&member] = at(member);
  }
  for (std::size_t i = 0; i < world_.ledger().size(); ++i) checkContent(i, stores[world_.ledger().at(i).braid][i]);
  for (const Member& member : world_.members()) {
    checkMember(member, members[&member], stores[member.settings.braid]);
  }
  settle(members, stores);
}

}  // namespace mailbraid::simulation
