// An IMAP server for one test: mailboxes that a test may change at any time, and faults that no real server commits on
// demand. Connections are served side by side, each by a thread; what they share is behind one mutex.
#pragma once

#include "tests/support/tls_test_server.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace mailbraid::tests {

struct FakeMail {
  std::uint32_t uid = 0;
  std::string octets;
  std::string flags;  ///< as on the wire: "\Seen \Flagged"
  std::uint64_t modSeq = 1;
};

struct FakeMailbox {
  std::string name;        ///< as on the wire
  std::string attributes;  ///< of LIST: "\Sent"
  std::uint32_t uidValidity = 7;
  std::uint32_t uidNext = 1;
  std::uint64_t highestModSeq = 1;
  std::vector<FakeMail> mails;                                    ///< by UID
  std::vector<std::pair<std::uint32_t, std::uint64_t>> expunged;  ///< UID, MODSEQ of the expunge

  bool tellsUidNext = true;
  bool tellsModSeq = true;                    ///< false: NOMODSEQ
  std::optional<std::uint32_t> toldMessages;  ///< instead of how many there are
  bool listed = true;                         ///< false: only a LIST of its very name tells of it

  FakeMailbox& add(std::string octets, std::string flags = "") {
    mails.push_back({uidNext++, std::move(octets), std::move(flags), ++highestModSeq});
    return *this;
  }
  void expunge(std::uint32_t uid) {
    std::erase_if(mails, [&](const FakeMail& mail) { return mail.uid == uid; });
    expunged.emplace_back(uid, ++highestModSeq);
  }
  void setFlags(std::uint32_t uid, std::string flags) {
    for (FakeMail& mail : mails) {
      if (mail.uid != uid) continue;
      mail.flags = std::move(flags);
      mail.modSeq = ++highestModSeq;
      return;
    }
  }
};

/// A mail that is like no other.
inline std::string fakeMail(const std::string& subject) {
  return "From: a@example.org\r\nMessage-ID: <" + subject +
         "@example.org>\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\nSubject: " + subject + "\r\n\r\nBody of " + subject +
         "\r\n";
}

struct FakeAccount {
  static constexpr const char* kPlain = "IMAP4rev1";
  static constexpr const char* kCondstore = "IMAP4rev1 ENABLE CONDSTORE LIST-STATUS LIST-EXTENDED SPECIAL-USE ESEARCH";
  static constexpr const char* kQresync =
      "IMAP4rev1 ENABLE CONDSTORE QRESYNC LIST-STATUS LIST-EXTENDED SPECIAL-USE ESEARCH";

  enum class Part { Flags, Header, Body, Search };
  enum class Fault { None, LeaveOut, Nil, No, Cut };
  struct Reply {
    enum class Kind { Usual, Say, SayAndClose, Stall } kind = Kind::Usual;
    std::string text;  ///< as it is, with "TAG" for the command's tag
  };

  std::string capabilities = kQresync;
  std::string delimiter = "/";
  std::string prefix;  ///< of the personal namespace
  std::vector<FakeMailbox> mailboxes;
  /// What goes wrong with one message of a FETCH or SEARCH. Under the account's mutex.
  std::function<Fault(const FakeMailbox&, std::uint32_t uid, Part)> fault;
  /// Asked before a command is carried out ("" for the greeting); may change the account. Under its mutex.
  std::function<Reply(FakeAccount&, const std::string& command)> onCommand;
  /// Called when a FETCH or SEARCH has given its data, before it ends; may change what its mailbox holds.
  std::function<void(FakeMailbox&)> meanwhile;

  std::vector<std::string> commands;                          ///< that came, without tags
  std::vector<std::pair<std::string, std::uint32_t>> bodies;  ///< sent whole
  std::size_t connections = 0;

