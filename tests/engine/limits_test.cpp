// Servers and users that limit what may be asked for.
#include "tests/engine/trial.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <sstream>

namespace mailbraid::tests {
namespace {

using Kind = FakeAccount::Reply::Kind;

constexpr std::int64_t kNoon = 1'795'694'400;  // 2026-11-26 12:00 UTC
constexpr std::int64_t kDay = 86'400;

/// Messages of about 10,000 octets.
void fillLarge(FakeMailbox& mailbox, int first, int last) {
  for (int i = first; i <= last; ++i) {
    mailbox.add(fakeMail("m" + std::to_string(i)) + std::string(9'798, 'x') + "\r\n");
  }
}

EndpointSettings limited(const FakeImap& server, std::uint64_t downloadPerDay, const std::string& braid = "") {
  EndpointSettings settings = endpointAt(server, "a", braid);
  settings.limits.downloadPerDay = downloadPerDay;
  return settings;
}

/// Answers the commands that begin so with `text`, as often as `times`.
void answer(FakeImap& server, const std::string& command, const std::string& text, Kind kind, int times) {
  server.with([&](FakeAccount& account) {
    account.onCommand = [command, text, kind, times](FakeAccount&, const std::string& came) mutable {
      const bool is = command.empty() ? came.empty() : came.find(command) != std::string::npos;
      if (!is || times == 0) return FakeAccount::Reply{};
      --times;
      return FakeAccount::Reply{kind, text};
    };
  });
}

std::size_t connectionsOf(FakeImap& server) {
  return server.with([](FakeAccount& account) { return account.connections; });
}

TEST_CASE("a day's budget is shared by the runs of the day, and the next day goes on", "[engine][limits]") {
  const bool mirror = GENERATE(true, false);
  CAPTURE(mirror);
  FakeImap server;
  server.with([](FakeAccount& account) {
    fillLarge(account.mailbox("INBOX"), 1, 6);
    fillLarge(account.mailbox("Second"), 11, 16);
  });
  Trial trial;
  trial.now = kNoon;
  const std::string braid = mirror ? "a" : "home";
  const auto settings = limited(server, 58'000, braid);

  const RunReport first = trial.run({settings});
  CHECK(server.takeBodies() == 5);
  REQUIRE(first.endpoints[0].problems.size() == 1);
  const sync::engine::Problem& problem = first.endpoints[0].problems[0];
  CHECK(problem.kind == mailstore::ErrorKind::TemporaryFailure);
  CHECK(problem.sentence ==
        "today's budget of 58 kB for downloads from 127.0.0.1 is used up: 7 messages (69.4 kB) are left; run again "
        "after 2026-11-27 00:00 UTC");
  CHECK(trial.filled(braid) == std::vector<std::string>{"INBOX: 5"});

  trial.now += 3600;
  const RunReport second = trial.run({settings});
  CHECK(server.takeBodies() == 0);
  CHECK(problemsOf(second).find("7 messages") != std::string::npos);

  trial.now = kNoon + kDay;
  CHECK(problemsOf(trial.run({settings})).find("2 messages") != std::string::npos);
  CHECK(server.takeBodies() == 5);

  trial.now = kNoon + 2 * kDay;
  CHECK(problemsOf(trial.run({settings})) == "");
  CHECK(server.takeBodies() == 2);
  CHECK(trial.filled(braid) == std::vector<std::string>{"INBOX: 6", "Second: 6"});
  CHECK(trial.quarantined().empty());
  trial.now += 60;
  CHECK(trial.run({settings}).totals.fresh == 0);
}

TEST_CASE("a message that is larger than the whole budget goes on a day of its own", "[engine][limits]") {
  FakeImap server;
  server.with([](FakeAccount& account) {
    account.mailbox("INBOX").add(fakeMail("m1"));
    account.mailbox("INBOX").add(fakeMail("m2") + std::string(50'000, 'x') + "\r\n");
    account.mailbox("INBOX").add(fakeMail("m3"));
  });
  Trial trial;
  trial.now = kNoon;
  trial.run({limited(server, 20'000)});
  CHECK(trial.subjects("a", "INBOX") == std::vector<std::string>{"m2"});
  trial.now += kDay;
  CHECK(problemsOf(trial.run({limited(server, 20'000)})) == "");
  CHECK(trial.subjects("a", "INBOX") == numbered(1, 3));
}

TEST_CASE("P6: while a budget leaves messages unread, what is missing may be among them", "[engine][limits][P6]") {
  FakeImap server;
  FakeImap other;
  server.with([](FakeAccount& account) {
    fillLarge(account.mailbox("INBOX"), 1, 3);
    account.mailbox("Second");
  });
  Trial trial;
  trial.now = kNoon;
  const auto settings = limited(server, 40'000, "home");
  CHECK(problemsOf(trial.run({settings})) == "");
  // The budget is used up when one message turns up in another mailbox, and much more comes.
  server.with([](FakeAccount& account) {
    const FakeMail moved = account.mailbox("INBOX").mails[0];
    account.mailbox("INBOX").expunge(moved.uid);
    account.mailbox("Second").add(moved.octets);
    fillLarge(account.mailbox("Second"), 21, 22);
  });
  trial.now += 60;
  trial.run({settings});
  CHECK(trial.filled("home") == std::vector<std::string>{"INBOX: 3"});
  trial.now = kNoon + kDay;
  CHECK(trial.run({settings}).totals.removed == 0);
  trial.now = kNoon + 2 * kDay;
  trial.run({settings});
  CHECK(trial.filled("home") == std::vector<std::string>{"INBOX: 2", "Second: 3"});
  CHECK(server.takeBodies() == 5);
}

TEST_CASE("a server that asks once for a moment's patience is waited for, and all is done in one run",
          "[engine][limits]") {
  const std::string stage = GENERATE("LOGIN", "LIST", "EXAMINE", "BODY.PEEK[]");
  const std::string said = GENERATE("TAG NO Request is throttled. Suggested Backoff Time: 20 milliseconds\r\n",
                                    "TAG BAD Request is throttled. Suggested Backoff Time: 20 milliseconds\r\n"
                                    "* BYE Connection closed. 14\r\n");
  CAPTURE(stage, said);
  FakeImap server;
  server.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 1, 20); });
  answer(server, stage, said, Kind::SayAndClose, 1);
  EndpointSettings settings = endpointAt(server, "a");
  settings.limits.patience = std::chrono::seconds(60);
  Trial trial;
  CHECK(problemsOf(trial.run({settings})) == "");
  CHECK(trial.subjects("a", "INBOX") == numbered(1, 20));
  CHECK(trial.quarantined().empty());
  CHECK(connectionsOf(server) == 2);
}

TEST_CASE("a server with too many connections is tried again", "[engine][limits]") {
  FakeImap server;
  server.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 1, 3); });
  answer(server, "", "* BYE [ALERT] Too many simultaneous connections. (Failure)\r\n", Kind::SayAndClose, 1);
  EndpointSettings settings = endpointAt(server, "a");
  settings.limits.patience = std::chrono::seconds(60);
  Trial trial;
  CHECK(problemsOf(trial.run({settings})) == "");
  CHECK(trial.count("a", "INBOX") == 3);
}

TEST_CASE("a server that asks for more patience than a run has is left alone until another run", "[engine][limits]") {
  const std::string stage = GENERATE("LOGIN", "LIST", "EXAMINE", "BODY.PEEK[]");
  CAPTURE(stage);
  FakeImap server;
  server.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 1, 20); });
  answer(server, stage, "TAG NO Request is throttled. Suggested Backoff Time: 299609 milliseconds\r\n", Kind::Say,
         1000);
  EndpointSettings settings = endpointAt(server, "a");
  settings.limits.patience = std::chrono::seconds(60);
  Trial trial;
  const RunReport report = trial.run({settings});
  REQUIRE(report.endpoints[0].problems.size() == 1);
  CHECK(report.endpoints[0].problems[0].kind == mailstore::ErrorKind::TemporaryFailure);
  CHECK(report.endpoints[0].problems[0].sentence.ends_with("run it again in 5 min"));
  CHECK(connectionsOf(server) == 1);
  CHECK(trial.quarantined().empty());
  server.with([](FakeAccount& account) { account.onCommand = nullptr; });
  CHECK(problemsOf(trial.run({settings})) == "");
  CHECK(trial.count("a", "INBOX") == 20);
}

TEST_CASE("an account whose bandwidth is used up is left alone, and no message is blamed for it", "[engine][limits]") {
  FakeImap server;
  server.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 1, 20); });
  answer(server, "BODY.PEEK[]", "TAG NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)\r\n",
         Kind::Say, 1000);
  EndpointSettings settings = endpointAt(server, "a");
  settings.limits.patience = std::chrono::seconds(60);
  Trial trial;
  const RunReport report = trial.run({settings});
  REQUIRE(report.endpoints[0].problems.size() == 1);
  CHECK(report.endpoints[0].problems[0].sentence.find("up to a day") != std::string::npos);
  CHECK(trial.quarantined().empty());
  CHECK(connectionsOf(server) == 1);
}

TEST_CASE("a stop ends the waiting for a server at once", "[engine][limits][stop]") {
  FakeImap server;
  server.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 1, 20); });
  std::stop_source stop;
  server.with([&](FakeAccount& account) {
    account.onCommand = [stop](FakeAccount&, const std::string& command) mutable {
      if (command.find("BODY.PEEK[]") == std::string::npos) return FakeAccount::Reply{};
      stop.request_stop();
      return FakeAccount::Reply{Kind::Say,
                                "TAG NO Request is throttled. Suggested Backoff Time: 3500000 milliseconds\r\n"};
    };
  });
  EndpointSettings settings = endpointAt(server, "a");
  settings.limits.patience = std::chrono::hours(1);
  Trial trial;
  CHECK(trial.run({settings}, stop.get_token()).cancelled);
  CHECK(trial.sound());
}

TEST_CASE("no command asks for more messages than a second may have", "[engine][limits]") {
  FakeImap server;
  server.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 1, 70); });
  EndpointSettings settings = endpointAt(server, "a");
  settings.limits.messagesPerSecond = 50;
  Trial trial;
  CHECK(problemsOf(trial.run({settings})) == "");
  CHECK(trial.count("a", "INBOX") == 70);
  std::vector<std::string> asked;
  server.with([&](FakeAccount& account) {
    for (const std::string& command : account.commands) {
      if (command.find("BODY.PEEK[]") != std::string::npos) asked.push_back(command.substr(0, command.find(" (")));
    }
  });
  CHECK(asked == std::vector<std::string>{"UID FETCH 1:50", "UID FETCH 51:70"});
}

TEST_CASE("octets at a rate arrive all the same", "[engine][limits]") {
  FakeImap server;
  server.with([](FakeAccount& account) { fillLarge(account.mailbox("INBOX"), 1, 10); });
  EndpointSettings settings = endpointAt(server, "a");
  settings.server.bytesPerSecond = 200'000;
  Trial trial;
  CHECK(problemsOf(trial.run({settings})) == "");
  CHECK(trial.count("a", "INBOX") == 10);
}

}  // namespace
}  // namespace mailbraid::tests
