#include "cli/command_verify_endpoints.h"
#include "cli/commands.h"
#include "cli/signals.h"
#include "cli/text/json.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <ctime>

namespace mailbraid::cli {
namespace {

struct Finding {
  mailstore::MessageId message;
  std::string sentence;
};

struct Verified {
  std::vector<std::string> structure;
  std::vector<Finding> different;
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;
  bool stopped = false;
  bool marked = false;  ///< what differs will be asked for by the next sync
};

void readEveryMessage(Context& context, mailstore::Store& store, const std::stop_token& stop, Verified& verified) {
  std::vector<mailstore::MessageId> ids;
  store.messages().forEach([&](mailstore::MessageId id) { ids.push_back(id); });
  for (const mailstore::MessageId id : ids) {
    if (stop.stop_requested()) {
      verified.stopped = true;
      return;
    }
    try {
      store.messages().read(id, [&](std::string_view octets) { verified.octets += octets.size(); });
    } catch (const mailstore::Error& error) {
      if (error.scope() != mailstore::Scope::Message) throw;
      verified.different.push_back({id, error.what()});
    }
    ++verified.messages;
    context.log().onProgress({0, 0, verified.messages, ids.size(), verified.octets, {}});
  }
}

/// So that the next sync fetches again what the servers still have. A store that cannot be written is no reason to keep
/// the findings back.
void markDamaged(Context& context, Verified& verified) {
  if (verified.different.empty()) return;
  try {
    const std::unique_ptr<mailstore::Store> store = context.storeToWrite();
    mailstore::Store::Transaction transaction(*store);
    for (const Finding& finding : verified.different)
      store->messages().markDamaged(finding.message, static_cast<std::int64_t>(std::time(nullptr)));
    transaction.commit();
    verified.marked = true;
  } catch (const mailstore::Error& error) {
    context.log().error(std::string("what differs could not be marked for the next sync: ") + error.what());
  }
}

ExitCode codeOf(const Verified& verified) {
  if (!verified.structure.empty()) return ExitCode::StoreDamaged;
  if (verified.stopped) return ExitCode::Partial;
  return verified.different.empty() ? ExitCode::Complete : ExitCode::Different;
}

void printJson(Output& out, const Verified& verified) {
  for (const Finding& finding : verified.different) {
    out.line(JsonObject().add("message", finding.message.value()).add("problem", finding.sentence).text());
  }
  JsonObject object;
  object.add("messages", verified.messages).add("octets", verified.octets).add("different", verified.different.size());
  object.add("marked", verified.marked);
  object.add("structure", verified.structure)
      .add("cancelled", verified.stopped)
      .add("exit_code", number(codeOf(verified)));
  out.line(object.text());
}

void print(Output& out, const Verified& verified, bool quiet) {
  for (const std::string& sentence : verified.structure) out.line("structure: " + harmlessLine(sentence));
  for (const Finding& finding : verified.different) {
    out.line("message " + std::to_string(finding.message.value()) + ": " + harmlessLine(finding.sentence));
  }
  const ExitCode code = codeOf(verified);
  if (quiet && code == ExitCode::Complete) return;
  std::string line = counted(verified.messages, "message") + ", " + sizeText(verified.octets) + " read: ";
  line += verified.different.empty() ? "every one is as it was stored" : grouped(verified.different.size()) + " differ";
  if (verified.marked) line += "; the next sync fetches again what the servers still have";
  if (verified.stopped) line += "; stopped before the end";
  if (code == ExitCode::StoreDamaged) {
    line = "the store is damaged; keep a copy of its directory, then run mailbraid export to save what can be read";
  }
  out.line(line);
}

}  // namespace

ExitCode runVerify(Context& context, const VerifyArguments& arguments) {
  if (!arguments.endpoints.empty()) return runVerifyEndpoints(context, arguments);
  const StopOnSignal signals;
  Verified verified;
  if (const std::unique_ptr<mailstore::Store> store = context.storeToRead()) {
    verified.structure = store->checkStructure();
    if (verified.structure.empty()) readEveryMessage(context, *store, signals.token(), verified);
  }
  markDamaged(context, verified);
  context.log().clearProgress();
  if (context.json()) {
    printJson(context.out(), verified);
  } else {
    print(context.out(), verified, context.options().quiet);
  }
  return codeOf(verified);
}

}  // namespace mailbraid::cli
