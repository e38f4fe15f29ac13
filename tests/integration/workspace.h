// The program as a user has it: a home of its own, a configuration, a store, and real servers.
#pragma once

#include "tests/support/dovecot.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

#include <Poco/JSON/Object.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mailbraid::test {

/// One entry of the store as `ls MAILBOX --json` tells it, without what differs between two stores of the same mail.
struct StoredMessage {
  std::string mailbox;  ///< BRAID/MAILBOX
  std::string digest;
  std::vector<std::string> flags;
  std::string internalDate;
  auto operator<=>(const StoredMessage&) const = default;
};

using JsonLines = std::vector<Poco::JSON::Object::Ptr>;
JsonLines parseJsonLines(const std::string& text);

/// What a sync did, from the last object of `sync --json`.
struct Totals {
  unsigned status = 0;
  unsigned fresh = 0;
  unsigned flags = 0;
  unsigned moved = 0;
  unsigned removed = 0;
  unsigned held = 0;
  unsigned quarantined = 0;
  friend bool operator==(const Totals&, const Totals&) = default;
};
std::ostream& operator<<(std::ostream& stream, const Totals& totals);

/// A run that had nothing to do.
inline constexpr Totals kNothing{};

class Workspace {
 public:
  Workspace();

  /// Adds an endpoint: `lines` are TOML below its heading.
  void endpoint(const std::string& name, const std::string& lines);
  /// Starts the configuration anew, with the store's section only.
  void clearConfiguration();
  /// Writes the whole configuration.
  void configuration(const std::string& toml);

  /// Runs the program to its end.
  [[nodiscard]] Finished mailbraid(const std::vector<std::string>& words) const;
  /// Starts it.
  [[nodiscard]] std::unique_ptr<Process> start(const std::vector<std::string>& words) const;
  /// `sync --json`, with what it says on standard error shown when the test fails.
  [[nodiscard]] Totals sync(const std::vector<std::string>& words = {}) const;
  /// All that is stored, sorted.
  [[nodiscard]] std::vector<StoredMessage> stored() const;
  /// The digests of one mailbox, sorted.
  [[nodiscard]] std::vector<std::string> digests(const std::string& mailbox) const;
  /// Entry numbers of one mailbox.
  [[nodiscard]] std::vector<std::string> entries(const std::string& mailbox) const;

  [[nodiscard]] std::filesystem::path store() const { return directory_ / "store"; }
  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return directory_ / name; }
  [[nodiscard]] std::filesystem::path configurationFile() const { return directory_ / "config.toml"; }

 private:
  [[nodiscard]] std::vector<std::string> command(const std::vector<std::string>& words) const;
  [[nodiscard]] ProcessOptions options() const;

  TempDir directory_;
  std::string toml_;
};

/// How an endpoint reaches its server.
enum class Way { Plain, Tls, StartTls };

/// TOML of an endpoint at the server; `more` is appended. The password is in a file of the workspace.
std::string imapEndpoint(const Workspace& workspace, const Dovecot& server, const std::string& user,
                         Way way = Way::Plain, const std::string& more = "");
std::string pop3Endpoint(const Workspace& workspace, const Dovecot& server, const std::string& user,
                         Way way = Way::Plain, const std::string& more = "");
/// TOML of an IMAP or POP3 endpoint at a port of this machine without TLS, user1 with its password.
std::string endpointAt(const Workspace& workspace, const std::string& type, std::uint16_t port,
                       const std::string& more = "");

/// SHA-256 as hex.
std::string sha256(std::string_view octets);

}  // namespace mailbraid::test
