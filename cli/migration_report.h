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
    std::uint64_t leftThere = 0;  ///< messages that the source itself still has, when it was read last
    std::uint64_t notTaken = 0;   ///< of these, which the store has not: left out by the configuration, or quarantined
  };
  std::vector<Source> sources;
  std::string destination;
  std::string braid;
  bool isFinal = false;
  bool isProven = true;  ///< no comparison found a difference
  /// Every message of every source is at the destination.
  [[nodiscard]] bool isWhole() const;
};

/// Of each source, how many of its messages are at the destination; then what to do next.
std::vector<std::string> migrationLines(const sync::engine::RunReport& report, const Migration& migration);
struct Speed {
  std::uint64_t octets = 0;  ///< a second; not 0
  bool isMeasured = false;
};
/// `rate`, or what the newest of `runs` (newest first) that uploaded much had; none: none did.
std::optional<Speed> speedOf(const std::vector<mailstore::RunRow>& runs, std::optional<std::uint64_t> rate);
/// Of a dry run: how much there is to upload, and how long that takes.
std::vector<std::string> estimateLines(const sync::engine::RunReport& report, std::optional<Speed> speed);
JsonObject estimateJson(const sync::engine::RunReport& report, std::optional<Speed> speed);

JsonObject migrationJson(const sync::engine::RunReport& report, const Migration& migration);

}  // namespace mailbraid::cli
