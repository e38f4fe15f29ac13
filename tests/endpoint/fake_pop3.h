// A POP3 maildrop that can do less, and worse, than a real server.
#pragma once

#include "tests/support/tls_test_server.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mailbraid::tests {

struct FakeMessage {
  std::string uidl;
  std::string octets;  ///< ends in CRLF
};

struct FakeMaildrop {
  std::vector<FakeMessage> messages;
  std::string greeting = "+OK hi";
  std::string capabilities = "TOP\r\nUIDL\r\nUSER\r\nPIPELINING\r\n";  ///< empty: -ERR to CAPA
  bool uidl = true;
  bool top = true;
  bool apop = false;
  std::string passAnswer = "+OK";
  std::size_t missing = 0;              ///< the last so many messages are in STAT, but not listed
  std::optional<std::size_t> breaksAt;  ///< the connection ends in the middle of this message (from 0)
  std::optional<std::size_t> refuses;   ///< -ERR to RETR of this message (from 0)
};

/// Serves one connection; every command line is written down in `log`.
class FakePop3 {
 public:
  FakePop3(FakeMaildrop drop, std::vector<std::string>& log) : drop_(std::move(drop)), log_(log) {}

  void operator()(ServerConnection& line) {
    line.send(drop_.greeting + "\r\n");
    for (std::string command = next(line); !command.empty(); command = next(line)) {
      const std::string verb = command.substr(0, command.find(' '));
      if (verb == "QUIT") return line.send("+OK\r\n");
      if (!answer(line, verb, command)) return;
    }
  }

 private:
  std::string next(ServerConnection& line) {
    std::string command = line.receiveLine();
    while (!command.empty() && (command.back() == '\n' || command.back() == '\r')) command.pop_back();
    if (!command.empty()) log_.push_back(command);
    return command;
  }

  bool answer(ServerConnection& line, const std::string& verb, const std::string& command) {
    if (verb == "CAPA") {
      line.send(drop_.capabilities.empty() ? "-ERR\r\n" : "+OK\r\n" + drop_.capabilities + ".\r\n");
    } else if (verb == "USER" || (verb == "APOP" && drop_.apop)) {
      line.send("+OK\r\n");
    } else if (verb == "PASS") {
      line.send(drop_.passAnswer + "\r\n");
    } else if (verb == "STAT") {
      line.send("+OK " + std::to_string(drop_.messages.size()) + " 0\r\n");
    } else if (verb == "UIDL" || verb == "LIST") {
      list(line, verb);
    } else if (verb == "RETR" || verb == "TOP") {
      return message(line, verb, std::stoul(command.substr(verb.size() + 1)) - 1);
    } else {
      line.send("-ERR no\r\n");
    }
    return true;
  }

  void list(ServerConnection& line, const std::string& verb) {
    if (verb == "UIDL" && !drop_.uidl) return line.send("-ERR\r\n");
    std::string reply = "+OK\r\n";
    for (std::size_t i = 0; i + drop_.missing < drop_.messages.size(); ++i) {
      const FakeMessage& message = drop_.messages[i];
      reply += std::to_string(i + 1) + " " + (verb == "UIDL" ? message.uidl : std::to_string(message.octets.size())) +
               "\r\n";
    }
    line.send(reply + ".\r\n");
  }

  bool message(ServerConnection& line, const std::string& verb, std::size_t index) {
    const bool refused = verb == "TOP" ? !drop_.top : drop_.refuses == index;
    if (refused) {
      line.send("-ERR cannot\r\n");
      return true;
    }
    const std::string& octets = drop_.messages.at(index).octets;
    if (verb == "RETR" && drop_.breaksAt == index) {
      line.send("+OK\r\n" + octets.substr(0, octets.size() / 2));
      return false;
    }
    const std::string shown = verb == "TOP" ? octets.substr(0, octets.find("\r\n\r\n") + 4) : octets;
    line.send("+OK\r\n" + shown + ".\r\n");
    return true;
  }

  FakeMaildrop drop_;
  std::vector<std::string>& log_;
};

}  // namespace mailbraid::tests
