// A real mail server for tests: a private Dovecot on loopback.
#pragma once

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mailbraid::test {

/// Runs for as long as this object lives and ends with it, also when the test program crashes. Users: alice, bob, carol
/// and dave have odd passwords, user1 ... user9 have "secret"; each has an empty INBOX and nothing else. Throws
/// std::runtime_error when it cannot start (the server's log is in the text).
class Dovecot {
 public:
  /// Every knob of `dovecot.py --help` as words, e.g. {"--capability", "IMAP4rev1 UIDPLUS", "--certificate",
  /// "expired"}.
  explicit Dovecot(std::vector<std::string> knobs = {});

  /// Stops it and starts it with other knobs over the same mail. Ports change.
  void restart(std::vector<std::string> knobs);
  void stop();

  [[nodiscard]] std::uint16_t imap() const { return port("IMAP_PORT"); }    ///< plain and STARTTLS
  [[nodiscard]] std::uint16_t imaps() const { return port("IMAPS_PORT"); }  ///< implicit TLS
  [[nodiscard]] std::uint16_t pop3() const { return port("POP3_PORT"); }    ///< plain and STLS
  [[nodiscard]] std::uint16_t pop3s() const { return port("POP3S_PORT"); }
  [[nodiscard]] std::string caFile() const { return values_.at("CA"); }
  [[nodiscard]] std::string password(const std::string& user) const { return values_.at("PASSWORD_" + user); }
  /// For XOAUTH2 and OAUTHBEARER; of alice and user1.
  [[nodiscard]] std::string token(const std::string& user) const { return values_.at("TOKEN_" + user); }
  [[nodiscard]] std::string expiredToken(const std::string& user) const { return values_.at("EXPIRED_TOKEN_" + user); }
  /// What it logged so far.
  [[nodiscard]] std::string log() const;

 private:
  void start(const std::vector<std::string>& knobs);
  [[nodiscard]] std::uint16_t port(const std::string& name) const;

  TempDir directory_;
  std::map<std::string, std::string> values_;
  std::unique_ptr<Process> process_;  ///< last: stopped before its directory goes
};

}  // namespace mailbraid::test
