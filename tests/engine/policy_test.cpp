// What the configuration wants: directions, names, roles, quarantine.
#include "tests/engine/trial.h"
#include "tests/support/catch.h"

namespace mailbraid::tests {
namespace {

using Fault = FakeAccount::Fault;
using Part = FakeAccount::Part;

TEST_CASE("new mail that a run was not to take is taken by the run that is", "[engine][policy]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync);
  const bool first = GENERATE(true, false);
  CAPTURE(capabilities, first);
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    fill(account.mailbox("INBOX"), 1, 3);
  });
  Trial trial;
  if (!first) trial.run({endpointAt(server, "a")});
  server.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 4, 6); });
  EndpointSettings changesOnly = endpointAt(server, "a");
  changesOnly.pull.fresh = false;
  trial.run({changesOnly});
  CHECK(trial.count("a", "INBOX") == (first ? 0 : 3));
  trial.run({changesOnly});
  trial.run({endpointAt(server, "a")});
  CHECK(trial.subjects("a", "INBOX") == numbered(1, 6));
}

TEST_CASE("flags that a run was not to take are taken by the run that is", "[engine][policy]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync);
  const bool first = GENERATE(true, false);
  CAPTURE(capabilities, first);
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    fill(account.mailbox("INBOX"), 1, 3);
  });
  Trial trial;
  if (!first) trial.run({endpointAt(server, "a")});
  server.with([](FakeAccount& account) { account.mailbox("INBOX").setFlags(2, "\\Flagged"); });
  EndpointSettings noFlags = endpointAt(server, "a");
  noFlags.pull.flags = false;
  trial.run({noFlags});
  CHECK(trial.count("a", "INBOX") == 3);
  CHECK_FALSE(trial.flagsOf("a", "INBOX", "m2").has(mailstore::SystemFlag::Flagged));
  trial.run({endpointAt(server, "a")});
  CHECK(trial.flagsOf("a", "INBOX", "m2").has(mailstore::SystemFlag::Flagged));
}

TEST_CASE("a mapped mailbox goes where the map says, whatever its role", "[engine][policy]") {
  FakeImap one;
  FakeImap two;
  one.with([](FakeAccount& account) {
    account.mailbox("Sent").attributes = "\\Sent";
    fill(account.mailbox("Sent"), 1, 2);
  });
  two.with([](FakeAccount& account) {
    account.mailbox("Gesendet").attributes = "\\Sent";
    fill(account.mailbox("Gesendet"), 11, 13);
  });
  Trial trial;
  EndpointSettings mapped = endpointAt(two, "two", "home");
  mapped.map["Gesendet"] = "Filed";
  if (GENERATE(true, false)) trial.run({endpointAt(one, "one", "home")});
  trial.run({endpointAt(one, "one", "home"), mapped});
  CHECK(trial.filled("home") == std::vector<std::string>{"Filed: 3", "Sent: 2"});
}

TEST_CASE("a second mailbox that gets a role later does not merge with the first", "[engine][policy]") {
  const std::string braid = GENERATE("a", "home");
  CAPTURE(braid);
  FakeImap server;
  server.with([](FakeAccount& account) {
    fill(account.mailbox("INBOX"), 101, 101);
    fill(account.mailbox("Sent"), 1, 2);
  });
  Trial trial;
  trial.run({endpointAt(server, "a", braid)});
  server.with([](FakeAccount& account) {
    account.mailbox("Sent Items").attributes = "\\Sent";
    fill(account.mailbox("Sent Items"), 11, 13);
  });
  trial.run({endpointAt(server, "a", braid)});
  const RunReport report = trial.run({endpointAt(server, "a", braid)});
  const std::vector<std::string> filled = trial.filled(braid);
  CAPTURE(filled);
  // Its mail has a place of its own, or the report says that it has none.
  CHECK((filled.size() == 3 || !report.endpoints.at(0).complete()));
  CHECK(trial.subjects(braid, "Sent") == numbered(1, 2));
}

TEST_CASE("a mailbox INBOX.INBOX below the prefix INBOX. does not take INBOX's place", "[engine][policy]") {
  const bool last = GENERATE(true, false);
  const std::string braid = GENERATE("a", "home");
  CAPTURE(last, braid);
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities += " NAMESPACE";
    account.delimiter = ".";
    account.prefix = "INBOX.";
    if (!last) fill(account.mailbox("INBOX.INBOX"), 11, 12);
    fill(account.mailbox("INBOX"), 1, 3);
    fill(account.mailbox("INBOX.Sent"), 21, 21);
    fill(account.mailbox("INBOX.INBOX"), 13, last ? 14 : 12);
  });
  Trial trial;
  trial.run({endpointAt(server, "a", braid)});
  const RunReport report = trial.run({endpointAt(server, "a", braid)});
  CHECK(trial.subjects(braid, "INBOX") == numbered(1, 3));
  CHECK(trial.count(braid, "Sent") == 1);
  const std::vector<std::string> filled = trial.filled(braid);
  CAPTURE(filled);
  CHECK((filled.size() == 3 || !report.endpoints.at(0).complete()));
}

TEST_CASE("a quarantined message leaves quarantine however it comes in", "[engine][policy][quarantine]") {
  const std::string way = GENERATE("fetched", "a copy in another mailbox", "known from another endpoint");
  CAPTURE(way);
  FakeImap server;
  FakeImap other;
  server.with([](FakeAccount& account) {
    fill(account.mailbox("INBOX"), 1, 5);
    fill(account.mailbox("Second"), 11, 12);
    account.fault = [](const FakeMailbox& mailbox, std::uint32_t uid, Part part) {
      return mailbox.name == "INBOX" && uid == 3 && part == Part::Body ? Fault::Nil : Fault::None;
    };
  });
  Trial trial;
  trial.run({endpointAt(server, "a", "home")});
  REQUIRE(trial.quarantined() == std::vector<std::string>{"a INBOX 3"});
  REQUIRE(trial.count("home", "INBOX") == 4);

  if (way == "fetched") {
    server.with([](FakeAccount& account) { account.fault = nullptr; });
  } else if (way == "a copy in another mailbox") {
    server.with([](FakeAccount& account) { fill(account.mailbox("Second"), 3, 3); });
    trial.run({endpointAt(server, "a", "home")});
  } else {
    other.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 3, 3); });
    trial.run({endpointAt(other, "other", "home")});
  }
  // The time of the next try comes.
  const mailstore::QuarantineRow row = trial.store().quarantine().all().at(0);
  trial.store().quarantine().add(row.endpointMailbox, row.key, row.size, row.reason, row.firstTry - 100'000, 1);
  trial.run({endpointAt(server, "a", "home")});
  CHECK(trial.quarantined().empty());
  CHECK(trial.subjects("home", "INBOX") == numbered(1, 5));
}

}  // namespace
}  // namespace mailbraid::tests
