#include "tests/support/catch.h"

#include "cli/arguments.h"
#include "cli/commands_table.h"

#include <string>
#include <vector>

using namespace mailbraid::cli;

namespace {

using Words = std::vector<std::string>;

template <class Arguments>
Arguments parsed(const Words& words) {
  const Invocation invocation = parseArguments(words);
  REQUIRE(std::holds_alternative<Arguments>(invocation.command));
  return std::get<Arguments>(invocation.command);
}

std::string complaint(const Words& words) {
  try {
    parseArguments(words);
  } catch (const mailbraid::mailstore::Error& error) {
    CHECK(error.kind() == mailbraid::mailstore::ErrorKind::Usage);
    return error.what();
  }
  return "(none)";
}

}  // namespace

TEST_CASE("sync takes endpoints, a dry run and removals to allow", "[cli][arguments]") {
  const auto sync = parsed<SyncArguments>(
      {"sync", "work", "--allow-removals", "work:Sent/2024", "home", "--dry-run", "--allow-removals", "home"});
  CHECK(sync.endpoints == Words{"work", "home"});
  CHECK(sync.dryRun);
  REQUIRE(sync.allowRemovals.size() == 2);
  CHECK(sync.allowRemovals[0].endpoint == "work");
  CHECK(sync.allowRemovals[0].mailbox == "Sent/2024");
  CHECK(sync.allowRemovals[1].endpoint == "home");
  CHECK(sync.allowRemovals[1].mailbox.empty());
}

TEST_CASE("global options stand before or after the command", "[cli][arguments]") {
  for (const Words& words : {Words{"--config", "c.toml", "--json", "-vv", "--log-file", "l", "ls", "home/INBOX"},
                             Words{"ls", "home/INBOX", "-v", "--json", "-v", "--config", "c.toml", "--log-file=l"}}) {
    const Invocation invocation = parseArguments(words);
    CHECK(invocation.options.config == std::filesystem::path("c.toml"));
    CHECK(invocation.options.json);
    CHECK(invocation.options.verbose == 2);
    CHECK(invocation.options.logFile == std::filesystem::path("l"));
    CHECK(std::get<LsArguments>(invocation.command).mailbox == "home/INBOX");
  }
}

TEST_CASE("each command is read", "[cli][arguments]") {
  CHECK(parsed<CheckArguments>({"check"}).endpoints.empty());
  CHECK(parsed<LogArguments>({"log", "17"}).run == 17);
  CHECK_FALSE(parsed<LogArguments>({"log"}).run);
  CHECK_FALSE(parsed<LsArguments>({"ls"}).mailbox);
  CHECK(parsed<ShowArguments>({"show", "42", "--raw"}).raw);
  const auto exported =
      parsed<ExportArguments>({"export", "/tmp/x", "--format", "mbox", "--mailbox", "a/b", "--mailbox", "a/c d"});
  CHECK(exported.path == "/tmp/x");
  CHECK(exported.format == "mbox");
  CHECK(exported.mailboxes == Words{"a/b", "a/c d"});
  CHECK(parsed<ExportArguments>({"export", "x"}).format == "maildir");
  CHECK(parsed<ConfigArguments>({"config", "show"}).verb == ConfigArguments::Verb::Show);
  CHECK(parsed<CompletionArguments>({"completion", "fish"}).shell == "fish");
  CHECK(parsed<SyncArguments>({"sync", "check"}).endpoints == Words{"check"});
  parsed<StatusArguments>({"status"});
  CHECK(parsed<VerifyArguments>({"verify"}).endpoints.empty());
  const auto verify =
      parsed<VerifyArguments>({"verify", "work", "--full", "--report", "a.html", "--report", "a.json", "isp"});
  CHECK(verify.endpoints == std::vector<std::string>{"work", "isp"});
  CHECK(verify.full);
  CHECK(verify.reports == std::vector<std::filesystem::path>{"a.html", "a.json"});
}

TEST_CASE("a word that is not known gives the nearest one", "[cli][arguments]") {
  CHECK(complaint({"snyc"}) == "unknown command \"snyc\"; did you mean \"sync\"?");
  CHECK(complaint({"frobnicate"}) == "unknown command \"frobnicate\"; `mailbraid --help` lists them");
  CHECK(complaint({"sync", "--dryrun"}) == "unknown option --dryrun; did you mean \"--dry-run\"?");
  CHECK(complaint({"--jsn", "ls"}) == "unknown option --jsn; did you mean \"--json\"?");
  CHECK(complaint({"export", "x", "--format", "mbx"}) ==
        "--format \"mbx\" is not known; write maildir, mbox or eml; did you mean \"mbox\"?");
  CHECK(complaint({"config", "chek"}) ==
        "config \"chek\" is not known; write check, show or example; did you mean \"check\"?");
  CHECK(complaint({"completion"}) == "completion needs one of bash, zsh or fish");
}

TEST_CASE("what is missing, too much or not a number is said in one sentence", "[cli][arguments]") {
  CHECK(complaint({}) == "no command was given; `mailbraid --help` lists them");
  CHECK(complaint({"verify", "--full"}) == "--full is for endpoints; write mailbraid verify ENDPOINT... --full");
  CHECK(complaint({"show"}) == "show needs the number of an entry; `mailbraid ls MAILBOX` lists them");
  CHECK(complaint({"show", "abc"}) == "\"abc\" is not the number of an entry; `mailbraid ls MAILBOX` lists them");
  CHECK(complaint({"show", "1", "2"}) ==
        "\"2\" is one word too many for show; `mailbraid show --help` shows what it takes");
  CHECK(complaint({"log", "99999999999999999999"}) ==
        "\"99999999999999999999\" is not the number of a run; `mailbraid log` lists them");
  CHECK(complaint({"export"}) == "export needs a directory to write to; write mailbraid export PATH");
  CHECK(complaint({"sync", "--allow-removals", ":INBOX"}) == "--allow-removals takes ENDPOINT or ENDPOINT:MAILBOX");
  CHECK(complaint({"sync", "--config"}) != "(none)");
  CHECK(complaint({"-q", "-v", "ls"}) != "(none)");
  CHECK(complaint({"log", "--count", "0"}) != "(none)");
}

TEST_CASE("every command has help with examples", "[cli][arguments]") {
  const std::string all = parsed<TextArguments>({"--help"}).text;
  for (const CommandRow& command : kCommands) {
    CAPTURE(command.name);
    CHECK(all.find("  " + std::string(command.name)) != std::string::npos);
    const std::string help = parsed<TextArguments>({std::string(command.name), "--help"}).text;
    CHECK(help.find("mailbraid [OPTIONS] " + std::string(command.name)) != std::string::npos);
    CHECK(help.find("Examples:") != std::string::npos);
  }
  CHECK(parsed<TextArguments>({"--version"}).text.starts_with("mailbraid "));
}
