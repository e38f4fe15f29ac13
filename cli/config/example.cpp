#include "cli/config/configuration.h"

namespace mailbraid::cli::config {
namespace {

std::string exampleLine(const KeyInfo& key, std::string_view prefix) {
  std::string line = std::string(prefix) + std::string(key.name) + " = " + std::string(key.example);
  if (line.size() < 40) line.append(40 - line.size(), ' ');
  line += "  # " + std::string(key.meaning);
  if (!key.fallback.empty()) line += " (default: " + std::string(key.fallback) + ")";
  return line + "\n";
}

}  // namespace

std::string exampleText() {
  std::string out =
      "# The configuration of mailbraid: $XDG_CONFIG_HOME/mailbraid/config.toml (~/.config/mailbraid/config.toml).\n"
      "# Lines without # in front are needed; every other one shows a key and what it is for.\n\n[store]\n";
  for (const auto& key : kStoreKeys) out += exampleLine(key.info, "# ");
  out += "\n# One section an endpoint; [endpoint.NAME] is how reports and commands call it.\n[endpoint.work]\n";
  for (const auto& key : kEndpointKeys) {
    const bool forImap = (key.info.types & bit(EndpointType::Imap)) != 0;
    if (forImap) out += exampleLine(key.info, (key.info.needed & bit(EndpointType::Imap)) != 0 ? "" : "# ");
  }
  out +=
      "\n# A POP3 account whose mail joins that of every other endpoint of the braid \"home\".\n# [endpoint.old-isp]\n";
  out += "# type = \"pop3\"\n# host = \"pop.isp.example\"\n# user = \"me\"\n# braid = \"home\"\n";
  for (const auto& key : kEndpointKeys) {
    if (key.info.types == bit(EndpointType::Pop3)) out += exampleLine(key.info, "# ");
  }
  out +=
      "\n# A tree of mailboxes on this machine's disk.\n# [endpoint.disk]\n# type = \"maildir\"\n# braid = \"home\"\n";
  for (const auto& key : kEndpointKeys) {
    if (key.info.types == kTrees) out += exampleLine(key.info, "# ");
  }
  out += "\n# A mail program's own mbox files.\n# [endpoint.thunderbird]\n# type = \"mbox\"\n# braid = \"home\"\n";
  for (const auto& key : kEndpointKeys) {
    const bool forMbox = (key.info.types & bit(EndpointType::Mbox)) != 0;
    const bool forImap = (key.info.types & bit(EndpointType::Imap)) != 0;
    if (forMbox && !forImap && key.info.types != kTrees) out += exampleLine(key.info, "# ");
  }
  return out;
}

}  // namespace mailbraid::cli::config
