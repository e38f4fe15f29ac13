#include "tests/integration/workspace.h"
#include "tests/support/catch.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/mail_account.h"

#include <signal.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

using namespace mailbraid::test;

namespace {

constexpr const char* kBase =
    "IMAP4rev1 SASL-IR LITERAL+ ID ENABLE UIDPLUS NAMESPACE UNSELECT CHILDREN MOVE SPECIAL-USE";

/// What a server may be able to do, from all to nearly nothing.
std::vector<std::string> knobsOf(const std::string& ability) {
  if (ability == "all") return {};
  if (ability == "CONDSTORE")
    return {"--capability", std::string(kBase) + " CONDSTORE ESEARCH LIST-STATUS LIST-EXTENDED"};
  if (ability == "flags of all") return {"--capability", kBase};
  return {"--capability", "IMAP4rev1"};
}

std::string message(int number, std::size_t size = 300) {
  const std::string text = std::to_string(number);
  return "Message-ID: <" + text + "@example.org>\r\nFrom: a" + text + "@example.org\r\nSubject: number " + text +
         "\r\nDate: Mon, 05 Jan 2026 10:00:00 +0000\r\n\r\n" + std::string(size, static_cast<char>('a' + number % 26)) +
         "\r\n";
}

std::vector<std::string> messages(int from, int to) {
  std::vector<std::string> result;
  for (int number = from; number < to; ++number) result.push_back(message(number));
  return result;
}

/// What the store holds below `braid` against what the server has, as (mailbox, digest, flags).
void checkSame(const Workspace& workspace, const std::string& braid, const MailAccount& account) {
  std::vector<std::string> stored;
  for (const StoredMessage& one : workspace.stored()) {
    std::string line = one.mailbox + " " + one.digest;
    for (const std::string& flag : one.flags) line += " " + flag;
    if (line.substr(0, braid.size() + 1) == braid + "/") stored.push_back(line);
  }
  std::vector<std::string> wanted;
  for (const ServerMessage& one : account.dump()) {
    std::string line = braid;
    line += "/" + one.mailbox + " " + one.digest;
    for (const std::string& flag : one.flags) line += " " + flag;
    wanted.push_back(line);
  }
  std::sort(stored.begin(), stored.end());
  std::sort(wanted.begin(), wanted.end());
  std::vector<std::string> missing;
  std::vector<std::string> surplus;
  std::set_difference(wanted.begin(), wanted.end(), stored.begin(), stored.end(), std::back_inserter(missing));
  std::set_difference(stored.begin(), stored.end(), wanted.begin(), wanted.end(), std::back_inserter(surplus));
  CHECK(missing == std::vector<std::string>{});
  CHECK(surplus == std::vector<std::string>{});
}

}  // namespace

TEST_CASE(
    "P3: an incremental pull takes over new mail, flags, removals and moves, and a second run does nothing, "
    "whatever the server can do",
    "[integration][resync]") {
  const std::string ability = GENERATE("all", "CONDSTORE", "flags of all", "nothing");
  CAPTURE(ability);
  const Dovecot server(knobsOf(ability));
  const MailAccount account(server.imap(), "user1", "secret");
  account.create("Archive");
  account.append("INBOX", messages(0, 60));
  account.append("Archive", messages(60, 70));
  Workspace workspace;
  workspace.endpoint("it", imapEndpoint(workspace, server, "user1"));
  REQUIRE(workspace.sync() == Totals{.fresh = 70});
  checkSame(workspace, "it", account);
  CHECK(workspace.sync() == kNothing);

  account.append("INBOX", messages(70, 75));
  account.store("INBOX", "3:7", "+FLAGS", {"\\Seen", "$Later"});
  account.expunge("INBOX", "10:14");
  account.move("INBOX", "20:22", "Archive");
  const Totals totals = workspace.sync();
  CHECK(totals.status == 0);
  CHECK(totals.flags == 5);
  CHECK(totals.removed == 5);
  CHECK(totals.held == 0);
  checkSame(workspace, "it", account);
  CHECK(workspace.sync() == kNothing);

  account.store("INBOX", "3:4", "-FLAGS", {"\\Seen"});
  CHECK(workspace.sync() == Totals{.flags = 2});
  checkSame(workspace, "it", account);
  CHECK(workspace.sync() == kNothing);
}

