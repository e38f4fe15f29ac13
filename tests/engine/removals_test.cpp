// What is a removal, and what is not (promises P6 and P7).
#include "tests/engine/trial.h"
#include "tests/support/catch.h"

namespace mailbraid::tests {
namespace {

using Reply = FakeAccount::Reply;
using Fault = FakeAccount::Fault;
using Part = FakeAccount::Part;

/// Live entries of a braid that no endpoint message stands for.
std::size_t orphans(Trial& trial, const std::string& braid) {
  std::size_t count = 0;
  for (const mailstore::MailboxSummary& one : trial.store().mailboxes().list()) {
    if (one.mailbox.braidName != braid) continue;
    std::vector<mailstore::EntryId> entries;
    trial.store().entries().list(one.mailbox.id,
                                 [&](const mailstore::EntryRow& row) { entries.push_back(row.entry.id); });
    for (const mailstore::EntryId entry : entries) count += trial.store().pairs().ofEntry(entry).empty() ? 1 : 0;
  }
  return count;
}

/// The next body of INBOX ends the connection, once.
void breakOnce(FakeImap& server) {
  server.with([](FakeAccount& account) {
    account.fault = [broke = false](const FakeMailbox&, std::uint32_t, Part part) mutable {
      if (broke || part != Part::Body) return Fault::None;
      broke = true;
      return Fault::Cut;
    };
  });
}

TEST_CASE("the messages of a mailbox that is gone are removed, though the line broke in that run",
          "[engine][removals]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync);
  const int size = GENERATE(5, 30);
  CAPTURE(capabilities, size);
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    fill(account.mailbox("INBOX"), 1, 5);
    fill(account.mailbox("Old"), 101, 100 + size);
  });
  Trial trial;
  trial.run({endpointAt(server, "a")});
  server.with([](FakeAccount& account) {
    account.drop("Old");
    fill(account.mailbox("INBOX"), 6, 9);
  });
  breakOnce(server);
  const RunReport report = trial.run({endpointAt(server, "a")});
  CHECK(trial.subjects("a", "INBOX") == numbered(1, 9));
  CHECK(orphans(trial, "a") == 0);
  if (size > 20) {
    CHECK(report.totals.held == 30);
    CHECK(report.totals.removed == 0);
    CHECK(trial.count("a", "Old") == 30);
    trial.allowRemovals = {{"a", ""}};
    CHECK(trial.run({endpointAt(server, "a")}).totals.removed == 30);
  } else {
    CHECK(report.totals.removed == 5);
  }
  CHECK(trial.filled("a") == std::vector<std::string>{"INBOX: 9"});
  CHECK(orphans(trial, "a") == 0);
  const RunReport again = trial.run({endpointAt(server, "a")});
  CHECK(again.totals.removed + again.totals.held + again.totals.fresh == 0);
}

TEST_CASE("expunges after a listing do not make up for messages that the listing left out", "[engine][removals]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync);
  CAPTURE(capabilities);
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    account.mailbox("INBOX").tellsModSeq = false;
    fill(account.mailbox("INBOX"), 1, 10);
  });
  Trial trial;
  trial.run({endpointAt(server, "a")});
  server.with([](FakeAccount& account) {
    fill(account.mailbox("INBOX"), 11, 11);
    account.fault = [](const FakeMailbox&, std::uint32_t uid, Part part) {
      return (uid == 2 || uid == 3) && (part == Part::Flags || part == Part::Search) ? Fault::LeaveOut : Fault::None;
    };
    account.meanwhile = [done = false](FakeMailbox& mailbox) mutable {
      if (done) return;
      done = true;
      mailbox.expunge(5);
      mailbox.expunge(6);
    };
  });
  trial.run({endpointAt(server, "a")});
  const std::vector<std::string> now = trial.subjects("a", "INBOX");
  CHECK(std::count(now.begin(), now.end(), "m2") == 1);
  CHECK(std::count(now.begin(), now.end(), "m3") == 1);
  server.with([](FakeAccount& account) {
    account.fault = nullptr;
    account.meanwhile = nullptr;
  });
  trial.run({endpointAt(server, "a")});
  CHECK(trial.subjects("a", "INBOX") ==
        std::vector<std::string>{"m1", "m10", "m11", "m2", "m3", "m4", "m7", "m8", "m9"});
}

TEST_CASE("an expunge between STATUS and SELECT is found by the next run", "[engine][removals]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync);
  const bool newMailToo = GENERATE(true, false);
  CAPTURE(capabilities, newMailToo);
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    fill(account.mailbox("INBOX"), 1, 5);
  });
  Trial trial;
  trial.run({endpointAt(server, "a")});
  server.with([newMailToo](FakeAccount& account) {
    account.mailbox("INBOX").setFlags(1, "\\Seen");
    account.onCommand = [newMailToo, done = false](FakeAccount& a, const std::string& command) mutable {
      if (done || command.rfind("EXAMINE", 0) != 0) return Reply{};
      done = true;
      a.mailbox("INBOX").expunge(3);
      if (newMailToo) fill(a.mailbox("INBOX"), 6, 6);
      return Reply{};
    };
  });
  trial.run({endpointAt(server, "a")});
  trial.run({endpointAt(server, "a")});
  std::vector<std::string> expected{"m1", "m2", "m4", "m5"};
  if (newMailToo) expected.emplace_back("m6");
  CHECK(trial.subjects("a", "INBOX") == expected);
}

