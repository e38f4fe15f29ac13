#include "cli/context.h"

#include "cli/text/nearest.h"
#include "cli/text/utf8.h"

#include <algorithm>

namespace mailbraid::cli {

void failUsage(const std::string& sentence) {
  throw mailstore::Error(mailstore::ErrorKind::Usage, mailstore::Scope::Run, mailstore::Retry::Never, sentence);
}

std::filesystem::path Context::configurationFile() const {
  return options_.config ? *options_.config : environment_.configurationFile();
}

const config::Configuration& Context::configuration() {
  if (!configuration_) configuration_ = config::load(configurationFile(), environment_);
  return *configuration_;
}

void Context::requireEndpoint(const std::string& name) {
  std::vector<std::string> known;
  for (const config::EndpointConfig& endpoint : configuration().endpoints) known.push_back(endpoint.settings.name);
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  const std::string near = didYouMean(name, known);
  failUsage("there is no endpoint \"" + harmlessLine(name) + "\" in " + configurationFile().string() + ";" +
            (near.empty() ? " `mailbraid config show` lists them" : near));
}

std::vector<sync::endpoint::EndpointSettings> Context::endpoints(const std::vector<std::string>& names,
                                                                 const std::stop_token& stop) {
  for (const std::string& name : names) requireEndpoint(name);
  std::vector<sync::endpoint::EndpointSettings> out;
  for (const config::EndpointConfig& endpoint : configuration().endpoints) {
    if (!names.empty() && std::find(names.begin(), names.end(), endpoint.settings.name) == names.end()) continue;
    out.push_back(endpoint.settings);
    out.back().password = passwordGiver(endpoint, prompter_, stop, [this](bool paused) { log_.pauseProgress(paused); });
  }
  return out;
}

std::vector<sync::endpoint::EndpointSettings> Context::otherEndpoints(
    const std::vector<sync::endpoint::EndpointSettings>& some) {
  std::vector<sync::endpoint::EndpointSettings> out;
  for (const config::EndpointConfig& one : configuration().endpoints) {
    const auto isIt = [&](const auto& other) { return other.name == one.settings.name; };
    if (std::none_of(some.begin(), some.end(), isIt)) out.push_back(one.settings);
  }
  return out;
}

std::unique_ptr<mailstore::Store> Context::storeToRead() {
  const std::filesystem::path& directory = configuration().store.path;
  std::error_code error;
  if (!std::filesystem::exists(directory / "store.db", error) && !error) return nullptr;
  return mailstore::Store::open(directory, mailstore::Access::ReadOnly);
}

std::unique_ptr<mailstore::Store> Context::storeToWrite() {
  return mailstore::Store::open(configuration().store.path, mailstore::Access::ReadWrite);
}

std::string fullName(const mailstore::Mailbox& mailbox) {
  return mailbox.braidName + "/" + mailbox.name;
}

mailstore::MailboxSummary findMailbox(mailstore::Store& store, const std::string& name) {
  const std::vector<mailstore::MailboxSummary> all = store.mailboxes().list();
  const mailstore::MailboxSummary* found = nullptr;
  std::vector<std::string> known;
  for (const mailstore::MailboxSummary& summary : all) {
    known.push_back(fullName(summary.mailbox));
    if (known.back() == name) return summary;
    if (summary.mailbox.name != name) continue;
    if (found != nullptr) {
      failUsage("more than one braid has a mailbox \"" + harmlessLine(name) + "\"; write " +
                harmlessLine(fullName(found->mailbox)) + " or " + harmlessLine(known.back()));
    }
    found = &summary;
  }
  if (found != nullptr) return *found;
  const std::string near = harmlessLine(didYouMean(name, known));
  failUsage("there is no mailbox \"" + harmlessLine(name) + "\" in the store;" +
            (near.empty() ? " `mailbraid ls` lists them" : near));
}

}  // namespace mailbraid::cli