  FakeMailbox& mailbox(std::string_view name) {
    if (FakeMailbox* known = find(name)) return *known;
    FakeMailbox fresh;
    fresh.name = name;
    return mailboxes.emplace_back(std::move(fresh));
  }
  FakeMailbox* find(std::string_view name) {
    for (FakeMailbox& one : mailboxes) {
      if (one.name == name) return &one;
    }
    return nullptr;
  }
  void drop(std::string_view name) {
    std::erase_if(mailboxes, [&](const FakeMailbox& one) { return one.name == name; });
  }
  [[nodiscard]] bool can(std::string_view capability) const {
    return (" " + capabilities + " ").find(" " + std::string(capability) + " ") != std::string::npos;
  }
};

/// One connection's side of the talk.
class FakeImapSession {
 public:
  FakeImapSession(FakeAccount& account, std::mutex& mutex, ServerConnection& line, int descriptor)
      : account_(account), mutex_(mutex), line_(line), descriptor_(descriptor) {}

  void run() {
    {
      const std::lock_guard lock(mutex_);
      ++account_.connections;
    }
    if (!carryOut("", "", [this](const std::string&, const std::string&) { say("* OK ready\r\n"); })) return;
    while (true) {
      std::string text = line_.receiveLine();
      while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
      if (text.empty()) return;
      const std::size_t space = text.find(' ');
      const std::string tag = text.substr(0, space);
      const std::string command = space == std::string::npos ? "" : text.substr(space + 1);
      if (!carryOut(tag, command, [this](const std::string& t, const std::string& c) { answer(t, c); })) return;
    }
  }

 private:
  using Part = FakeAccount::Part;
  using Fault = FakeAccount::Fault;
  using Kind = FakeAccount::Reply::Kind;

  /// False when the connection is over. The answer goes out when the mutex is free again.
  template <class Answer>
  bool carryOut(const std::string& tag, const std::string& command, Answer&& usual) {
    Kind kind = Kind::Usual;
    {
      const std::lock_guard lock(mutex_);
      if (!tag.empty()) account_.commands.push_back(command);
      FakeAccount::Reply reply;
      if (account_.onCommand) reply = account_.onCommand(account_, command);
      kind = reply.kind;
      if (kind == Kind::Usual) {
        usual(tag, command);
      } else {
        for (std::size_t at = reply.text.find("TAG"); at != std::string::npos; at = reply.text.find("TAG", at)) {
          reply.text.replace(at, 3, tag);
        }
        say(reply.text);
      }
    }
    line_.send(out_);
    out_.clear();
    if (kind == Kind::SayAndClose || cut_) return hangUp();
    if (kind == Kind::Stall) {
      line_.receiveAll();
      return false;
    }
    return !over_;
  }

  // No more from here; what the client still sends is read, since a reset could overtake what was sent before.
  bool hangUp() {
    ::shutdown(descriptor_, SHUT_WR);
    line_.receiveAll();
    return false;
  }

  void say(const std::string& text) { out_ += text; }

  static bool begins(const std::string& text, std::string_view with) { return text.rfind(with, 0) == 0; }

  void answer(const std::string& tag, const std::string& command) {
    if (begins(command, "CAPABILITY")) {
      say("* CAPABILITY " + account_.capabilities + "\r\n");
    } else if (begins(command, "LOGIN")) {
      return say(tag + " OK [CAPABILITY " + account_.capabilities + "] in\r\n");
    } else if (begins(command, "ENABLE")) {
      qresync_ = qresync_ || command.find("QRESYNC") != std::string::npos;
      say("* ENABLED" + command.substr(6) + "\r\n");
    } else if (begins(command, "NAMESPACE")) {
      say("* NAMESPACE ((\"" + account_.prefix + "\" \"" + account_.delimiter + "\")) NIL NIL\r\n");
    } else if (begins(command, "LIST")) {
      list(command);
    } else if (begins(command, "STATUS")) {
      return status(tag, command);
    } else if (begins(command, "EXAMINE") || begins(command, "SELECT")) {
      return select(tag, command);
    } else if (begins(command, "UID FETCH")) {
      return fetch(tag, command);
    } else if (begins(command, "UID SEARCH")) {
      search(tag, command);
    } else if (begins(command, "LOGOUT")) {
      say("* BYE\r\n");
      over_ = true;
    } else if (!begins(command, "NOOP") && !begins(command, "ID") && !begins(command, "UNSELECT")) {
      return say(tag + " BAD unknown\r\n");
    }
    say(tag + " OK done\r\n");
  }

