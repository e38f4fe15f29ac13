// What a server leaves out of its answers, and what happens between one command and the next.
#include "tests/engine/trial.h"
#include "tests/support/catch.h"

namespace mailbraid::tests {
namespace {

using Reply = FakeAccount::Reply;
using Fault = FakeAccount::Fault;
using Part = FakeAccount::Part;

/// Once, before the command that begins with `verb` is carried out.
template <class Change>
void onceBefore(FakeImap& server, const std::string& verb, Change change) {
  server.with([&](FakeAccount& account) {
    account.onCommand = [done = false, verb, change](FakeAccount& a, const std::string& command) mutable {
      if (done || command.rfind(verb, 0) != 0) return Reply{};
      done = true;
      change(a);
      return Reply{};
    };
  });
}

TEST_CASE("a message that arrives between STATUS and SELECT is stored, at the latest by the next run",
          "[engine][listing]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync);
  const bool first = GENERATE(true, false);
  CAPTURE(capabilities, first);
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    fill(account.mailbox("INBOX"), 1, 3);
  });
  Trial trial;
  if (!first) {
    trial.run({endpointAt(server, "a")});
    server.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 4, 4); });
  }
  onceBefore(server, "EXAMINE", [](FakeAccount& account) { account.mailbox("INBOX").add(fakeMail("late")); });
  const RunReport report = trial.run({endpointAt(server, "a")});
  CHECK(problemsOf(report) == "");
  const RunReport next = trial.run({endpointAt(server, "a")});
  CHECK(problemsOf(next) == "");
  std::vector<std::string> expected = numbered(1, first ? 3 : 4);
  expected.insert(expected.begin(), "late");
  CHECK(trial.subjects("a", "INBOX") == expected);
  CHECK(trial.quarantined().empty());
  server.takeBodies();
  CHECK(trial.run({endpointAt(server, "a")}).totals.fresh == 0);
  CHECK(server.takeBodies() == 0);
}

TEST_CASE("a message that arrives in the middle of a fetch is stored by the next run", "[engine][listing]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync);
  CAPTURE(capabilities);
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    fill(account.mailbox("INBOX"), 1, 3);
  });
  Trial trial;
  onceBefore(server, "UID FETCH", [](FakeAccount& account) { account.mailbox("INBOX").add(fakeMail("late")); });
  trial.run({endpointAt(server, "a")});
  trial.run({endpointAt(server, "a")});
  CHECK(trial.subjects("a", "INBOX") == std::vector<std::string>{"late", "m1", "m2", "m3"});
}

TEST_CASE("a message whose header the server does not give is fetched or quarantined, never dropped",
          "[engine][listing]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync);
  const Fault fault = GENERATE(Fault::LeaveOut, Fault::Nil, Fault::No);
  CAPTURE(capabilities, static_cast<int>(fault));
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    fill(account.mailbox("INBOX"), 1, 2);
    fill(account.mailbox("Other"), 11, 12);
  });
  Trial trial;
  trial.run({endpointAt(server, "a")});
  server.with([&](FakeAccount& account) {
    fill(account.mailbox("INBOX"), 3, 6);
    fill(account.mailbox("Other"), 13, 13);
    account.fault = [fault](const FakeMailbox& mailbox, std::uint32_t uid, Part part) {
      return part == Part::Header && mailbox.name == "INBOX" && uid == 4 ? fault : Fault::None;
    };
  });
  trial.run({endpointAt(server, "a")});
  const bool there = trial.subjects("a", "INBOX") == numbered(1, 6);
  const bool setAside = trial.quarantined() == std::vector<std::string>{"a INBOX 4"};
  CHECK(there != setAside);
  CHECK(trial.count("a", "INBOX") >= 5);
  CHECK(trial.subjects("a", "Other") == numbered(11, 13));
}

TEST_CASE("an incomplete listing loses no new mail and removes nothing", "[engine][listing]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore);
  const bool newOneIsListed = GENERATE(true, false);
  CAPTURE(capabilities, newOneIsListed);
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    fill(account.mailbox("INBOX"), 1, 6);
  });
  Trial trial;
  trial.run({endpointAt(server, "a")});
  server.with([&](FakeAccount& account) {
    fill(account.mailbox("INBOX"), 7, 9);
    account.fault = [newOneIsListed](const FakeMailbox&, std::uint32_t uid, Part part) {
      const bool listing = part == Part::Flags || part == Part::Search;
      const bool left = uid == 2 || uid == 3 || (!newOneIsListed && uid == 8);
      return listing && left ? Fault::LeaveOut : Fault::None;
    };
  });
  const RunReport report = trial.run({endpointAt(server, "a")});
  CHECK_FALSE(report.endpoints.at(0).complete());
  CHECK(report.totals.removed == 0);
  CHECK(trial.count("a", "INBOX") >= 6);
  server.with([](FakeAccount& account) { account.fault = nullptr; });
  const RunReport next = trial.run({endpointAt(server, "a")});
  CHECK(problemsOf(next) == "");
  CHECK(next.totals.removed == 0);
  CHECK(trial.subjects("a", "INBOX") == numbered(1, 9));
}

TEST_CASE("mailboxes that hold mail and are not synced are told with their number of messages and why",
          "[engine][listing]") {
  using Why = sync::engine::LeftOutMailbox::Why;
  FakeImap server;
  server.with([&](FakeAccount& account) {
    for (const char* name : {"INBOX", "All", "Lists", "a//b"}) fill(account.mailbox(name), 1, 3);
    account.mailbox("All").attributes = "\\All";
    account.mailbox("Empty");
    account.mailbox("Parent").attributes = "\\Noselect";
  });
  Trial trial;
  EndpointSettings settings = endpointAt(server, "a");
  settings.mailboxes = {"*", "!Lists", "!Empty"};
  trial.adjust = [](sync::engine::SyncRequest& request) { request.dryRun = true; };
  const bool dryRun = GENERATE(true, false);
  if (!dryRun) trial.adjust = nullptr;
  const RunReport run = trial.run({settings});
  std::vector<std::pair<std::string, Why>> told;
  for (const sync::engine::LeftOutMailbox& one : run.endpoints[0].leftOut) {
    CHECK(one.messages == 3);
    told.emplace_back(one.name, one.why);
  }
  std::sort(told.begin(), told.end());
  CHECK(told == std::vector<std::pair<std::string, Why>>{
                    {"All", Why::View}, {"Lists", Why::Configuration}, {"a//b", Why::Refused}});
}

}  // namespace
}  // namespace mailbraid::tests
