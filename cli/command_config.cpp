#include "cli/commands.h"
#include "cli/text/json.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"
#include "sync/endpoint/provider_limits.h"

#include <algorithm>

namespace mailbraid::cli {
namespace {

using config::Configuration;
using config::EndpointConfig;

std::vector<JsonObject> complaintsJson(const std::vector<config::Complaint>& complaints) {
  std::vector<JsonObject> out;
  for (const config::Complaint& complaint : complaints) {
    out.emplace_back()
        .add("line", complaint.line)
        .add("section", complaint.section)
        .add("key", complaint.key)
        .add("text", complaint.text);
  }
  return out;
}

ExitCode check(Context& context) {
  const std::string file = context.configurationFile().string();
  JsonObject object;
  object.add("file", file);
  try {
    const Configuration& configuration = context.configuration();
    if (context.json()) {
      context.out().line(
          object.add("endpoints", configuration.endpoints.size()).add("complaints", complaintsJson({})).text());
    } else if (!context.options().quiet) {
      context.out().line(harmlessLine(file) + ": " + counted(configuration.endpoints.size(), "endpoint") +
                         ", no mistake");
    }
    return ExitCode::Complete;
  } catch (const config::ConfigurationError& error) {
    if (!context.json()) throw;
    context.out().line(object.addNull("endpoints").add("complaints", complaintsJson(error.complaints())).text());
    return ExitCode::Configuration;
  }
}

const std::string* givenValue(const EndpointConfig& endpoint, std::string_view key) {
  const auto found =
      std::find_if(endpoint.given.begin(), endpoint.given.end(), [&](const auto& pair) { return pair.first == key; });
  return found == endpoint.given.end() ? nullptr : &found->second;
}

const sync::endpoint::ProviderLimits* limitsOf(const EndpointConfig& endpoint) {
  return sync::endpoint::limitsOfHost(endpoint.settings.server.host, endpoint.settings.type);
}

void showEndpoint(Output& out, const EndpointConfig& endpoint) {
  out.line("");
  out.line("[endpoint." + harmlessLine(endpoint.settings.name) + "]");
  for (const auto& key : config::kEndpointKeys) {
    if ((key.info.types & config::bit(endpoint.settings.type)) == 0) continue;
    const std::string name(key.info.name);
    if (const std::string* value = givenValue(endpoint, key.info.name)) {
      out.line(name + " = " + harmlessLine(*value));
    } else if (name == "port") {
      out.line("# port = " + std::to_string(endpoint.settings.server.port));
    } else if (const auto* provider = limitsOf(endpoint); name == "limits" && provider != nullptr) {
      out.line("# limits = \"" + std::string(provider->name) + "\" (" + std::string(provider->source) + ", as of " +
               std::string(provider->asOf) + ")");
    } else if (!key.info.fallback.empty()) {
      out.line("# " + name + ": " + std::string(key.info.fallback));
    }
  }
}

JsonObject json(const EndpointConfig& endpoint) {
  JsonObject object;
  object.add("endpoint", endpoint.settings.name)
      .add("type", config::choicesOf(config::kTypeChoices)[static_cast<std::size_t>(endpoint.settings.type)]);
  object.add("braid", endpoint.settings.braid);
  if (!endpoint.settings.server.host.empty()) {
    object.add("host", endpoint.settings.server.host)
        .add("port", endpoint.settings.server.port)
        .add("user", endpoint.settings.user);
  }
  JsonObject given;
  for (const auto& [key, value] : endpoint.given) given.add(key, value);
  return object.add("given", given);
}

ExitCode show(Context& context) {
  const Configuration& configuration = context.configuration();
  Output& out = context.out();
  if (context.json()) {
    for (const EndpointConfig& endpoint : configuration.endpoints) out.line(json(endpoint).text());
    out.line(JsonObject()
                 .add("file", configuration.file.string())
                 .add("store", configuration.store.path.string())
                 .add("retention", durationText(configuration.store.retention))
                 .text());
    return ExitCode::Complete;
  }
  out.line("# " + harmlessLine(configuration.file.string()) + "; lines with # are defaults");
  out.line("[store]");
  out.line("path = \"" + harmlessLine(configuration.store.path.string()) + "\"");
  out.line("retention = \"" + durationText(configuration.store.retention) + "\"");
  for (const EndpointConfig& endpoint : configuration.endpoints) showEndpoint(out, endpoint);
  return ExitCode::Complete;
}

}  // namespace

ExitCode runConfig(Context& context, const ConfigArguments& arguments) {
  switch (arguments.verb) {
    case ConfigArguments::Verb::Check:
      return check(context);
    case ConfigArguments::Verb::Show:
      return show(context);
    case ConfigArguments::Verb::Example:
      context.out().octets(config::exampleText());
      return ExitCode::Complete;
  }
  return ExitCode::Internal;
}

}  // namespace mailbraid::cli
