// `limits`: a provider's name, or a table.
#include "cli/config/reader.h"
#include "cli/text/nearest.h"
#include "cli/text/utf8.h"
#include "sync/endpoint/provider_limits.h"

#include <algorithm>
#include <array>

namespace mailbraid::cli::config {
namespace {

/// A key of the table: what its value looks like, and where it goes.
struct LimitKey {
  std::string_view name;
  Shape shape;
  std::string_view example;
  std::optional<std::uint64_t> GivenLimits::*amount;  ///< null: `patience`
};
constexpr std::array kLimitKeys{
    LimitKey{"bytes_per_second", Shape::Size, "\"1M\"", &GivenLimits::bytesPerSecond},
    LimitKey{"messages_per_second", Shape::Count, "10", &GivenLimits::messagesPerSecond},
    LimitKey{"download_per_day", Shape::Size, "\"2G\"", &GivenLimits::downloadPerDay},
    LimitKey{"upload_per_day", Shape::Size, "\"500M\"", &GivenLimits::uploadPerDay},
    LimitKey{"connections", Shape::Count, "5", &GivenLimits::connections},
    LimitKey{"patience", Shape::Duration, "\"2m\"", nullptr},
};

std::vector<std::string> keyNames() {
  std::vector<std::string> out;
  out.reserve(std::size(kLimitKeys));
  for (const LimitKey& key : kLimitKeys) out.emplace_back(key.name);
  return out;
}

/// "gmail|none".
std::string providerChoices() {
  std::string out;
  for (const sync::endpoint::ProviderLimits& provider : sync::endpoint::providerLimits()) {
    const std::string name(provider.name);
    if (("|" + out).find("|" + name + "|") == std::string::npos) out += name + "|";
  }
  return out + "none";
}

std::string unknownLimit(std::string_view name) {
  std::string keys;
  for (const std::string& one : keyNames()) keys += (keys.empty() ? "" : ", ") + one;
  const std::string near = didYouMean(name, keyNames());
  return "has an unknown key \"" + harmlessLine(name) + "\";" + (near.empty() ? " its keys are " + keys : near);
}

/// What is wrong with the value; empty: it was taken.
std::string take(const LimitKey& key, const toml::node& node, GivenLimits& out) {
  const bool none = node.value_exact<std::string>() == "none";
  if (none && key.amount != nullptr) {
    out.*key.amount = 0;
    return {};
  }
  Reading reading = readValue({key.name, key.shape, kServers, 0, "", "", key.example, ""}, node, {});
  if (!reading.value) return std::string(key.name) + " " + reading.wrong;
  if (key.amount != nullptr) {
    out.*key.amount = std::get<std::uint64_t>(*reading.value);
  } else {
    out.patience = std::get<std::chrono::seconds>(*reading.value);
  }
  return {};
}

}  // namespace

Reading readLimits(const KeyInfo& key, const toml::node& node) {
  GivenLimits out;
  if (const auto name = node.value_exact<std::string>()) {
    const std::vector<std::string> known = choicesOf(providerChoices());
    if (std::find(known.begin(), known.end(), *name) == known.end()) {
      return {std::nullopt, "\"" + harmlessLine(*name) + "\" is not known; write " + choicesInWords(providerChoices()) +
                                ", or a table as " + std::string(key.example)};
    }
    out.provider = *name;
    return {Value(std::move(out)), {}};
  }
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    return {std::nullopt,
            "must be a name or a table; write " + std::string(key.name) + " = " + std::string(key.example)};
  }
  for (auto&& [name, value] : *table) {
    const auto known = std::find_if(kLimitKeys.begin(), kLimitKeys.end(),
                                    [word = name.str()](const LimitKey& one) { return one.name == word; });
    if (known == kLimitKeys.end()) return {std::nullopt, unknownLimit(name.str())};
    if (std::string wrong = take(*known, value, out); !wrong.empty()) return {std::nullopt, std::move(wrong)};
  }
  return {Value(std::move(out)), {}};
}

std::string applyLimits(EndpointDraft& draft) {
  EndpointSettings& settings = draft.settings;
  const GivenLimits& given = draft.limits;
  const sync::endpoint::ProviderLimits* provider =
      given.provider.empty() ? sync::endpoint::limitsOfHost(settings.server.host, settings.type)
                             : sync::endpoint::limitsOfProvider(given.provider, settings.type);
  const auto documented = provider != nullptr ? *provider : sync::endpoint::ProviderLimits{};
  settings.limits.downloadPerDay = given.downloadPerDay.value_or(documented.downloadPerDay);
  settings.limits.uploadPerDay = given.uploadPerDay.value_or(documented.uploadPerDay);
  settings.limits.messagesPerSecond = given.messagesPerSecond.value_or(0);
  settings.limits.patience = given.patience.value_or(std::chrono::minutes(2));
  settings.server.bytesPerSecond = given.bytesPerSecond.value_or(0);
  if (const std::uint64_t most = given.connections.value_or(0); most != 0) {
    settings.connections = static_cast<unsigned>(std::min<std::uint64_t>(settings.connections, most));
  }
  const bool unknown = provider == nullptr && !given.provider.empty() && given.provider != "none";
  return unknown ? "\"" + given.provider + "\" documents none for endpoints of this type; write \"none\", or a table"
                 : std::string();
}

}  // namespace mailbraid::cli::config
