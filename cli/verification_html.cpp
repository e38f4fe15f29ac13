// The verification report as one page of HTML: no script, no file beside it, fit for A4.
#include "cli/text/units.h"
#include "cli/text/utf8.h"
#include "cli/verification_report.h"

#include <algorithm>
#include <map>

namespace mailbraid::cli {
namespace {

using sync::engine::VerifiedMessage;
using sync::engine::VerifyReport;
using sync::plan::Finding;
using sync::plan::Tally;

// A page with a hundred thousand remarks is no page any more.
constexpr std::size_t kMostRemarks = 1000;

constexpr char kStyle[] = R"(
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #ffffff; --band: #f6f8fa;
  --good: #1a7f37; --bad: #b42318; --note: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9da7b3; --line: #3d444d; --paper: #14181d;
  --band: #1c2128; --good: #57c46d; --bad: #ff7b72; --note: #e3b341; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 "Segoe UI", "Helvetica Neue", "Noto Sans", "DejaVu Sans", Arial, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; padding-bottom: .25rem; border-bottom: 2px solid var(--line); }
h3 { font-size: 1rem; margin: 1.75rem 0 .5rem; }
p { margin: .5rem 0; }
.soft { color: var(--soft); }
.verdict { margin: 1.25rem 0; padding: .9rem 1.1rem; border: 1px solid var(--line); border-left: .4rem solid var(--good);
  background: var(--band); border-radius: .25rem; }
.verdict strong { display: block; font-size: 1.3rem; }
.verdict.bad { border-left-color: var(--bad); }
.verdict.note { border-left-color: var(--note); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.25rem; margin: .75rem 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table.findings { table-layout: fixed; min-width: 46rem; }
.findings th:nth-child(1) { width: 6.5rem; }
.findings th:nth-child(2) { width: 14%; }
.findings th:nth-child(3) { width: 6.6rem; }
.findings th:nth-child(5) { width: 5.5rem; }
.findings th:nth-child(6) { width: 21%; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { background: var(--band); border-bottom: 2px solid var(--line); font-weight: 600; }
th.n, td.n { text-align: right; white-space: nowrap; }
thead th.n { white-space: normal; }
tfoot td { font-weight: 600; border-top: 2px solid var(--line); }
td.zero { color: var(--soft); }
td.hit { color: var(--bad); font-weight: 600; }
td.tell { color: var(--note); font-weight: 600; }
.what { font-weight: 600; }
.difference { color: var(--bad); }
.known { color: var(--note); }
.words { overflow-wrap: anywhere; }
.tallies .words { min-width: 10em; }
.date { white-space: nowrap; }
.words small, .from, .id { color: var(--soft); overflow-wrap: anywhere; }
.words small, .id { font-size: .9em; }
.hash { font-family: "DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas, monospace; font-size: .87em; }
.sign { display: grid; grid-template-columns: 1fr 1fr; gap: 2.75rem 2rem; margin-top: 3.5rem; }
.sign div { border-top: 1px solid var(--ink); padding-top: .25rem; color: var(--soft); font-size: .85rem; }
@page { size: A4; margin: 16mm 14mm; }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --band: #f2f2f2;
    --good: #1a7f37; --bad: #b42318; --note: #7a5200; }
  body { font-size: 10pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  .scroll { overflow: visible; }
  table { font-size: 8.5pt; }
  table.findings { min-width: 0; }
  .findings th:nth-child(1) { width: 7.2em; }
  .findings th:nth-child(3) { width: 7.6em; }
  .findings th:nth-child(5) { width: 5em; }
  thead { display: table-header-group; }
  tfoot { display: table-row-group; }
  tr, .verdict, .sign, dl { break-inside: avoid; }
  h2, h3, h3 + p { break-after: avoid; } }
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : harmlessLine(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string element(std::string_view name, std::string_view text, std::string_view kind = {}) {
  std::string out = "<" + std::string(name);
  if (!kind.empty()) out += " class=\"" + std::string(kind) + "\"";
  return out + ">" + escaped(text) + "</" + std::string(name) + ">";
}

std::string definition(std::string_view name, std::string_view value, std::string_view kind = {}) {
  return element("dt", name) + element("dd", value, kind) + "\n";
}

/// As people write it: a space between date and time.
std::string dateText(const mailstore::InternalDate& date) {
  std::string out = rfc3339(date);
  std::replace(out.begin(), out.end(), 'T', ' ');
  return out;
}

/// Date and time, a line each.
std::string dateCell(const mailstore::InternalDate& date) {
  if (date.seconds == 0) return element("td", "no date");
  const std::string text = dateText(date);
  const std::size_t space = text.find(' ');
  return "<td>" + element("div", text.substr(0, space), "date") + element("div", text.substr(space + 1), "date") +
         "</td>";
}

std::string_view toneOf(ExitCode code) {
  if (code == ExitCode::Complete) return "verdict";
  return code == ExitCode::Quarantined ? "verdict note" : "verdict bad";
}

std::string verdictBox(const std::string& verdict, ExitCode code, const std::string& below) {
  return "<div class=\"" + std::string(toneOf(code)) + "\"><strong>" + escaped(verdict) + ".</strong>" +
         escaped(below) + "</div>\n";
}

std::string numberCell(const TallyColumn& column, const Tally& tally) {
  const std::uint64_t count = tally.*column.count;
  const bool always = column.count == &Tally::expected || column.count == &Tally::ok;
  const bool known = column.count == &Tally::refused || column.count == &Tally::leftOut;
  const std::string kind = count == 0 ? "n zero" : always ? "n" : known ? "n tell" : "n hit";
  return element("td", grouped(count), kind);
}

std::string tallyTable(std::string_view heading, const std::vector<std::pair<std::string, Tally>>& rows,
                       const Tally& totals) {
  std::string out = "<div class=\"scroll\"><table class=\"tallies\"><thead><tr>" + element("th", heading);
  for (const TallyColumn& column : kTallyColumns) out += element("th", column.label, "n");
  out += element("th", "size", "n") + "</tr></thead>\n<tbody>\n";
  const auto addRow = [&](const std::string& name, const Tally& tally) {
    out += "<tr>" + element("td", name, "words");
    for (const TallyColumn& column : kTallyColumns) out += numberCell(column, tally);
    out += element("td", sizeText(tally.octetsExpected), "n") + "</tr>\n";
  };
  for (const auto& [name, tally] : rows) addRow(name, tally);
  out += "</tbody>\n<tfoot>\n";
  addRow("total", totals);
  return out + "</tfoot></table></div>\n";
}

std::string findingRow(const VerifiedMessage& message) {
  const bool difference = sync::plan::isDifference(message.kind);
  const bool refused = message.kind == Finding::Kind::Refused;
  std::string out = "<tr>" + element("td", kindName(message.kind),
                                     difference ? "what difference"
                                     : refused  ? "what known"
                                                : "what");
  out += element("td", message.mailbox, "words") + dateCell(message.date);
  out +=
      "<td class=\"words\">" + element("div", message.header.subject.empty() ? "(no subject)" : message.header.subject);
  out += element("div", message.header.from.empty() ? "(no sender)" : message.header.from, "from");
  if (!message.header.messageId.empty()) out += "<small>" + escaped("<" + message.header.messageId + ">") + "</small>";
  out += "</td>" + element("td", sizeText(message.size), "n") + "<td class=\"words\">" + escaped(reasonOf(message));
  std::string place;
  if (message.entry) place = "store entry " + std::to_string(message.entry->value());
  if (!message.key.empty()) place += (place.empty() ? "there: " : "; there: ") + message.key;
  if (!place.empty()) out += "<div class=\"id\">" + escaped(place) + "</div>";
  return out + "</td></tr>\n";
}

std::string findingsTable(const std::vector<const VerifiedMessage*>& messages) {
  std::string out = "<div class=\"scroll\"><table class=\"findings\"><thead><tr>";
  for (const std::string_view heading : {"what", "mailbox", "date", "subject, from, Message-ID"})
    out += element("th", heading);
  out += element("th", "size", "n") + element("th", "why, and where") + "</tr></thead>\n<tbody>\n";
  for (const VerifiedMessage* message : messages) out += findingRow(*message);
  return out + "</tbody></table></div>\n";
}

std::string findingsSections(const VerifyReport& report) {
  std::vector<const VerifiedMessage*> differences;
  std::vector<const VerifiedMessage*> remarks;
  std::map<Finding::Kind, std::size_t> remarked;
  for (const VerifiedMessage& message : report.findings) {
    if (sync::plan::isDifference(message.kind) || message.kind == Finding::Kind::Refused) {
      differences.push_back(&message);
    } else if (++remarked[message.kind] <= kMostRemarks) {
      remarks.push_back(&message);
    }
  }
  std::string out = element("h3", "Every message that is not as it should be") + "\n";
  out += differences.empty() ? element("p", report.complete() ? "None." : "Not known: the comparison is not complete.")
                             : findingsTable(differences);
  if (remarks.empty()) return out;
  out += element("h3", "Remarks on messages that are as they should be") + "\n";
  for (const auto& [kind, count] : remarked) {
    const std::string rest =
        count > kMostRemarks ? ", of which " + grouped(kMostRemarks) + " are listed here and all in the report as JSON"
                             : std::string();
    out += element("p", std::string(kindName(kind)) + ": " + counted(count, "message") + rest + ".") + "\n";
  }
  return out + findingsTable(remarks);
}

std::string endpointSection(const VerifyReport& report, bool isOnlyOne) {
  std::string out = element("h2", isOnlyOne ? "What was compared, and how" : report.name) + "\n";
  if (!isOnlyOne) out += verdictBox(verdictOf(report), exitCodeOf(report), countsText(report.totals) + ".");
  out += "<dl>\n" + definition("Endpoint", report.name + " (" + report.type + ")") + definition("Where", report.place) +
         definition("Braid in the store", report.braid) + definition("Begun", dateText({report.started, 0})) +
         definition("Ended", dateText({report.finished, 0})) + definition("How", methodOf(report)) + "</dl>\n";
  for (const std::string& remark : report.remarks) out += element("p", "Remark: " + remark) + "\n";
  if (!report.problems.empty()) {
    out += element("h3", "What could not be compared") + "\n<ul>\n";
    for (const auto& problem : report.problems) out += element("li", problem.sentence) + "\n";
    out += "</ul>\n";
  }
  if (!report.mailboxes.empty()) {
    std::vector<std::pair<std::string, Tally>> rows;
    for (const auto& mailbox : report.mailboxes) rows.emplace_back(mailbox.name, mailbox.tally);
    out += element("h3", "By mailbox") + "\n" + tallyTable("mailbox", rows, report.totals);
    rows.clear();
    for (const auto& [year, tally] : report.years)
      rows.emplace_back(year == 0 ? "no date" : std::to_string(year), tally);
    out += element("h3", "By year") + "\n" + tallyTable("year", rows, report.totals);
  }
  out += findingsSections(report);
  if (report.mailboxes.empty()) return out;
  out += element("h3", "Fingerprints") + "\n";
  out += element("p",
                 "SHA-256 of the sorted list of the SHA-256 of every message, a line each: it is the same whenever "
                 "the same messages are compared.",
                 "soft");
  return out + "<dl>\n" + definition("What is expected", report.digestOfExpected, "hash") +
         definition("What is there", report.digestOfOk, "hash") + "</dl>\n";
}

std::string signatureBlock() {
  return "<section class=\"sign\">" + element("div", "Place, date") + element("div", "Signature") +
         element("div", "Name in block letters") + element("div", "For (organisation, function)") + "</section>\n";
}

}  // namespace

std::string renderHtml(const VerificationReport& report) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += element("title", report.title) + "\n<style>" + kStyle + "</style>\n</head>\n<body>\n<main>\n";
  out += element("h1", report.title) + "\n";
  out += element("p", report.when + ", mailbraid " + report.version, "soft") + "\n";
  out += verdictBox(verdictOf(report), exitCodeOf(report), countsText(totalsOf(report)) + ".");
  if (!report.facts.empty()) {
    out += "<dl>\n";
    for (const auto& fact : report.facts) out += definition(fact.label, fact.value);
    out += "</dl>\n";
  }
  for (const VerifyReport& endpoint : report.endpoints) out += endpointSection(endpoint, report.endpoints.size() == 1);
  return out + signatureBlock() + "</main>\n</body>\n</html>\n";
}

}  // namespace mailbraid::cli
