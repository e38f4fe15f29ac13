// The verification report as lines of text.
#include "cli/text/units.h"
#include "cli/text/utf8.h"
#include "cli/verification_report.h"

#include <algorithm>

namespace mailbraid::cli {
namespace {

using sync::engine::VerifiedMessage;
using sync::engine::VerifyReport;
using sync::plan::Tally;

constexpr std::size_t kWidestName = 40;

class Lines {
 public:
  void add(const std::string& line) { text_ += line + "\n"; }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// Columns in which nothing was counted say nothing.
std::vector<TallyColumn> columnsOf(const Tally& totals) {
  std::vector<TallyColumn> out;
  for (const TallyColumn& column : kTallyColumns) {
    const bool always = column.count == &Tally::expected || column.count == &Tally::ok;
    if (always || totals.*column.count > 0) out.push_back(column);
  }
  return out;
}

std::string rightAligned(std::string_view text, std::size_t width) {
  const std::size_t has = displayWidth(text);
  return std::string(width - std::min(width, has), ' ') + std::string(text);
}

void addTable(Lines& lines, const std::string& heading, const std::vector<std::pair<std::string, Tally>>& rows,
              const Tally& totals) {
  std::size_t width = std::max(displayWidth(heading), displayWidth("total"));
  for (const auto& [name, tally] : rows) width = std::max(width, std::min(kWidestName, displayWidth(name)));
  const std::vector<TallyColumn> columns = columnsOf(totals);
  const auto widthOf = [&](const TallyColumn& column) {
    return std::max(column.label.size(), grouped(totals.*column.count).size());
  };
  const auto row = [&](const std::string& name, const auto& cell) {
    std::string line = "  " + paddedToWidth(name, width);
    for (const TallyColumn& column : columns) line += "  " + rightAligned(cell(column), widthOf(column));
    lines.add(line);
  };
  row(heading, [](const TallyColumn& column) { return std::string(column.label); });
  for (const auto& [name, tally] : rows)
    row(name, [&tally = tally](const TallyColumn& column) { return grouped(tally.*column.count); });
  row("total", [&](const TallyColumn& column) { return grouped(totals.*column.count); });
  lines.add("");
}

void addFinding(Lines& lines, const VerifiedMessage& message) {
  lines.add(std::string(kindName(message.kind)) + ": " + harmlessLine(message.mailbox) + ", " + rfc3339(message.date) +
            ", " + sizeText(message.size) +
            (message.entry ? ", entry " + std::to_string(message.entry->value()) : std::string()) +
            (message.key.empty() ? std::string() : ", there " + harmlessLine(message.key)));
  const auto field = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) lines.add("  " + paddedToWidth(name, 11) + " " + harmlessLine(value));
  };
  field("from", message.header.from);
  field("subject", message.header.subject);
  field("message-id", message.header.messageId);
  field("why", reasonOf(message));
}

void addFindings(Lines& lines, const VerifyReport& report, std::size_t mostListed) {
  const std::size_t listed = std::min(mostListed, report.findings.size());
  for (std::size_t i = 0; i < listed; ++i) addFinding(lines, report.findings[i]);
  if (listed < report.findings.size()) {
    lines.add(grouped(report.findings.size() - listed) + " more; --report FILE.txt, .json or .html lists all");
  }
  if (!report.findings.empty()) lines.add("");
}

void addEndpoint(Lines& lines, const VerifyReport& report, std::size_t mostListed) {
  lines.add(harmlessLine(report.name) + " (" + report.type + ", " + harmlessLine(report.place) +
            "): " + verdictOf(report));
  lines.add(std::string(methodOf(report)));
  for (const std::string& remark : report.remarks) lines.add("Remark: " + harmlessLine(remark));
  for (const auto& problem : report.problems) lines.add("Not compared: " + harmlessLine(problem.sentence));
  lines.add("");
  if (!report.mailboxes.empty()) {
    std::vector<std::pair<std::string, Tally>> rows;
    for (const auto& mailbox : report.mailboxes) rows.emplace_back(harmlessLine(mailbox.name), mailbox.tally);
    addTable(lines, "mailbox", rows, report.totals);
    rows.clear();
    for (const auto& [year, tally] : report.years)
      rows.emplace_back(year == 0 ? "no date" : std::to_string(year), tally);
    addTable(lines, "year", rows, report.totals);
    lines.add(countsText(report.totals));
    lines.add("SHA-256 of the digests of what is expected: " + report.digestOfExpected);
    lines.add("SHA-256 of the digests of what is there:    " + report.digestOfOk);
    lines.add("");
  }
  addFindings(lines, report, mostListed);
}

}  // namespace

std::string renderText(const VerificationReport& report, std::size_t mostListed) {
  Lines lines;
  lines.add(harmlessLine(report.title) + ": " + verdictOf(report));
  lines.add(report.when + ", mailbraid " + report.version);
  for (const auto& fact : report.facts) lines.add(harmlessLine(fact.label) + ": " + harmlessLine(fact.value));
  lines.add("");
  for (const VerifyReport& endpoint : report.endpoints) addEndpoint(lines, endpoint, mostListed);
  std::string text = lines.take();
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

}  // namespace mailbraid::cli
