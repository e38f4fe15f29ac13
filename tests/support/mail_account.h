// Looks at and changes a test server's mail without the program under test (tests/support/mailctl.py does the talking).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::test {

/// A message as the server tells it.
struct ServerMessage {
  std::string mailbox;  ///< UTF-8, the server's delimiter
  std::uint32_t uid = 0;
  std::vector<std::string> flags;  ///< sorted, without \Recent
  std::string internalDate;        ///< as IMAP writes it
  std::uint64_t size = 0;          ///< octets of BODY[]
  std::string digest;              ///< their SHA-256, hex
};

/// A message as POP3 tells it.
struct Pop3Message {
  std::uint32_t number = 0;
  std::string uidl;
  std::uint64_t size = 0;  ///< octets that RETR gave, unstuffed
  std::string digest;      ///< their SHA-256, hex
};

/// One user at one plain IMAP (or POP3) port of 127.0.0.1. Every call logs in anew. Throws std::runtime_error with the
/// server's words when something is refused.
class MailAccount {
 public:
  MailAccount(std::uint16_t port, std::string user, std::string password);

  /// Appends octet for octet; `flags` as in "\\Seen $Work", `date` as IMAP writes it ("" is now). Returns the UIDs.
  std::vector<std::uint32_t> append(const std::string& mailbox, const std::vector<std::string>& messages,
                                    const std::string& flags = "", const std::string& date = "") const;
  /// `how`: "+FLAGS", "-FLAGS" or "FLAGS".
  void store(const std::string& mailbox, const std::string& uids, const std::string& how,
             const std::vector<std::string>& flags) const;
  void expunge(const std::string& mailbox, const std::string& uids) const;
  void move(const std::string& mailbox, const std::string& uids, const std::string& target) const;
  void create(const std::string& mailbox) const;
  void rename(const std::string& from, const std::string& to) const;
  void remove(const std::string& mailbox) const;
  /// The same mail, flags and dates under a new UIDVALIDITY.
  void renew(const std::string& mailbox) const;
  /// All messages of all mailboxes (or of one), in the order of mailbox and UID.
  [[nodiscard]] std::vector<ServerMessage> dump(const std::string& mailbox = "") const;
  [[nodiscard]] std::vector<Pop3Message> dumpPop3() const;

 private:
  std::string call(std::vector<std::string> words, std::string_view input = {}) const;

  std::uint16_t port_;
  std::string user_;
  std::string password_;
};

}  // namespace mailbraid::test