  static std::string nameIn(const std::string& command) {
    std::string rest = command.substr(command.find(' ') + 1);
    if (rest.front() == '"') return rest.substr(1, rest.find('"', 1) - 1);
    return rest.substr(0, rest.find(' '));
  }

  static std::uint32_t count(const FakeMailbox& mailbox) {
    return mailbox.toldMessages.value_or(static_cast<std::uint32_t>(mailbox.mails.size()));
  }

  std::string statusLine(const FakeMailbox& mailbox) const {
    std::string text = "* STATUS \"" + mailbox.name + "\" (MESSAGES " + std::to_string(count(mailbox)) +
                       " UIDVALIDITY " + std::to_string(mailbox.uidValidity);
    if (mailbox.tellsUidNext) text += " UIDNEXT " + std::to_string(mailbox.uidNext);
    if (account_.can("CONDSTORE")) {
      text += " HIGHESTMODSEQ " + std::to_string(mailbox.tellsModSeq ? mailbox.highestModSeq : 0);
    }
    return text + ")\r\n";
  }

  void list(const std::string& command) {
    const bool all = command.find('*') != std::string::npos;
    for (const FakeMailbox& mailbox : account_.mailboxes) {
      const bool named = command.find("\"" + mailbox.name + "\"") != std::string::npos;
      if (all ? !mailbox.listed : !named) continue;
      say("* LIST (" + mailbox.attributes + ") \"" + account_.delimiter + "\" \"" + mailbox.name + "\"\r\n");
      if (command.find("STATUS") != std::string::npos && mailbox.attributes.find("\\NoSelect") == std::string::npos) {
        say(statusLine(mailbox));
      }
    }
  }

  void status(const std::string& tag, const std::string& command) {
    const FakeMailbox* mailbox = account_.find(nameIn(command));
    if (mailbox == nullptr) return say(tag + " NO [NONEXISTENT] no such mailbox\r\n");
    say(statusLine(*mailbox) + tag + " OK done\r\n");
  }

  void select(const std::string& tag, const std::string& command) {
    if (!selected_.empty() && qresync_) say("* OK [CLOSED] closed\r\n");
    selected_ = nameIn(command);
    const FakeMailbox* mailbox = account_.find(selected_);
    if (mailbox == nullptr) {
      selected_.clear();
      return say(tag + " NO [NONEXISTENT] no such mailbox\r\n");
    }
    seen_.clear();
    for (const FakeMail& mail : mailbox->mails) seen_.push_back(mail.uid);
    say("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n* " + std::to_string(count(*mailbox)) +
        " EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY " + std::to_string(mailbox->uidValidity) + "] v\r\n");
    if (mailbox->tellsUidNext) say("* OK [UIDNEXT " + std::to_string(mailbox->uidNext) + "] n\r\n");
    if (account_.can("CONDSTORE")) {
      say(mailbox->tellsModSeq ? "* OK [HIGHESTMODSEQ " + std::to_string(mailbox->highestModSeq) + "] m\r\n"
                               : "* OK [NOMODSEQ] none\r\n");
    }
    resync(*mailbox, command);
    say(tag + " OK [READ-ONLY] done\r\n");
  }

