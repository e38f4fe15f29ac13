#include "sync/endpoint/server_limit.h"

#include "tests/support/catch.h"

#include <string>
#include <vector>

using namespace mailbraid::sync;
using namespace mailbraid::sync::endpoint;
using namespace std::chrono_literals;
using Kind = ServerLimit::Kind;

namespace {

/// "[CODE] text", as after NO, BAD or BYE.
ServerLimit told(const std::string& line, Moment moment) {
  if (line.front() != '[') return limitTold(imap::ResponseCodeKind::None, line, moment);
  const std::size_t close = line.find(']');
  const imap::ResponseCode code = imap::parseResponseCode(std::string_view(line).substr(1, close - 1));
  return limitTold(code.kind, line.substr(close + 2), moment);
}

}  // namespace

TEST_CASE("what servers say of their limits is understood", "[endpoint][limits]") {
  struct Row {
    std::string line;
    Kind login;
    Kind session;
    std::optional<std::chrono::milliseconds> wait = std::nullopt;
  };
  const std::vector<Row> rows{
      {"[OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)", Kind::Bandwidth, Kind::Bandwidth},
      {"[ALERT] Account exceeded command or bandwidth limits 1234mb", Kind::Bandwidth, Kind::Bandwidth},
      {"Request is throttled. Suggested Backoff Time: 299609 milliseconds", Kind::Throttled, Kind::Throttled, 299609ms},
      {"[ALERT] Too many simultaneous connections. (Failure)", Kind::Connections, Kind::Connections},
      {"[LIMIT] LOGIN Rate limit hit", Kind::Throttled, Kind::Throttled},
      {"Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)", Kind::Connections,
       Kind::Connections},
      {"[THROTTLED] slow down", Kind::Throttled, Kind::Throttled},
      {"[UNAVAILABLE] Temporary authentication failure", Kind::Busy, Kind::None},
      {"[INUSE] Mailbox is locked", Kind::Busy, Kind::None},
      {"[LIMIT] Too many keywords", Kind::Busy, Kind::None},
      {"[OVERQUOTA] Quota exceeded (mailbox for user is full)", Kind::None, Kind::None},
      {"[AUTHENTICATIONFAILED] Invalid credentials", Kind::None, Kind::None},
      {"[NONEXISTENT] Mailbox doesn't exist: Bandwidth limits", Kind::None, Kind::None},
      {"no mailbox Corporate limits", Kind::None, Kind::None},
      {"Autologout; idle for too long", Kind::None, Kind::None},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    CHECK(told(row.line, Moment::Login).kind == row.login);
    CHECK(told(row.line, Moment::Session).kind == row.session);
    CHECK(told(row.line, Moment::Session).wait == row.wait);
  }
}

TEST_CASE("a wait that is no number, or endless, is not waited for", "[endpoint][limits]") {
  CHECK_FALSE(told("Request is throttled. Suggested Backoff Time: soon", Moment::Session).wait);
  CHECK_FALSE(told("Request is throttled. Suggested Backoff Time: 99999999999999999999999 ms", Moment::Session).wait);
  CHECK(told("Request is throttled. Suggested Backoff Time: 9999999999999 ms", Moment::Session).wait == 168h);
}

TEST_CASE("POP3 servers say it with codes", "[endpoint][limits][pop3]") {
  using Code = pop3::ResponseCode;
  CHECK(limitTold(Code::InUse, "locked", Moment::Login, {}).kind == Kind::Busy);
  CHECK(limitTold(Code::SysTemp, "later", Moment::Login, {}).kind == Kind::Busy);
  CHECK(limitTold(Code::LoginDelay, "minimum time between logins", Moment::Login, 60s).wait == 60s);
  CHECK_FALSE(limitTold(Code::LoginDelay, "minimum time between logins", Moment::Login, {}).wait);
  CHECK(limitTold(Code::SysTemp, "no such message now", Moment::Session, {}).kind == Kind::None);
  CHECK(limitTold(Code::Auth, "bad password", Moment::Login, {}).kind == Kind::None);
}

TEST_CASE("patience waits as long as it is asked to, and no longer than it may", "[endpoint][limits]") {
  const std::uint64_t seed = GENERATE(std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{77});
  CAPTURE(seed);
  Patience patience(120s, seed);
  SECTION("what the server asks for") {
    const auto wait = patience.next({Kind::Throttled, 40s});
    REQUIRE(wait);
    CHECK(*wait >= 40s);
    CHECK(*wait <= 45s);
    CHECK(patience.next({Kind::Throttled, 40s}));
    CHECK_FALSE(patience.next({Kind::Throttled, 60s}));
  }
  SECTION("longer and longer") {
    std::chrono::milliseconds total(0);
    std::chrono::milliseconds expected(1000);
    for (auto wait = patience.next({Kind::Busy, {}}); wait; wait = patience.next({Kind::Busy, {}})) {
      CHECK(*wait >= expected * 3 / 4);
      CHECK(*wait <= expected * 5 / 4);
      total += *wait;
      expected *= 2;
    }
    CHECK(total <= 120s);
    CHECK(expected >= 32s);
  }
  SECTION("what lasts for hours is not waited for") {
    CHECK_FALSE(patience.next({Kind::Bandwidth, {}}));
  }
}

TEST_CASE("two that were refused together do not come back together", "[endpoint][limits]") {
  Patience one(120s, 1);
  Patience other(120s, 2);
  CHECK(one.next({Kind::Busy, {}}) != other.next({Kind::Busy, {}}));
  Patience again(120s, 1);
  Patience same(120s, 1);
  CHECK(again.next({Kind::Busy, {}}) == same.next({Kind::Busy, {}}));
}

TEST_CASE("no patience waits for nothing", "[endpoint][limits]") {
  Patience none(0s, 1);
  CHECK_FALSE(none.next({Kind::Busy, {}}));
}
