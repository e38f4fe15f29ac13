// leave_on_server and newest at a real POP3 server.
#include "tests/engine/trial.h"
#include "tests/support/catch.h"
#include "tests/support/dovecot.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/mail_account.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace mailbraid;
using namespace mailbraid::tests;
using namespace sync::endpoint;
using sync::engine::SyncRequest;
using test::Fault;
using test::Toward;
using Kind = LeaveOnServer::Kind;

namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kNow = 1'800'000'000;

std::vector<std::string> mails(int first, int last) {
  std::vector<std::string> out;
  for (int i = first; i <= last; ++i) out.push_back(fakeMail("m" + std::to_string(i)));
  return out;
}

/// A user of the server, and the store that follows it.
class Account {
 public:
  Account(const test::Dovecot& server, const std::string& user, int messages)
      : imap(server.imap(), user, "secret"), pop3(server.pop3(), user, "secret") {
    imap.append("INBOX", mails(1, messages));
    trial.now = kNow;
    settings.name = settings.braid = "old";
    settings.type = EndpointType::Pop3;
    settings.server.host = "127.0.0.1";
    settings.server.port = server.pop3();
    settings.server.tls = sync::net::TlsMode::None;
    settings.server.timeout = std::chrono::seconds(20);
    settings.user = user;
    settings.password = [] { return sync::sasl::Secret("secret"); };
    settings.auth = {"PLAIN"};
  }

  void leave(Kind kind, std::chrono::seconds time = {}) { settings.leaveOnServer = {kind, time}; }
  RunReport run() { return trial.run({settings}); }
  RunReport runWell() {
    RunReport report = run();
    CAPTURE(problemsOf(report));
    CHECK(report.endpoints.front().complete());
    return report;
  }
  std::size_t there() const { return pop3.dumpPop3().size(); }
  std::vector<std::string> stored() { return trial.subjects("old", "INBOX"); }

  test::MailAccount imap;
  test::MailAccount pop3;
  Trial trial;
  EndpointSettings settings;
};

/// Dies as soon as the server has confirmed the deletions, before anything of it is written down.
class DiesAfterQuit final : public sync::endpoint::Endpoint {
 public:
  DiesAfterQuit(const EndpointSettings& settings, Environment environment)
      : real_(sync::endpoint::makeEndpoint(settings, std::move(environment))) {}

  void open() override { real_->open(); }
  void reconnect() override { real_->reconnect(); }
  const std::vector<RemoteMailbox>& list() override { return real_->list(); }
  void refresh() override { real_->refresh(); }
  std::vector<Delta> changes(std::span<const DeltaRequest> requests, PullSink& sink) override {
    return real_->changes(requests, sink);
  }
  Outcomes identify(std::span<const KeyRequest> requests, const IdentitySink& sink) override {
    return real_->identify(requests, sink);
  }
  Outcomes fetch(std::span<const KeyRequest> requests, PullSink& sink) override { return real_->fetch(requests, sink); }
  bool isGone(const std::string& name) override { return real_->isGone(name); }
  DeletionOutcome deleteStored(std::span<const StoredMessage> messages) override {
    real_->deleteStored(messages);
    ::_exit(9);
  }
  void close() noexcept override { real_->close(); }
  [[nodiscard]] WireTotals wireTotals() const override { return real_->wireTotals(); }
  [[nodiscard]] EndpointFacts facts() const override { return real_->facts(); }
  [[nodiscard]] std::optional<MessagePlace> inProgress() const override { return real_->inProgress(); }

 private:
  std::unique_ptr<Endpoint> real_;
};

/// Carries `run` out in a process of its own, which may die of it.
int statusOf(const std::function<void()>& run) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    run();
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace

TEST_CASE("leave_on_server at Dovecot: forever, a time, and not at all", "[engine][pop3][dovecot]") {
  const test::Dovecot server;
  Account account(server, "user1", 3);
  account.runWell();
  CHECK(account.there() == 3);

  account.leave(Kind::ForTime, std::chrono::days(14));
  account.trial.now = kNow + 10 * kDay;
  account.imap.append("INBOX", mails(4, 5));
  account.runWell();
  CHECK(account.there() == 5);
  account.trial.now = kNow + 14 * kDay - 1;
  CHECK(account.runWell().totals.removedThere == 0);
  account.trial.now = kNow + 14 * kDay;
  CHECK(account.runWell().totals.removedThere == 3);
  CHECK(account.there() == 2);
  CHECK(account.runWell().totals.removedThere == 0);

  account.leave(Kind::No);
  account.imap.append("INBOX", mails(6, 6));
  CHECK(account.runWell().totals.removedThere == 3);
  CHECK(account.there() == 0);
  CHECK(account.runWell().totals.removedThere == 0);
  CHECK(account.stored() == numbered(1, 6));
}

TEST_CASE("newest keeps the newest so many at Dovecot, and everything in the store", "[engine][pop3][dovecot]") {
  const test::Dovecot server;
  Account account(server, "user1", 10);
  account.settings.newest = 4;
  CHECK(account.runWell().totals.removedThere == 6);
  const std::vector<test::Pop3Message> kept = account.pop3.dumpPop3();
  CHECK(kept.size() == 4);
  CHECK(account.runWell().totals.removedThere == 0);
  account.imap.append("INBOX", mails(11, 11));
  CHECK(account.runWell().totals.removedThere == 1);
  CHECK(account.pop3.dumpPop3().front().uidl == kept[1].uidl);
  CHECK(account.stored() == numbered(1, 11));
}

