#include "tests/integration/workspace.h"
#include "tests/support/catch.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/mail_account.h"

#include <string>
#include <vector>

using namespace mailbraid::test;

namespace {

std::vector<std::string> someMessages(int count) {
  std::vector<std::string> messages;
  for (int number = 0; number < count; ++number) {
    messages.push_back("Message-ID: <" + std::to_string(number) +
                       "@example.org>\r\nSubject: " + std::to_string(number) + "\r\n\r\n" +
                       std::string(static_cast<std::size_t>(number) * 37 % 5000, 'x') + "\r\n");
  }
  return messages;
}

}  // namespace

TEST_CASE("a second sync at the same time says so and ends with 75", "[integration][store]") {
  const Dovecot server;
  MailAccount(server.imap(), "user1", "secret").append("INBOX", someMessages(20));
  FaultProxy proxy(server.imap());
  proxy.set(Fault{Fault::Kind::Hold, Toward::Client, 3000, {}});
  Workspace workspace;
  workspace.endpoint("it", endpointAt(workspace, "imap", proxy.port()));
  const auto first = workspace.start({"sync"});
  REQUIRE(proxy.waitForOctets(Toward::Client, 3000));
  const Finished second = workspace.mailbraid({"sync", "--json"});
  CAPTURE(second.out, second.err);
  CHECK(second.status == 75);
  CHECK_FALSE(second.err.empty());
  const JsonLines objects = parseJsonLines(second.out);
  REQUIRE(objects.size() == 1);
  CHECK(objects[0]->isNull("run"));
  CHECK(objects[0]->getValue<int>("exit_code") == 75);
  CHECK_FALSE(objects[0]->getValue<std::string>("error").empty());
  CHECK(workspace.mailbraid({"ls"}).status == 0);
  proxy.release();
  CHECK(first->wait().status == 0);
  CHECK(workspace.digests("it/INBOX").size() == 20);
}

TEST_CASE("a truncated store is 65 and left as it is", "[integration][store]") {
  const Dovecot server;
  MailAccount(server.imap(), "user1", "secret").append("INBOX", someMessages(100));
  Workspace workspace;
  workspace.endpoint("it", imapEndpoint(workspace, server, "user1"));
  REQUIRE(workspace.sync() == Totals{.fresh = 100});
  const std::filesystem::path file = workspace.store() / "store.db";
  SECTION("cut in the middle") {
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  }
  SECTION("other octets at its start") {
    std::string octets = readFile(file);
    octets.replace(0, 100, std::string(100, 'x'));
    writeFile(file, octets);
  }
  const std::string before = readFile(file);
  const Finished finished = workspace.mailbraid({"sync"});
  CAPTURE(finished.out, finished.err);
  CHECK(finished.status == 65);
  CHECK(readFile(file) == before);
}

TEST_CASE("a store of a newer version is 65 and left as it is", "[integration][store]") {
  const Dovecot server;
  Workspace workspace;
  workspace.endpoint("it", imapEndpoint(workspace, server, "user1"));
  REQUIRE(workspace.sync().status == 0);
  const std::filesystem::path file = workspace.store() / "store.db";
  std::string octets = readFile(file);
  octets.replace(60, 4, std::string("\0\0\0\x63", 4));  // SQLite's user_version: the schema's number
  writeFile(file, octets);
  const Finished finished = workspace.mailbraid({"sync"});
  CAPTURE(finished.out, finished.err);
  CHECK(finished.status == 65);
  CHECK(finished.err.find("newer") != std::string::npos);
  CHECK(readFile(file) == octets);
}

TEST_CASE("a store that cannot be written is 73", "[integration][store]") {
  const Dovecot server;
  Workspace workspace;
  writeFile(workspace.store(), "a file where a directory should be");
  workspace.endpoint("it", imapEndpoint(workspace, server, "user1"));
  const Finished finished = workspace.mailbraid({"sync"});
  CAPTURE(finished.out, finished.err);
  CHECK(finished.status == 73);
  CHECK(readFile(workspace.store()) == "a file where a directory should be");
}

TEST_CASE("a full disk is 73, loses nothing that was stored, and the next run goes on", "[integration][store]") {
  const Dovecot server;
  const MailAccount account(server.imap(), "user1", "secret");
  account.append("INBOX", someMessages(10));
  Workspace workspace;
  workspace.endpoint("it", imapEndpoint(workspace, server, "user1"));
  REQUIRE(workspace.sync() == Totals{.fresh = 10});
  std::string large = "Subject: large\r\n\r\n";
  unsigned state = 1;
  while (large.size() < 6'000'000) large += std::to_string(state = state * 1664525 + 1013904223) + "\r\n";
  account.append("INBOX", {large});
  // No file may grow beyond 2 MiB: what a full disk looks like to the program.
  const Finished full = run({"sh", "-c", "ulimit -f 2048; trap '' XFSZ; exec \"$0\" \"$@\"", MAILBRAID_PROGRAM,
                             "--config", workspace.configurationFile().string(), "sync", "--json"});
  CAPTURE(full.out, full.err);
  CHECK(full.status == 73);
  CHECK(parseJsonLines(full.out).back()->getValue<int>("exit_code") == 73);
  CHECK(workspace.digests("it/INBOX").size() == 10);
  CHECK(workspace.sync() == Totals{.fresh = 1});
  CHECK(workspace.mailbraid({"verify"}).status == 0);
}

TEST_CASE("P1: what verify finds damaged is fetched again by the next sync", "[integration][store]") {
  const Dovecot server;
  const std::vector<std::string> messages = someMessages(5);
  MailAccount(server.imap(), "user1", "secret").append("INBOX", messages);
  const std::string type = GENERATE("imap", "pop3");
  Workspace workspace;
  workspace.endpoint("it", endpointAt(workspace, type, type == "imap" ? server.imap() : server.pop3()));
  REQUIRE(workspace.sync() == Totals{.fresh = 5});
  const Finished damaged = run({"python3", "-c",
                                "import sqlite3, sys\n"
                                "store = sqlite3.connect(sys.argv[1])\n"
                                "store.execute('UPDATE message SET size = size + 1 WHERE id = 3')\n"
                                "store.commit()\n",
                                (workspace.store() / "store.db").string()});
  REQUIRE(damaged.status == 0);
  CHECK(workspace.mailbraid({"verify"}).status == 12);
  CHECK(workspace.sync().status == 0);
  CHECK(workspace.mailbraid({"verify"}).status == 0);
  CHECK(workspace.digests("it/INBOX").size() == 5);
  CHECK(workspace.sync() == kNothing);
}

TEST_CASE("what is stored is exported octet for octet", "[integration][store]") {
  const Dovecot server;
  const std::vector<std::string> messages = someMessages(5);
  MailAccount(server.imap(), "user1", "secret").append("INBOX", messages);
  Workspace workspace;
  workspace.endpoint("it", imapEndpoint(workspace, server, "user1"));
  REQUIRE(workspace.sync() == Totals{.fresh = 5});
  REQUIRE(workspace.mailbraid({"export", workspace.path("out").string(), "--format", "eml"}).status == 0);
  std::vector<std::string> exported;
  for (const auto& file : std::filesystem::recursive_directory_iterator(workspace.path("out"))) {
    if (file.is_regular_file()) exported.push_back(readFile(file.path()));
  }
  CHECK_THAT(exported, Catch::Matchers::UnorderedEquals(messages));
}
