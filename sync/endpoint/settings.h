// One endpoint as the configuration describes it.
#pragma once

#include "mailstore/formats/mbox_format.h"
#include "mailstore/message_repair.h"
#include "sync/endpoint/limits.h"
#include "sync/net/server_settings.h"
#include "sync/sasl/secret.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::sync::endpoint {

enum class EndpointType : std::uint8_t { Imap, Pop3, Maildir, Mbox };
/// "imap", "pop3", "maildir", "mbox": as in the configuration and in the store.
constexpr std::string_view endpointTypeName(EndpointType type) {
  constexpr std::string_view kNames[] = {"imap", "pop3", "maildir", "mbox"};
  return kNames[static_cast<std::size_t>(type)];
}

/// What may travel in one direction.
struct Directions {
  bool fresh = true;  ///< "new"
  bool flags = true;
  bool removals = true;
};

/// How a removal is carried out at the endpoint.
enum class RemovalStyle : std::uint8_t { Expunge, Trash, Mark, Never };

enum class Compression : std::uint8_t { Auto, Yes, No };
enum class SubfolderStyle : std::uint8_t { Nested, MaildirPlusPlus, Thunderbird };

/// POP3 `leave_on_server`.
struct LeaveOnServer {
  enum class Kind : std::uint8_t { Forever, ForTime, UntilRemoved, No };
  Kind kind = Kind::Forever;
  std::chrono::seconds time{0};
};

/// Which messages of an account that knows no flags (POP3) count as read when they are taken in.
struct SeenRule {
  enum class Kind : std::uint8_t {
    None,
    All,
    OlderThan,  ///< `age`, by their internal date
    From,       ///< that are read at `endpoint`, as it was synced last
  };
  Kind kind = Kind::None;
  std::chrono::seconds age{0};
  std::string endpoint;
};

struct EndpointSettings {
  std::string name;
  EndpointType type = EndpointType::Imap;
  net::ServerSettings server;
  std::string user;
  /// Asks for the password or token: runs the command, reads the file or prompts. Called once a connection at most,
  /// from the endpoint's thread; calls that prompt are serialised by the giver. Throws Error (Configuration, Refused).
  /// Empty: none.
  std::function<sasl::Secret()> password;
  std::vector<std::string> auth;  ///< allowed SASL mechanisms, upper case; empty: all that are safe
  std::string braid;              ///< never empty: the endpoint's own name when it is a mirror
  Directions pull;
  Directions push;
  RemovalStyle removals = RemovalStyle::Expunge;
  bool expungeDeleted = false;
  bool createMailboxes = true;
  mailstore::Repairs repairs;  ///< IMAP
  bool removeMailboxes = false;
  /// Patterns in order, `*` any run of characters, a leading `!` leaves out; the last that matches wins; empty: all but
  /// views.
  std::vector<std::string> mailboxes;
  std::map<std::string, std::string> map;  ///< endpoint mailbox -> store mailbox (without the braid)
  std::optional<std::uint64_t> maxSize;    ///< octets
  std::optional<std::chrono::seconds> maxAge;
  std::optional<std::uint64_t> maxMessages;  ///< newest a mailbox
  unsigned connections = 2;                  ///< at most, at once
  Limits limits;
  Compression compress = Compression::Auto;
  LeaveOnServer leaveOnServer;
  SeenRule seen;                        ///< POP3
  std::optional<std::uint64_t> newest;  ///< POP3: at most so many stay on the server
  std::filesystem::path path;           ///< Maildir, mbox
  SubfolderStyle subfolders = SubfolderStyle::Nested;
  mailstore::MboxQuoting quoting = mailstore::MboxQuoting::Mboxrd;
};

}  // namespace mailbraid::sync::endpoint
