// What a migration has brought, and what is left to do, for people and for scripts. Pure.
#pragma once

#include "cli/exit_code.h"
#include "cli/text/json.h"
#include "mailstore/records.h"
#include "sync/endpoint/settings.h"
#include "sync/engine/engine.h"
#include "sync/engine/view.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mailbraid::cli {

struct Migration {
  struct Source {
    std::string name;
    sync::endpoint::EndpointType type = sync::endpoint::EndpointType::Imap;
    mailstore::Balance balance;
    /// Messages of the balance that were put into mailboxes of the destination which the run did not read, and are
    /// nowhere else there: `there` is without them.
    std::uint64_t unread = 0;
    std::uint64_t leftThere = 0;  ///< messages that the source itself still has, when it was read last
    std::uint64_t notTaken = 0;   ///< of these, which the store has not: left out by the configuration, or quarantined
    /// Mailboxes that hold mail and were not taken; what a view shows is not in leftThere.
    std::vector<sync::engine::LeftOutMailbox> leftOut;
    std::vector<sync::engine::ViewReading> views;  ///< views of all mail that were read
    std::vector<std::string> mailboxes;            ///< the patterns of its configuration
    std::map<std::string, std::string> map;        ///< likewise
    bool hasArchive = false;                       ///< one of its mailboxes is the archive
    bool hasLimits = false;                        ///< max_size, max_age or max_messages
    /// What the configuration deletes there in a sync; and whether it may in the migration.
    enum class Deletions : std::uint8_t { None, Configured, Withheld };
    Deletions deletions = Deletions::None;
    /// Messages of its views of all mail that are not at the destination: 0 where there is no such view, or the user
    /// has left it out; none where one was not read.
    [[nodiscard]] std::optional<std::uint64_t> onlyInView() const;
  };
  std::vector<Source> sources;
  std::string destination;
  std::string braid;
  bool isFinal = false;
  bool isProven = true;     ///< no comparison found a difference, or was cut short
  bool isCutShort = false;  ///< a view or the destination could not be looked at: another run may
  /// The store has every message of every source.
  [[nodiscard]] bool isAllTaken() const;
  /// Every message of every source is at the destination.
  [[nodiscard]] bool isWhole() const;
  /// Whether running it again as it is may bring what is not there.
  [[nodiscard]] bool mayBringMore() const;
  /// All that is known is at the destination, but a view of all mail that was not read may have more.
  [[nodiscard]] bool isUnknown() const;
  /// Messages that were taken and are not at the destination.
  [[nodiscard]] std::uint64_t missing() const;
};

/// 11 when messages that were taken are not at the destination, 12 when a final run has not brought all, else as the
/// run; the gravest.
ExitCode exitCodeOf(const sync::engine::RunReport& report, const Migration& migration);

/// Why a comparison of the destination with the store proves nothing, as VerificationReport has it: what was not taken
/// is no difference between the two, but it is not there either.
std::string shortfallOf(const sync::engine::RunReport& report, const Migration& migration);

/// Of each source, how many of its messages are at the destination; then what to do next.
std::vector<std::string> migrationLines(const sync::engine::RunReport& report, const Migration& migration);
struct Speed {
  std::uint64_t octets = 0;  ///< a second; not 0
  bool isMeasured = false;
};
/// `rate`, or what the newest of `runs` (newest first) that uploaded much had; none: none did.
std::optional<Speed> speedOf(const std::vector<mailstore::RunRow>& runs, std::optional<std::uint64_t> rate);
/// Of a dry run: how much there is to upload, how long that takes, and which mailboxes of `sources` are not taken.
std::vector<std::string> estimateLines(const sync::engine::RunReport& report, std::optional<Speed> speed,
                                       const std::vector<Migration::Source>& sources);
JsonObject estimateJson(const sync::engine::RunReport& report, std::optional<Speed> speed,
                        const std::vector<Migration::Source>& sources);

JsonObject migrationJson(const sync::engine::RunReport& report, const Migration& migration);

}  // namespace mailbraid::cli