TEST_CASE("a moved message is a move in the store and is not fetched again", "[integration][resync]") {
  const Dovecot server;
  const MailAccount account(server.imap(), "user1", "secret");
  account.create("Archive");
  account.append("INBOX", messages(0, 10));
  Workspace workspace;
  workspace.endpoint("it", imapEndpoint(workspace, server, "user1"));
  REQUIRE(workspace.sync() == Totals{.fresh = 10});
  account.move("INBOX", "2:4", "Archive");
  CHECK(workspace.sync() == Totals{.moved = 3});
  checkSame(workspace, "it", account);
}

TEST_CASE("mailboxes that are created, renamed and removed follow", "[integration][resync]") {
  const Dovecot server;
  const MailAccount account(server.imap(), "user1", "secret");
  account.create("Pr\xc3\xb6jekte/Alt");
  account.append("Pr\xc3\xb6jekte/Alt", messages(0, 5));
  Workspace workspace;
  workspace.endpoint("it", imapEndpoint(workspace, server, "user1", Way::Plain, "remove_mailboxes = true\n"));
  REQUIRE(workspace.sync() == Totals{.fresh = 5});
  account.rename("Pr\xc3\xb6jekte/Alt", "\xe6\x97\xa5\xe6\x9c\xac");
  const Totals renamed = workspace.sync();
  CHECK(renamed.status == 0);
  CHECK(renamed.fresh == 0);
  checkSame(workspace, "it", account);
  CHECK(workspace.sync() == kNothing);
}

TEST_CASE("P5: after a changed UIDVALIDITY nothing is fetched again, doubled or removed", "[integration][resync]") {
  const Dovecot server;
  const MailAccount account(server.imap(), "user1", "secret");
  account.create("Work");
  account.append("Work", messages(0, 50), "\\Seen");
  Workspace workspace;
  workspace.endpoint("it", imapEndpoint(workspace, server, "user1"));
  REQUIRE(workspace.sync() == Totals{.fresh = 50});
  account.renew("Work");
  const Totals totals = workspace.sync();
  CHECK(totals.status == 0);
  CHECK(totals.fresh == 0);
  CHECK(totals.removed == 0);
  checkSame(workspace, "it", account);
  CHECK(workspace.sync() == kNothing);
}

TEST_CASE("P5: the same mail in three accounts of a braid is one entry and one body", "[integration][resync]") {
  const Dovecot server;
  for (const char* const user : {"user1", "user2", "user3"}) {
    MailAccount(server.imap(), user, "secret").append("INBOX", messages(0, 20));
  }
  Workspace workspace;
  workspace.endpoint("first", imapEndpoint(workspace, server, "user1", Way::Plain, "braid = \"me\"\n"));
  workspace.endpoint("second", pop3Endpoint(workspace, server, "user2", Way::Plain, "braid = \"me\"\n"));
  workspace.endpoint("third", imapEndpoint(workspace, server, "user3", Way::Plain, "braid = \"me\"\n"));
  CHECK(workspace.sync().status == 0);
  CHECK(workspace.digests("me/INBOX").size() == 20);
  CHECK(workspace.sync() == kNothing);
}

TEST_CASE("P6: mail that is gone from a POP3 server is no removal in the store", "[integration][resync]") {
  const Dovecot server;
  const MailAccount account(server.imap(), "user1", "secret");
  account.append("INBOX", messages(0, 10));
  Workspace workspace;
  workspace.endpoint("it", pop3Endpoint(workspace, server, "user1"));
  REQUIRE(workspace.sync() == Totals{.fresh = 10});
  account.expunge("INBOX", "1:9");
  const Totals totals = workspace.sync();
  CHECK(totals.status == 0);
  CHECK(totals.removed == 0);
  CHECK(workspace.digests("it/INBOX").size() == 10);
}

