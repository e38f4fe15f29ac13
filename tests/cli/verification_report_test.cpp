#include "cli/verification_report.h"

#include "cli/report_files.h"
#include "tests/cli/scratch.h"
#include "tests/support/catch.h"

#include <fstream>
#include <iterator>
#include <string>

using namespace mailbraid::cli;
using mailbraid::mailstore::ErrorKind;
using mailbraid::sync::engine::VerifiedMessage;
using mailbraid::sync::engine::VerifyReport;
using mailbraid::sync::plan::Finding;
using mailbraid::sync::plan::Tally;

namespace {

VerifyReport comparison(Tally totals) {
  VerifyReport out;
  out.name = "work";
  out.type = "imap";
  out.place = "me at imap.example.org";
  out.totals = totals;
  out.mailboxes = {{"INBOX", "INBOX", totals}};
  out.years[2024] = totals;
  return out;
}

Tally tally(std::uint64_t ok, std::uint64_t missing, std::uint64_t refused = 0) {
  Tally out;
  out.expected = ok + missing + refused;
  out.ok = ok;
  out.missing = missing;
  out.refused = refused;
  return out;
}

VerificationReport reportOf(VerifyReport endpoint) {
  return {"Comparison", "2026-11-26T09:00:00Z", "1.0", {{"sources", "From", "old <isp>"}}, {}, {std::move(endpoint)}};
}

VerifiedMessage message(Finding::Kind kind, const std::string& subject) {
  VerifiedMessage out;
  out.kind = kind;
  out.mailbox = "INBOX";
  out.header.subject = subject;
  return out;
}

std::string contentOf(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the verdict is one sentence, and the exit code goes with it", "[cli][verification]") {
  VerifyReport report = comparison(tally(5, 0));
  CHECK(verdictOf(report) == "Nothing is missing");
  CHECK(exitCodeOf(report) == ExitCode::Complete);
  report.totals = tally(5, 0, 1);
  CHECK(verdictOf(report) == "Nothing is missing but 1 message that was refused");
  CHECK(exitCodeOf(report) == ExitCode::Quarantined);
  report.totals = tally(5, 1, 2);
  CHECK(verdictOf(report) == "1 message differs; 2 messages were refused");
  CHECK(exitCodeOf(report) == ExitCode::Different);
  report.problems.push_back({ErrorKind::Unreachable, {}, "", "it is away"});
  CHECK(verdictOf(report) == "The comparison is not complete");
  CHECK(exitCodeOf(report) == ExitCode::Unreachable);
}

TEST_CASE("several endpoints have the gravest exit code and one verdict", "[cli][verification]") {
  VerificationReport report = reportOf(comparison(tally(5, 1)));
  report.endpoints.push_back(comparison(tally(3, 0)));
  CHECK(verdictOf(report) == "1 message differs");
  CHECK(exitCodeOf(report) == ExitCode::Different);
  CHECK(countsText(totalsOf(report)) == "8 of 9 messages (0 B of 0 B) are as they should be; 1 missing");
}

TEST_CASE("a comparison without a difference is no proof when not everything was taken", "[cli][verification]") {
  VerificationReport report = reportOf(comparison(tally(5, 0)));
  report.shortfall = "Not all mail of old is at new";
  CHECK(verdictOf(report) == "Not all mail of old is at new");
  CHECK(exitCodeOf(report) == ExitCode::Different);
  CHECK(has(renderJson(report), R"("verdict":"Not all mail of old is at new","exit_code":12)"));
  CHECK(has(renderHtml(report), "verdict bad"));
  report.endpoints[0].totals = tally(5, 1);
  CHECK(verdictOf(report) == "1 message differs");
}

TEST_CASE("whatever mail says stays text in the page", "[cli][verification]") {
  VerificationReport report = reportOf(comparison(tally(5, 2)));
  report.endpoints[0].findings = {message(Finding::Kind::Missing, "<script>alert('1')</script> & \"more\"")};
  report.endpoints[0].findings[0].header.from = "\xE2\x80\xAEgnp.exe <x@example.org>\n";
  const std::string page = renderHtml(report);
  CHECK_FALSE(has(page, "<script"));
  CHECK_FALSE(has(page, "\xE2\x80\xAE"));
  CHECK(has(page, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;more&quot;"));
  CHECK(has(page, "old &lt;isp&gt;"));
  CHECK_FALSE(has(page, "http"));
}

TEST_CASE("a terminal gets the first findings, a file all of them", "[cli][verification]") {
  VerificationReport report = reportOf(comparison(tally(0, 60)));
  for (int i = 0; i < 60; ++i)
    report.endpoints[0].findings.push_back(message(Finding::Kind::Missing, "subject " + std::to_string(i) + "."));
  const std::string some = renderText(report, 50);
  CHECK(has(some, "subject 49."));
  CHECK_FALSE(has(some, "subject 50."));
  CHECK(has(some, "10 more; --report FILE.txt, .json or .html lists all"));
  CHECK(has(renderText(report, 1000), "subject 59."));
}

TEST_CASE("differences are never cut from the page, remarks are counted", "[cli][verification]") {
  VerificationReport report = reportOf(comparison(tally(0, 3000)));
  for (int i = 0; i < 3000; ++i) {
    report.endpoints[0].findings.push_back(message(Finding::Kind::Missing, "lost " + std::to_string(i) + "."));
    report.endpoints[0].findings.push_back(message(Finding::Kind::FlagsDiffer, "read " + std::to_string(i) + "."));
  }
  const std::string page = renderHtml(report);
  CHECK(has(page, "lost 2999."));
  CHECK_FALSE(has(page, "read 2999."));
  CHECK(has(page, "flags differ: 3,000 messages, of which 1,000 are listed here and all in the report as JSON."));
  CHECK(has(renderJson(report), "read 2999."));
}

TEST_CASE("a report that cannot be written leaves what was there", "[cli][verification]") {
  const mailbraid::cli::tests::Scratch scratch;
  const std::filesystem::path page = scratch.write("proof.html", "old", 0644);
  CHECK_THROWS_WITH(ReportFiles({scratch.path() / "proof.pdf"}), Catch::Contains(".txt, .json or .html"));
  { const ReportFiles unused({page}); }
  CHECK(contentOf(page) == "old");
  CHECK_FALSE(std::filesystem::exists(page.string() + ".new"));
  ReportFiles files({page});
  files.write(reportOf(comparison(tally(1, 0))));
  CHECK(has(contentOf(page), "Nothing is missing."));
}
