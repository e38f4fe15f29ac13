// Numbers that servers tell wrongly, hugely, or not at all.
#include "tests/engine/trial.h"
#include "tests/support/catch.h"

namespace mailbraid::tests {
namespace {

using Reply = FakeAccount::Reply;
using Fault = FakeAccount::Fault;
using Part = FakeAccount::Part;

std::size_t commandsOf(FakeImap& server) {
  return server.with([](FakeAccount& account) { return std::exchange(account.commands, {}).size(); });
}

TEST_CASE("a UIDNEXT of two thousand million with five messages brings all five with few commands",
          "[engine][counts]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync);
  const std::string braid = GENERATE("a", "home");
  CAPTURE(capabilities, braid);
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    FakeMailbox& inbox = account.mailbox("INBOX");
    for (int i = 1; i <= 5; ++i) {
      fill(inbox, i, i);
      inbox.uidNext += 399'999'999;
    }
  });
  Trial trial;
  CHECK(problemsOf(trial.run({endpointAt(server, "a", braid)})) == "");
  CHECK(trial.subjects(braid, "INBOX") == numbered(1, 5));
  CHECK(commandsOf(server) < 40);
  server.with([](FakeAccount& account) {
    FakeMailbox& inbox = account.mailbox("INBOX");
    fill(inbox, 6, 6);
    inbox.uidNext = 4'200'000'000;
    fill(inbox, 7, 7);
    fill(account.mailbox("Second"), 11, 12);
  });
  CHECK(problemsOf(trial.run({endpointAt(server, "a", braid)})) == "");
  CHECK(trial.subjects(braid, "INBOX") == numbered(1, 7));
  CHECK(trial.subjects(braid, "Second") == numbered(11, 12));
  CHECK(commandsOf(server) < 40);
}

TEST_CASE("a stop is honoured while a server tells a UIDNEXT of two thousand million", "[engine][counts][stop]") {
  FakeImap server;
  std::stop_source stop;
  server.with([&](FakeAccount& account) {
    fill(account.mailbox("INBOX"), 1, 5);
    account.mailbox("INBOX").uidNext = 2'000'000'000;
    account.onCommand = [stop](FakeAccount&, const std::string& command) mutable {
      if (command.rfind("UID", 0) == 0) stop.request_stop();
      return Reply{};
    };
  });
  Trial trial;
  CHECK(trial.run({endpointAt(server, "a")}, stop.get_token()).cancelled);
  CHECK(trial.sound());
}

TEST_CASE("more messages told than there can be end the run with all that there are, or with an error",
          "[engine][counts]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync);
  const std::uint32_t uidNext = GENERATE(6U, 2'000'000'000U, 4'294'967'295U);
  CAPTURE(capabilities, uidNext);
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    fill(account.mailbox("INBOX"), 1, 5);
    account.mailbox("INBOX").uidNext = uidNext;
    account.mailbox("INBOX").toldMessages = 4'294'967'294U;
  });
  Trial trial;
  const RunReport report = trial.run({endpointAt(server, "a")});
  const bool all = trial.subjects("a", "INBOX") == numbered(1, 5);
  CHECK((all || !report.endpoints.at(0).complete()));
  CHECK(trial.quarantined().empty());
  CHECK(commandsOf(server) < 60);
  server.with([&](FakeAccount& account) { account.mailbox("INBOX").toldMessages.reset(); });
  CHECK(problemsOf(trial.run({endpointAt(server, "a")})) == "");
  CHECK(trial.subjects("a", "INBOX") == numbered(1, 5));
}

/// What is odd about the mailbox from the second run on.
struct Oddity {
  const char* name;
  void (*make)(FakeMailbox&);
};
const Oddity kOddities[] = {
    {"NOMODSEQ", [](FakeMailbox& m) { m.tellsModSeq = false; }},
    {"no UIDNEXT", [](FakeMailbox& m) { m.tellsUidNext = false; }},
    {"no UIDNEXT, NOMODSEQ", [](FakeMailbox& m) { m.tellsUidNext = m.tellsModSeq = false; }},
    {"HIGHESTMODSEQ backwards",
     [](FakeMailbox& m) {
       m.highestModSeq = 2;
       for (FakeMail& mail : m.mails) mail.modSeq = 2;
     }},
};

TEST_CASE("a run with an odd mailbox stores everything, and the second one transfers nothing", "[engine][counts]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync);
  const std::string braid = GENERATE("a", "home");
  const bool fromTheStart = GENERATE(true, false);
  const std::size_t which = GENERATE(0U, 1U, 2U, 3U);
  CAPTURE(capabilities, braid, fromTheStart, kOddities[which].name);
  FakeImap server;
  const auto beOdd = [&] { server.with([&](FakeAccount& a) { kOddities[which].make(a.mailbox("INBOX")); }); };
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    fill(account.mailbox("INBOX"), 1, 5);
    fill(account.mailbox("Second"), 11, 12);
  });
  if (fromTheStart) beOdd();
  Trial trial;
  trial.run({endpointAt(server, "a", braid)});
  CHECK(trial.subjects(braid, "INBOX") == numbered(1, 5));
  server.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 6, 7); });
  if (!fromTheStart) beOdd();
  server.takeBodies();
  const RunReport report = trial.run({endpointAt(server, "a", braid)});
  CHECK(trial.subjects(braid, "INBOX") == numbered(1, 7));
  CHECK(report.totals.removed == 0);
  CHECK(server.takeBodies() == 2);
  const RunReport again = trial.run({endpointAt(server, "a", braid)});
  CHECK(server.takeBodies() == 0);
  CHECK(again.totals.fresh + again.totals.adopted + again.totals.removed + again.totals.flags == 0);

  // And what is expunged and marked is found still.
  server.with([](FakeAccount& account) {
    account.mailbox("INBOX").expunge(2);
    account.mailbox("INBOX").setFlags(3, "\\Flagged");
  });
  trial.run({endpointAt(server, "a", braid)});
  CHECK(trial.subjects(braid, "INBOX") == std::vector<std::string>{"m1", "m3", "m4", "m5", "m6", "m7"});
  CHECK(trial.flagsOf(braid, "INBOX", "m3").has(mailstore::SystemFlag::Flagged));
  CHECK(server.takeBodies() == 0);
}

TEST_CASE("a UIDNEXT that goes backwards removes nothing, and new mail under old UIDs is stored", "[engine][counts]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync);
  CAPTURE(capabilities);
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    fill(account.mailbox("INBOX"), 1, 9);
  });
  Trial trial;
  trial.run({endpointAt(server, "a")});
  server.with([](FakeAccount& account) {
    FakeMailbox& inbox = account.mailbox("INBOX");
    inbox.mails.resize(5);
    inbox.uidNext = 6;
    inbox.highestModSeq = 6;
    fill(inbox, 21, 21);
  });
  server.takeBodies();
  const RunReport report = trial.run({endpointAt(server, "a")});
  CHECK(report.totals.removed == 0);
  std::vector<std::string> expected = numbered(1, 9);
  expected.insert(expected.begin() + 2, "m21");
  std::sort(expected.begin(), expected.end());
  CHECK(trial.subjects("a", "INBOX") == expected);
  CHECK(server.takeBodies() == 1);
  const RunReport again = trial.run({endpointAt(server, "a")});
  CHECK(server.takeBodies() == 0);
  CHECK(again.totals.removed == 0);
  CHECK(trial.subjects("a", "INBOX") == expected);
}

}  // namespace
}  // namespace mailbraid::tests
