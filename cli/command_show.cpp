#include "cli/commands.h"
#include "cli/text/html.h"
#include "cli/text/json.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"
#include "mailstore/message_text.h"

namespace mailbraid::cli {
namespace {

/// Octets that are decoded for reading; what is behind them is an attachment that nobody reads on a terminal.
constexpr std::size_t kReadable = 64UL * 1024 * 1024;

mailstore::MessageText readMessage(mailstore::Store& store, const mailstore::EntryRow& row) {
  std::string octets;
  octets.reserve(std::min<std::size_t>(kReadable, static_cast<std::size_t>(row.message.size)));
  store.messages().read(row.entry.message,
                        [&](std::string_view piece) { octets += piece.substr(0, kReadable - octets.size()); });
  return mailstore::readableText(octets);
}

std::string bodyText(const mailstore::MessageText& message) {
  return message.textType == "text/html" ? textOfHtml(message.text) : message.text;
}

void printText(Context& context, const mailstore::EntryRow& row, const mailstore::MessageText& message) {
  Output& out = context.out();
  for (const auto& [name, value] : message.fields) out.line(name + ": " + harmlessLine(value));
  std::string flags;
  for (const std::string& flag : row.entry.flags.names()) flags += (flags.empty() ? "" : " ") + flag;
  if (!flags.empty()) out.line("Flags: " + harmlessLine(flags));
  if (row.entry.removedAt != 0) {
    out.line("Removed: " + localTime(row.entry.removedAt) + " (mailbraid restore " +
             std::to_string(row.entry.id.value()) + " brings it back)");
  }
  out.line("");
  std::string text = harmlessText(bodyText(message));
  if (!text.empty() && text.back() != '\n') text += '\n';
  out.octets(text);
  if (message.cut) out.line("[the text goes on: mailbraid show " + std::to_string(row.entry.id.value()) + " --raw]");
  for (const auto& attachment : message.attachments) {
    out.line("[attached: " + harmlessLine(attachment.name.empty() ? "(no name)" : attachment.name) + ", " +
             harmlessLine(attachment.type) + "]");
  }
}

void printJson(Context& context, const mailstore::EntryRow& row, const mailstore::MessageText& message) {
  JsonObject object;
  object.add("entry", row.entry.id.value()).add("digest", row.message.digest.hex()).add("size", row.message.size);
  object.add("flags", row.entry.flags.names()).add("internal_date", rfc3339(row.entry.internalDate));
  JsonObject fields;
  for (const auto& [name, value] : message.fields) fields.add(name, value);
  std::vector<JsonObject> attachments;
  for (const auto& attachment : message.attachments)
    attachments.emplace_back().add("name", attachment.name).add("type", attachment.type);
  object.add("fields", fields).add("text", bodyText(message)).add("attachments", attachments);
  context.out().line(object.text());
}

}  // namespace

ExitCode runShow(Context& context, const ShowArguments& arguments) {
  const std::unique_ptr<mailstore::Store> store = context.storeToRead();
  const mailstore::EntryId id(arguments.entry);
  const std::optional<mailstore::EntryRow> row = store ? store->entries().anyRow(id) : std::nullopt;
  if (!row)
    failUsage("there is no entry " + std::to_string(arguments.entry) +
              " in the store; `mailbraid ls MAILBOX` lists them");
  if (arguments.raw) {
    store->messages().read(row->entry.message, [&](std::string_view octets) { context.out().octets(octets); });
    return ExitCode::Complete;
  }
  const mailstore::MessageText message = readMessage(*store, *row);
  if (context.json()) {
    printJson(context, *row, message);
  } else {
    printText(context, *row, message);
  }
  return ExitCode::Complete;
}

}  // namespace mailbraid::cli
