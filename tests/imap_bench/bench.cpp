// What parsing costs: `imap_bench` prints the CPU time of bodies that stream and of lines of metadata. Not a test.
#include "sync/imap/client.h"

#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>

namespace {

using namespace mailbraid::sync::imap;

constexpr std::size_t kBlock = 256U << 10U;

struct Sums {
  std::uint64_t events = 0;
  std::uint64_t bodyOctets = 0;
};

Sums run(const std::string& wire) {
  Client client;
  client.receive("* PREAUTH hello\r\n");
  while (client.nextEvent()) {
  }
  Sums sums;
  for (std::size_t at = 0; at < wire.size(); at += kBlock) {
    client.receive(std::string_view(wire).substr(at, kBlock));
    while (const auto event = client.nextEvent()) {
      ++sums.events;
      if (const auto* chunk = std::get_if<BodyChunk>(&*event)) sums.bodyOctets += chunk->octets.size();
    }
  }
  return sums;
}

void measure(const char* what, const std::string& wire) {
  using Clock = std::chrono::steady_clock;
  auto best = Clock::duration::max();
  Sums sums;
  for (int round = 0; round < 5; ++round) {
    const auto start = Clock::now();
    sums = run(wire);
    best = std::min(best, Clock::now() - start);
  }
  const double milliseconds = std::chrono::duration<double, std::milli>(best).count();
  std::cout << what << ": " << milliseconds << " ms for " << wire.size() << " octets, " << sums.events << " events, "
            << sums.bodyOctets << " octets of bodies\n";
}

std::string bodies() {
  const std::string body(5400, 'x');
  std::string wire;
  for (unsigned i = 1; i <= 5000; ++i) {
    wire += "* " + std::to_string(i) + " FETCH (UID " + std::to_string(i) +
            " FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[] {5400}\r\n" + body + ")\r\n";
  }
  return wire;
}

std::string flags(const std::string& list) {
  std::string wire;
  for (unsigned i = 1; i <= 100'000; ++i) {
    wire += "* " + std::to_string(i) + " FETCH (UID " + std::to_string(i) + " FLAGS (" + list + "))\r\n";
  }
  return wire;
}

std::string search() {
  std::string wire = "* SEARCH";
  for (unsigned i = 1; i <= 100'000; ++i) wire += " " + std::to_string(2 * i);
  return wire + "\r\n";
}

}  // namespace

int main() {
  measure("5,000 bodies, 27 MB", bodies());
  measure("100,000 lines of UID and system flags", flags("\\Seen \\Answered"));
  measure("100,000 lines of UID and keywords", flags("\\Seen $Forwarded NonJunk"));
  measure("SEARCH of 100,000 UIDs", search());
}
