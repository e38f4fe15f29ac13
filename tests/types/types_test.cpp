#include "mailstore/types/flags.h"
#include "mailstore/types/role.h"
#include "mailstore/types/uid_set.h"
#include "tests/support/catch.h"

#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <string>

using namespace mailbraid::mailstore;

namespace {

constexpr std::uint32_t kMax = std::numeric_limits<std::uint32_t>::max();

UidSet setOf(std::string_view text) {
  return text.empty() ? UidSet{} : UidSet::parse(text).value();
}

std::set<std::uint32_t> members(const UidSet& set) {
  std::set<std::uint32_t> out;
  for (const auto& range : set.ranges()) {
    for (std::uint32_t uid = range.first.value(); uid <= range.last.value(); ++uid) out.insert(uid);
  }
  return out;
}

UidSet randomSet(std::mt19937& random) {
  UidSet out;
  const auto count = random() % 8;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto first = static_cast<std::uint32_t>(random() % 40 + 1);
    out.add(Uid{first}, Uid{first + static_cast<std::uint32_t>(random() % 6)});
  }
  return out;
}

/// Ascending, disjoint and not adjacent.
bool isNormal(const UidSet& set) {
  for (std::size_t i = 0; i < set.ranges().size(); ++i) {
    if (set.ranges()[i].last < set.ranges()[i].first) return false;
    if (i > 0 && set.ranges()[i].first.value() <= set.ranges()[i - 1].last.value() + 1) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a UID set reads what a server may write", "[uid_set]") {
  CHECK(setOf("3,5:9,12").text() == "3,5:9,12");
  CHECK(setOf("9:5").text() == "5:9");
  CHECK(setOf("12,3,4,5:9,7:10").text() == "3:10,12");
  CHECK(setOf("4294967295").contains(Uid{kMax}));
  CHECK(setOf("1:4294967295").count() == kMax);
}

TEST_CASE("a UID set refuses what is none", "[uid_set]") {
  for (const char* wrong : {"", "0", "*", "1:*", "1,", ",1", "1,,2", "a", "1:", ":1", "1:2:3", "-1", "+1", " 1", "1 ",
                            "4294967296", "99999999999999999999", "0:5"}) {
    CAPTURE(wrong);
    CHECK_FALSE(UidSet::parse(wrong).has_value());
  }
  CHECK_FALSE(UidSet::parse("1,3,5", 2).has_value());
  CHECK(UidSet::parse("1,3", 2).has_value());
}

TEST_CASE("a UID set at the edge of the numbers stays right", "[uid_set]") {
  UidSet set;
  set.add(Uid{kMax});
  set.add(Uid{kMax - 1});
  set.add(Uid{1});
  CHECK(set.text() == "1,4294967294:4294967295");
  set.add(Uid{0});
  set.add(Uid{9}, Uid{8});
  CHECK(set.count() == 3);
  set.remove(UidSet::of(Uid{kMax}, Uid{kMax}));
  CHECK(set.text() == "1,4294967294");
  set.add(UidSet::of(Uid{1}, Uid{kMax}));
  CHECK(set.text() == "1:4294967295");
}

TEST_CASE("UID sets do what sets do", "[uid_set]") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 2000; ++round) {
    const UidSet left = randomSet(random);
    const UidSet right = randomSet(random);
    CAPTURE(left.text(), right.text());
    const auto inLeft = members(left);
    const auto inRight = members(right);
    std::set<std::uint32_t> both;
    std::set<std::uint32_t> onlyLeft;
    for (const std::uint32_t uid : inLeft) (inRight.contains(uid) ? both : onlyLeft).insert(uid);
    UidSet sum = left;
    sum.add(right);
    UidSet rest = left;
    rest.remove(right);
    auto united = inLeft;
    united.insert(inRight.begin(), inRight.end());
    REQUIRE(members(sum) == united);
    REQUIRE(members(rest) == onlyLeft);
    REQUIRE(members(left.intersectedWith(right)) == both);
    REQUIRE((isNormal(sum) && isNormal(rest) && isNormal(left.intersectedWith(right))));
    REQUIRE(left.count() == inLeft.size());
    for (std::uint32_t uid = 1; uid < 50; ++uid) REQUIRE(left.contains(Uid{uid}) == inLeft.contains(uid));
    if (!left.empty()) REQUIRE(UidSet::parse(left.text()) == left);
  }
}

TEST_CASE("adding a UID set to itself changes nothing", "[uid_set]") {
  UidSet set = setOf("1:3,7");
  set.add(set);
  CHECK(set.text() == "1:3,7");
  set.remove(set);
  CHECK(set.empty());
}

TEST_CASE("a UID set is cut into commands that are short enough and hold everything", "[uid_set]") {
  UidSet set;
  for (std::uint32_t uid = 1; uid < 3000; uid += 3) set.add(Uid{uid}, Uid{uid + 1});
  UidSet together;
  for (const UidSet& part : set.chunksOfText(100)) {
    CHECK(part.text().size() <= 100);
    together.add(part);
  }
  CHECK(together == set);
  CHECK(setOf("1000:2000").chunksOfText(3).size() == 1);
  CHECK(UidSet{}.chunksOfText(100).empty());
}