  void resync(const FakeMailbox& mailbox, const std::string& command) {
    const std::size_t at = command.find("(QRESYNC (");
    if (at == std::string::npos) return;
    const std::string known = command.substr(at + 10);
    if (std::stoul(known) != mailbox.uidValidity) return;
    const std::uint64_t since = std::stoull(known.substr(known.find(' ') + 1));
    std::string gone;
    for (const auto& [uid, modSeq] : mailbox.expunged) {
      if (modSeq > since) gone += (gone.empty() ? "" : ",") + std::to_string(uid);
    }
    if (!gone.empty()) say("* VANISHED (EARLIER) " + gone + "\r\n");
    for (std::size_t i = 0; i < mailbox.mails.size(); ++i) {
      const FakeMail& mail = mailbox.mails[i];
      if (mail.modSeq <= since) continue;
      say("* " + std::to_string(i + 1) + " FETCH (UID " + std::to_string(mail.uid) + " FLAGS (" + mail.flags +
          ") MODSEQ (" + std::to_string(mail.modSeq) + "))\r\n");
    }
  }

  /// Whether a UID set's text ("1:5,7,9:*") has `uid`; `last` is what `*` means.
  static bool contains(const std::string& set, std::uint32_t uid, std::uint32_t last) {
    for (std::size_t at = 0; at < set.size();) {
      const std::size_t end = std::min(set.find(',', at), set.size());
      const std::string part = set.substr(at, end - at);
      const std::size_t colon = part.find(':');
      const auto number = [&](const std::string& text) {
        return text == "*" ? last : static_cast<std::uint32_t>(std::stoul(text));
      };
      const std::uint32_t from = number(part.substr(0, colon));
      const std::uint32_t to = colon == std::string::npos ? from : number(part.substr(colon + 1));
      if (uid >= std::min(from, to) && uid <= std::max(from, to)) return true;
      at = end + 1;
    }
    return false;
  }

  [[nodiscard]] Fault faultOf(const FakeMailbox& mailbox, std::uint32_t uid, Part part) const {
    return account_.fault ? account_.fault(mailbox, uid, part) : Fault::None;
  }

