#include "cli/commands.h"
#include "cli/signals.h"
#include "cli/store_change.h"
#include "cli/text/json.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <algorithm>
#include <ctime>

namespace mailbraid::cli {
namespace {

using mailstore::Retention;

Retention::Forgotten forgetAll(mailstore::Store& store, std::int64_t before, const std::stop_token& stop) {
  Retention::Forgotten all;
  do {
    mailstore::Store::Transaction transaction(store);
    const Retention::Forgotten part = store.retention().forget(before);
    transaction.commit();
    all.entries += part.entries;
    all.messages += part.messages;
    all.octets += part.octets;
    all.waiting += part.waiting;
    all.more = part.more;
  } while (all.more && !stop.stop_requested());
  return all;
}

/// The endpoint with everything that is known of it: what it has not been told yet is not waited for any more.
void forgetEndpoint(Context& context, mailstore::Store& store, const std::string& name) {
  for (const auto& endpoint : context.configuration().endpoints) {
    if (endpoint.settings.name == name) {
      failUsage("endpoint " + harmlessLine(name) + " is in the configuration: remove it there first");
    }
  }
  for (const mailstore::EndpointStatus& status : store.endpoints().statuses()) {
    if (status.endpoint.name != name) continue;
    mailstore::Store::Transaction transaction(store);
    store.endpoints().forget(status.endpoint.id);
    transaction.commit();
    return;
  }
  failUsage("the store knows no endpoint \"" + harmlessLine(name) + "\"");
}

/// Endpoints of the store that are no longer in the configuration.
std::vector<std::string> strangers(Context& context, mailstore::Store& store) {
  std::vector<std::string> out;
  const auto& known = context.configuration().endpoints;
  for (const mailstore::EndpointStatus& status : store.endpoints().statuses()) {
    const bool isKnown = std::any_of(known.begin(), known.end(), [&](const auto& endpoint) {
      return endpoint.settings.name == status.endpoint.name;
    });
    if (!isKnown) out.push_back(status.endpoint.name);
  }
  return out;
}

void print(Context& context, const Retention::Forgotten& forgotten, std::uint64_t smaller,
           const std::vector<std::string>& unknown) {
  std::string line = counted(forgotten.entries, "removed message") + " forgotten (" + sizeText(forgotten.octets) + ")";
  if (smaller > 0) line += ", the store is " + sizeText(smaller) + " smaller";
  if (forgotten.waiting > 0) {
    line += "; " + grouped(forgotten.waiting) + " are kept until the endpoints that still have them were told";
  }
  context.out().line(line);
  for (const std::string& name : unknown) {
    context.out().line("endpoint " + harmlessLine(name) +
                       " is no longer in the configuration; if it will not come back: mailbraid gc --forget " +
                       harmlessLine(name));
  }
}

}  // namespace

ExitCode runGc(Context& context, const GcArguments& arguments) {
  const StopOnSignal signals;
  const std::unique_ptr<mailstore::Store> store = storeToChange(context);
  if (arguments.forget) forgetEndpoint(context, *store, *arguments.forget);
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  const auto forgotten = forgetAll(*store, now - context.configuration().store.retention.count(), signals.token());
  store->retention().setLastTime(now);
  const std::uint64_t smaller = forgotten.more ? 0 : store->retention().shrink();
  if (context.json()) {
    JsonObject object;
    object.add("forgotten", forgotten.entries).add("messages", forgotten.messages).add("octets", forgotten.octets);
    context.out().line(object.add("waiting", forgotten.waiting).add("smaller", smaller).text());
  } else if (!context.options().quiet) {
    print(context, forgotten, smaller, strangers(context, *store));
  }
  return forgotten.more ? ExitCode::Partial : ExitCode::Complete;
}

}  // namespace mailbraid::cli