TEST_CASE("P7: the brake holds many removals back, says so with 10, and lets them go when allowed",
          "[integration][resync]") {
  const Dovecot server;
  const MailAccount account(server.imap(), "user1", "secret");
  account.append("INBOX", messages(0, 60));
  Workspace workspace;
  workspace.endpoint("it", imapEndpoint(workspace, server, "user1"));
  REQUIRE(workspace.sync() == Totals{.fresh = 60});
  account.expunge("INBOX", "1:30");
  account.append("INBOX", {message(100)});
  CHECK(workspace.sync() == Totals{.status = 10, .fresh = 1, .held = 30});
  CHECK(workspace.digests("it/INBOX").size() == 61);
  CHECK(workspace.sync().status == 10);
  CHECK(workspace.sync({"--allow-removals", "it:INBOX"}) == Totals{.removed = 30});
  checkSame(workspace, "it", account);
  CHECK(workspace.sync() == kNothing);
}

TEST_CASE("P6: a connection that breaks anywhere removes nothing, and the next run completes",
          "[integration][resync]") {
  const Dovecot server;
  const MailAccount account(server.imap(), "user1", "secret");
  const std::string type = GENERATE("imap", "pop3");
  account.append("INBOX", messages(0, 30));
  FaultProxy proxy(type == "imap" ? server.imap() : server.pop3());
  Workspace workspace;
  workspace.endpoint("it", endpointAt(workspace, type, proxy.port(), "timeout = \"5s\"\n"));
  REQUIRE(workspace.sync() == Totals{.fresh = 30});
  int last = 30;
  for (const std::uint64_t octet : {0U, 30U, 200U, 700U, 1200U, 2000U, 3500U}) {
    CAPTURE(type, octet);
    const std::vector<std::string> before = workspace.digests("it/INBOX");
    account.append("INBOX", messages(last, last + 5));
    last += 5;
    proxy.set(Fault{Fault::Kind::Cut, Toward::Client, octet, {}, 1});
    const Totals broken = workspace.sync();
    CHECK(broken.removed == 0);
    CHECK(broken.quarantined == 0);
    const std::vector<std::string> now = workspace.digests("it/INBOX");
    CHECK(std::includes(now.begin(), now.end(), before.begin(), before.end()));
  }
  proxy.set(std::nullopt);
  CHECK(workspace.sync().status == 0);
  CHECK(workspace.digests("it/INBOX").size() == static_cast<std::size_t>(last));
  CHECK(workspace.sync() == kNothing);
}

