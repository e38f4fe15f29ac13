// Endpoints that are compared with the store while their servers are slow to tell the truth.
#include "sync/engine/verify.h"

#include "tests/engine/trial.h"
#include "tests/support/catch.h"

namespace mailbraid::tests {
namespace {

using Fault = FakeAccount::Fault;
using Part = FakeAccount::Part;
using Reply = FakeAccount::Reply;
using sync::engine::VerifyReport;
using sync::engine::VerifyRequest;
using Kind = sync::plan::Finding::Kind;

VerifyReport verify(Trial& trial, const FakeImap& server, bool full = false) {
  SilentObserver observer;
  VerifyRequest request;
  request.full = full;
  return verifyEndpoint(trial.store(), endpointAt(server, "a"), request, observer, {});
}

/// "KIND MAILBOX SUBJECT" of each difference, in order.
std::vector<std::string> differences(const VerifyReport& report) {
  const char* const names[] = {"missing", "altered", "misplaced", "extra"};
  std::vector<std::string> all;
  for (const auto& message : report.findings) {
    if (!sync::plan::isDifference(message.kind)) continue;
    all.push_back(std::string(names[static_cast<int>(message.kind)]) + " " + message.mailbox + " " +
                  message.header.subject);
  }
  return all;
}

std::string problemsOf(const VerifyReport& report) {
  std::string text;
  for (const auto& problem : report.problems) text += problem.sentence + "; ";
  return text;
}

/// A server with two mailboxes, all of it in the store.
struct World {
  FakeImap server;
  Trial trial;
  explicit World(const std::string& capabilities = FakeAccount::kQresync) {
    server.with([&](FakeAccount& account) {
      account.capabilities = capabilities;
      fill(account.mailbox("INBOX"), 1, 30);
      fill(account.mailbox("Second"), 101, 110);
    });
    trial.run({endpointAt(server, "a")});
    server.takeBodies();
  }
};

TEST_CASE("nothing is fetched to prove that nothing is missing; with full, every body once", "[engine][verify]") {
  World world(GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync));
  const VerifyReport quick = verify(world.trial, world.server);
  CHECK(problemsOf(quick).empty());
  CHECK(differences(quick).empty());
  CHECK(quick.totals.ok == 40);
  CHECK(world.server.takeBodies() == 0);
  const VerifyReport full = verify(world.trial, world.server, true);
  CHECK(differences(full).empty());
  CHECK(full.totals.ok == 40);
  CHECK(world.server.takeBodies() == 40);
  CHECK(full.digestOfOk == quick.digestOfOk);
}

TEST_CASE("a line that breaks again and again while it is compared changes nothing of the verdict",
          "[engine][verify]") {
  World world;
  const bool full = GENERATE(true, false);
  CAPTURE(full);
  world.server.with([&](FakeAccount& account) {
    account.mailbox("INBOX").expunge(7);
    account.fault = [sent = 0](const FakeMailbox&, std::uint32_t, Part part) mutable {
      return (part == Part::Body || part == Part::Header) && ++sent % 11 == 0 ? Fault::Cut : Fault::None;
    };
  });
  const VerifyReport report = verify(world.trial, world.server, full);
  CHECK(problemsOf(report).empty());
  CHECK(differences(report) == std::vector<std::string>{"missing INBOX m7"});
  CHECK(report.totals.ok == 39);
}

TEST_CASE("a message at which every line breaks is refused, and no other", "[engine][verify]") {
  World world;
  world.server.with([&](FakeAccount& account) {
    account.fault = [](const FakeMailbox& of, std::uint32_t uid, Part part) {
      return part == Part::Body && of.name == "INBOX" && uid == 5 ? Fault::Cut : Fault::None;
    };
  });
  const VerifyReport report = verify(world.trial, world.server, true);
  CHECK(problemsOf(report).empty());
  CHECK(differences(report).empty());
  CHECK(report.totals.ok == 39);
  CHECK(report.totals.refused == 1);
}

TEST_CASE("a header that the server does not give is made up for by the body", "[engine][verify]") {
  World world;
  const Fault fault = GENERATE(Fault::Nil, Fault::LeaveOut);
  world.server.with([&](FakeAccount& account) {
    account.fault = [fault](const FakeMailbox&, std::uint32_t uid, Part part) {
      return part == Part::Header && uid == 5 ? fault : Fault::None;
    };
  });
  const VerifyReport report = verify(world.trial, world.server);
  CHECK(problemsOf(report).empty());
  CHECK(differences(report).empty());
  CHECK(report.totals.ok == 40);
}

TEST_CASE("P6: a listing that falls short, or a mailbox that cannot be opened, proves nothing missing",
          "[engine][verify]") {
  World world;
  SECTION("short") {
    world.server.with([](FakeAccount& account) {
      account.fault = [](const FakeMailbox& of, std::uint32_t uid, Part part) {
        return part == Part::Flags && of.name == "Second" && uid > 4 ? Fault::LeaveOut : Fault::None;
      };
    });
  }
  SECTION("refused") {
    world.server.with([](FakeAccount& account) {
      account.onCommand = [](FakeAccount&, const std::string& command) {
        return command.find("EXAMINE \"Second\"") == 0 || command.find("EXAMINE Second") == 0
                   ? Reply{Reply::Kind::Say, "TAG NO not now\r\n"}
                   : Reply{};
      };
    });
  }
  SECTION("not listed, and not said to be gone") {
    world.server.with([](FakeAccount& account) { account.mailbox("Second").listed = false; });
  }
  const VerifyReport report = verify(world.trial, world.server);
  CHECK_FALSE(report.complete());
  CHECK(differences(report).empty());
  CHECK(report.totals.ok == 30);
}

TEST_CASE("a mailbox that is gone is missed with all that was in it", "[engine][verify]") {
  World world;
  world.server.with([](FakeAccount& account) { account.drop("Second"); });
  const VerifyReport report = verify(world.trial, world.server);
  CHECK(report.complete());
  CHECK(report.totals.missing == 10);
  CHECK(report.totals.ok == 30);
}

TEST_CASE("a new UIDVALIDITY makes no difference: messages are compared by content", "[engine][verify]") {
  World world;
  world.server.with([](FakeAccount& account) {
    FakeMailbox& inbox = account.mailbox("INBOX");
    inbox.uidValidity = 8;
    std::reverse(inbox.mails.begin(), inbox.mails.end());
    for (std::size_t i = 0; i < inbox.mails.size(); ++i) inbox.mails[i].uid = static_cast<std::uint32_t>(i + 1);
  });
  const VerifyReport report = verify(world.trial, world.server);
  CHECK(problemsOf(report).empty());
  CHECK(differences(report).empty());
  CHECK(report.totals.ok == 40);
}

TEST_CASE("what the configuration leaves out is counted, and is no difference", "[engine][verify]") {
  World world;
  world.server.with([](FakeAccount& account) { account.mailbox("INBOX").add(fakeMail("new")); });
  SilentObserver observer;
  sync::endpoint::EndpointSettings settings = endpointAt(world.server, "a");
  settings.maxMessages = 10;
  VerifyReport report = verifyEndpoint(world.trial.store(), settings, {}, observer, {});
  CHECK(differences(report) == std::vector<std::string>{"extra INBOX new"});
  settings.pull.fresh = false;
  report = verifyEndpoint(world.trial.store(), settings, {}, observer, {});
  CHECK(differences(report).empty());
  CHECK(report.totals.leftOut == 1);
}

TEST_CASE("a comparison that is stopped says so, and nothing of what it did not see", "[engine][verify]") {
  World world;
  std::stop_source stop;
  stop.request_stop();
  SilentObserver observer;
  const VerifyReport report =
      verifyEndpoint(world.trial.store(), endpointAt(world.server, "a"), {}, observer, stop.get_token());
  CHECK_FALSE(report.complete());
  CHECK(report.findings.empty());
  CHECK(report.problems.at(0).kind == mailstore::ErrorKind::Cancelled);
}

}  // namespace
}  // namespace mailbraid::tests
