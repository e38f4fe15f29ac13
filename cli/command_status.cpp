#include "cli/commands.h"
#include "cli/report.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <algorithm>
#include <map>

namespace mailbraid::cli {
namespace {

using mailstore::EndpointMailbox;
using mailstore::EndpointStatus;
using mailstore::QuarantineRow;
using mailstore::Store;
using mailstore::WaitKind;

struct HeldMailbox {
  std::string name;
  std::uint64_t messages = 0;
};

/// What the store knows of one endpoint.
struct Backlog {
  std::uint64_t mailboxes = 0;
  std::uint64_t messages = 0;
  std::vector<HeldMailbox> held;
  std::vector<std::pair<std::string, QuarantineRow>> quarantined;     ///< with the mailbox's name
  std::map<std::pair<WaitKind, std::string>, std::uint64_t> waiting;  ///< changes to carry there, by kind and reason
};

std::string_view waitName(WaitKind kind) {
  switch (kind) {
    case WaitKind::Retry:
      return "retry";
    case WaitKind::Held:
      return "held";
    case WaitKind::Policy:
      return "policy";
    case WaitKind::Refused:
      return "refused";
  }
  return "";
}

Backlog backlogOf(Store& store, const mailstore::EndpointRecord& endpoint) {
  // What a POP3 server does not list any more is no removal, so none is held back.
  const bool tellsRemovals = endpoint.type != "pop3";
  Backlog out;
  for (const EndpointMailbox& mailbox : store.endpoints().mailboxes(endpoint.id)) {
    ++out.mailboxes;
    const std::uint64_t held = tellsRemovals ? store.pairs().held(mailbox.id).size() : 0;
    out.messages += store.pairs().count(mailbox.id) + held;
    if (held > 0) out.held.push_back({mailbox.name, held});
    for (QuarantineRow& row : store.quarantine().of(mailbox.id))
      out.quarantined.emplace_back(mailbox.name, std::move(row));
  }
  for (const mailstore::WaitingRow& row : store.backlog().waiting(endpoint.id)) ++out.waiting[{row.kind, row.reason}];
  return out;
}

std::string keyText(const mailstore::RemoteKey& key) {
  if (const auto* uid = std::get_if<mailstore::Uid>(&key)) return "UID " + std::to_string(uid->value());
  return "UIDL " + std::get<mailstore::Uidl>(key).value();
}

JsonObject json(const EndpointStatus& status, const Backlog& backlog, bool configured) {
  JsonObject object;
  object.add("endpoint", status.endpoint.name).add("type", status.endpoint.type).add("configured", configured);
  const auto addTime = [&](std::string_view key, std::int64_t time) {
    if (time == 0) {
      object.addNull(key);
    } else {
      object.add(key, rfc3339(time));
    }
  };
  addTime("last_success", status.lastSuccess);
  addTime("last_attempt", status.lastAttempt);
  object.add("last_problem", status.lastProblem).add("mailboxes", backlog.mailboxes).add("messages", backlog.messages);
  std::vector<JsonObject> held;
  for (const HeldMailbox& mailbox : backlog.held) {
    held.emplace_back()
        .add("mailbox", mailbox.name)
        .add("removals", mailbox.messages)
        .add("command", allowCommand(status.endpoint.name, mailbox.name));
  }
  std::vector<JsonObject> quarantined;
  for (const auto& [mailbox, row] : backlog.quarantined) {
    quarantined.emplace_back()
        .add("mailbox", mailbox)
        .add("key", keyText(row.key))
        .add("size", row.size)
        .add("reason", row.reason)
        .add("tries", row.tries)
        .add("next_try", rfc3339(row.nextTry));
  }
  std::vector<JsonObject> waiting;
  for (const auto& [why, count] : backlog.waiting) {
    waiting.emplace_back().add("kind", waitName(why.first)).add("reason", why.second).add("changes", count);
  }
  object.add("held", held).add("quarantined", quarantined).add("waiting", waiting);
  return object;
}

void print(Output& out, const EndpointStatus& status, const Backlog& backlog, std::size_t width, bool configured) {
  const std::string indent(width + 3, ' ');
  out.line(paddedToWidth(harmlessLine(status.endpoint.name), width) + "   last success " +
           localTime(status.lastSuccess) + ", " + counted(backlog.mailboxes, "mailbox") + ", " +
           counted(backlog.messages, "message") + (configured ? "" : " (not in the configuration)"));
  if (!status.lastProblem.empty()) {
    out.line(indent + "last problem (" + localTime(status.lastAttempt) + "): " + harmlessLine(status.lastProblem));
  }
  for (const HeldMailbox& mailbox : backlog.held) {
    out.line(indent + harmlessLine(mailbox.name) + ": " + counted(mailbox.messages, "removal") +
             " held back; look, and if they are meant, run: " + allowCommand(status.endpoint.name, mailbox.name));
  }
  for (const auto& [mailbox, row] : backlog.quarantined) {
    std::string line = indent + harmlessLine(mailbox) + ": " + harmlessLine(keyText(row.key));
    if (row.size > 0) line += " (" + sizeText(row.size) + ")";
    out.line(line + " could not be taken in: " + harmlessLine(row.reason) + "; tried " + counted(row.tries, "time") +
             ", next try " + localTime(row.nextTry));
  }
  for (const auto& [why, count] : backlog.waiting) {
    std::string line = indent + counted(count, "change") + " not carried there yet: " + harmlessLine(why.second);
    if (why.first == WaitKind::Held) {
      line += "; look, and if they are meant, run: " + allowCommand(status.endpoint.name, {});
    }
    out.line(line);
  }
}

}  // namespace

ExitCode runStatus(Context& context) {
  std::vector<std::string> names;
  std::map<std::string, EndpointStatus> statuses;
  const std::unique_ptr<Store> store = context.storeToRead();
  for (const config::EndpointConfig& endpoint : context.configuration().endpoints) {
    names.push_back(endpoint.settings.name);
    EndpointStatus& never = statuses[endpoint.settings.name];
    never.endpoint.name = endpoint.settings.name;
    never.endpoint.type = config::choicesOf(config::kTypeChoices)[static_cast<std::size_t>(endpoint.settings.type)];
  }
  const std::size_t configured = names.size();
  if (store) {
    for (EndpointStatus& status : store->endpoints().statuses()) {
      if (!statuses.contains(status.endpoint.name)) names.push_back(status.endpoint.name);
      statuses[status.endpoint.name] = std::move(status);
    }
  }
  std::size_t width = 0;
  for (const std::string& name : names)
    width = std::max(width, std::min<std::size_t>(40, displayWidth(harmlessLine(name))));
  for (std::size_t at = 0; at < names.size(); ++at) {
    const EndpointStatus& status = statuses[names[at]];
    const bool known = store && status.endpoint.id.value() != 0;
    const Backlog backlog = known ? backlogOf(*store, status.endpoint) : Backlog{};
    if (context.json()) {
      context.out().line(json(status, backlog, at < configured).text());
    } else {
      print(context.out(), status, backlog, width, at < configured);
    }
  }
  return ExitCode::Complete;
}

}  // namespace mailbraid::cli