TEST_CASE("P10: a message at which every connection breaks is set aside and shows in the exit code",
          "[integration][resync]") {
  const Dovecot server;
  const MailAccount account(server.imap(), "user1", "secret");
  account.append("INBOX", {message(0, 20'000)});
  FaultProxy proxy(server.imap());
  Workspace workspace;
  workspace.endpoint("it", endpointAt(workspace, "imap", proxy.port()));
  proxy.set(Fault{Fault::Kind::Cut, Toward::Client, 10'000, {}});
  CHECK(workspace.sync() == Totals{.status = 11, .quarantined = 1});
  CHECK(workspace.mailbraid({"status"}).out.find("INBOX") != std::string::npos);
}

TEST_CASE("P4: killed at any moment and run again, the end is that of a run that was not killed",
          "[integration][crash]") {
  const Dovecot server;
  const MailAccount account(server.imap(), "user1", "secret");
  const std::string type = GENERATE("imap", "pop3");
  account.create("Sent");
  std::vector<std::string> many;
  for (int number = 0; number < 300; ++number) many.push_back(message(number, 4000));
  account.append("INBOX", many);
  account.append("Sent", messages(300, 330));
  const std::uint16_t port = type == "imap" ? server.imap() : server.pop3();

  Workspace whole;
  whole.endpoint("it", endpointAt(whole, type, port));
  REQUIRE(whole.sync().status == 0);
  const auto wanted = whole.stored();

  FaultProxy proxy(port);
  Workspace killed;
  // It shall wait for its server until it is killed, however long that takes a slow build.
  killed.endpoint("it", endpointAt(killed, type, proxy.port(), "timeout = \"10m\"\n"));
  const std::uint64_t step = 130'000;
  int kills = 0;
  int halfPulled = 0;
  for (std::uint64_t octets = 2000; octets < 1'150'000; octets += step) {
    // Held in the middle of a message, so that it is surely alive when it is killed.
    proxy.set(Fault{Fault::Kind::Stall, Toward::Client, octets, {}});
    const std::uint64_t before = proxy.octets(Toward::Client);
    const auto process = killed.start({"sync"});
    if (!proxy.waitForOctets(Toward::Client, before + octets, std::chrono::seconds(3)))
      break;  // less than that was left
    // The program waits for its server now, and what it has is committed meanwhile.
    const std::size_t had = killed.stored().size();
    for (int look = 0; octets > step && look < 120 && killed.stored().size() == had; ++look) {
    }
    process->signal(SIGKILL);
    CHECK(process->wait().status == 128 + SIGKILL);
    ++kills;
    const auto now = killed.stored();
    CHECK(std::includes(wanted.begin(), wanted.end(), now.begin(), now.end()));
    if (!now.empty() && now.size() < wanted.size()) ++halfPulled;
  }
  CHECK(kills >= 4);
  CHECK(halfPulled >= 2);
  proxy.set(std::nullopt);
  CHECK(killed.sync().status == 0);
  CHECK(killed.stored() == wanted);
  CHECK(killed.sync() == kNothing);
  CHECK(killed.mailbraid({"verify"}).status == 0);
}

TEST_CASE("P4: killed at any moment of an incremental pull and run again, the end is the same",
          "[integration][crash]") {
  const Dovecot server;
  const MailAccount account(server.imap(), "user1", "secret");
  account.create("Archive");
  account.append("INBOX", messages(0, 120));
  account.append("Archive", messages(120, 130));
  FaultProxy proxy(server.imap());
  Workspace killed;
  killed.endpoint("it", endpointAt(killed, "imap", proxy.port()));
  REQUIRE(killed.sync() == Totals{.fresh = 130});

  // All at once: new mail, flags, removals and moves between two mailboxes.
  std::vector<std::string> more;
  for (int number = 130; number < 160; ++number) more.push_back(message(number, 3000));
  account.append("INBOX", more);
  account.store("INBOX", "5:25", "+FLAGS", {"\\Seen", "$Later"});
  account.expunge("INBOX", "30:35");
  account.move("INBOX", "50:60", "Archive");

  Workspace whole;
  whole.endpoint("it", endpointAt(whole, "imap", server.imap()));
  REQUIRE(whole.sync().status == 0);
  const auto wanted = whole.stored();
  int kills = 0;
  for (std::uint64_t octets = 100; octets < 150'000; octets += octets / 2 + 300) {
    proxy.set(Fault{Fault::Kind::Stall, Toward::Client, octets, {}});
    const std::uint64_t before = proxy.octets(Toward::Client);
    const auto process = killed.start({"sync"});
    if (!proxy.waitForOctets(Toward::Client, before + octets, std::chrono::seconds(3))) break;
    process->signal(SIGKILL);
    CHECK(process->wait().status == 128 + SIGKILL);
    ++kills;
    CHECK(killed.stored().size() >= 124);  // removals and moves at the most; never a loss beyond them
  }
  CHECK(kills >= 5);
  proxy.set(std::nullopt);
  CHECK(killed.sync().status == 0);
  CHECK(killed.stored() == wanted);
  CHECK(killed.sync() == kNothing);
}
