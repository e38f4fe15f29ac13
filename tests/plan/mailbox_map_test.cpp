#include "sync/plan/mailbox_map.h"

#include "tests/support/catch.h"

#include <string>
#include <vector>

using namespace mailbraid::sync::plan;
using mailbraid::mailstore::Role;
using Fate = MappedMailbox::Fate;

namespace {

ListedMailbox mailbox(std::string name, Role role = Role::None) {
  return {std::move(name), role, true, {}};
}

std::vector<MappedMailbox> map(const std::vector<ListedMailbox>& listed, MappingRules rules = {}) {
  return mapMailboxes(listed, rules);
}

MappingRules canonical() {
  return {{}, {}, MappingRules::RoleNames::Canonical};
}

}  // namespace

TEST_CASE("mailboxes of one role get one name in a braid, whatever each endpoint calls them", "[plan][mailboxes]") {
  const auto mapped =
      map({mailbox("inbox"), mailbox("Gesendet", Role::Sent), mailbox("Papierkorb", Role::Trash)}, canonical());
  CHECK(mapped[0].storeName == "INBOX");
  CHECK(mapped[0].role == Role::Inbox);
  CHECK(mapped[1].storeName == "Sent");
  CHECK(mapped[2].storeName == "Trash");
}

TEST_CASE("where the server names no special use, the name of a mailbox tells its role", "[plan][mailboxes]") {
  const auto mapped = map({mailbox("INBOX"), mailbox("Sent Items"), mailbox("Gesendet")}, canonical());
  CHECK(mapped[1].role == Role::Sent);
  CHECK(mapped[2].role == Role::None);  // one mailbox a role
  CHECK(mapped[2].storeName == "Gesendet");
}

TEST_CASE("what the server says about a role counts more than a name", "[plan][mailboxes]") {
  const auto mapped = map({mailbox("Sent"), mailbox("Outgoing", Role::Sent)});
  CHECK(mapped[0].role == Role::None);
  CHECK(mapped[1].role == Role::Sent);
}

TEST_CASE("a mirror keeps the names that it has", "[plan][mailboxes]") {
  CHECK(map({mailbox("Gesendet", Role::Sent)})[0].storeName == "Gesendet");
}

TEST_CASE("views are left out unless they are named", "[plan][mailboxes]") {
  const std::vector<ListedMailbox> listed{mailbox("INBOX"), mailbox("[Gmail]/All Mail", Role::All)};
  CHECK(map(listed)[1].fate == Fate::LeftOut);
  CHECK(map(listed, {{"*"}, {}, {}})[1].fate == Fate::LeftOut);
  CHECK(map(listed, {{"*", "[Gmail]/All Mail"}, {}, {}})[1].fate == Fate::Sync);
}

TEST_CASE("a view that the user leaves out is told from one that is left out by itself", "[plan][mailboxes]") {
  struct Row {
    std::vector<std::string> patterns;
    bool asView;
  };
  const std::vector<Row> rows{{{}, true},
                              {{"*"}, true},
                              {{"*", "!Spam"}, true},
                              {{"!Spam"}, true},
                              {{"INBOX"}, false},
                              {{"INBOX", "Work/*"}, false},
                              {{"*", "!All"}, false},
                              {{"!All"}, false}};
  for (const Row& row : rows) {
    CAPTURE(row.patterns);
    const auto mapped = map({mailbox("INBOX"), mailbox("All", Role::All)}, {row.patterns, {}, {}});
    CHECK(mapped[1].fate == Fate::LeftOut);
    CHECK(mapped[1].asView == row.asView);
    CHECK_FALSE(mapped[0].asView);
  }
}

TEST_CASE("the last pattern that matches decides", "[plan][mailboxes]") {
  const std::vector<ListedMailbox> listed{mailbox("INBOX"), mailbox("Lists/a"), mailbox("Lists/b"), mailbox("Spam")};
  const auto mapped = map(listed, {{"*", "!Lists/*", "Lists/b", "!Spam"}, {}, {}});
  CHECK(mapped[0].fate == Fate::Sync);
  CHECK(mapped[1].fate == Fate::LeftOut);
  CHECK(mapped[2].fate == Fate::Sync);
  CHECK(mapped[3].fate == Fate::LeftOut);
  CHECK(map(listed, {{"!Spam"}, {}, {}})[0].fate == Fate::Sync);
  CHECK(map(listed, {{"INBOX"}, {}, {}})[1].fate == Fate::LeftOut);
}

TEST_CASE("a name that would leave its directory is refused and never cleaned", "[plan][mailboxes][bad-input]") {
  for (const char* name : {"", "a//b", "../x", "a/..", "./a", "a/", "/a", "a\tb", "a\x7f", "a\xff", "\xc0\xae"}) {
    CAPTURE(name);
    CHECK_FALSE(whyNameIsRefused(name).empty());
    CHECK(map({mailbox(name)})[0].fate == Fate::Refused);
  }
  CHECK_FALSE(whyNameIsRefused(std::string(1001, 'a')).empty());
  CHECK_FALSE(whyNameIsRefused(std::string("a\0b", 3)).empty());
  for (const char* name : {"INBOX", "日本/語", "a..b", "...", "Entwürfe"}) {
    CAPTURE(name);
    CHECK(whyNameIsRefused(name).empty());
  }
}

TEST_CASE("two mailboxes that would share a store mailbox are not merged silently", "[plan][mailboxes]") {
  const auto mapped = map({mailbox("a"), mailbox("b")}, {{}, {{"b", "a"}}, {}});
  CHECK(mapped[0].fate == Fate::Sync);
  CHECK(mapped[1].fate == Fate::Refused);
  CHECK(mapped[1].reason.find("share") != std::string::npos);
}

TEST_CASE("map gives a mailbox another name in the store", "[plan][mailboxes]") {
  CHECK(map({mailbox("Alt")}, {{}, {{"Alt", "Archive/Old"}}, {}})[0].storeName == "Archive/Old");
  CHECK(map({mailbox("Alt")}, {{}, {{"Alt", "../Old"}}, {}})[0].fate == Fate::Refused);
}

TEST_CASE("a pattern's star stands for any run of characters", "[plan][mailboxes]") {
  CHECK(matchesPattern("*", "a/b"));
  CHECK(matchesPattern("a*c", "abbc"));
  CHECK(matchesPattern("*a*", "xxaxx"));
  CHECK(matchesPattern("inbox", "INBOX"));
  CHECK_FALSE(matchesPattern("a", "ab"));
  CHECK_FALSE(matchesPattern("A", "a"));
  CHECK_FALSE(matchesPattern("a*c", "abbd"));
}
