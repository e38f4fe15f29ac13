#include "sync/plan/verification.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

using namespace mailbraid::sync::plan;
using mailbraid::mailstore::EntryId;
using mailbraid::mailstore::Flags;
using mailbraid::mailstore::InternalDate;
using mailbraid::mailstore::RemoteKey;
using mailbraid::mailstore::Uid;

namespace {

using Standing = ExpectedMessage::Standing;
using Excuse = FoundMessage::Excuse;
using Kind = Finding::Kind;

constexpr InternalDate kDate{1'700'000'000, 60};  // 2023

template <class Hash>
Hash hash(int number) {
  Hash out;
  out.bytes[0] = static_cast<std::uint8_t>(number);
  return out;
}

/// A message in numbers: what it is called, its header, and its body.
struct Mail {
  int id = 0;
  int header = 0;
  int body = 0;
};

ExpectedMessage expected(std::int64_t entry, Mail mail, std::optional<std::uint32_t> uid = std::nullopt) {
  ExpectedMessage out;
  out.entry = EntryId{entry};
  if (uid) out.key = Uid{*uid};
  out.digest = hash<mailbraid::mailstore::Digest>(mail.header * 16 + mail.body);
  out.header = hash<mailbraid::mailstore::HeaderDigest>(mail.header);
  out.content = hash<mailbraid::mailstore::ContentKey>(mail.id * 16 + mail.body);
  out.size = 100;
  out.likeness = static_cast<std::uint64_t>(mail.id);
  out.date = kDate;
  return out;
}

FoundMessage found(std::uint32_t uid, Mail mail) {
  FoundMessage out;
  out.key = Uid{uid};
  out.header = hash<mailbraid::mailstore::HeaderDigest>(mail.header);
  out.hasMessageId = mail.id != 0;
  out.size = 100;
  out.likeness = static_cast<std::uint64_t>(mail.id);
  out.index = std::make_shared<const mailbraid::mailstore::HeaderIndex>();
  out.flags = Flags{};
  out.date = kDate;
  return out;
}

Verification::Body bodyOf(Mail mail) {
  Verification::Body out;
  out.names.digest = hash<mailbraid::mailstore::Digest>(mail.header * 16 + mail.body);
  out.names.content = hash<mailbraid::mailstore::ContentKey>(mail.id * 16 + mail.body);
  out.header = hash<mailbraid::mailstore::HeaderDigest>(mail.header);
  out.size = 100;
  return out;
}

FoundMessage read(std::uint32_t uid, Mail mail) {
  FoundMessage out = found(uid, mail);
  out.body = bodyOf(mail).names;
  return out;
}

std::vector<Kind> kinds(const Verification& verification) {
  std::vector<Kind> out;
  for (const Finding& finding : verification.findings()) out.push_back(finding.kind);
  std::sort(out.begin(), out.end());
  return out;
}

/// Only mailbox 0.
Verification compared(std::vector<ExpectedMessage> store, std::vector<FoundMessage> there) {
  Verification out;
  out.compare(0, std::move(store), std::move(there));
  return out;
}

Verification settled(std::vector<ExpectedMessage> store, std::vector<FoundMessage> there) {
  Verification out = compared(std::move(store), std::move(there));
  out.settle();
  return out;
}

ExpectedMessage standing(ExpectedMessage message, Standing now, std::string reason) {
  message.standing = now;
  message.reason = std::move(reason);
  return message;
}

FoundMessage excused(FoundMessage message, Excuse excuse, std::string reason) {
  message.excuse = excuse;
  message.reason = std::move(reason);
  return message;
}

}  // namespace

TEST_CASE("what the store has and what is there have one verdict each", "[plan][verification]") {
  const Mail m{1, 1, 1};
  const Mail other{2, 2, 2};
  struct Row {
    const char* name;
    std::vector<ExpectedMessage> store;
    std::vector<FoundMessage> there;
    std::vector<Kind> verdicts;
  };
  const Row rows[] = {
      {"the same", {expected(1, m, 7)}, {found(7, m)}, {}},
      {"the same under another key", {expected(1, m, 7)}, {found(9, m)}, {}},
      {"never paired", {expected(1, m)}, {found(7, m)}, {}},
      {"gone", {expected(1, m, 7)}, {}, {Kind::Missing}},
      {"unknown to the store", {}, {found(7, m)}, {Kind::Extra}},
      {"another message", {expected(1, m)}, {found(7, other)}, {Kind::Missing, Kind::Extra}},
      {"refused there", {standing(expected(1, m), Standing::Refused, "too large")}, {}, {Kind::Refused}},
      {"refused once, there now", {standing(expected(1, m), Standing::Refused, "too large")}, {found(7, m)}, {}},
      {"left out by the configuration", {standing(expected(1, m), Standing::LeftOut, "")}, {}, {}},
      {"left out, there all the same", {standing(expected(1, m), Standing::LeftOut, "")}, {found(7, m)}, {}},
      {"removed in the store, there by configuration",
       {standing(expected(1, m, 7), Standing::Removed, "")},
       {found(7, m)},
       {}},
      {"removed in the store, not there yet",
       {standing(expected(1, m, 7), Standing::Removed, "held back")},
       {found(7, m)},
       {Kind::Extra}},
      {"removed on both sides", {standing(expected(1, m, 7), Standing::Removed, "held back")}, {}, {}},
      {"in quarantine", {}, {excused(found(7, m), Excuse::Refused, "damaged")}, {Kind::Refused}},
      {"not taken by the configuration", {}, {excused(found(7, m), Excuse::LeftOut, "")}, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(kinds(settled(row.store, row.there)) == row.verdicts);
  }
}

TEST_CASE("two equal copies are two: one that is missing is missed", "[plan][verification]") {
  const Mail m{1, 1, 1};
  CHECK(kinds(settled({expected(1, m), expected(2, m)}, {found(7, m), found(8, m)})).empty());
  CHECK(kinds(settled({expected(1, m), expected(2, m)}, {found(7, m)})) == std::vector{Kind::Missing});
  CHECK(kinds(settled({expected(1, m)}, {found(7, m), found(8, m)})) == std::vector{Kind::Extra});
}

TEST_CASE("a copy serves what is required before what is only removed", "[plan][verification]") {
  const Mail m{1, 1, 1};
  const Verification verification =
      settled({standing(expected(1, m), Standing::Removed, "held back"), expected(2, m)}, {found(7, m)});
  CHECK(verification.findings().empty());
  CHECK(verification.totals().ok == 1);
}

TEST_CASE("without a Message-ID a header and a size are not enough, unless a pair says so", "[plan][verification]") {
  const Mail nameless{0, 3, 1};
  Verification verification = compared({expected(1, nameless)}, {found(7, nameless)});
  REQUIRE(verification.bodiesWanted() == std::vector{Verification::Place{0, RemoteKey{Uid{7}}}});
  verification.tellBody({0, Uid{7}}, bodyOf({0, 3, 2}));
  verification.settle();
  CHECK(kinds(verification) == std::vector{Kind::Missing, Kind::Extra});
  CHECK(compared({expected(1, nameless, 7)}, {found(7, nameless)}).bodiesWanted().empty());
}

TEST_CASE("a message is called altered only after its body was read", "[plan][verification]") {
  Verification verification = compared({expected(1, {1, 1, 1})}, {found(7, {1, 2, 1})});
  REQUIRE(verification.bodiesWanted().size() == 1);

  SECTION("the same content by another route is as it should be") {
    verification.tellBody({0, Uid{7}}, bodyOf({1, 2, 1}));
    verification.settle();
    CHECK(kinds(verification) == std::vector{Kind::AnotherRoute});
    CHECK(verification.totals().ok == 1);
  }
  SECTION("the very same octets, of which the server told a wrong size") {
    verification.tellBody({0, Uid{7}}, bodyOf({1, 1, 1}));
    verification.settle();
    CHECK(kinds(verification).empty());
  }
  SECTION("a body that the endpoint does not give proves nothing") {
    verification.tellUnreadable({0, Uid{7}}, "the server will not give it");
    verification.settle();
    CHECK(kinds(verification) == std::vector{Kind::Missing, Kind::Extra});
  }
}

TEST_CASE("altered: the same Message-ID, or the same key, and other octets", "[plan][verification]") {
  mailbraid::mailstore::HeaderIndex index;
  index.messageId = "one@example.org";
  ExpectedMessage message = expected(1, {1, 1, 1});
  message.likeness = likenessOf(index);
  FoundMessage there = read(7, {1, 1, 2});
  there.likeness = likenessOf(index);
  const Verification verification = settled({message}, {there});
  REQUIRE(kinds(verification) == std::vector{Kind::Altered});
  CHECK(verification.findings()[0].reason == "its body is another one, of the same size");

  CHECK(kinds(settled({expected(1, {1, 1, 1}, 7)}, {read(7, {2, 2, 2})})) == std::vector{Kind::Altered});
  // Without bodies nobody can tell.
  CHECK(kinds(settled({expected(1, {1, 1, 1})}, {found(7, {1, 1, 2})})).empty());
}

TEST_CASE("what the endpoint has and does not give is refused, with the reason", "[plan][verification]") {
  FoundMessage there;
  there.key = Uid{7};
  there.unreadable = "the server will not give it";
  const Verification verification = settled({expected(1, {1, 1, 1}, 7)}, {there});
  REQUIRE(kinds(verification) == std::vector{Kind::Refused});
  CHECK(verification.findings()[0].reason == "it is there, but the server will not give it");
}

TEST_CASE("misplaced: what belongs here is there, once, and not twice missing and extra", "[plan][verification]") {
  const Mail m{1, 1, 1};
  Verification verification;
  verification.compare(0, {expected(1, m), expected(2, {2, 2, 2})}, {});
  verification.compare(1, {expected(3, {3, 3, 3})}, {found(7, m), found(8, {3, 3, 3})});
  verification.settle();
  REQUIRE(kinds(verification) == std::vector{Kind::Missing, Kind::Misplaced});
  const auto& findings = verification.findings();
  const auto misplaced =
      std::find_if(findings.begin(), findings.end(), [](const Finding& f) { return f.kind == Kind::Misplaced; });
  CHECK(misplaced->mailbox == 0);
  CHECK(misplaced->foundIn == std::size_t{1});
  CHECK(verification.mailboxes().at(0).misplaced == 1);
  CHECK(verification.mailboxes().at(1).extra == 0);
}

TEST_CASE("a copy that belongs where it is does not stand for one that is missing elsewhere", "[plan][verification]") {
  const Mail m{1, 1, 1};
  Verification verification;
  verification.compare(0, {expected(1, m)}, {});
  verification.compare(1, {expected(2, m)}, {found(7, m)});
  verification.settle();
  CHECK(kinds(verification) == std::vector{Kind::Missing});
}

TEST_CASE("the message in its own mailbox by another route comes before an equal one elsewhere",
          "[plan][verification]") {
  Verification verification;
  verification.compare(0, {expected(1, {1, 1, 1})}, {read(7, {1, 2, 1})});
  verification.compare(1, {}, {found(8, {1, 1, 1})});
  verification.settle();
  CHECK(kinds(verification) == std::vector{Kind::Extra, Kind::AnotherRoute});
}

TEST_CASE("flags and dates are remarks, but the date of an upload", "[plan][verification]") {
  const Mail m{1, 1, 1};
  FoundMessage there = found(7, m);
  there.flags = Flags::parse({"\\Seen"});
  there.date = InternalDate{kDate.seconds + 1, 0};
  const Verification remarked = settled({expected(1, m, 7)}, {there});
  CHECK(kinds(remarked) == std::vector{Kind::FlagsDiffer, Kind::DateDiffers});
  CHECK(remarked.totals().ok == 1);
  CHECK(remarked.totals().differences() == 0);

  ExpectedMessage uploaded = expected(1, m, 7);
  uploaded.wasUploaded = true;
  CHECK(kinds(settled({uploaded}, {there})) == std::vector{Kind::Altered});

  there.date = InternalDate{kDate.seconds, 300};  // the same instant in another zone
  there.flags.reset();                            // POP3 has none
  CHECK(kinds(settled({uploaded}, {there})).empty());
}

TEST_CASE("tallies add up, by mailbox, by year and in all", "[plan][verification]") {
  ExpectedMessage old = expected(2, {2, 2, 2});
  old.date = {1'000'000'000, 0};  // 2001
  ExpectedMessage newYear = expected(3, {3, 3, 3});
  newYear.date = {1'704'067'199, 60};  // 2024 where it was written
  const Verification verification =
      settled({expected(1, {1, 1, 1}), old, newYear}, {found(7, {1, 1, 1}), found(9, {4, 4, 4})});
  const Tally& totals = verification.totals();
  CHECK(totals.expected == 3);
  CHECK(totals.ok == 1);
  CHECK(totals.missing == 2);
  CHECK(totals.extra == 1);
  CHECK(totals.octetsExpected == 300);
  CHECK(totals.octetsOk == 100);
  CHECK(verification.years().at(2001).missing == 1);
  CHECK(verification.years().at(2024).missing == 1);
  CHECK(verification.years().at(2023).ok == 1);
  CHECK(verification.years().at(2023).extra == 1);
  CHECK(verification.expectedDigests().size() == 3);
  CHECK(verification.okDigests().size() == 1);
}

TEST_CASE("only what nothing matched is asked what it says", "[plan][verification]") {
  FoundMessage known = found(7, {1, 1, 1});
  FoundMessage twin = found(8, {1, 1, 1});
  known.index.reset();
  twin.index.reset();
  Verification verification = compared({expected(1, {1, 1, 1})}, {known, twin});
  REQUIRE(verification.undescribed() == std::vector{Verification::Place{0, RemoteKey{Uid{8}}}});
  mailbraid::mailstore::HeaderIndex index;
  index.subject = "the same once more";
  verification.describe({0, Uid{8}}, index);
  CHECK(verification.undescribed().empty());
  verification.settle();
  REQUIRE(kinds(verification) == std::vector{Kind::Extra});
  CHECK(verification.findings()[0].index.subject == "the same once more");
}
