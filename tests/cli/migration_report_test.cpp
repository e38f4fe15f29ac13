// What a migration says of what is not at its destination, and what it ends with.
#include "cli/migration_report.h"
#include "cli/migration_left_out.h"
#include "cli/report.h"
#include "tests/support/catch.h"

#include <string>
#include <utility>
#include <vector>

using namespace mailbraid::cli;
using mailbraid::mailstore::Role;
using mailbraid::sync::endpoint::EndpointType;
using mailbraid::sync::engine::LeftOutMailbox;
using mailbraid::sync::engine::Problem;
using mailbraid::sync::engine::RunReport;
using mailbraid::sync::engine::ViewReading;
using Source = Migration::Source;
using Why = LeftOutMailbox::Why;

namespace {

Source sourceWith(std::uint64_t messages, std::uint64_t there) {
  Source out;
  out.name = "old";
  out.balance.messages = messages;
  out.balance.there = there;
  return out;
}

Migration migrationOf(Source source) {
  Migration out;
  out.sources = {std::move(source)};
  out.destination = "new";
  out.braid = "new";
  return out;
}

LeftOutMailbox viewOfAll() {
  return {"All", Role::All, 43, Why::View, "it is a view"};
}

RunReport runWith(std::vector<Problem> problems = {}) {
  RunReport run;
  run.run = mailbraid::mailstore::RunId{1};
  run.endpoints.resize(2);
  run.endpoints[1].problems = std::move(problems);
  return run;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("messages that are not at the destination end each run with 11, and the final one with 12",
          "[cli][migration]") {
  Migration migration = migrationOf(sourceWith(3, 2));
  CHECK(exitCodeOf(runWith(), migration) == ExitCode::Quarantined);
  const Problem full{mailbraid::mailstore::ErrorKind::TemporaryFailure, mailbraid::mailstore::Retry::Later, "",
                     "the account is full"};
  CHECK(exitCodeOf(runWith({full}), migration) == ExitCode::Partial);
  migration.isFinal = true;
  CHECK(exitCodeOf(runWith(), migration) == ExitCode::Different);
  CHECK(exitCodeOf(runWith(), migrationOf(sourceWith(3, 3))) == ExitCode::Complete);
}

TEST_CASE("a comparison proves nothing after a run that was cut short, or when something was not taken",
          "[cli][migration]") {
  Migration migration = migrationOf(sourceWith(3, 3));
  CHECK(shortfallOf(runWith(), migration).empty());
  RunReport run = runWith();
  run.cancelled = true;
  CHECK(shortfallOf(run, migration) == "The run before the comparison was not complete");
  migration.sources[0].notTaken = 1;
  CHECK(shortfallOf(runWith(), migration) == "Not all mail of old is at new");
  // Before the last run more is to come: what is missing then is for the comparison to tell.
  migration = migrationOf(sourceWith(3, 2));
  CHECK(shortfallOf(runWith(), migration).empty());
  migration.isFinal = true;
  CHECK(shortfallOf(runWith(), migration) == "Not all mail of old is at new");
}

TEST_CASE("`status` is named only for what it lists", "[cli][migration]") {
  Source source = sourceWith(9, 3);
  source.balance.refused = 1;
  source.balance.waiting = 6;
  CHECK(migrationLines(runWith(), migrationOf(source)).front() ==
        "old: 9 messages taken, 3 at new, 6 not, of which 1 refused there; `mailbraid status` says why");
  source.balance.waiting = 1;
  source.balance.gone = 2;
  CHECK(
      migrationLines(runWith(), migrationOf(source)).front() ==
      "old: 9 messages taken, 3 at new, 6 not, of which 1 refused there; `mailbraid status` says why of 1; 2 had been "
      "there and were removed: that is not brought again; 3 had been uploaded and were not seen there since, or not "
      "with the same content: `mailbraid verify new` names them");
  RunReport run = runWith();
  run.cancelled = true;
  CHECK(contains(migrationLines(run, migrationOf(source)).front(), "; 3 are still to be brought"));
  source.balance = {9, 0, 3, 0, 0, 0};
  CHECK_FALSE(contains(joined(migrationLines(runWith(), migrationOf(source))), "status"));
}

TEST_CASE("where running it again brings no more, what helps instead is named, and nothing that is not so",
          "[cli][migration]") {
  const auto lastLine = [](const Source& source) { return migrationLines(runWith(), migrationOf(source)).back(); };
  Source source = sourceWith(5, 4);
  source.balance.gone = 1;
  CHECK(lastLine(source) ==
        "running it again as it is brings no more: what was removed at new is not put there again; `mailbraid status` "
        "says how to accept that, after which `mailbraid restore` brings back what is wanted");
  source = sourceWith(5, 5);
  source.notTaken = 3;
  CHECK(lastLine(source) ==
        "running it again as it is brings no more: `mailbraid status` says why messages were not taken");
  source.hasLimits = true;
  CHECK(lastLine(source) ==
        "running it again as it is brings no more: what is left out is taken when max_size, max_age or max_messages "
        "below [endpoint.old] let it");
  source = sourceWith(5, 5);
  source.leftOut = {viewOfAll()};
  source.views = {{"All", 2, {}}};
  CHECK(lastLine(source) ==
        "running it again as it is brings no more: take the view of all mail, or leave it out by its name");
  CHECK(contains(lastLine(sourceWith(5, 4)), "run it again to go on"));
}

TEST_CASE("what is in mailboxes that the run did not read is not at the destination", "[cli][migration]") {
  Source source = sourceWith(8, 5);
  source.unread = 3;
  CHECK(contains(migrationLines(runWith(), migrationOf(source)).front(),
                 "8 messages taken, 5 at new, 3 not; 3 had been put into mailboxes of new that this run did not read"));
  CHECK_FALSE(migrationOf(source).isWhole());
  CHECK_FALSE(migrationOf(source).mayBringMore());
  CHECK(migrationLines(runWith(), migrationOf(source)).back() ==
        "running it again as it is brings no more: what is in mailboxes that were not read counts when \"mailboxes\" "
        "below [endpoint.new] takes them");
}

TEST_CASE("a migration is whole when the store has all that a view of all mail shows; unread it proves nothing",
          "[cli][migration]") {
  LeftOutMailbox unwanted = viewOfAll();
  unwanted.why = Why::Configuration;
  const LeftOutMailbox starred{"Starred", Role::Flagged, 50, Why::View, "it is a view"};
  Migration migration = migrationOf(sourceWith(43, 43));
  migration.isFinal = true;
  Source& source = migration.sources[0];
  source.leftOut = {unwanted, starred};
  CHECK(migration.isWhole());
  const auto end = [&] { return migrationLines(runWith(), migration).back(); };
  source.leftOut.push_back(viewOfAll());
  const Problem problem{mailbraid::mailstore::ErrorKind::TemporaryFailure, mailbraid::mailstore::Retry::Later, "All",
                        "All: no"};
  for (const std::vector<ViewReading>& views : {std::vector<ViewReading>{}, {{"All", {}, problem}}}) {
    source.views = views;
    CHECK_FALSE(source.onlyInView().has_value());
    CHECK(exitCodeOf(runWith(), migration) == ExitCode::Different);
    CHECK(shortfallOf(runWith(), migration) == "It is not known whether all mail of old is at new");
    CHECK(contains(end(), "it is not known whether the migration is complete"));
    CHECK(contains(leftOutLines(source)[2], "; if it is not wanted, write mailboxes"));
  }
  // Only the final run reads it: none before needs to.
  source.views.clear();
  migration.isFinal = false;
  CHECK(contains(end(), "end with: mailbraid migrate old new --final"));
  migration.isFinal = true;
  source.views = {{"All", 3, {}}};
  CHECK(source.onlyInView() == 3);
  CHECK(shortfallOf(runWith(), migration) == "Not all mail of old is at new");
  CHECK(end() ==
        "the migration is not complete: keep the sources; take the view of all mail, or leave it out by its name; when "
        "that is done, run again: mailbraid migrate old new --final");
  source.views = {{"All", 0, {}}};
  CHECK(shortfallOf(runWith(), migration).empty());
  CHECK(exitCodeOf(runWith(), migration) == ExitCode::Complete);
  CHECK(contains(leftOutLines(source)[2], "it is a view of all mail, and has nothing that is not at the destination"));
  source.notTaken = 1;
  CHECK(shortfallOf(runWith(), migration) == "Not all mail of old is at new");
  source.notTaken = 0;
  LeftOutMailbox second = viewOfAll();
  second.name = "Everything";
  source.leftOut.push_back(second);
  CHECK_FALSE(source.onlyInView().has_value());
  source.views.push_back({"Everything", 4, {}});
  CHECK(source.onlyInView() == 4);
}

TEST_CASE("a mailbox that is not taken is told with its messages, why, and how to take it", "[cli][migration]") {
  Source source;
  source.name = "old";
  source.leftOut = {{"All \"Mail\"", Role::All, 43, Why::View, "it is a view"},
                    {"Spam", Role::Junk, 1200, Why::Configuration, "left out by \"mailboxes\" in the configuration"},
                    {"a\nb", Role::None, {}, Why::Refused, "its name has a control character"}};
  source.views = {{"All \"Mail\"", 40, {}}};
  source.mailboxes = {"*", "!Spam"};
  const std::vector<std::string> lines = leftOutLines(source);
  REQUIRE(lines.size() == 3);
  CHECK(
      lines[0] ==
      R"(old: "All \"Mail\"", with 43 messages, is not taken: it is a view of all mail, and has 40 messages that )"
      R"(are not at the destination (archived, say, or left out); to take it as Archive, write mailboxes = ["*", "!Spam", )"
      R"("All \"Mail\""] and map = { "All \"Mail\"" = "Archive" } below [endpoint.old] (what is in other mailboxes, )"
      R"(too, is there a second time then); if it is not wanted, write mailboxes = ["*", "!Spam", "!All \"Mail\""])");
  CHECK(lines[1] == R"(old: "Spam", with 1,200 messages, is not taken: left out by "mailboxes" in the configuration)");
  CHECK(lines[2] ==
        R"(old: "a b", with messages that it does not count, is not taken: its name has a control character)");
  source.mailboxes.clear();
  source.map = {{"Sent", "Out"}};
  source.hasArchive = true;
  CHECK(contains(leftOutLines(source)[0],
                 R"(["*", "All \"Mail\""] and map = { "Sent" = "Out", "All \"Mail\"" = "Archive/All" })"));
  source.map.emplace("All \"Mail\"", "Everything");
  CHECK(contains(leftOutLines(source)[0], R"(map = { "Sent" = "Out", "All \"Mail\"" = "Archive/All" })"));
}

TEST_CASE("the advice for every night is what the configuration accepts", "[cli][migration]") {
  Migration migration = migrationOf(sourceWith(3, 3));
  migration.isFinal = true;
  Source pop = sourceWith(1, 1);
  pop.name = "pop";
  pop.type = EndpointType::Pop3;
  pop.deletions = Source::Deletions::Configured;
  migration.sources.push_back(pop);
  CHECK(migrationLines(runWith(), migration).back() ==
        "to go on every night: write braid = \"new\" below each source that still gets mail, and push = [] below "
        "[endpoint.old] so that it is only read, and run: mailbraid sync -q");
  migration.sources = {pop};
  migration.sources[0].deletions = Source::Deletions::Withheld;
  CHECK(migrationLines(runWith(), migration).back() ==
        "to go on every night: write braid = \"new\" below each source that still gets mail, and no leave_on_server or "
        "newest below [endpoint.pop], and run: mailbraid sync -q");
}
