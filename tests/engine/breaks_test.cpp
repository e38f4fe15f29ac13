// Lines that break, and the messages at which they do.
#include "tests/engine/trial.h"
#include "tests/support/catch.h"

#include <set>

namespace mailbraid::tests {
namespace {

using Fault = FakeAccount::Fault;
using Part = FakeAccount::Part;

/// Every connection ends in the middle of these bodies.
void breakAt(FakeImap& server, const std::string& mailbox, std::set<std::uint32_t> uids) {
  server.with([&](FakeAccount& account) {
    account.fault = [mailbox, uids](const FakeMailbox& of, std::uint32_t uid, Part part) {
      return part == Part::Body && of.name == mailbox && uids.count(uid) != 0 ? Fault::Cut : Fault::None;
    };
  });
}

TEST_CASE("a message at which every connection breaks is set aside alone", "[engine][breaks]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync);
  CAPTURE(capabilities);
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    fill(account.mailbox("INBOX"), 1, 6);
    fill(account.mailbox("Second"), 11, 16);
    fill(account.mailbox("Third"), 21, 26);
  });
  Trial trial;

  SECTION("in the first mailbox of a first pull") {
    breakAt(server, "INBOX", {3});
    trial.run({endpointAt(server, "a")});
    CHECK(trial.quarantined() == std::vector<std::string>{"a INBOX 3"});
    CHECK(trial.filled("a") == std::vector<std::string>{"INBOX: 5", "Second: 6", "Third: 6"});
  }
  SECTION("in the second mailbox of a first pull") {
    breakAt(server, "Second", {3});
    trial.run({endpointAt(server, "a")});
    CHECK(trial.quarantined() == std::vector<std::string>{"a Second 3"});
    CHECK(trial.filled("a") == std::vector<std::string>{"INBOX: 6", "Second: 5", "Third: 6"});
  }
  SECTION("in the second of several that changed") {
    trial.run({endpointAt(server, "a")});
    server.with([](FakeAccount& account) {
      fill(account.mailbox("INBOX"), 7, 9);
      fill(account.mailbox("Second"), 17, 19);
      fill(account.mailbox("Third"), 27, 29);
    });
    breakAt(server, "Second", {8});
    trial.run({endpointAt(server, "a")});
    CHECK(trial.quarantined() == std::vector<std::string>{"a Second 8"});
    CHECK(trial.filled("a") == std::vector<std::string>{"INBOX: 9", "Second: 8", "Third: 9"});
  }
}

TEST_CASE("a message at which every connection breaks is set aside alone in a braid of two endpoints",
          "[engine][breaks]") {
  FakeImap good;
  FakeImap bad;
  good.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 1, 6); });
  bad.with([](FakeAccount& account) {
    fill(account.mailbox("INBOX"), 4, 9);
    fill(account.mailbox("Second"), 11, 16);
  });
  breakAt(bad, "Second", {2});
  Trial trial;
  trial.run({endpointAt(good, "good", "home"), endpointAt(bad, "bad", "home")});
  CHECK(trial.quarantined() == std::vector<std::string>{"bad Second 2"});
  CHECK(trial.subjects("home", "INBOX") == numbered(1, 9));
  CHECK(trial.subjects("home", "Second") == std::vector<std::string>{"m11", "m13", "m14", "m15", "m16"});
}

TEST_CASE("a mailbox that changed between LIST and SELECT has not gone back in time when the line breaks then",
          "[engine][breaks]") {
  FakeImap server;
  server.with([](FakeAccount& account) {
    fill(account.mailbox("INBOX"), 1, 5);
    account.onCommand = [changed = false](FakeAccount& a, const std::string& command) mutable {
      if (!changed && command.rfind("EXAMINE", 0) == 0) {
        changed = true;
        fill(a.mailbox("INBOX"), 6, 6);
      }
      return FakeAccount::Reply{};
    };
    account.fault = [broke = false](const FakeMailbox&, std::uint32_t uid, Part part) mutable {
      if (broke || part != Part::Body || uid != 4) return Fault::None;
      broke = true;
      return Fault::Cut;
    };
  });
  Trial trial;
  CHECK(problemsOf(trial.run({endpointAt(server, "a")})) == "");
  trial.run({endpointAt(server, "a")});
  CHECK(trial.subjects("a", "INBOX") == numbered(1, 6));
  server.with([](FakeAccount& account) { account.mailbox("INBOX").expunge(2); });
  CHECK(trial.run({endpointAt(server, "a")}).totals.removed == 1);
  CHECK(trial.count("a", "INBOX") == 5);
}

TEST_CASE("twelve bad messages in one mailbox are set aside alone", "[engine][breaks]") {
  FakeImap server;
  server.with([&](FakeAccount& account) {
    fill(account.mailbox("INBOX"), 1, 60);
    fill(account.mailbox("Second"), 101, 103);
  });
  Trial trial;
  std::set<std::uint32_t> bad;
  for (std::uint32_t uid = 4; bad.size() < 12; uid += 4) bad.insert(uid);

  SECTION("the line breaks at each") {
    breakAt(server, "INBOX", bad);
  }
  SECTION("the server says NO to each") {
    server.with([&](FakeAccount& account) {
      account.fault = [bad](const FakeMailbox& of, std::uint32_t uid, Part part) {
        return part == Part::Body && of.name == "INBOX" && bad.count(uid) != 0 ? Fault::No : Fault::None;
      };
    });
  }
  trial.run({endpointAt(server, "a")});
  CHECK(trial.quarantined().size() == 12);
  CHECK(trial.filled("a") == std::vector<std::string>{"INBOX: 48", "Second: 3"});
}

TEST_CASE("a line that breaks at every eleventh body stores all messages in the end", "[engine][breaks]") {
  const bool mirror = GENERATE(true, false);
  CAPTURE(mirror);
  FakeImap server;
  server.with([&](FakeAccount& account) {
    fill(account.mailbox("INBOX"), 1, 50);
    fill(account.mailbox("Second"), 101, 150);
    account.fault = [sent = 0](const FakeMailbox&, std::uint32_t, Part part) mutable {
      return part == Part::Body && ++sent % 11 == 0 ? Fault::Cut : Fault::None;
    };
  });
  Trial trial;
  const RunReport report = trial.run({endpointAt(server, "a", mirror ? "a" : "home")});
  CHECK(problemsOf(report) == "");
  CHECK(trial.quarantined().empty());
  CHECK(trial.filled(mirror ? "a" : "home") == std::vector<std::string>{"INBOX: 50", "Second: 50"});
  // Ten new ones a connection: nothing is fetched twice.
  CHECK(server.takeBodies() <= 110);
  CHECK(server.with([](FakeAccount& account) { return account.connections; }) <= 13);
}

}  // namespace
}  // namespace mailbraid::tests
