#include "cli/commands.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <algorithm>
#include <future>

namespace mailbraid::cli {
namespace {

using sync::engine::CheckReport;

JsonObject json(const CheckReport& report) {
  JsonObject object;
  object.add("endpoint", report.name)
      .add("connection", report.connection)
      .add("server", report.server)
      .add("mechanism", report.mechanism);
  object.add("capabilities", report.capabilities);
  std::vector<JsonObject> mailboxes;
  for (const CheckReport::MailboxLine& line : report.mailboxes) {
    mailboxes.emplace_back()
        .add("mailbox", line.name)
        .add("role", mailstore::roleName(line.role))
        .add("messages", line.messages)
        .add("synced", line.synced)
        .add("target", line.target);
  }
  object.add("mailboxes", mailboxes).add("remarks", report.remarks);
  if (report.problem) {
    object.add("problem",
               JsonObject().add("kind", kindName(report.problem->kind)).add("sentence", report.problem->sentence));
  } else {
    object.addNull("problem");
  }
  return object;
}

void printField(Output& out, std::string_view name, const std::string& value) {
  if (!value.empty()) out.line("  " + paddedToWidth(name, 14) + harmlessLine(value));
}

void print(Output& out, const CheckReport& report) {
  out.line(harmlessLine(report.name) + (report.problem ? ": not usable" : ": usable"));
  printField(out, "connection", report.connection);
  printField(out, "server", report.server);
  printField(out, "login", report.mechanism);
  std::string capabilities;
  for (const std::string& capability : report.capabilities)
    capabilities += (capabilities.empty() ? "" : " ") + capability;
  printField(out, "capabilities", capabilities);
  for (const std::string& remark : report.remarks) printField(out, "remark", remark);
  std::size_t width = 0;
  for (const auto& line : report.mailboxes)
    width = std::max(width, std::min<std::size_t>(50, displayWidth(harmlessLine(line.name))));
  for (const auto& line : report.mailboxes) {
    const std::string where = line.synced ? "-> " + harmlessLine(line.target) : std::string("(left out)");
    out.line("  " + paddedToWidth(harmlessLine(line.name), width) + "  " + counted(line.messages, "message") + "  " +
             where);
  }
  if (report.problem) out.line("  " + harmlessLine(report.problem->sentence));
}

}  // namespace

ExitCode runCheck(Context& context, const CheckArguments& arguments) {
  const StopOnSignal signals;
  // All at once: a server that is silent keeps nobody else waiting.
  std::vector<std::future<CheckReport>> running;
  for (const auto& settings : context.endpoints(arguments.endpoints, signals.token())) {
    running.push_back(std::async(std::launch::async, [&context, &signals, settings] {
      return sync::engine::check(settings, context.log(), signals.token());
    }));
  }
  ExitCode code = ExitCode::Complete;
  for (std::future<CheckReport>& one : running) {
    const CheckReport report = one.get();
    context.log().clearProgress();
    if (report.problem) code = graver(code, exitCodeOf(report.problem->kind));
    if (context.json()) {
      context.out().line(json(report).text());
    } else if (!context.options().quiet || report.problem) {
      print(context.out(), report);
    }
  }
  return code;
}

}  // namespace mailbraid::cli
