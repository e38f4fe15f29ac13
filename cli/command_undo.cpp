#include "cli/commands.h"
#include "cli/store_change.h"
#include "cli/text/json.h"
#include "cli/text/units.h"
#include "mailstore/undo.h"

#include <array>

namespace mailbraid::cli {
namespace {

using mailstore::UndoReport;

std::uint64_t changesOf(const UndoReport& report) {
  return report.flags + report.moved + report.restored + report.removed;
}

std::string words(const UndoReport& report) {
  const std::array<std::pair<std::uint64_t, std::string_view>, 4> kDone{{{report.restored, "restored"},
                                                                         {report.moved, "moved back"},
                                                                         {report.flags, "flagged as before"},
                                                                         {report.removed, "removed"}}};
  std::string out;
  for (const auto& [count, word] : kDone) {
    if (count > 0) out += (out.empty() ? "" : ", ") + grouped(count) + " " + std::string(word);
  }
  return out;
}

void print(Context& context, const UndoArguments& arguments, const UndoReport& report, mailstore::RunId run) {
  const std::string number = std::to_string(arguments.run);
  std::string line = changesOf(report) == 0 ? "run " + number + " changed nothing that can be taken back"
                                            : "run " + number + " is taken back: " + words(report);
  if (report.kept > 0) line += "; " + counted(report.kept, "message") + " that arrived in it stay";
  if (report.overtaken > 0) line += "; what later runs changed stays as it is (" + grouped(report.overtaken) + ")";
  if (report.gone > 0) line += "; " + grouped(report.gone) + " were forgotten when their retention was over";
  if (changesOf(report) > 0) {
    line += "; the next sync carries it out, `mailbraid undo " + std::to_string(run.value()) + "` does it again";
  }
  context.out().line(line);
}

JsonObject json(const UndoReport& report) {
  JsonObject object;
  object.add("restored", report.restored).add("moved", report.moved).add("flags", report.flags);
  object.add("removed", report.removed).add("kept", report.kept).add("overtaken", report.overtaken);
  return object.add("gone", report.gone);
}

}  // namespace

ExitCode runUndo(Context& context, const UndoArguments& arguments) {
  StoreChange change(context, "undo");
  const mailstore::RunId undone(arguments.run);
  if (const auto why = mailstore::whyNotUndone(change.store(), undone)) failUsage(*why);
  const UndoReport report = mailstore::undoRun(change.store(), undone, change.now());
  const bool changed = changesOf(report) > 0;
  if (changed) {
    change.note("undo of run " + std::to_string(arguments.run) + ": " + words(report));
    change.commit(json(report).text());
  }
  if (context.json()) {
    JsonObject object;
    changed ? object.add("run", change.run().value()) : object.addNull("run");
    context.out().line(object.add("command", "undo").add("undone", arguments.run).add("did", json(report)).text());
  } else if (!context.options().quiet) {
    print(context, arguments, report, change.run());
  }
  return ExitCode::Complete;
}

}  // namespace mailbraid::cli
