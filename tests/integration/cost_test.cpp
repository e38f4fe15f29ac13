#include "tests/integration/workspace.h"
#include "tests/support/catch.h"
#include "tests/support/mail_account.h"

#include <string>
#include <vector>

using namespace mailbraid::test;

namespace {

struct Cost {
  unsigned roundTrips = 0;
  unsigned bytesIn = 0;
  unsigned bytesOut = 0;
};

/// Of a second sync of an account with `count` messages.
Cost costOfNothing(const Dovecot& server, const std::string& user, int count) {
  std::vector<std::string> messages;
  for (int number = 0; number < count; ++number) {
    messages.push_back("Message-ID: <" + std::to_string(number) + "@example.org>\r\nSubject: x\r\n\r\nx\r\n");
  }
  MailAccount(server.imap(), user, "secret").append("INBOX", messages);
  Workspace workspace;
  workspace.endpoint("it", imapEndpoint(workspace, server, user));
  REQUIRE(workspace.sync() == Totals{.fresh = static_cast<unsigned>(count)});
  const Finished finished = workspace.mailbraid({"sync", "--json"});
  REQUIRE(finished.status == 0);
  const auto run = parseJsonLines(finished.out).back();
  REQUIRE(run->getValue<unsigned>("new") == 0);
  return {run->getValue<unsigned>("round_trips"), run->getValue<unsigned>("bytes_in"),
          run->getValue<unsigned>("bytes_out")};
}

}  // namespace

TEST_CASE("P8: a run without changes costs the same for ten and for a thousand messages", "[integration][resync]") {
  const Dovecot server;
  const Cost ten = costOfNothing(server, "user1", 10);
  const Cost thousand = costOfNothing(server, "user2", 1000);
  CHECK(ten.roundTrips > 0);
  CHECK(thousand.roundTrips == ten.roundTrips);
  CHECK(thousand.bytesOut == ten.bytesOut);
  // Counts and UIDs have more digits; a line for each message would be tens of thousands.
  CHECK(thousand.bytesIn < ten.bytesIn + 64);
  CHECK(ten.bytesIn < thousand.bytesIn + 64);
}