TEST_CASE("P1: a move into a mailbox that cannot be read now is no removal", "[engine][removals][P1]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync);
  const bool forGood = GENERATE(false, true);
  CAPTURE(capabilities, forGood);
  const std::string answer = forGood ? "TAG NO [NOPERM] no\r\n" : "TAG NO [UNAVAILABLE] later\r\n";
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    fill(account.mailbox("INBOX"), 1, 3);
    fill(account.mailbox("Work"), 11, 11);
  });
  Trial trial;
  trial.run({endpointAt(server, "a")});
  server.with([&](FakeAccount& account) {
    account.mailbox("Work").add(account.mailbox("INBOX").mails.at(1).octets, "");
    account.mailbox("INBOX").expunge(2);
    account.onCommand = [answer](FakeAccount&, const std::string& command) {
      const bool opens = command.rfind("EXAMINE", 0) == 0 && command.find("Work") != std::string::npos;
      return opens ? Reply{Reply::Kind::Say, answer} : Reply{};
    };
  });
  const RunReport report = trial.run({endpointAt(server, "a")});
  // A mailbox that never can be read is no reason to keep for ever what was removed.
  CHECK(report.totals.removed == (forGood ? 1U : 0U));
  CHECK(trial.count("a", "INBOX") == (forGood ? 2U : 3U));
  server.with([](FakeAccount& account) { account.onCommand = nullptr; });
  const RunReport later = trial.run({endpointAt(server, "a")});
  CHECK(later.totals.moved == (forGood ? 0U : 1U));
  CHECK(trial.subjects("a", "INBOX") == std::vector<std::string>{"m1", "m3"});
  CHECK(trial.count("a", "Work") == 2);
  CHECK(orphans(trial, "a") == 0);
}

TEST_CASE("a move that is found when the store has no other mail is a move", "[engine][removals]") {
  FakeImap server;
  server.with([&](FakeAccount& account) {
    fill(account.mailbox("INBOX"), 1, 1);
    account.mailbox("Work");
  });
  Trial trial;
  trial.run({endpointAt(server, "a")});
  const mailstore::EntryId entry = [&] {
    std::optional<mailstore::EntryId> found;
    for (const auto& one : trial.store().mailboxes().list())
      trial.store().entries().list(one.mailbox.id, [&](const mailstore::EntryRow& row) { found = row.entry.id; });
    return found.value();
  }();
  {
    mailstore::Store::Transaction transaction(trial.store());
    trial.store().entries().remove(entry, 1);
    transaction.commit();
  }
  server.with([&](FakeAccount& account) {
    account.mailbox("Work").add(account.mailbox("INBOX").mails.at(0).octets, "");
    account.mailbox("INBOX").expunge(1);
  });
  CHECK(trial.run({endpointAt(server, "a")}).totals.fresh == 0);
  CHECK(trial.count("a", "Work") == 1);
  CHECK(trial.store().entries().find(entry)->removedAt == 0);  // filing it says keep
}

TEST_CASE("a bare NO to STATUS is no proof that a mailbox is gone while LIST still knows it", "[engine][removals]") {
  const std::string answer = GENERATE("TAG NO not now\r\n", "TAG NO [INUSE] busy\r\n", "TAG BAD what\r\n");
  CAPTURE(answer);
  FakeImap server;
  server.with([](FakeAccount& account) {
    fill(account.mailbox("INBOX"), 1, 3);
    fill(account.mailbox("Old"), 11, 13);
  });
  Trial trial;
  trial.run({endpointAt(server, "a")});
  server.with([&](FakeAccount& account) {
    account.mailbox("Old").listed = false;
    account.onCommand = [answer](FakeAccount&, const std::string& command) {
      return command.rfind("STATUS", 0) == 0 ? Reply{Reply::Kind::Say, answer} : Reply{};
    };
  });
  CHECK(trial.run({endpointAt(server, "a")}).totals.removed == 0);
  CHECK(trial.subjects("a", "Old") == numbered(11, 13));
  CHECK(orphans(trial, "a") == 0);
}

TEST_CASE("a held removal is told as N of M, M counting those that are held already", "[engine][removals]") {
  FakeImap server;
  server.with([](FakeAccount& account) { fill(account.mailbox("INBOX"), 1, 60); });
  Trial trial;
  trial.run({endpointAt(server, "a")});
  server.with([](FakeAccount& account) {
    for (std::uint32_t uid = 1; uid <= 30; ++uid) account.mailbox("INBOX").expunge(uid);
  });
  const auto heldNote = [&] {
    const RunReport report = trial.run({endpointAt(server, "a")});
    REQUIRE(report.endpoints.at(0).notes.size() == 1);
    return report.endpoints.at(0).notes.front();
  };
  CHECK(heldNote().find("30 of 60 messages") != std::string::npos);
  CHECK(heldNote().find("30 of 60 messages") != std::string::npos);
  server.with([](FakeAccount& account) { account.mailbox("INBOX").expunge(31); });
  CHECK(heldNote().find("31 of 60 messages") != std::string::npos);
  CHECK(trial.count("a", "INBOX") == 60);
}

}  // namespace
}  // namespace mailbraid::tests
