// Which pairs of endpoints count as one account, and which do not.
#include "sync/endpoint/same_account.h"
#include "tests/support/catch.h"

#include <cstdint>
#include <string>

using mailbraid::sync::endpoint::EndpointSettings;
using mailbraid::sync::endpoint::EndpointType;
using mailbraid::sync::endpoint::maybeSameAccount;
using mailbraid::sync::endpoint::maybeSameEndpoint;

namespace {

EndpointSettings server(EndpointType type, const std::string& user, const std::string& host, std::uint16_t port = 993) {
  EndpointSettings out;
  out.type = type;
  out.user = user;
  out.server.host = host;
  out.server.port = port;
  return out;
}

struct Pair {
  const char* user;
  const char* host;
  const char* otherUser;
  const char* otherHost;
};

constexpr Pair kOneAccount[] = {
    {"me", "pop.example.org", "me", "imap.example.org"},
    {"me", "pop.example.org", "Me@Example.org", "IMAP.example.org."},
    {"me@example.org", "example.org", "me@EXAMPLE.org", "mail.example.org"},
    {"recent:me@gmail.com", "pop.gmail.com", "me@gmail.com", "imap.gmail.com"},
    {"Recent:me", "pop.gmail.com", "me@gmail.com", "imap.gmail.com"},
    {"recent:me", "127.0.0.1", "me", "127.0.0.1"},
    {"m.e@googlemail.com", "pop.googlemail.com", "me@gmail.com", "imap.gmail.com"},
    {"me@a.example", "pop.gmail.com", "me@a.example", "imap.googlemail.com"},
    {"me@outlook.com", "pop-mail.outlook.com", "me@outlook.com", "outlook.office365.com"},
    {"me@a.example", "outlook.office.com", "me", "imap-mail.outlook.com"},
    {"me", "mail.a.co.uk", "me@a.co.uk", "a.co.uk"},
    {"me", "localhost", "me", "127.0.0.1"},
    {"me", "127.0.1.1", "me", "::1"},
    {"me", "[::1]", "me@example.org", "LOCALHOST"},
    {"me", "192.0.2.1", "me", "192.0.2.1"},
    {"me%example.org", "mail.example.org", "me@example.org", "mail.example.org"},
    {"me+example.org", "mail.example.org", "me@example.org", "mail.example.org"},
    {"me\\example.org", "mail.example.org", "me@example.org", "mail.example.org"},
    {"EXAMPLE\\me", "mail.example.org", "me@example.org", "mail.example.org"},
    {"first+last", "mail.example.org", "first+last@example.org", "mail.example.org"},
    {"first%last", "mail.example.org", "first%last", "mail.example.org"},
    {"me@yandex.kz", "pop.yandex.ru", "me@yandex.ru", "imap.yandex.kz"},
};

constexpr Pair kTwoAccounts[] = {
    {"me", "mail.a.co.uk", "me", "mail.b.co.uk"},
    {"me", "pop.a.com.au", "me", "imap.b.com.au"},
    {"me", "mail.a.example", "me", "mail.b.example"},
    {"me", "mail.example.org", "you", "mail.example.org"},
    {"me", "mail.example.org", "you@example.org", "mail.example.org"},
    {"me@a.example", "mail.example.org", "me@b.example", "mail.example.org"},
    {"me@outlook.com", "pop-mail.outlook.com", "me@hotmail.com", "imap-mail.outlook.com"},
    {"me@example.org", "imap.gmail.com", "me@example.org", "outlook.office365.com"},
    {"m.e", "mail.example.org", "me", "mail.example.org"},
    {"m.e@a.example", "imap.gmail.com", "me@a.example", "imap.gmail.com"},  // organisations' addresses have their dots
    {"recent", "mail.example.org", "me", "mail.example.org"},
    {"me+a.example", "mail.example.org", "me+b.example", "mail.example.org"},
    {"me+lists@example.org", "mail.example.org", "me@example.org", "mail.example.org"},
    {"me", "192.0.2.1", "me", "192.0.2.2"},
    {"me", "2001:db8::1", "me", "2001:db8::2"},
    {"me", "127.example.org", "me", "localhost"},
};

}  // namespace

TEST_CASE("P1: one account is known under two spellings of its user and its host", "[endpoint][same_account]") {
  for (const Pair& row : kOneAccount) {
    CAPTURE(row.user, row.host, row.otherUser, row.otherHost);
    const EndpointSettings pop = server(EndpointType::Pop3, row.user, row.host);
    const EndpointSettings imap = server(EndpointType::Imap, row.otherUser, row.otherHost);
    CHECK((maybeSameAccount(pop, imap) && maybeSameAccount(imap, pop)));
    CHECK_FALSE(maybeSameEndpoint(pop, imap));  // POP3 and IMAP of one account are two endpoints
  }
}

TEST_CASE("two accounts are two, also at one provider, and also below one public suffix", "[endpoint][same_account]") {
  for (const Pair& row : kTwoAccounts) {
    CAPTURE(row.user, row.host, row.otherUser, row.otherHost);
    const EndpointSettings one = server(EndpointType::Imap, row.user, row.host);
    const EndpointSettings other = server(EndpointType::Imap, row.otherUser, row.otherHost);
    CHECK_FALSE((maybeSameAccount(one, other) || maybeSameAccount(other, one)));
    CHECK_FALSE((maybeSameEndpoint(one, other) || maybeSameEndpoint(other, one)));
  }
}

TEST_CASE("one server is known under its two ports and the names of this host", "[endpoint][same_account]") {
  struct Row {
    const char* host;
    std::uint16_t port;
    const char* otherHost;
    std::uint16_t otherPort;
    bool same;
  };
  constexpr Row kRows[] = {
      {"mail.example.org", 143, "MAIL.example.org.", 993, true},
      {"mail.example.org", 110, "mail.example.org", 995, true},
      {"127.0.0.1", 4000, "localhost", 4000, true},
      {"127.0.0.1", 4000, "127.0.0.1", 4001, false},
      {"localhost", 143, "::1", 993, true},
      {"imap.gmail.com", 993, "imap.googlemail.com", 993, true},
      {"imap-mail.outlook.com", 993, "outlook.office365.com", 993, true},
      {"mail.example.org", 993, "mail.example.org", 995, false},
      {"mail.example.org", 993, "mail.example.org", 10993, false},
      // A company's old server and its new one.
      {"old.example.org", 993, "new.example.org", 993, false},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.host, row.port, row.otherHost, row.otherPort);
    const EndpointSettings one = server(EndpointType::Imap, "me", row.host, row.port);
    const EndpointSettings other = server(EndpointType::Imap, "me", row.otherHost, row.otherPort);
    CHECK(maybeSameEndpoint(one, other) == row.same);
    CHECK(maybeSameEndpoint(other, one) == row.same);
  }
}
