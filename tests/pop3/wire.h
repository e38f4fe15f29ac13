// Events as lines of text, and transcripts run whole, octet by octet and cut anywhere.
#pragma once

#include "sync/pop3/client.h"

#include "tests/support/catch.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mailbraid::tests {

using sync::pop3::BodyChunk;
using sync::pop3::BodyEnd;
using sync::pop3::CapaDone;
using sync::pop3::Client;
using sync::pop3::Closed;
using sync::pop3::Command;
using sync::pop3::Continuation;
using sync::pop3::Event;
using sync::pop3::Greeting;
using sync::pop3::Limits;
using sync::pop3::ListingEnd;
using sync::pop3::ListItem;
using sync::pop3::Malformed;
using sync::pop3::Notice;
using sync::pop3::Reply;
using sync::pop3::ResponseCode;
using sync::pop3::UidlItem;

inline std::string_view codeName(ResponseCode code) {
  switch (code) {
    case ResponseCode::None:
      return "";
    case ResponseCode::InUse:
      return "IN-USE";
    case ResponseCode::LoginDelay:
      return "LOGIN-DELAY";
    case ResponseCode::SysTemp:
      return "SYS/TEMP";
    case ResponseCode::SysPerm:
      return "SYS/PERM";
    case ResponseCode::Auth:
      return "AUTH";
    case ResponseCode::Utf8:
      return "UTF8";
    case ResponseCode::Other:
      return "OTHER";
  }
  return "?";
}

struct EventText {
  static std::string status(bool ok, ResponseCode code, const std::string& text) {
    std::string out = ok ? "+" : "-";
    if (code != ResponseCode::None) out += "[" + std::string(codeName(code)) + "]";
    return out + " " + text;
  }
  std::string operator()(const Greeting& e) const {
    return "greeting" + status(e.ok, e.code, e.text) + (e.timestamp.empty() ? "" : " apop=" + e.timestamp);
  }
  std::string operator()(const Reply& e) const {
    return "reply " + std::to_string(e.id) + status(e.ok, e.code, e.text);
  }
  std::string operator()(const CapaDone& e) const {
    return "capa " + std::to_string(e.id) + (e.capabilities.pipelining ? " pipelining" : "") +
           " sasl=" + std::to_string(e.capabilities.sasl.size());
  }
  std::string operator()(const ListItem& e) const {
    return "size " + std::to_string(e.number) + " " + std::to_string(e.size);
  }
  std::string operator()(const UidlItem& e) const { return "uidl " + std::to_string(e.number) + " " + e.uidl.value(); }
  std::string operator()(const ListingEnd& e) const {
    return "end " + std::to_string(e.id) + " " + std::to_string(e.items) +
           (e.unreadable == 0 ? "" : " unreadable=" + std::to_string(e.unreadable));
  }
  std::string operator()(const BodyChunk& e) const { return std::string(e.octets); }
  std::string operator()(const BodyEnd& e) const {
    return "end " + std::to_string(e.id) + " octets=" + std::to_string(e.size);
  }
  std::string operator()(const Continuation& e) const { return "continue " + std::to_string(e.id) + " " + e.text; }
  std::string operator()(const Notice& e) const { return "notice" + status(false, e.code, e.text); }
  std::string operator()(const Malformed& e) const {
    return "malformed at " + std::to_string(e.offset) + ": " + e.reason;
  }
  std::string operator()(const Closed& e) const {
    static constexpr std::string_view kWithin[] = {"nothing", "line", "listing", "body"};
    return "closed within " + std::string(kWithin[static_cast<int>(e.within)]) + ", " + std::to_string(e.unanswered) +
           " unanswered";
  }
};

/// Takes the events of a client; body chunks that follow one another become one line `body N:octets`.
class Collector {
 public:
  void drain(Client& client) {
    while (const std::optional<Event> event = client.nextEvent()) {
      const auto* chunk = std::get_if<BodyChunk>(&*event);
      if (chunk == nullptr) {
        inBody_ = false;
        lines.push_back(std::visit(EventText{}, *event));
      } else if (inBody_) {
        lines.back() += chunk->octets;
      } else {
        inBody_ = true;
        lines.push_back("body " + std::to_string(chunk->id) + ":" + std::string(chunk->octets));
      }
    }
  }
  std::vector<std::string> lines;

 private:
  bool inBody_ = false;
};

using Lines = std::vector<std::string>;

/// Events of `wire` given in pieces: up to `cut`, then the rest in pieces of `step`.
inline Lines eventsOf(const std::vector<Command>& commands, std::string_view wire, std::size_t cut, std::size_t step,
                      const Limits& limits = {}) {
  Client client(limits);
  for (const Command& command : commands) client.send(command);
  Collector collector;
  const auto give = [&](std::string_view piece) {
    // A copy of its own size: an address sanitizer sees every view that reaches too far.
    const std::string copy(piece);
    client.receive(copy);
    collector.drain(client);
  };
  give(wire.substr(0, cut));
  for (std::size_t at = cut; at < wire.size(); at += step) give(wire.substr(at, step));
  client.endOfInput();
  collector.drain(client);
  return collector.lines;
}

/// The events of the whole transcript, after checking that cutting it makes no difference.
inline Lines eventsOf(const std::vector<Command>& commands, std::string_view wire, const Limits& limits = {}) {
  const Lines whole = eventsOf(commands, wire, wire.size(), 1, limits);
  CHECK(eventsOf(commands, wire, 0, 1, limits) == whole);
  for (std::size_t cut = 0; cut < wire.size(); ++cut) {
    CAPTURE(cut);
    if (eventsOf(commands, wire, cut, wire.size(), limits) != whole) {
      CHECK(eventsOf(commands, wire, cut, wire.size(), limits) == whole);
      break;
    }
  }
  return whole;
}

}  // namespace mailbraid::tests
