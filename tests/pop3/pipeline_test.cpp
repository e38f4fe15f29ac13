#include "sync/pop3/pipeline.h"

#include "tests/support/catch.h"

using namespace mailbraid::sync::pop3;

namespace {

int fill(PipelineWindow& window, std::uint64_t octets) {
  int count = 0;
  for (; window.maySend() && count < 10'000; ++count) window.sent(octets);
  return count;
}

}  // namespace

TEST_CASE("without PIPELINING one command is in flight", "[pop3][pipeline]") {
  PipelineWindow window(Pipelining::OneAtATime);
  CHECK(fill(window, 10) == 1);
  window.answered();
  CHECK(fill(window, 10) == 1);
}

TEST_CASE("the window closes at its octets or commands and opens again at half", "[pop3][pipeline]") {
  PipelineWindow window(Pipelining::Announced, {1000, 8});
  CHECK(fill(window, 10) == 8);
  window.answered();
  window.answered();
  window.answered();
  CHECK_FALSE(window.maySend());
  window.answered();
  CHECK(fill(window, 10) == 4);
  while (window.inFlight() != 0) window.answered();
  CHECK(fill(window, 400) == 3);
  window.answered();
  CHECK_FALSE(window.maySend());
  window.answered();
  CHECK(window.maySend());
}

TEST_CASE("a message larger than the window still goes, alone", "[pop3][pipeline]") {
  PipelineWindow window(Pipelining::Announced, {1000, 8});
  CHECK(fill(window, 1'000'000) == 1);
  window.answered();
  CHECK(fill(window, 1'000'000) == 1);
  window.answered();
  window.answered();
  CHECK(window.inFlight() == 0);
  CHECK(window.maySend());
}
