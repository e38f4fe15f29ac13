// A POP3 maildrop that can do less, and worse, than a real server.
#pragma once

#include "tests/support/tls_test_server.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
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
  /// What a session shows, at most; what was fetched is not shown again in another one (Gmail). 0: all.
  std::size_t part = 0;
  std::set<std::string> hidden;        ///< UIDLs that are not shown any more
  std::set<std::string> keeps;         ///< UIDLs of messages whose DELE is answered -ERR
  std::string quitAnswer = "+OK bye";  ///< empty: the connection ends instead
  bool deletes = true;                 ///< QUIT carries out what was marked, whatever it answers
  std::function<void()> onDeletion;    ///< before DELE is answered
};

/// Serves connections one after the other; every command line is written down in `log`. Both may be looked at, and
/// changed, while no server uses them.
class FakePop3 {
 public:
  FakePop3(FakeMaildrop& drop, std::vector<std::string>& log) : drop_(drop), log_(log) {}

  void operator()(ServerConnection& line) {
    marked_.clear();
    fetched_.clear();
    shown_.clear();
    for (const FakeMessage& message : drop_.messages) {
      const bool full = drop_.part != 0 && shown_.size() == drop_.part;
      if (!full && !drop_.hidden.contains(message.uidl)) shown_.push_back(message);
    }
    line.send(drop_.greeting + "\r\n");
    for (std::string command = next(line); !command.empty(); command = next(line)) {
      const std::string verb = command.substr(0, command.find(' '));
      if (verb == "QUIT") return quit(line);
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

  void quit(ServerConnection& line) {
    if (drop_.deletes) std::erase_if(drop_.messages, [&](const auto& one) { return marked_.contains(one.uidl); });
    if (drop_.part != 0) drop_.hidden.merge(fetched_);
    if (!drop_.quitAnswer.empty()) line.send(drop_.quitAnswer + "\r\n");
  }

  bool answer(ServerConnection& line, const std::string& verb, const std::string& command) {
    if (verb == "CAPA") {
      line.send(drop_.capabilities.empty() ? "-ERR\r\n" : "+OK\r\n" + drop_.capabilities + ".\r\n");
    } else if (verb == "USER" || (verb == "APOP" && drop_.apop)) {
      line.send("+OK\r\n");
    } else if (verb == "PASS") {
      line.send(drop_.passAnswer + "\r\n");
    } else if (verb == "STAT") {
      line.send("+OK " + std::to_string(shown_.size()) + " 0\r\n");
    } else if (verb == "UIDL" || verb == "LIST") {
      list(line, verb);
    } else if (verb == "RETR" || verb == "TOP") {
      return message(line, verb, std::stoul(command.substr(verb.size() + 1)) - 1);
    } else if (verb == "DELE") {
      if (drop_.onDeletion) drop_.onDeletion();
      const std::string& uidl = shown_.at(std::stoul(command.substr(verb.size() + 1)) - 1).uidl;
      if (!drop_.keeps.contains(uidl)) marked_.insert(uidl);
      line.send(drop_.keeps.contains(uidl) ? "-ERR locked\r\n" : "+OK\r\n");
    } else {
      line.send("-ERR no\r\n");
    }
    return true;
  }

  void list(ServerConnection& line, const std::string& verb) {
    if (verb == "UIDL" && !drop_.uidl) return line.send("-ERR\r\n");
    std::string reply = "+OK\r\n";
    for (std::size_t i = 0; i + drop_.missing < shown_.size(); ++i) {
      reply += std::to_string(i + 1) + " " +
               (verb == "UIDL" ? shown_[i].uidl : std::to_string(shown_[i].octets.size())) + "\r\n";
    }
    line.send(reply + ".\r\n");
  }

  bool message(ServerConnection& line, const std::string& verb, std::size_t index) {
    const bool refused = verb == "TOP" ? !drop_.top : drop_.refuses == index;
    if (refused) {
      line.send("-ERR cannot\r\n");
      return true;
    }
    const std::string& octets = shown_.at(index).octets;
    if (verb == "RETR" && drop_.breaksAt == index) {
      line.send("+OK\r\n" + octets.substr(0, octets.size() / 2));
      return false;
    }
    if (verb == "RETR") fetched_.insert(shown_[index].uidl);
    const std::size_t header = octets.starts_with("\r\n") ? 2 : octets.find("\r\n\r\n") + 4;
    const std::string shown = verb == "TOP" ? octets.substr(0, header) : octets;
    line.send("+OK\r\n" + shown + ".\r\n");
    return true;
  }

  FakeMaildrop& drop_;
  std::vector<std::string>& log_;
  std::vector<FakeMessage> shown_;  ///< in this session
  std::set<std::string> marked_;
  std::set<std::string> fetched_;
};

}  // namespace mailbraid::tests
