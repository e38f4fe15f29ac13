#include "cli/commands.h"
#include "cli/text/json.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <algorithm>

namespace mailbraid::cli {
namespace {

using mailstore::EntryRow;
using mailstore::MailboxSummary;

void printMailboxes(Context& context, mailstore::Store& store) {
  const std::vector<MailboxSummary> all = store.mailboxes().list();
  std::size_t width = 0;
  for (const MailboxSummary& one : all)
    width = std::max(width, std::min<std::size_t>(60, displayWidth(harmlessLine(fullName(one.mailbox)))));
  for (const MailboxSummary& one : all) {
    const std::string_view role = mailstore::roleName(one.mailbox.role);
    if (context.json()) {
      JsonObject object;
      object.add("mailbox", fullName(one.mailbox))
          .add("role", role)
          .add("messages", one.messages)
          .add("unseen", one.unseen);
      context.out().line(object.text());
    } else {
      std::string line = paddedToWidth(harmlessLine(fullName(one.mailbox)), width) + "  " + paddedToWidth(role, 8) +
                         "  " + counted(one.messages, "message");
      if (one.unseen > 0) line += ", " + grouped(one.unseen) + " unseen";
      context.out().line(line);
    }
  }
}

std::string json(const EntryRow& row) {
  JsonObject object;
  object.add("entry", row.entry.id.value()).add("digest", row.message.digest.hex()).add("size", row.message.size);
  object.add("flags", row.entry.flags.names()).add("internal_date", rfc3339(row.entry.internalDate));
  object.add("message_id", row.message.header.messageId)
      .add("from", row.message.header.from)
      .add("subject", row.message.header.subject);
  if (row.entry.removedAt != 0) object.add("removed", rfc3339(row.entry.removedAt));
  return object.text();
}

/// "SFAD": seen, flagged, answered, draft; a dot where it is not.
std::string flagLetters(const mailstore::Flags& flags) {
  using mailstore::SystemFlag;
  constexpr std::array<std::pair<SystemFlag, char>, 4> kLetters{
      {{SystemFlag::Seen, 'S'}, {SystemFlag::Flagged, 'F'}, {SystemFlag::Answered, 'A'}, {SystemFlag::Draft, 'D'}}};
  std::string out;
  for (const auto& [flag, letter] : kLetters) out += flags.has(flag) ? letter : '.';
  return out;
}

std::string text(const EntryRow& row) {
  return paddedToWidth(std::to_string(row.entry.id.value()), 7) + " " + flagLetters(row.entry.flags) + " " +
         localTime(row.entry.internalDate.seconds) + " " + paddedToWidth(harmlessLine(row.message.header.from), 24) +
         " " + harmlessLine(row.message.header.subject) +
         (row.entry.removedAt == 0 ? "" : "  (removed " + localTime(row.entry.removedAt) + ")");
}

}  // namespace

ExitCode runLs(Context& context, const LsArguments& arguments) {
  const std::unique_ptr<mailstore::Store> store = context.storeToRead();
  if (!store) {
    if (arguments.mailbox) failUsage("the store is empty; run mailbraid sync first");
    return ExitCode::Complete;
  }
  if (!arguments.mailbox) {
    if (arguments.removed) failUsage("--removed needs a mailbox: write mailbraid ls BRAID/MAILBOX --removed");
    printMailboxes(context, *store);
    return ExitCode::Complete;
  }
  const MailboxSummary mailbox = findMailbox(*store, *arguments.mailbox);
  const auto print = [&](const EntryRow& row) { context.out().line(context.json() ? json(row) : text(row)); };
  if (arguments.removed) {
    store->entries().listRemoved(mailbox.mailbox.id, print);
  } else {
    store->entries().list(mailbox.mailbox.id, print);
  }
  return ExitCode::Complete;
}

}  // namespace mailbraid::cli
