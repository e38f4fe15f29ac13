#include "sync/plan/pop3_deletion.h"

#include "tests/support/catch.h"

#include <chrono>
#include <vector>

using namespace mailbraid::sync::plan;
using mailbraid::sync::endpoint::LeaveOnServer;

namespace {

using Kind = LeaveOnServer::Kind;
using Copy = ListedMessage::Copy;
using Sharing = ListedMessage::Sharing;

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::int64_t kDay = 86'400;

KeepRules leaving(Kind kind, std::chrono::seconds time = {}) {
  return {{kind, time}, {}, {}, kNow};
}

ListedMessage stored(std::int64_t firstSeen = kNow, Local local = Local::Live) {
  ListedMessage out;
  out.copy = Copy::Sound;
  out.local = local;
  out.firstSeen = firstSeen;
  out.size = 1000;
  return out;
}

/// Every policy under which a message would go if nothing spoke against it.
std::vector<KeepRules> greedyRules() {
  KeepRules newest = leaving(Kind::Forever);
  newest.newest = 0;
  return {leaving(Kind::No), leaving(Kind::ForTime), leaving(Kind::UntilRemoved), newest};
}

}  // namespace

TEST_CASE("each value of leave_on_server deletes what it says, and nothing else", "[plan][pop3]") {
  struct Row {
    KeepRules rules;
    ListedMessage message;
    Deletion deletion;
  };
  const ListedMessage removed = stored(kNow, Local::Tombstone);
  const KeepRules twoWeeks = leaving(Kind::ForTime, std::chrono::days(14));
  const std::vector<Row> rows{
      {leaving(Kind::Forever), stored(0), Deletion::Leave},
      {leaving(Kind::Forever), removed, Deletion::Leave},
      {leaving(Kind::No), stored(), Deletion::Expired},
      {leaving(Kind::No), removed, Deletion::Expired},
      {twoWeeks, stored(), Deletion::Leave},
      {twoWeeks, stored(kNow - 14 * kDay + 1), Deletion::Leave},
      {twoWeeks, stored(kNow - 14 * kDay), Deletion::Expired},
      {twoWeeks, stored(kNow + kDay), Deletion::Leave},  // a clock that was set back
      {twoWeeks, stored(0), Deletion::Leave},            // not known since when
      {twoWeeks, removed, Deletion::Leave},
      {leaving(Kind::UntilRemoved), stored(0), Deletion::Leave},
      {leaving(Kind::UntilRemoved), removed, Deletion::Removed},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(i);
    CHECK(decideDeletion(rows[i].message, rows[i].rules) == rows[i].deletion);
  }
}

TEST_CASE("newest deletes what has so many newer ones, whatever leave_on_server says", "[plan][pop3]") {
  for (const Kind kind : {Kind::Forever, Kind::ForTime, Kind::UntilRemoved}) {
    CAPTURE(static_cast<int>(kind));
    KeepRules rules = leaving(kind, std::chrono::days(14));
    rules.newest = 100;
    ListedMessage message = stored();
    message.newer = 99;
    CHECK(decideDeletion(message, rules) == Deletion::Leave);
    message.newer = 100;
    CHECK(decideDeletion(message, rules) == Deletion::Expired);
    message.local = Local::Tombstone;  // it would have gone anyway: no removal for the brake to hold
    CHECK(decideDeletion(message, rules) == Deletion::Expired);
  }
  CHECK_FALSE(leaving(Kind::Forever).deletes());
  CHECK(leaving(Kind::UntilRemoved).deletes());
  CHECK(greedyRules().back().deletes());
}

TEST_CASE("P1: what the store does not hold soundly is never deleted, under no policy", "[plan][pop3][P1]") {
  for (const KeepRules& rules : greedyRules()) {
    CAPTURE(static_cast<int>(rules.leave.kind));
    ListedMessage message = stored(1, Local::Tombstone);
    CHECK(decideDeletion(message, rules) != Deletion::Leave);
    message.copy = Copy::None;
    CHECK(decideDeletion(message, rules) == Deletion::Leave);
    message.copy = Copy::Damaged;
    CHECK(decideDeletion(message, rules) == Deletion::Leave);
  }
}

TEST_CASE("P1: a message without a unique-id, one too large, and one not confirmed elsewhere stay",
          "[plan][pop3][P1]") {
  for (KeepRules rules : greedyRules()) {
    CAPTURE(static_cast<int>(rules.leave.kind));
    ListedMessage message = stored(1, Local::Tombstone);
    message.isConfirmed = false;
    CHECK(decideDeletion(message, rules) == Deletion::Unconfirmed);
    message.isNamed = false;
    CHECK(decideDeletion(message, rules) == Deletion::Unnamed);
    rules.maxSize = message.size - 1;
    CHECK(decideDeletion(message, rules) == Deletion::Leave);
    rules.maxSize = message.size;
    CHECK(decideDeletion(message, rules) == Deletion::Unnamed);
  }
}

TEST_CASE("P1: what an IMAP server had by itself does not go by POP3, unless its removal is carried there, too",
          "[plan][pop3][P1]") {
  for (const KeepRules& rules : greedyRules()) {
    for (const Local local : {Local::Live, Local::Tombstone}) {
      ListedMessage message = stored(kNow - 1000 * kDay, local);
      const Deletion alone = decideDeletion(message, rules);
      message.sharing = Sharing::Followed;
      CHECK(decideDeletion(message, rules) == (alone == Deletion::Expired ? Deletion::Shared : alone));
      message.sharing = Sharing::Kept;
      CHECK(decideDeletion(message, rules) == (alone == Deletion::Leave ? alone : Deletion::Shared));
    }
  }
}