  void fetch(const std::string& tag, const std::string& command) {
    FakeMailbox* mailbox = account_.find(selected_);
    if (mailbox == nullptr) return say(tag + " BAD nothing is selected\r\n");
    const std::string set = command.substr(10, command.find(' ', 10) - 10);
    const bool header = command.find("BODY.PEEK[HEADER]") != std::string::npos;
    const bool body = command.find("BODY.PEEK[]") != std::string::npos;
    const Part part = body ? Part::Body : header ? Part::Header : Part::Flags;
    const std::size_t changed = command.find("CHANGEDSINCE ");
    const std::uint64_t since = changed == std::string::npos ? 0 : std::stoull(command.substr(changed + 13));
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      const auto mail = std::find_if(mailbox->mails.begin(), mailbox->mails.end(),
                                     [&](const FakeMail& one) { return one.uid == seen_[i]; });
      if (mail == mailbox->mails.end() || !contains(set, mail->uid, seen_.back())) continue;
      if (changed != std::string::npos && mail->modSeq <= since) continue;
      const Fault fault = faultOf(*mailbox, mail->uid, part);
      if (fault == Fault::LeaveOut) continue;
      if (fault == Fault::No) return say(tag + " NO cannot give message\r\n");
      std::string text =
          "* " + std::to_string(i + 1) + " FETCH (UID " + std::to_string(mail->uid) + " FLAGS (" + mail->flags + ")";
      if (account_.can("CONDSTORE") && mailbox->tellsModSeq) text += " MODSEQ (" + std::to_string(mail->modSeq) + ")";
      if (part == Part::Flags && command.find("RFC822.SIZE") != std::string::npos) {
        text += " RFC822.SIZE " + std::to_string(mail->octets.size());
      }
      if (part != Part::Flags) {
        const std::string content =
            body ? mail->octets
                 : mail->octets.substr(0, std::min(mail->octets.find("\r\n\r\n") + 4, mail->octets.size()));
        text += " INTERNALDATE \" 1-Jan-2024 10:00:00 +0000\" RFC822.SIZE " + std::to_string(mail->octets.size()) +
                (body ? " BODY[] " : " BODY[HEADER] ");
        text += fault == Fault::Nil ? "NIL" : "{" + std::to_string(content.size()) + "}\r\n" + content;
        if (fault == Fault::Cut) {
          say(text.substr(0, text.size() - content.size() / 2));
          cut_ = true;
          return;
        }
        if (body && fault == Fault::None) account_.bodies.emplace_back(mailbox->name, mail->uid);
      }
      say(text + ")\r\n");
    }
    tellChanges(*mailbox);
    say(tag + " OK done\r\n");
  }

  void search(const std::string& tag, const std::string& command) {
    FakeMailbox* mailbox = account_.find(selected_);
    if (mailbox == nullptr) return;
    std::string found;
    const std::size_t at = command.find(" UID ", 10);
    const std::string set = at == std::string::npos ? "1:*" : command.substr(at + 5);
    const bool extended = command.find("RETURN") != std::string::npos;
    for (const FakeMail& mail : mailbox->mails) {
      if (!contains(set, mail.uid, mailbox->mails.back().uid)) continue;
      if (faultOf(*mailbox, mail.uid, Part::Search) == Fault::LeaveOut) continue;
      found += (found.empty() ? "" : extended ? "," : " ") + std::to_string(mail.uid);
    }
    if (extended) {
      say("* ESEARCH (TAG \"" + tag + "\") UID" + (found.empty() ? "" : " ALL " + found) + "\r\n");
    } else {
      say("* SEARCH" + (found.empty() ? "" : " " + found) + "\r\n");
    }
    tellChanges(*mailbox);
  }

  /// What came and went since the mailbox was opened.
  void tellChanges(FakeMailbox& mailbox) {
    if (account_.meanwhile) account_.meanwhile(mailbox);
    const auto there = [&](std::uint32_t uid) {
      return std::any_of(mailbox.mails.begin(), mailbox.mails.end(), [&](const FakeMail& m) { return m.uid == uid; });
    };
    for (std::size_t i = 0; i < seen_.size();) {
      if (there(seen_[i])) {
        ++i;
        continue;
      }
      say(qresync_ ? "* VANISHED " + std::to_string(seen_[i]) + "\r\n" : "* " + std::to_string(i + 1) + " EXPUNGE\r\n");
      seen_.erase(seen_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    const std::size_t before = seen_.size();
    for (const FakeMail& mail : mailbox.mails) {
      if (std::find(seen_.begin(), seen_.end(), mail.uid) == seen_.end()) seen_.push_back(mail.uid);
    }
    if (seen_.size() != before) say("* " + std::to_string(seen_.size()) + " EXISTS\r\n");
  }

  FakeAccount& account_;
  std::mutex& mutex_;
  ServerConnection& line_;
  int descriptor_;
  std::string out_;
  std::string selected_;
  std::vector<std::uint32_t> seen_;  ///< UIDs by message number
  bool qresync_ = false;
  bool cut_ = false;
  bool over_ = false;
};

class FakeImap {
 public:
  FakeImap() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(listener_, 16) != 0) {
      throw std::runtime_error("cannot listen on loopback");
    }
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { accept(); });
  }
  ~FakeImap() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    for (std::thread& one : serving_) one.join();
    ::close(listener_);
  }
  FakeImap(const FakeImap&) = delete;
  FakeImap& operator=(const FakeImap&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Looks at the account, or changes it, while nobody else does.
  template <class Change>
  auto with(Change&& change) {
    const std::lock_guard lock(mutex_);
    return change(account_);
  }
  /// Bodies sent whole since the last call.
  std::size_t takeBodies() {
    const std::lock_guard lock(mutex_);
    return std::exchange(account_.bodies, {}).size();
  }

 private:
  void accept() {
    while (true) {
      const int descriptor = ::accept(listener_, nullptr, nullptr);
      if (descriptor < 0) return;
      serving_.emplace_back([this, descriptor] {
        ServerConnection line(descriptor);
        FakeImapSession(account_, mutex_, line, descriptor).run();
      });
    }
  }

  int listener_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  FakeAccount account_;
  std::vector<std::thread> serving_;  ///< the accepting thread's, until it has ended
  std::thread thread_;
};

}  // namespace mailbraid::tests
