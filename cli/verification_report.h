// The report that proves what is at an endpoint: for people on a terminal, for scripts, and as a page to print and
// sign. Pure.
#pragma once

#include "cli/exit_code.h"
#include "sync/engine/verify.h"

#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::cli {

struct VerificationReport {
  std::string title;
  std::string when;     ///< RFC 3339
  std::string version;  ///< of mailbraid
  /// What led to it, in front of the comparison: a migration's sources, its beginning and end, its counts.
  struct Fact {
    std::string key;    ///< in JSON
    std::string label;  ///< for people
    std::string value;
  };
  std::vector<Fact> facts;
  /// Why all is not well though nothing differs: one sentence without a full stop, which then is the verdict.
  std::string shortfall;
  std::vector<sync::engine::VerifyReport> endpoints;
};

/// 12 when something differs, 11 when messages were refused, what could not be compared by its kind; the gravest.
ExitCode exitCodeOf(const sync::engine::VerifyReport& report);
ExitCode exitCodeOf(const VerificationReport& report);

/// One sentence without a full stop: "Nothing is missing", "4 messages differ" ...
std::string verdictOf(const sync::engine::VerifyReport& report);
std::string verdictOf(const VerificationReport& report);
/// How many of what, in one sentence: "126 of 158 messages (1.2 MB of 2.0 MB) are as they should be; 31 missing, 1
/// extra".
std::string countsText(const sync::plan::Tally& totals);
sync::plan::Tally totalsOf(const VerificationReport& report);
/// What was compared, in a sentence or two.
std::string_view methodOf(const sync::engine::VerifyReport& report);

/// "missing", "altered", ... as in all three forms.
std::string_view kindName(sync::plan::Finding::Kind kind);
/// Why, as a clause for people; may be empty.
std::string reasonOf(const sync::engine::VerifiedMessage& message);

/// The columns of all tables, in order.
struct TallyColumn {
  std::uint64_t sync::plan::Tally::*count;
  std::string_view label;
  std::string_view json;
};
inline constexpr TallyColumn kTallyColumns[] = {
    {&sync::plan::Tally::expected, "expected", "expected"},    {&sync::plan::Tally::ok, "ok", "ok"},
    {&sync::plan::Tally::missing, "missing", "missing"},       {&sync::plan::Tally::altered, "altered", "altered"},
    {&sync::plan::Tally::misplaced, "misplaced", "misplaced"}, {&sync::plan::Tally::extra, "extra", "extra"},
    {&sync::plan::Tally::refused, "refused", "refused"},       {&sync::plan::Tally::leftOut, "left out", "left_out"},
};

/// Lines for a terminal or a file; of each endpoint at most `mostListed` findings are listed, differences first.
std::string renderText(const VerificationReport& report, std::size_t mostListed);
/// One object on one line.
std::string renderJson(const VerificationReport& report);
/// One page of HTML that needs nothing else.
std::string renderHtml(const VerificationReport& report);

}  // namespace mailbraid::cli
