// P2: what goes in comes out, octet for octet.
#include "mailstore/types/error.h"
#include "tests/mailstore/store_fixture.h"
#include "tests/mailstore/tamper.h"
#include "tests/support/catch.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace mailbraid::mailstore;
using mailbraid::tests::flipBit;
using mailbraid::tests::prepared;
using mailbraid::tests::StoreFixture;
using mailbraid::tests::tamper;

namespace {

/// Text that does not compress away: a linear congruential generator's letters in lines.
std::string noise(std::size_t size) {
  std::string out;
  out.reserve(size);
  std::uint64_t state = 42;
  while (out.size() < size) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    out.push_back(static_cast<char>(state >> 56U));
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> oddMessages() {
  std::string allOctets;
  for (int octet = 0; octet < 256; ++octet) allOctets.push_back(static_cast<char>(octet));
  return {
      {"empty", ""},
      {"one NUL", std::string(1, '\0')},
      {"every octet", allOctets},
      {"NUL and 0xFF in the header", std::string("Subject: a\0b\xFF\r\n\r\nbody\r\n", 24)},
      {"bare CR and LF", "A: b\rC: d\nE: f\r\n\r\none\rtwo\nthree\r\n"},
      {"no header", "\r\nonly a body\r\n"},
      {"no empty line", "Subject: x\r\n"},
      {"no final newline", "Subject: x\r\n\r\nbody"},
      {"only line ends", "\r\n\r\n\n\n\r\r\r"},
      {"a line of 100 kB", "Subject: x\r\n\r\n" + std::string(100'000, 'y') + "\r\n"},
      {"a header line of 100 kB", "Subject: " + std::string(100'000, 'y') + "\r\n\r\nbody\r\n"},
      {"a header of 2 MB", "X: " + noise(2'000'000)},
      {"exactly one chunk", noise(1024UL * 1024UL)},
      {"one chunk and one octet", noise(1024UL * 1024UL + 1)},
      {"8-bit header", "From: M\xFCller <m@example.org>\r\n\r\nbody\r\n"},
  };
}

}  // namespace

TEST_CASE("P2: odd octets come out of the store as they went in", "[store][P2]") {
  StoreFixture fixture;
  for (const auto& [what, octets] : oddMessages()) {
    CAPTURE(what);
    const MessageId id = fixture.addMessage(octets);
    CHECK((fixture.read(id) == octets));
    CHECK(fixture.store->messages().info(id).size == octets.size());
  }
}

TEST_CASE("P2: a message of 20 MB comes out as it went in, in pieces of at most 1 MiB", "[store][P2]") {
  StoreFixture fixture;
  const std::string octets = "Subject: large\r\n\r\n" + noise(20'000'000);
  const MessageId id = fixture.addMessage(octets);
  std::string out;
  fixture.store->messages().read(id, [&](std::string_view piece) {
    CHECK(piece.size() <= 1024UL * 1024UL);
    out += piece;
  });
  CHECK((out == octets));
}

TEST_CASE("a large message is prepared without its octets in memory", "[builder]") {
  StoreFixture fixture;
  MessageBuilder builder(fixture.store->spoolOptions());
  const std::string piece = noise(1'000'000);
  for (int i = 0; i < 20; ++i) builder.append(piece);
  const PreparedMessage message = builder.finish();
  CHECK(message.size == 20'000'000);
  CHECK(message.memoryUse() < 100'000);
}

TEST_CASE("spooling leaves no file behind in the store's directory", "[builder]") {
  StoreFixture fixture;
  const auto count = [&] {
    return std::distance(std::filesystem::directory_iterator(fixture.directory()),
                         std::filesystem::directory_iterator());
  };
  const auto before = count();
  MessageBuilder builder(fixture.store->spoolOptions());
  builder.append(noise(5'000'000));
  CHECK(count() == before);
}

TEST_CASE("digests do not depend on how the octets were cut", "[builder]") {
  const std::string octets = "Message-ID: <1@x>\r\nDate: Mon, 2 Dec 2002 03:04:05 +0100\r\n\r\nbody\r\n\r\n\r\n";
  const PreparedMessage whole = prepared(octets);
  for (std::size_t cut = 1; cut < octets.size(); ++cut) {
    CAPTURE(cut);
    const PreparedMessage parts = prepared(octets, cut);
    CHECK(parts.digest == whole.digest);
    CHECK(parts.headerDigest == whole.headerDigest);
    CHECK(parts.contentKey == whole.contentKey);
    CHECK(parts.header.messageId == "1@x");
  }
}

TEST_CASE("a builder begins anew after finish and after discard", "[builder]") {
  MessageBuilder builder(SpoolOptions{});
  builder.append("Message-ID: <1@x>\r\n\r\none");
  builder.finish();
  builder.append("Message-ID: <2@x>\r\n\r\ntwo, given up");
  CHECK(builder.size() == 34);
  builder.discard();
  CHECK(builder.size() == 0);
  builder.append("three");
  const PreparedMessage third = builder.finish();
  CHECK(third.digest == prepared("three").digest);
  CHECK(third.contentKey == prepared("three").contentKey);
  CHECK(third.header.messageId.empty());
}

TEST_CASE("the digest is the SHA-256 of the octets", "[builder]") {
  CHECK(prepared("abc").digest.hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(prepared("").digest.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("a message is stored once, however often it is added", "[store]") {
  StoreFixture fixture;
  const MessageId first = fixture.addMessage("Subject: x\r\n\r\nsame");
  CHECK(fixture.addMessage("Subject: x\r\n\r\nsame") == first);
  CHECK(fixture.addMessage("Subject: x\r\n\r\nother") != first);
  int count = 0;
  fixture.store->messages().forEach([&](MessageId) { ++count; });
  CHECK(count == 2);
}

TEST_CASE("a spooled message is stored as one in memory is", "[store][P2]") {
  StoreFixture fixture;
  SpoolOptions options = fixture.store->spoolOptions();
  options.memoryLimit = 0;
  MessageBuilder builder(options);
  builder.append("Subject: spooled\r\n\r\nbody");
  PreparedMessage message = builder.finish();
  Store::Transaction transaction(*fixture.store);
  const MessageId id = fixture.store->messages().add(std::move(message));
  transaction.commit();
  CHECK(fixture.read(id) == "Subject: spooled\r\n\r\nbody");
}

namespace {

/// What reading it gave: the octets, or "damaged" for StoreDamaged of one message.
std::string readOrDamaged(StoreFixture& fixture, MessageId id) {
  try {
    return fixture.read(id);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::StoreDamaged);
    CHECK(error.scope() == Scope::Message);
    return "damaged";
  }
}

}  // namespace

TEST_CASE("a flipped bit anywhere in a body is reported, and no other message is hurt", "[store]") {
  StoreFixture fixture;
  const std::string octets = "Subject: bad\r\n\r\nbody of the message to be damaged";
  const MessageId good = fixture.addMessage("Subject: good\r\n\r\nbody");
  const MessageId bad = fixture.addMessage(octets);
  for (int octet = 0; octet < 40; ++octet) {
    CAPTURE(octet);
    fixture.close();
    flipBit(fixture.file(), bad.value() << 20, octet, octet % 8);
    fixture.reopen();
    // A few bits of zstd's frame head mean nothing: then the message is not damaged at all.
    const std::string got = readOrDamaged(fixture, bad);
    CHECK((got == "damaged" || (octet < 6 && got == octets)));
    CHECK(fixture.read(good) == "Subject: good\r\n\r\nbody");
    fixture.close();
    flipBit(fixture.file(), bad.value() << 20, octet, octet % 8);
    fixture.reopen();
    CHECK(readOrDamaged(fixture, bad) == octets);
  }
}

TEST_CASE("a missing part of a body is reported", "[store]") {
  StoreFixture fixture;
  const MessageId id = fixture.addMessage(noise(3'000'000));
  fixture.close();
  tamper(fixture.file(), "DELETE FROM body WHERE id & 1048575 = 1");
  fixture.reopen();
  CHECK(readOrDamaged(fixture, id) == "damaged");
}
