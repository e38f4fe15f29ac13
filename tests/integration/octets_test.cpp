#include "tests/integration/workspace.h"
#include "tests/support/catch.h"
#include "tests/support/mail_account.h"

#include <algorithm>
#include <string>
#include <vector>

using namespace mailbraid::test;

namespace {

std::vector<std::string> oddMessages() {
  const std::string head = "Subject: odd\r\n";
  std::string large = head + "\r\n";
  for (unsigned line = 0; large.size() < 20'000'000; ++line)
    large += std::to_string(line * 2654435761U) + " is a line\r\n";
  return {
      head + "\r\na NUL " + std::string(1, '\0') + " within\r\n",
      head + "\r\n\xff\xfe\xff, and again \xff\r\n",
      head + "\r\nbare\rCR\r and \r\r\n\r",
      head + "\r\nbare\nLF\n and \n\n\r\n\n",
      "no header at all, one line",
      "\r\nempty header\r\n",
      "\r\n",
      head,
      head + "\r\nno final newline",
      head + "\r\n.\r\n..\r\n.dots\r\n.",
      head + "\r\n" + std::string(100'000, 'l') + "\r\nand after it\r\n",
      "Subject: " + std::string(100'000, 's') + "\r\n\r\nlong header line\r\n",
      "Subject: Stra\xdf\x65 \xe4\xf6\xfc\r\nFrom: \"J\xf6rg\" <j@example.org>\r\nX-Raw: "
      "\x80\x81\xfe\xff\r\n\r\neight-bit header\r\n",
      "Subject: Gr\xc3\xbc\xc3\x9f\x65\r\nTo: \xe7\x94\xb0\xe4\xb8\xad <t@example.jp>\r\n\r\nUTF-8 header\r\n",
      "From x Mon Jan  1 00:00:00 2024\r\nSubject: an mbox line\r\n\r\nFrom y\r\n>From z\r\n",
      head + "X-Odd:\r\n\t \r\n : no name\r\nno colon\r\n\r\nstrange header\r\n",
      head + "\r\n{5}\r\nA1 OK LOGOUT\r\n* BYE\r\n)\r\n+OK\r\n-ERR\r\n",
      large,
  };
}

std::vector<std::string> rawDigests(const Workspace& workspace, const std::string& mailbox) {
  std::vector<std::string> result;
  for (const std::string& entry : workspace.entries(mailbox)) {
    const Finished shown = workspace.mailbraid({"show", entry, "--raw"});
    CHECK(shown.status == 0);
    result.push_back(sha256(shown.out));
  }
  std::sort(result.begin(), result.end());
  return result;
}

template <class Messages>
std::vector<std::string> digestsOf(const Messages& messages) {
  std::vector<std::string> result;
  for (const auto& message : messages) result.push_back(message.digest);
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

TEST_CASE("P2: odd messages come out octet for octet as the server gives them, over IMAP and over POP3",
          "[integration][octets]") {
  // Maildir keeps bare LF as it is; sdbox keeps CRLF and NUL.
  const std::string format = GENERATE("sdbox", "maildir");
  const Dovecot server({"--format", format});
  const MailAccount account(server.imap(), "user1", "secret");
  account.append("INBOX", oddMessages());
  Workspace workspace;
  workspace.endpoint("imap", imapEndpoint(workspace, server, "user1"));
  workspace.endpoint("pop", pop3Endpoint(workspace, server, "user1"));
  const auto count = static_cast<unsigned>(oddMessages().size());
  CHECK(workspace.sync() == Totals{.fresh = 2 * count});
  CHECK(rawDigests(workspace, "imap/INBOX") == digestsOf(account.dump()));
  CHECK(rawDigests(workspace, "pop/INBOX") == digestsOf(MailAccount(server.pop3(), "user1", "secret").dumpPop3()));
  CHECK(workspace.mailbraid({"verify"}).status == 0);
  CHECK(workspace.sync() == kNothing);
}

TEST_CASE("P2: flags, keywords and the internal date come along", "[integration][octets]") {
  const Dovecot server;
  const MailAccount account(server.imap(), "user1", "secret");
  account.append("INBOX", {"Subject: a\r\n\r\n"}, "\\Seen \\Flagged $Work later", "01-Feb-2003 04:05:06 +0200");
  Workspace workspace;
  workspace.endpoint("it", imapEndpoint(workspace, server, "user1"));
  REQUIRE(workspace.sync() == Totals{.fresh = 1});
  const auto stored = workspace.stored();
  REQUIRE(stored.size() == 1);
  CHECK(stored[0].flags == std::vector<std::string>{"$Work", "\\Flagged", "\\Seen", "later"});
  CHECK(stored[0].internalDate.substr(0, 19) == "2003-02-01T02:05:06");
}
