#include "tests/support/dovecot.h"

#include "tests/support/catch.h"
#include "tests/support/mail_account.h"

#include <signal.h>

#include <string>

using namespace mailbraid::test;

TEST_CASE("the test server keeps octets, flags and dates, and over IMAP and POP3 it is the same message", "[dovecot]") {
  const Dovecot server;
  const MailAccount alice(server.imap(), "alice", server.password("alice"));
  const std::string odd = "Subject: \xff\r\n\r\nbare \r and no end";
  CHECK(alice.append("INBOX", {odd, "x"}, "\\Seen $Work", "01-Feb-2024 10:00:00 +0000") ==
        std::vector<std::uint32_t>{1, 2});
  alice.create("Entw\xc3\xbcrfe/\xe6\x97\xa5\xe6\x9c\xac");
  alice.move("INBOX", "2", "Entw\xc3\xbcrfe/\xe6\x97\xa5\xe6\x9c\xac");
  const auto messages = alice.dump();
  REQUIRE(messages.size() == 2);
  CHECK(messages[0].mailbox == "Entw\xc3\xbcrfe/\xe6\x97\xa5\xe6\x9c\xac");
  CHECK(messages[1].flags == std::vector<std::string>{"$Work", "\\Seen"});
  CHECK(messages[1].internalDate == "01-Feb-2024 10:00:00 +0000");
  CHECK(messages[1].size == odd.size());
  const MailAccount pop3(server.pop3(), "alice", server.password("alice"));
  CHECK(pop3.dumpPop3().size() == 1);
}

TEST_CASE("a restarted test server has the same mail and other capabilities", "[dovecot]") {
  Dovecot server;
  MailAccount(server.imap(), "user1", "secret").append("INBOX", {"Subject: kept\r\n\r\n"});
  server.restart({"--capability", "IMAP4rev1 UIDPLUS"});
  CHECK(MailAccount(server.imap(), "user1", "secret").dump().size() == 1);
}

TEST_CASE("a process that is killed reports its signal, one that exits its status", "[process]") {
  CHECK(run({"sh", "-c", "cat; echo e >&2; exit 7"}, {}, "in").out == "in");
  CHECK(run({"sh", "-c", "cat; echo e >&2; exit 7"}).err == "e\n");
  CHECK(run({"sh", "-c", "exit 7"}).status == 7);
  CHECK(run({"no-such-program-here"}).status == 127);
  CHECK(run({"sh", "-c", "echo $SEEN"}, {{{"SEEN", "yes"}}, {}}).out == "yes\n");
  Process process({"sh", "-c", "echo started; cat"});
  REQUIRE(process.waitForOutput("started"));
  process.signal(SIGKILL);
  CHECK(process.wait().status == 128 + SIGKILL);
}