TEST_CASE("P7: until-removed deletes what was removed, and the brake holds back what is too much",
          "[engine][pop3][dovecot][P7]") {
  const test::Dovecot server;
  Account account(server, "user1", 40);
  account.leave(Kind::UntilRemoved);
  account.runWell();
  account.trial.removeFromStore("old", "m1");
  CHECK(account.runWell().totals.removedThere == 1);
  CHECK(account.there() == 39);
  for (int i = 2; i <= 30; ++i) account.trial.removeFromStore("old", "m" + std::to_string(i));
  const RunReport held = account.run();
  CHECK(held.totals.held == 29);
  CHECK(held.totals.removedThere == 0);
  CHECK(held.endpoints.front().heldMailboxes == std::vector<std::string>{"INBOX"});
  CHECK(account.there() == 39);
  const auto waiting = [&] {
    const auto endpoint = account.trial.store().endpoints().statuses().front().endpoint.id;
    return account.trial.store().backlog().waiting(endpoint).size();
  };
  CHECK(waiting() == 29);
  account.trial.allowRemovals = {{"old", "INBOX"}};
  CHECK(account.run().totals.removedThere == 29);
  CHECK(account.there() == 10);
  CHECK(waiting() == 0);
}

TEST_CASE("P1: a session that is cut before QUIT deletes nothing, says so, and the next run deletes",
          "[engine][pop3][dovecot][P1]") {
  const test::Dovecot server;
  // What is said to the server is the same for both, so the first tells where the second says QUIT.
  std::uint64_t quit = 0;
  {
    test::FaultProxy proxy(server.pop3());
    Account account(server, "user1", 5);
    account.settings.server.port = proxy.port();
    account.leave(Kind::No);
    account.runWell();
    quit = proxy.seen(Toward::Server).find("QUIT\r\n");
  }
  Account account(server, "user2", 5);
  test::FaultProxy proxy(server.pop3());
  account.settings.server.port = proxy.port();
  account.leave(Kind::No);
  proxy.set(Fault{Fault::Kind::Cut, Toward::Server, quit, {}, 1});
  const RunReport cut = account.run();
  CAPTURE(problemsOf(cut));
  CHECK(cut.totals.fresh == 5);
  CHECK(cut.totals.removedThere == 0);
  CHECK(problemsOf(cut).find("5 deletions were not confirmed by the server") != std::string::npos);
  CHECK(account.there() == 5);
  proxy.set(std::nullopt);
  CHECK(account.runWell().totals.removedThere == 5);
  CHECK(account.there() == 0);
  CHECK(account.stored() == numbered(1, 5));
}

TEST_CASE("P4: killed between the server's answer to QUIT and its record, the next run neither doubles nor loses",
          "[engine][pop3][dovecot][P4]") {
  const test::Dovecot server;
  Account account(server, "user1", 5);
  account.leave(Kind::No);
  account.trial.aside([&](const std::filesystem::path& directory) {
    const int status = statusOf([&] {
      const auto store = mailstore::Store::open(directory, mailstore::Access::ReadWrite);
      SyncRequest request;
      request.endpoints = {account.settings};
      request.makeEndpoint = [](const EndpointSettings& settings, Environment environment) {
        return std::make_unique<DiesAfterQuit>(settings, std::move(environment));
      };
      SilentObserver observer;
      sync::engine::sync(*store, request, observer, {});
    });
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == 9);
  });
  CHECK(account.there() == 0);
  const RunReport next = account.runWell();
  CHECK(next.totals.fresh + next.totals.removedThere + next.totals.removed == 0);
  CHECK(account.stored() == numbered(1, 5));
}

TEST_CASE("P1: mail that another client puts there meanwhile, and mail that it takes away, is not mistaken",
          "[engine][pop3][dovecot][P1]") {
  const test::Dovecot server;
  Account account(server, "user1", 5);
  account.leave(Kind::No);
  account.trial.adjust = [&](SyncRequest& request) {
    request.deletionsConfirmedBy = "new";
    EndpointSettings destination = account.settings;
    destination.name = "new";
    destination.type = EndpointType::Imap;
    destination.server.port = server.imap();
    destination.user = "user2";
    request.endpoints.front().braid = destination.braid = "home";
    request.endpoints.push_back(destination);
    // Between the reading and the deletion, which has a session of its own: numbers are not what they were.
    request.carryOut = [&, phase = std::make_shared<int>(0)](std::span<const std::function<void()>> tasks) {
      if (++*phase == 3) {
        account.imap.expunge("INBOX", "1");
        account.imap.append("INBOX", mails(6, 6));
      }
      sync::engine::onThreads(tasks);
    };
  };
  const RunReport report = account.run();
  CAPTURE(problemsOf(report));
  CHECK(report.totals.uploaded == 5);
  CHECK(report.totals.removedThere == 4);
  const std::vector<test::ServerMessage> left = account.imap.dump("INBOX");
  REQUIRE(left.size() == 1);
  CHECK(left.front().uid == 6);
  CHECK(test::MailAccount(server.imap(), "user2", "secret").dump("INBOX").size() == 5);
}
