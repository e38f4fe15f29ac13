#include "cli/commands.h"
#include "cli/store_change.h"
#include "cli/text/utf8.h"
#include "sync/engine/import.h"

namespace mailbraid::cli {
namespace {

/// The mailbox of this name, made when the user asked for that.
mailstore::Mailbox target(mailstore::Store& store, const MoveArguments& arguments) {
  if (!arguments.create) return findMailbox(store, arguments.mailbox).mailbox;
  const std::size_t slash = arguments.mailbox.find('/');
  const std::string braid = arguments.mailbox.substr(0, slash);
  const std::string name = slash == std::string::npos ? std::string() : arguments.mailbox.substr(slash + 1);
  if (const std::string why = sync::engine::whyMailboxNameIsRefused(name); !why.empty()) {
    failUsage("\"" + harmlessLine(arguments.mailbox) + "\" cannot be a mailbox: write BRAID/MAILBOX (" + why + ")");
  }
  for (const mailstore::MailboxSummary& known : store.mailboxes().list()) {
    if (known.mailbox.braidName != braid) continue;
    return *store.mailboxes().find(store.mailboxes().ensure(known.mailbox.braid, name, mailstore::Role::None));
  }
  failUsage("there is no braid \"" + harmlessLine(braid) + "\" in the store; `mailbraid ls` lists BRAID/MAILBOX");
}

}  // namespace

ExitCode runMove(Context& context, const MoveArguments& arguments) {
  StoreChange change(context, "move");
  const mailstore::Mailbox to = target(change.store(), arguments);
  std::uint64_t changed = 0;
  std::uint64_t unchanged = 0;
  for (const mailstore::EntryRow& row : change.select(arguments.entries, StoreChange::Which::Live)) {
    const auto from = change.store().mailboxes().find(row.entry.mailbox);
    if (from && from->braid != to.braid) {
      failUsage("entry " + std::to_string(row.entry.id.value()) + " is in " + harmlessLine(fullName(*from)) +
                ": mail is never moved from one braid to another");
    }
    if (row.entry.mailbox == to.id) {
      ++unchanged;
      continue;
    }
    change.record(row, "move", "to " + fullName(to));
    change.store().entries().move(row.entry.id, to.id);
    ++changed;
  }
  return change.finish("moved", "moved to " + harmlessLine(fullName(to)), changed, unchanged);
}

}  // namespace mailbraid::cli
