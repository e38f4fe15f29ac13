// A run that is stopped in the middle.
#include "tests/engine/trial.h"
#include "tests/support/catch.h"

namespace mailbraid::tests {
namespace {

using Fault = FakeAccount::Fault;
using Part = FakeAccount::Part;

/// Requests the stop when the server is asked for the `nth` body.
void stopAtBody(FakeImap& server, std::stop_source stop, int nth) {
  server.with([&](FakeAccount& account) {
    account.fault = [stop, nth, asked = 0](const FakeMailbox&, std::uint32_t, Part part) mutable {
      if (part == Part::Body && ++asked == nth) stop.request_stop();
      return Fault::None;
    };
  });
}

TEST_CASE("a stop in the middle of a pull ends it cleanly, and the next run completes", "[engine][stop]") {
  const int at = GENERATE(1, 20, 150, 399);
  const bool mirror = GENERATE(true, false);
  CAPTURE(at, mirror);
  const std::string braid = mirror ? "a" : "home";
  FakeImap server;
  server.with([](FakeAccount& account) {
    fill(account.mailbox("INBOX"), 1, 200);
    fill(account.mailbox("Second"), 301, 500);
  });
  Trial trial;
  std::stop_source stop;
  stopAtBody(server, stop, at);
  const RunReport report = trial.run({endpointAt(server, "a", braid)}, stop.get_token());
  CHECK(report.cancelled);
  CHECK(trial.sound());
  CHECK(trial.quarantined().empty());
  server.with([](FakeAccount& account) { account.fault = nullptr; });
  const RunReport next = trial.run({endpointAt(server, "a", braid)});
  CHECK(problemsOf(next) == "");
  CHECK_FALSE(next.cancelled);
  CHECK(trial.filled(braid) == std::vector<std::string>{"INBOX: 200", "Second: 200"});
  CHECK(trial.sound());
  server.takeBodies();
  CHECK(trial.run({endpointAt(server, "a", braid)}).totals.fresh == 0);
  CHECK(server.takeBodies() == 0);
}

TEST_CASE("a stop while a server stalls ends all endpoints of the run", "[engine][stop]") {
  const std::string stage = GENERATE("", "LOGIN", "LIST", "EXAMINE", "UID FETCH");
  CAPTURE(stage);
  FakeImap stalls;
  FakeImap works;
  works.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 1, 3); });
  std::stop_source stop;
  stalls.with([&](FakeAccount& account) {
    fill(account.mailbox("INBOX"), 1, 3);
    account.onCommand = [stage, stop](FakeAccount&, const std::string& command) mutable {
      const bool here = stage.empty() ? command.empty() : command.rfind(stage, 0) == 0;
      if (!here) return FakeAccount::Reply{};
      stop.request_stop();
      return FakeAccount::Reply{FakeAccount::Reply::Kind::Stall, {}};
    };
  });
  Trial trial;
  CHECK(trial.run({endpointAt(stalls, "stalls"), endpointAt(works, "works")}, stop.get_token()).cancelled);
  CHECK(trial.sound());
  stalls.with([](FakeAccount& account) { account.onCommand = nullptr; });
  trial.run({endpointAt(stalls, "stalls"), endpointAt(works, "works")});
  CHECK(trial.subjects("stalls", "INBOX") == numbered(1, 3));
  CHECK(trial.subjects("works", "INBOX") == numbered(1, 3));
}

TEST_CASE("after a changed UIDVALIDITY and a stop in the middle, no body that is held is fetched",
          "[engine][stop][validity]") {
  const int at = GENERATE(1, 60, 119);
  CAPTURE(at);
  FakeImap server;
  server.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 1, 120); });
  Trial trial;
  trial.run({endpointAt(server, "a")});
  server.with([](FakeAccount& account) {
    FakeMailbox& inbox = account.mailbox("INBOX");
    ++inbox.uidValidity;
    inbox.uidNext += 1000;
    for (FakeMail& mail : inbox.mails) mail.uid += 1000;
    fill(inbox, 121, 125);
  });
  server.takeBodies();
  std::stop_source stop;
  server.with([&](FakeAccount& account) {
    account.fault = [stop, at, asked = 0](const FakeMailbox&, std::uint32_t, Part part) mutable {
      if (part != Part::Flags && ++asked == at) stop.request_stop();
      return Fault::None;
    };
  });
  CHECK(trial.run({endpointAt(server, "a")}, stop.get_token()).cancelled);
  CHECK(trial.subjects("a", "INBOX").size() >= 120);
  server.with([](FakeAccount& account) { account.fault = nullptr; });
  const RunReport next = trial.run({endpointAt(server, "a")});
  CHECK(problemsOf(next).find(";") == std::string::npos);
  CHECK(trial.subjects("a", "INBOX") == numbered(1, 125));
  // The five new ones, at most once in the run that was stopped and once in the next.
  CHECK(server.takeBodies() <= 10);
}

}  // namespace
}  // namespace mailbraid::tests