TEST_CASE("a UID set is cut by count, through ranges", "[uid_set]") {
  const auto parts = setOf("1:5,7,9:12").chunksOfCount(4);
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].text() == "1:4");
  CHECK(parts[1].text() == "5,7,9:10");
  CHECK(parts[2].text() == "11:12");
  CHECK(setOf("1:4294967295").chunksOfCount(kMax).size() == 1);
  CHECK(UidSet{}.chunksOfCount(5).empty());
}

TEST_CASE("flags come from IMAP's names and go back as such", "[flags]") {
  const Flags flags =
      Flags::parse({"\\SEEN", "work", "\\Recent", "\\*", "", "\\Unknown", "$Forwarded", "Work", "a b", "x(y"});
  CHECK(flags.names() == std::vector<std::string>{"\\Seen", "$Forwarded", "work"});
  CHECK(flags.hasKeyword("WORK"));
  CHECK_FALSE(flags.hasKeyword("wor"));
  CHECK(flags.has(SystemFlag::Seen));
  CHECK_FALSE(flags.has(SystemFlag::Deleted));
}

TEST_CASE("equal sets of flags are equal whatever their order and case", "[flags]") {
  CHECK(Flags::parse({"b", "a", "\\Draft"}) == Flags::parse({"\\draft", "A", "B"}));
  CHECK(Flags::parse({"b", "a"}).keywordColumn() == Flags::parse({"a", "b"}).keywordColumn());
  CHECK_FALSE(Flags::parse({"a"}) == Flags::parse({"a", "b"}));
  CHECK_FALSE(Flags::parse({"a"}) == Flags::parse({"a", "\\Seen"}));
}

TEST_CASE("flags survive the store's columns", "[flags]") {
  const Flags flags = Flags::parse({"\\Seen", "\\Flagged", "$Junk", "été", "work]"});
  CHECK(Flags::fromColumns(flags.bits(), flags.keywordColumn()) == flags);
  CHECK(Flags::fromColumns(0, "").empty());
  CHECK(Flags::fromColumns(255, "").bits() == 31);
}

TEST_CASE("flags are subtracted and united flag by flag", "[flags]") {
  const Flags left = Flags::parse({"\\Seen", "\\Flagged", "a", "b"});
  const Flags right = Flags::parse({"\\Seen", "B", "c"});
  CHECK(left.without(right) == Flags::parse({"\\Flagged", "a"}));
  CHECK(right.without(left) == Flags::parse({"c"}));
  CHECK(left.unitedWith(right) == Flags::parse({"\\Seen", "\\Flagged", "a", "b", "c"}));
}

TEST_CASE("roles have one word each, there and back", "[role]") {
  for (const Role role : {Role::None, Role::Inbox, Role::Sent, Role::Drafts, Role::Trash, Role::Junk, Role::Archive,
                          Role::All, Role::Flagged}) {
    CHECK(roleFromName(roleName(role)) == role);
  }
  CHECK_FALSE(roleFromName("Sent").has_value());
  CHECK_FALSE(roleFromName("outbox").has_value());
}

TEST_CASE("a server's SPECIAL-USE is understood in any case", "[role]") {
  CHECK(roleFromSpecialUse("\\Sent") == Role::Sent);
  CHECK(roleFromSpecialUse("\\JUNK") == Role::Junk);
  CHECK(roleFromSpecialUse("\\Flagged") == Role::Flagged);
  CHECK(roleFromSpecialUse("\\AllMail") == Role::All);
  CHECK(roleFromSpecialUse("\\HasNoChildren") == Role::None);
  CHECK(roleFromSpecialUse("") == Role::None);
}

TEST_CASE("mailboxes are recognised by the names that clients give them", "[role]") {
  const std::vector<std::pair<const char*, Role>> names{
      {"INBOX", Role::Inbox},           {"Sent Items", Role::Sent},        {"Sent Messages", Role::Sent},
      {"Gesendet", Role::Sent},         {"Gesendete Objekte", Role::Sent}, {"Elementos enviados", Role::Sent},
      {"Éléments envoyés", Role::Sent}, {"Posta inviata", Role::Sent},     {"送信済み", Role::Sent},
      {"已发送", Role::Sent},           {"Отправленные", Role::Sent},      {"ΑΠΕΣΤΑΛΜΕΝΑ", Role::Sent},
      {"Deleted Items", Role::Trash},   {"Deleted Messages", Role::Trash}, {"Papierkorb", Role::Trash},
      {"Корзина", Role::Trash},         {"ENTWÜRFE", Role::Drafts},        {"Drafts", Role::Drafts},
      {"下書き", Role::Drafts},         {"Spamverdacht", Role::Junk},      {"Junk E-mail", Role::Junk},
      {"迷惑メール", Role::Junk},       {"Archiv", Role::Archive},         {"Archives", Role::Archive},
  };
  for (const auto& [name, role] : names) {
    CAPTURE(name);
    CHECK(roleFromMailboxName(name) == role);
  }
}

TEST_CASE("other names say nothing about a role", "[role]") {
  for (const char* name :
       {"", "Work", "Sent 2019", "All", "All Mail", "Starred", "Important", "Sents", "\xC3", "\xFF"}) {
    CAPTURE(name);
    CHECK(roleFromMailboxName(name) == Role::None);
  }
}
