// A server that says BYE, closes, stalls or talks nonsense, at every stage of the talk.
#include "tests/engine/trial.h"
#include "tests/support/catch.h"

namespace mailbraid::tests {
namespace {

using mailstore::ErrorKind;
using Reply = FakeAccount::Reply;

struct Fault {
  const char* name;
  Reply reply;
  ErrorKind kind;
};

const Fault kFaults[] = {
    {"says BYE", {Reply::Kind::SayAndClose, "* BYE going down\r\n"}, ErrorKind::Unreachable},
    {"closes", {Reply::Kind::SayAndClose, ""}, ErrorKind::Unreachable},
    {"stalls", {Reply::Kind::Stall, ""}, ErrorKind::Unreachable},
    {"closes in the middle of a line", {Reply::Kind::SayAndClose, "* O"}, ErrorKind::Unreachable},
    {"sends garbage", {Reply::Kind::SayAndClose, "\x01\x02 what {9999999999999999999999}\r\n"}, ErrorKind::Protocol},
    {"sends another protocol",
     {Reply::Kind::SayAndClose, "HTTP/1.1 400 Bad Request\r\n\r\n<html>"},
     ErrorKind::Protocol},
};

TEST_CASE("a server that fails at any stage gives one problem with one sentence, and the other endpoint finishes",
          "[engine][stages]") {
  const std::string stage = GENERATE("", "CAPABILITY", "LOGIN", "LIST", "EXAMINE", "UID FETCH");
  const std::size_t which = GENERATE(0U, 1U, 2U, 3U, 4U, 5U);
  CAPTURE(stage, kFaults[which].name);
  FakeImap fails;
  FakeImap works;
  works.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 1, 5); });
  fails.with([](FakeAccount& account) {
    fill(account.mailbox("INBOX"), 11, 15);
    fill(account.mailbox("Second"), 21, 25);
  });
  Trial trial;
  if (GENERATE(true, false)) {
    trial.run({endpointAt(fails, "fails")});
    fails.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 16, 16); });
  }
  const std::size_t before = trial.count("fails", "INBOX");
  fails.with([&](FakeAccount& account) {
    account.onCommand = [stage, which](FakeAccount&, const std::string& command) {
      const bool here = stage.empty() ? command.empty() : command.rfind(stage, 0) == 0;
      return here ? kFaults[which].reply : Reply{};
    };
  });
  EndpointSettings failing = endpointAt(fails, "fails");
  failing.server.timeout = std::chrono::milliseconds(300);
  const RunReport report = trial.run({failing, endpointAt(works, "works")});
  CHECK(trial.subjects("works", "INBOX") == numbered(1, 5));
  CHECK(report.endpoints.at(1).complete());
  CAPTURE(problemsOf(report));
  REQUIRE(report.endpoints.at(0).problems.size() == 1);
  const sync::engine::Problem& problem = report.endpoints.at(0).problems.front();
  // A server that greets with BYE is there, and wants nobody now.
  const bool busy = stage.empty() && which == 0;
  CHECK(problem.kind == (busy ? ErrorKind::TemporaryFailure : kFaults[which].kind));
  CHECK(problem.sentence.find('\n') == std::string::npos);
  CHECK(problem.sentence.size() > 20);
  CHECK(trial.count("fails", "INBOX") >= before);
  CHECK(trial.sound());

  fails.with([](FakeAccount& account) { account.onCommand = nullptr; });
  CHECK(problemsOf(trial.run({endpointAt(fails, "fails")})) == "");
  CHECK(trial.count("fails", "INBOX") == (before == 0 ? 5 : 6));
  CHECK(trial.count("fails", "Second") == 5);
}

}  // namespace
}  // namespace mailbraid::tests
