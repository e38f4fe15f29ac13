// The write-ahead log as it is written in large pieces.
#include "mailstore/library/late_library.h"
#include "mailstore/types/error.h"
#include "tests/mailstore/store_fixture.h"
#include "tests/support/catch.h"

#include <sys/wait.h>
#include <unistd.h>

namespace mailbraid::tests {

using namespace mailstore;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

namespace {

/// Octets that do not compress, so that they are as many in the store.
std::string noise(std::size_t size, std::uint32_t seed) {
  std::string out = "Subject: noise " + std::to_string(seed) + "\r\n\r\n";
  std::uint64_t state = seed + 1;
  while (out.size() < size) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    out.push_back(static_cast<char>(state >> 56U));
  }
  return out;
}

constexpr std::size_t kLarge = std::size_t{1} << 20U;
constexpr std::uint32_t kMany = 24;  // more than the page cache holds

}  // namespace

TEST_CASE("a transaction that is larger than the cache reads what it has logged so far", "[store][log]") {
  StoreFixture fixture;
  std::vector<MessageId> ids;
  {
    Store::Transaction transaction(*fixture.store);
    for (std::uint32_t i = 0; i < kMany; ++i) {
      ids.push_back(fixture.store->messages().add(prepared(noise(kLarge, i))));
      if (i % 5 == 0) CHECK(fixture.read(ids[i / 2]) == noise(kLarge, i / 2));
    }
    transaction.commit();
  }
  fixture.reopen();
  for (std::uint32_t i = 0; i < kMany; ++i) CHECK(fixture.read(ids[i]) == noise(kLarge, i));
}

TEST_CASE("what a transaction has logged before it is taken back is nowhere afterwards", "[store][log][P1]") {
  StoreFixture fixture;
  const MessageId kept = fixture.addMessage("kept");
  {
    const Store::Transaction transaction(*fixture.store);
    for (std::uint32_t i = 0; i < kMany; ++i) fixture.store->messages().add(prepared(noise(kLarge, i)));
  }
  // The next one is written to the same place of the log.
  const MessageId later = fixture.addMessage(noise(kLarge, 99));
  CHECK(fixture.read(kept) == "kept");
  CHECK(fixture.read(later) == noise(kLarge, 99));
  fixture.reopen();
  CHECK(fixture.read(later) == noise(kLarge, 99));
  CHECK(fixture.store->checkStructure().empty());
  std::size_t messages = 0;
  fixture.store->messages().forEach([&](MessageId) { ++messages; });
  CHECK(messages == 2);
}

TEST_CASE("P4: a large commit is whole after a kill, whatever has been gathered after it", "[store][log][P4]") {
  StoreFixture fixture;
  fixture.close();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto store = Store::open(fixture.directory(), Access::ReadWrite);
    Store::Transaction first(*store);
    for (std::uint32_t i = 0; i < 4; ++i) store->messages().add(prepared(noise(kLarge, i)));
    first.commit();
    const Store::Transaction second(*store);
    for (std::uint32_t i = 4; i < kMany; ++i) store->messages().add(prepared(noise(kLarge, i)));
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  fixture.reopen();
  for (std::uint32_t i = 0; i < 4; ++i) {
    const auto id = fixture.store->messages().findByDigest(prepared(noise(kLarge, i)).digest);
    REQUIRE(id.has_value());
    CHECK(fixture.read(*id) == noise(kLarge, i));
  }
  CHECK_FALSE(fixture.store->messages().findByDigest(prepared(noise(kLarge, 4)).digest).has_value());
  CHECK(fixture.store->checkStructure().empty());
}

TEST_CASE("what was logged and taken back does not fall on what another program commits afterwards",
          "[store][log][P1]") {
  StoreFixture fixture;
  fixture.closeWhole();
  fixture.reopen();
  {
    const Store::Transaction transaction(*fixture.store);
    for (std::uint32_t i = 0; i < kMany; ++i) fixture.store->messages().add(prepared(noise(kLarge, i)));
  }
  tamper(fixture.file(), "INSERT INTO braid(name) VALUES('of another program')");
  const MessageId later = fixture.addMessage("later");
  fixture.reopen();
  CHECK(fixture.read(later) == "later");
  CHECK(fixture.store->checkStructure().empty());
  tamper(fixture.file(), "UPDATE braid SET name = 'found' WHERE name = 'of another program'");
  CHECK(fixture.store->mailboxes().ensureBraid("found").value() == 2);
}

TEST_CASE("P4: a large transaction of which a part was taken back is not committed, since a crash could lose it",
          "[store][log][P4]") {
  StoreFixture fixture;
  const MessageId kept = fixture.addMessage("kept");
  {
    Store::Transaction outer(*fixture.store);
    for (std::uint32_t i = 0; i < kMany; ++i) fixture.store->messages().add(prepared(noise(kLarge, i)));
    REQUIRE(fixture.store->hasSpilled());
    { const Store::Transaction inner(*fixture.store); }
    CHECK_THROWS_AS(outer.commit(), Error);
  }
  const MessageId later = fixture.addMessage("later");
  fixture.reopen();
  CHECK(fixture.read(kept) == "kept");
  CHECK(fixture.read(later) == "later");
  CHECK(fixture.store->checkStructure().empty());
}

TEST_CASE("a reader sees each commit as soon as it is made, however large", "[store][log]") {
  StoreFixture fixture;
  const auto reader = Store::open(fixture.directory(), Access::ReadOnly);
  for (std::uint32_t i = 0; i < 3; ++i) {
    const MessageId id = fixture.addMessage(noise((i + 1) * kLarge, i));
    std::string seen;
    reader->messages().read(id, [&](std::string_view piece) { seen += piece; });
    CHECK(seen == noise((i + 1) * kLarge, i));
  }
}

TEST_CASE("a directory in the place of the store is told", "[store]") {
  const Scratch scratch;
  fs::create_directories(scratch.path() / "store.db");
  for (const Access access : {Access::ReadOnly, Access::ReadWrite}) {
    std::string said;
    try {
      Store::open(scratch.path(), access);
    } catch (const Error& error) {
      said = error.what();
    }
    CHECK(said.find("store.db cannot be opened: Is a directory") != std::string::npos);
  }
}

TEST_CASE("a library that is missing is told in one sentence, with the package to install", "[library]") {
  const auto sentence = [](const auto& act) {
    try {
      act();
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::Internal);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(sentence([] { const LateLibrary library("libnosuch.so.7", "libnosuch7"); }).find("libnosuch.so.7") !=
        std::string::npos);
  const std::string missing = sentence([] {
    const LateLibrary library("libc.so.6", "libc6");
    void (*function)() = nullptr;
    library.find(function, "no_such_function");
  });
  CHECK(missing.find("no_such_function") != std::string::npos);
  CHECK(missing.find("libc6") != std::string::npos);
}

}  // namespace mailbraid::tests
