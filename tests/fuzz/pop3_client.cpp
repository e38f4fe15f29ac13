// Whatever a server says: no crash, the same events whole and octet by octet, no octet of a message but the server's.
// The first octet of an input chooses which commands are in flight.
#include "sync/pop3/client.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace {

using namespace mailbraid::sync::pop3;

std::vector<Command> flight(std::uint8_t choice) {
  switch (choice % 4) {
    case 0:
      return {Capa{}, Auth{"CRAM-MD5", std::nullopt}, Stat{}, Uidl{}, List{}};
    case 1:
      return {Retr{1}, Top{2, 0}, Retr{3}, Quit{}};
    case 2:
      return {Uidl{}, List{}, Retr{1}};
    default:
      return {};
  }
}

struct Summary {
  std::string structure;  ///< kinds of events and their numbers
  std::string octets;     ///< of all messages
  friend bool operator==(const Summary&, const Summary&) = default;
};

Summary run(const std::vector<Command>& commands, std::string_view wire, std::size_t step) {
  Limits limits;
  limits.line = 200;
  limits.items = 50;
  limits.uidl = 80;
  limits.capabilityLines = 10;
  limits.body = 4000;
  Client client(limits);
  for (const Command& command : commands) client.send(command);
  Summary out;
  const auto drain = [&] {
    while (const auto event = client.nextEvent()) {
      if (const auto* chunk = std::get_if<BodyChunk>(&*event)) {
        out.octets += chunk->octets;
        continue;
      }
      out.structure += static_cast<char>('a' + event->index());
      if (const auto* end = std::get_if<BodyEnd>(&*event)) out.structure += std::to_string(end->size);
      if (const auto* bad = std::get_if<Malformed>(&*event)) out.structure += std::to_string(bad->offset);
      if (const auto* item = std::get_if<UidlItem>(&*event)) out.structure += item->uidl.value();
      if (const auto* item = std::get_if<ListItem>(&*event)) out.structure += std::to_string(item->size);
    }
  };
  for (std::size_t at = 0; at < wire.size(); at += step) {
    client.receive(wire.substr(at, step));
    drain();
  }
  client.endOfInput();
  drain();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::vector<Command> commands = flight(data[0]);
  const std::string wire(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Summary whole = run(commands, wire, wire.size() + 1);
  if (!(run(commands, wire, 1) == whole) || !(run(commands, wire, 7) == whole)) std::abort();
  return 0;
}
