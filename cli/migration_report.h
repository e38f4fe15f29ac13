// What a migration has brought, and what is left to do, for people and for scripts. Pure.
#pragma once

#include "cli/text/json.h"
#include "mailstore/records.h"
#include "sync/endpoint/settings.h"
#include "sync/engine/engine.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mailbraid::cli {

struct Migration {
  struct Source {
    std::string name;
    sync::endpoint::EndpointType type = sync::endpoint::EndpointType::Imap;
    mailstore::Balance balance;
    std::uint64_t leftThere = 0;  ///< messages that the source itself still has, as far as is known
  };
  std::vector<Source> sources;
  std::string destination;
  std::string braid;
  bool isFinal = false;
};

/// Of each source, how many of its messages are at the destination; then what to do next.
std::vector<std::string> migrationLines(const sync::engine::RunReport& report, const Migration& migration);
/// Of a dry run: how much there is to upload, and how long that takes at `rate` octets a second, or as fast as the
/// sources were read.
std::vector<std::string> estimateLines(const sync::engine::RunReport& report, std::optional<std::uint64_t> rate);
JsonObject estimateJson(const sync::engine::RunReport& report, std::optional<std::uint64_t> rate);

JsonObject migrationJson(const sync::engine::RunReport& report, const Migration& migration);

}  // namespace mailbraid::cli
