#include "cli/commands.h"
#include "cli/signals.h"
#include "cli/text/json.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"
#include "mailstore/formats/exporter.h"

namespace mailbraid::cli {
namespace {

struct Exported {
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;
  std::uint64_t damaged = 0;
};

/// One after another; a message that is damaged in the store is named and left out, the others follow.
class Exporter {
 public:
  Exporter(Context& context, mailstore::Store& store, mailstore::ExportSink& sink, std::stop_token stop)
      : context_(context), store_(store), sink_(sink), stop_(std::move(stop)) {}

  void mailbox(const mailstore::MailboxSummary& summary) {
    const std::string name = fullName(summary.mailbox);
    // The ids first: the sink must not keep a read transaction open while it waits for a disk.
    std::vector<mailstore::EntryId> ids;
    ids.reserve(summary.messages);
    store_.entries().list(summary.mailbox.id, [&](const mailstore::EntryRow& row) { ids.push_back(row.entry.id); });
    for (const mailstore::EntryId id : ids) {
      if (stop_.stop_requested()) return;
      if (const auto row = store_.entries().row(id)) message(*row, name);
    }
  }
  [[nodiscard]] const Exported& exported() const { return exported_; }

 private:
  void message(const mailstore::EntryRow& row, const std::string& mailbox) {
    try {
      store_.messages().read(row.entry.message, [](std::string_view) {});
    } catch (const mailstore::Error& error) {
      if (error.scope() != mailstore::Scope::Message) throw;
      ++exported_.damaged;
      context_.log().error("entry " + std::to_string(row.entry.id.value()) + " is left out: " + error.what());
      return;
    }
    sink_.begin(row, mailbox);
    store_.messages().read(row.entry.message, [&](std::string_view octets) { sink_.octets(octets); });
    sink_.end();
    ++exported_.messages;
    exported_.octets += row.message.size;
    context_.log().onProgress({0, 0, exported_.messages, 0, exported_.octets, mailbox});
  }

  Context& context_;
  mailstore::Store& store_;
  mailstore::ExportSink& sink_;
  std::stop_token stop_;
  Exported exported_;
};

}  // namespace

ExitCode runExport(Context& context, const ExportArguments& arguments) {
  const std::unique_ptr<mailstore::Store> store = context.storeToRead();
  if (!store) failUsage("the store is empty; run mailbraid sync first");
  std::vector<mailstore::MailboxSummary> mailboxes;
  for (const std::string& name : arguments.mailboxes) mailboxes.push_back(findMailbox(*store, name));
  if (arguments.mailboxes.empty()) mailboxes = store->mailboxes().list();

  const StopOnSignal signals;
  const auto sink =
      mailstore::makeExportSink(mailstore::exportFormatFromName(arguments.format).value(), arguments.path);
  Exporter exporter(context, *store, *sink, signals.token());
  for (const mailstore::MailboxSummary& mailbox : mailboxes) exporter.mailbox(mailbox);
  sink->finish();
  context.log().clearProgress();

  const Exported& exported = exporter.exported();
  const bool stopped = signals.token().stop_requested();
  if (context.json()) {
    JsonObject object;
    object.add("path", arguments.path.string()).add("messages", exported.messages).add("octets", exported.octets);
    context.out().line(object.add("damaged", exported.damaged).add("cancelled", stopped).text());
  } else if (!context.options().quiet) {
    context.out().line(counted(exported.messages, "message") + ", " + sizeText(exported.octets) + " written to " +
                       harmlessLine(arguments.path.string()) + (stopped ? "; stopped before the end" : ""));
  }
  if (exported.damaged > 0) return ExitCode::Different;
  return stopped ? ExitCode::Partial : ExitCode::Complete;
}

}  // namespace mailbraid::cli
