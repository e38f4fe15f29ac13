// What has outlived its retention is forgotten, and nothing else.
#include "tests/mailstore/store_fixture.h"
#include "tests/support/catch.h"

#include <string>

using namespace mailbraid::mailstore;
using mailbraid::tests::StoreFixture;

namespace {

constexpr std::int64_t kLongAgo = 1'000;
constexpr std::int64_t kBefore = 2'000;
constexpr std::int64_t kLater = 3'000;

Retention::Forgotten forget(StoreFixture& fixture) {
  Retention::Forgotten all;
  bool more = true;
  while (more) {
    Store::Transaction transaction(*fixture.store);
    const Retention::Forgotten part = fixture.store->retention().forget(kBefore);
    transaction.commit();
    all.entries += part.entries;
    all.messages += part.messages;
    all.octets += part.octets;
    all.waiting += part.waiting;
    more = part.more;
  }
  return all;
}

}  // namespace

TEST_CASE("P1: a removed message is kept until its retention is over, then it is gone with its octets",
          "[retention][P1]") {
  StoreFixture fixture;
  const EntryId live = fixture.addEntry("live");
  const EntryId fresh = fixture.addEntry("fresh");
  const EntryId old = fixture.addEntry("old one");
  const MessageId message = fixture.store->entries().find(old)->message;
  fixture.store->entries().remove(fresh, kLater);
  fixture.store->entries().remove(old, kLongAgo);
  const Retention::Forgotten forgotten = forget(fixture);
  CHECK(forgotten.entries == 1);
  CHECK(forgotten.messages == 1);
  CHECK(forgotten.octets == 7);
  CHECK(fixture.store->entries().find(live).has_value());
  CHECK(fixture.store->entries().find(fresh).has_value());
  CHECK_FALSE(fixture.store->entries().find(old).has_value());
  CHECK_THROWS(fixture.read(message));
  CHECK(fixture.read(fixture.store->entries().find(fresh)->message) == "fresh");
  CHECK(fixture.store->checkStructure().empty());
  CHECK(forget(fixture).entries == 0);
}

TEST_CASE("P1: octets that another entry has stay", "[retention][P1]") {
  StoreFixture fixture;
  const EntryId old = fixture.addEntry("same");
  const EntryId other = fixture.addEntry("same");
  fixture.store->entries().remove(old, kLongAgo);
  CHECK(forget(fixture).messages == 0);
  CHECK(fixture.read(fixture.store->entries().find(other)->message) == "same");
}

TEST_CASE("a tombstone waits for the endpoint that still has the message", "[retention]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry("1");
  const PairId pair = fixture.store->pairs().add(fixture.remote, Uid{1}, entry, {}, "");
  fixture.store->entries().remove(entry, kLongAgo);
  CHECK(forget(fixture).waiting == 1);
  CHECK(fixture.store->entries().find(entry).has_value());
  SECTION("until it is removed there") {
    fixture.store->pairs().remove(pair);
  }
  SECTION("until it is gone there") {
    fixture.store->pairs().setHeld(pair, true);
  }
  CHECK(forget(fixture).entries == 1);
  CHECK(fixture.store->pairs().ofEntry(entry).empty());
}

TEST_CASE("P6: what a POP3 server did not list when a tombstone was forgotten is not new when it is listed again",
          "[retention][P6]") {
  const std::string type = GENERATE("pop3", "maildir");
  StoreFixture fixture;
  const EntryId old = fixture.addEntry("old");
  const EndpointRecord endpoint = fixture.store->endpoints().ensure("p", type, fixture.braid);
  const EndpointMailboxId inbox = fixture.store->endpoints().addMailbox(endpoint.id, "INBOX", fixture.inbox, {}).id;
  fixture.store->pairs().setHeld(fixture.store->pairs().add(inbox, Uidl{"u1"}, old, {}, {}), true);
  fixture.store->entries().remove(old, kLongAgo);
  REQUIRE(forget(fixture).entries == 1);
  // Elsewhere a name that comes back is somebody's wish.
  CHECK(fixture.store->quarantine().leftOut(inbox).size() == (type == "pop3" ? 1U : 0U));
}

TEST_CASE("more tombstones than fit into a transaction are forgotten batch by batch, past those that wait",
          "[retention]") {
  StoreFixture fixture;
  const MessageId message = fixture.addMessage("1");
  {
    Store::Transaction transaction(*fixture.store);
    for (std::uint32_t i = 1; i <= 1300; ++i) {
      const EntryId entry = fixture.store->entries().add(fixture.inbox, message, {}, {1000, 0});
      if (i <= 600) fixture.store->pairs().add(fixture.remote, Uid{i}, entry, {}, "");
      fixture.store->entries().remove(entry, kLongAgo);
    }
    transaction.commit();
  }
  const Retention::Forgotten forgotten = forget(fixture);
  CHECK(forgotten.waiting == 600);
  CHECK(forgotten.entries == 700);
  CHECK(forgotten.messages == 0);  // the others still have it
}

TEST_CASE("the journal is forgotten with its time", "[retention]") {
  StoreFixture fixture;
  const EntryId entry = fixture.addEntry("1");
  const auto run = [&](std::int64_t now) {
    const RunId id = fixture.store->runs().begin("flag", now);
    fixture.store->entries().setFlags(entry, Flags::parse({std::to_string(now)}));
    fixture.store->runs().finish(id, now, 0, "{}");
    return id;
  };
  const RunId old = run(kLongAgo);
  const RunId young = run(kLater);
  forget(fixture);
  CHECK(fixture.store->journal().of(old).empty());
  CHECK(fixture.store->journal().of(young).size() == 1);
}

TEST_CASE("the file becomes smaller when much of it is free", "[retention]") {
  StoreFixture fixture;
  std::string noise;  // that does not compress
  std::uint32_t state = 1;
  for (int i = 0; i < 2'000'000; ++i) {
    state = state * 1664525U + 1013904223U;
    noise += static_cast<char>(state >> 24U);
  }
  const EntryId entry = fixture.addEntry(noise);
  const EntryId stays = fixture.addEntry("stays");
  CHECK(fixture.store->retention().shrink() == 0);
  fixture.store->entries().remove(entry, kLongAgo);
  forget(fixture);
  CHECK(fixture.store->retention().shrink() > 1'500'000);
  CHECK(fixture.read(fixture.store->entries().find(stays)->message) == "stays");
  CHECK(fixture.store->checkStructure().empty());
}
