// Random changes, random faults, random stops: in the end the store holds what the server holds (promises P1, P3, P4).
#include "tests/engine/trial.h"
#include "tests/support/catch.h"

#include <random>

namespace mailbraid::tests {
namespace {

using Fault = FakeAccount::Fault;
using Part = FakeAccount::Part;
using Reply = FakeAccount::Reply;

class Chaos {
 public:
  explicit Chaos(unsigned seed) : random_(seed) {}

  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }

  /// One thing that people do to their mail.
  void change(FakeAccount& account) {
    FakeMailbox& mailbox = account.mailboxes.at(below(static_cast<std::uint32_t>(account.mailboxes.size())));
    const std::uint32_t what = below(10);
    if (what < 5 || mailbox.mails.empty()) {
      mailbox.add(fakeMail("m" + std::to_string(++mails_)), below(3) == 0 ? "\\Seen" : "");
      return;
    }
    const FakeMail mail = mailbox.mails.at(below(static_cast<std::uint32_t>(mailbox.mails.size())));
    if (what < 7) {
      mailbox.setFlags(mail.uid, below(2) == 0 ? "\\Flagged" : "\\Seen \\Answered");
    } else if (what < 8) {
      mailbox.expunge(mail.uid);
    } else {
      FakeMailbox& other = account.mailboxes.at(below(static_cast<std::uint32_t>(account.mailboxes.size())));
      other.add(mail.octets, mail.flags);
      if (what == 9) mailbox.expunge(mail.uid);
    }
  }

 private:
  std::mt19937 random_;
  int mails_ = 0;
};

/// "SUBJECT flags" of every message of a mailbox, sorted.
std::vector<std::string> told(const FakeMailbox& mailbox) {
  std::vector<std::string> all;
  for (const FakeMail& mail : mailbox.mails) {
    const std::size_t at = mail.octets.find("Subject: ") + 9;
    all.push_back(mail.octets.substr(at, mail.octets.find('\r', at) - at) + " " + mail.flags);
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<std::string> stored(Trial& trial, const std::string& braid, const std::string& mailbox) {
  std::vector<std::string> all;
  const auto found = trial.store().mailboxes().findByName(trial.store().mailboxes().ensureBraid(braid), mailbox);
  if (!found) return all;
  trial.store().entries().list(found->id, [&](const mailstore::EntryRow& row) {
    std::string flags;
    const auto add = [&](mailstore::SystemFlag flag, const char* text) {
      if (row.entry.flags.has(flag)) flags += (flags.empty() ? "" : " ") + std::string(text);
    };
    add(mailstore::SystemFlag::Seen, "\\Seen");
    add(mailstore::SystemFlag::Answered, "\\Answered");
    add(mailstore::SystemFlag::Flagged, "\\Flagged");
    all.push_back(row.message.header.subject + " " + flags);
  });
  std::sort(all.begin(), all.end());
  return all;
}

/// Messages set aside wait no longer.
void makeDue(Trial& trial) {
  for (const mailstore::QuarantineRow& row : trial.store().quarantine().all())
    trial.store().quarantine().add(row.endpointMailbox, row.key, row.size, row.reason, row.firstTry - 100'000, 1);
}

TEST_CASE("after random changes, breaks and stops the store holds what the server holds", "[engine][convergence]") {
  const std::string capabilities = GENERATE(FakeAccount::kPlain, FakeAccount::kCondstore, FakeAccount::kQresync);
  const std::string braid = GENERATE("a", "home");
  const unsigned seed = GENERATE(1U, 2U, 3U, 6U, 10U, 36U, 42U, 51U);
  CAPTURE(capabilities, braid, seed);
  Chaos chaos(seed);
  FakeImap server;
  server.with([&](FakeAccount& account) {
    account.capabilities = capabilities;
    for (const char* name : {"INBOX", "Second", "Third"}) account.mailbox(name);
    for (int i = 0; i < 40; ++i) chaos.change(account);
  });
  Trial trial;
  trial.allowRemovals = {{"a", ""}};
  for (int round = 0; round < 6; ++round) {
    std::stop_source stop;
    server.with([&](FakeAccount& account) {
      for (std::uint32_t i = chaos.below(12); i > 0; --i) chaos.change(account);
      account.onCommand = [&chaos, stop](FakeAccount& a, const std::string&) mutable {
        if (chaos.below(12) == 0) chaos.change(a);
        if (chaos.below(60) == 0) stop.request_stop();
        return Reply{chaos.below(40) == 0 ? Reply::Kind::SayAndClose : Reply::Kind::Usual, ""};
      };
      account.fault = [&chaos](const FakeMailbox&, std::uint32_t, Part part) {
        return part == Part::Body && chaos.below(15) == 0 ? Fault::Cut : Fault::None;
      };
    });
    trial.run({endpointAt(server, "a", braid)}, stop.get_token());
    REQUIRE(trial.sound());
    server.with([](FakeAccount& account) {
      account.onCommand = nullptr;
      account.fault = nullptr;
    });
  }
  makeDue(trial);
  trial.run({endpointAt(server, "a", braid)});
  CHECK(problemsOf(trial.run({endpointAt(server, "a", braid)})) == "");
  for (const char* name : {"INBOX", "Second", "Third"}) {
    CAPTURE(name);
    CHECK(stored(trial, braid, name) == server.with([&](FakeAccount& a) { return told(a.mailbox(name)); }));
  }
  CHECK(trial.quarantined().empty());
  server.takeBodies();
  const RunReport again = trial.run({endpointAt(server, "a", braid)});
  CHECK(server.takeBodies() == 0);
  const sync::engine::Counts& counts = again.totals;
  CHECK(counts.fresh + counts.adopted + counts.flags + counts.moved + counts.removed == 0);
}

}  // namespace
}  // namespace mailbraid::tests
