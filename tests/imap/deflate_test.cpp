// COMPRESS=DEFLATE as a filter.
#include "sync/imap/deflate.h"
#include "tests/support/catch.h"

#include <string>

using namespace mailbraid::sync::imap;

namespace {

std::string inflated(Inflater& inflater, std::string_view compressed) {
  std::string out;
  inflater.receive(compressed);
  for (std::string_view piece = inflater.next(); !piece.empty(); piece = inflater.next()) out += piece;
  return out;
}

std::string someText(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; out.size() < size; ++i)
    out += "* " + std::to_string(i * 7919) + " FETCH (FLAGS (\\Seen))\r\n";
  return out;
}

}  // namespace

TEST_CASE("what the deflater writes comes out at once and whole", "[imap][deflate]") {
  Deflater deflater;
  Inflater inflater;
  for (const std::string& plain : {std::string("A1 NOOP\r\n"), someText(300'000), std::string("A2 NOOP\r\n")}) {
    std::string compressed;
    deflater.compress(plain, compressed);
    CHECK(inflated(inflater, compressed) == plain);
    CHECK(inflater.problem().empty());
  }
}

TEST_CASE("compressed octets may be split anywhere", "[imap][deflate]") {
  Deflater deflater;
  const std::string plain = someText(500);
  std::string compressed;
  deflater.compress(plain, compressed);
  for (std::size_t cut = 0; cut <= compressed.size(); ++cut) {
    Inflater inflater;
    std::string out = inflated(inflater, std::string_view(compressed).substr(0, cut));
    out += inflated(inflater, std::string_view(compressed).substr(cut));
    REQUIRE(out == plain);
  }
}

TEST_CASE("no piece is larger than asked for", "[imap][deflate]") {
  Deflater deflater;
  std::string compressed;
  const std::string plain(100'000, 'x');
  deflater.compress(plain, compressed);
  Inflater inflater(InflateLimits{.piece = 1000});
  inflater.receive(compressed);
  std::size_t total = 0;
  for (std::string_view piece = inflater.next(); !piece.empty(); piece = inflater.next()) {
    CHECK(piece.size() <= 1000);
    total += piece.size();
  }
  CHECK(total == plain.size());
}

TEST_CASE("a stream that expands beyond the limit is broken", "[imap][deflate]") {
  Deflater deflater;
  std::string compressed;
  deflater.compress(std::string(1'000'000, 'x'), compressed);
  Inflater inflater(InflateLimits{.piece = 4096, .freely = 100'000, .ratio = 50});
  const std::string out = inflated(inflater, compressed);
  CHECK(out.size() < 200'000);
  CHECK(inflater.problem() == "the compressed stream expands beyond the limit");
  CHECK(inflated(inflater, compressed).empty());
}

TEST_CASE("a damaged stream is told as such and stays so", "[imap][deflate]") {
  Inflater inflater;
  CHECK(inflated(inflater, "\xFF\xFF\xFF\xFF").empty());
  CHECK(inflater.problem() == "the compressed stream is damaged");
}

TEST_CASE("a stream that ends is told as such", "[imap][deflate]") {
  Inflater inflater;
  // A final empty block.
  CHECK(inflated(inflater, std::string_view("\x03\x00", 2)).empty());
  CHECK(inflater.problem() == "the compressed stream has ended");
}
