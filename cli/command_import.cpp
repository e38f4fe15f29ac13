#include "cli/commands.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/text/json.h"
#include "cli/text/utf8.h"
#include "sync/engine/import.h"

#include <algorithm>
#include <array>

namespace mailbraid::cli {
namespace {

using mailstore::MailFormat;

MailFormat formatOf(const ImportArguments& arguments) {
  constexpr std::array<std::pair<std::string_view, MailFormat>, 5> kNames{{{"maildir", MailFormat::Maildir},
                                                                           {"maildir++", MailFormat::MaildirPlusPlus},
                                                                           {"mbox", MailFormat::Mbox},
                                                                           {"thunderbird", MailFormat::Thunderbird},
                                                                           {"eml", MailFormat::Eml}}};
  const auto found = mailstore::detectMailFormat(arguments.path);  // also says that there is nothing to read
  for (const auto& [name, format] : kNames) {
    if (arguments.format == name) return format;
  }
  if (!found) {
    failUsage(arguments.path.string() +
              " holds no mail that mailbraid knows: no Maildir, no mbox file, no .eml file; --format says what it is");
  }
  return *found;
}

/// The braids of the configuration, each once.
std::vector<std::string> braids(Context& context) {
  std::vector<std::string> out;
  for (const auto& endpoint : context.configuration().endpoints) {
    if (std::find(out.begin(), out.end(), endpoint.settings.braid) == out.end()) out.push_back(endpoint.settings.braid);
  }
  return out;
}

std::string listOf(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + harmlessLine(name);
  return out;
}

/// From --braid, from --into BRAID/MAILBOX, else the only one there is.
void findTarget(Context& context, const ImportArguments& arguments, sync::engine::ImportRequest& request) {
  const std::vector<std::string> known = braids(context);
  const auto isKnown = [&](const std::string& name) {
    return std::find(known.begin(), known.end(), name) != known.end();
  };
  request.into = arguments.into;
  const std::size_t slash = arguments.into.find('/');
  if (arguments.braid) {
    request.braid = *arguments.braid;
    if (slash != std::string::npos && arguments.into.substr(0, slash) == request.braid)
      request.into = arguments.into.substr(slash + 1);
  } else if (slash != std::string::npos && isKnown(arguments.into.substr(0, slash))) {
    request.braid = arguments.into.substr(0, slash);
    request.into = arguments.into.substr(slash + 1);
  } else if (known.size() == 1) {
    request.braid = known.front();
  } else {
    failUsage("there is more than one braid; say which with --braid: " + listOf(known));
  }
  if (!isKnown(request.braid)) {
    failUsage("the configuration has no braid \"" + harmlessLine(request.braid) + "\"; it has " + listOf(known));
  }
  if (request.into.empty()) return;
  if (const std::string why = sync::engine::whyMailboxNameIsRefused(request.into); !why.empty()) {
    failUsage("--into \"" + harmlessLine(request.into) + "\" cannot be a mailbox: " + why);
  }
}

/// What lies in PATH itself needs a name where the files do not give one.
void nameTop(const ImportArguments& arguments, sync::engine::ImportRequest& request) {
  const bool named = request.format == MailFormat::Maildir || request.format == MailFormat::MaildirPlusPlus ||
                     request.format == MailFormat::Thunderbird;
  if (named || !request.into.empty() || std::filesystem::is_directory(arguments.path)) return;
  if (request.format == MailFormat::Eml) failUsage("--into says which mailbox one message shall go to");
  request.into = arguments.path.stem().string();
}

void print(Context& context, const sync::engine::RunReport& report) {
  context.log().clearProgress();
  for (const std::string& line : problemLines(report)) context.log().error(line);
  if (context.json()) {
    for (const std::string& line : report.plan) context.out().line(JsonObject().add("plan", line).text());
    context.out().line(runJson(report, exitCodeOf(report)).text());
    return;
  }
  for (const std::string& line : report.plan) context.out().line(harmlessLine(line));
  if (context.options().quiet && exitCodeOf(report) == ExitCode::Complete) return;
  for (const std::string& line : reportLines(report)) context.out().line(line);
}

}  // namespace

ExitCode runImport(Context& context, const ImportArguments& arguments) {
  const StopOnSignal signals;
  sync::engine::ImportRequest request;
  request.path = std::filesystem::weakly_canonical(arguments.path);
  request.format = formatOf(arguments);
  findTarget(context, arguments, request);
  nameTop(arguments, request);
  request.dryRun = arguments.dryRun;
  request.exitCode = [](mailstore::Store&, const sync::engine::RunReport& ended) { return number(exitCodeOf(ended)); };
  const std::unique_ptr<mailstore::Store> store = context.storeToWrite();
  const auto report = sync::engine::importMail(*store, request, context.log(), signals.token());
  print(context, report);
  return exitCodeOf(report);
}

}  // namespace mailbraid::cli
