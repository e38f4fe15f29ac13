// What servers gave and got, by account and day.
#include "tests/mailstore/store_fixture.h"
#include "tests/support/catch.h"

using namespace mailbraid::mailstore;
using mailbraid::tests::StoreFixture;

TEST_CASE("what a day's runs spend adds up, account by account, and is there after the store was opened again",
          "[store][budget]") {
  StoreFixture fixture;
  fixture.store->spendings().add("imap:me@host", 100, {10, 20, 1, 2});
  fixture.store->spendings().add("imap:me@host", 100, {5, 0, 1, 0});
  fixture.store->spendings().add("imap:you@host", 100, {7, 7, 7, 7});
  fixture.reopen();
  CHECK(fixture.store->spendings().of("imap:me@host", 100) == Spending{15, 20, 2, 2});
  CHECK(fixture.store->spendings().of("imap:you@host", 100) == Spending{7, 7, 7, 7});
  CHECK(fixture.store->spendings().of("imap:me@host", 101) == Spending{});
}

TEST_CASE("a new day begins with nothing spent, and the old one is forgotten", "[store][budget]") {
  StoreFixture fixture;
  fixture.store->spendings().add("imap:me@host", 100, {10, 20, 1, 2});
  fixture.store->spendings().add("imap:you@host", 100, {1, 1, 1, 1});
  fixture.store->spendings().add("imap:me@host", 101, {3, 0, 1, 0});
  CHECK(fixture.store->spendings().of("imap:me@host", 101) == Spending{3, 0, 1, 0});
  CHECK(fixture.store->spendings().of("imap:me@host", 100) == Spending{});
  CHECK(fixture.store->spendings().of("imap:you@host", 100) == Spending{1, 1, 1, 1});
}
