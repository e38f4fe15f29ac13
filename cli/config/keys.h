// Every key of the configuration: one table drives the reader, `config example`, `config show` and the man page.
#pragma once

#include "mailstore/formats/mbox_format.h"
#include "sync/endpoint/settings.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mailbraid::cli::config {

using sync::endpoint::EndpointSettings;
using sync::endpoint::EndpointType;
using sync::endpoint::SeenRule;

/// What a key's value looks like in the file.
enum class Shape : std::uint8_t {
  Text,
  Path,              ///< `~` is the home directory; relative to the configuration's directory
  ExistingFile,      ///< a Path that must name a readable file
  Flag,              ///< true or false
  Port,              ///< 1 to 65535
  Count,             ///< a whole number, not 0
  Duration,          ///< "14d"
  Size,              ///< "25M"
  Choice,            ///< one of `choices`
  ChoiceOrDuration,  ///< one of `choices`, or "14d"
  Seen,              ///< "all", "none", "older-than 30d", "from ENDPOINT"
  ChoiceList,        ///< an array, each one of `choices`
  TextList,
  PinList,     ///< SPKI SHA-256, in hex or base64; one or an array
  MailboxMap,  ///< { "endpoint mailbox" = "store mailbox" }
  Command,     ///< an array is run as it is, a string by /bin/sh -c
  Limits,      ///< a provider's name, "none", or a table (reader_limits.cpp)
};

/// A command to run. `shell`: the one word is a line for /bin/sh, as the user asked by writing a string.
struct CommandLine {
  std::vector<std::string> words;
  bool shell = false;
};

/// Where an endpoint's password comes from; monostate: asked for on the terminal.
struct PasswordInFile {
  sync::sasl::Secret secret;
};
struct PasswordFile {
  std::filesystem::path path;
};
struct PasswordFromKeyring {};
using PasswordSource = std::variant<std::monostate, PasswordInFile, CommandLine, PasswordFile, PasswordFromKeyring>;

/// Limits as the file gives them: a provider's, and what differs from them. 0: no limit.
struct GivenLimits {
  std::string provider;  ///< "none", or empty: whose the host is
  std::optional<std::uint64_t> bytesPerSecond;
  std::optional<std::uint64_t> messagesPerSecond;
  std::optional<std::uint64_t> downloadPerDay;
  std::optional<std::uint64_t> uploadPerDay;
  std::optional<std::uint64_t> connections;
  std::optional<std::chrono::seconds> patience;
};

/// A value after its shape was checked. A Choice is its place in `choices`.
using Value =
    std::variant<std::string, std::filesystem::path, bool, std::uint64_t, std::chrono::seconds,
                 std::vector<std::string>, std::map<std::string, std::string>, CommandLine, SeenRule, GivenLimits>;

struct StoreSettings {
  std::filesystem::path path;
  std::chrono::seconds retention{30 * 86400};  ///< of tombstones
};

/// One endpoint while it is read.
struct EndpointDraft {
  EndpointSettings settings;
  PasswordSource password;
  GivenLimits limits;
};

/// Bits of KeyInfo::types.
constexpr unsigned bit(EndpointType type) {
  return 1U << static_cast<unsigned>(type);
}
inline constexpr unsigned kServers = bit(EndpointType::Imap) | bit(EndpointType::Pop3);
inline constexpr unsigned kWritten = bit(EndpointType::Imap) | bit(EndpointType::Maildir);  ///< what can be changed
inline constexpr unsigned kTrees = bit(EndpointType::Maildir) | bit(EndpointType::Mbox);
inline constexpr unsigned kAllTypes = kServers | kTrees;

struct KeyInfo {
  std::string_view name;
  Shape shape;
  unsigned types;             ///< endpoint types that know the key
  unsigned needed;            ///< endpoint types that cannot do without
  std::string_view choices;   ///< "implicit|starttls|none"
  std::string_view fallback;  ///< the default as TOML, or in words; empty: none
  std::string_view example;   ///< as TOML
  std::string_view meaning;   ///< for the man page and `config example`
};

template <class Target>
struct Key {
  KeyInfo info;
  void (*apply)(Target& target, Value&& value);
};

inline constexpr std::string_view kTypeChoices = "imap|pop3|maildir|mbox";

/// "a|b" as its words.
inline std::vector<std::string> choicesOf(std::string_view choices) {
  std::vector<std::string> out;
  while (!choices.empty()) {
    const std::size_t bar = std::min(choices.find('|'), choices.size());
    out.emplace_back(choices.substr(0, bar));
    choices.remove_prefix(std::min(bar + 1, choices.size()));
  }
  return out;
}

inline constexpr std::string_view kDirectionChoices = "new|flags|removals";
inline constexpr std::string_view kAuthChoices =
    "SCRAM-SHA-256-PLUS|SCRAM-SHA-256|SCRAM-SHA-1-PLUS|SCRAM-SHA-1|CRAM-MD5|PLAIN|LOGIN|EXTERNAL|OAUTHBEARER|XOAUTH2|"
    "APOP|USER";

inline sync::endpoint::Directions directionsOf(const std::vector<std::string>& names) {
  sync::endpoint::Directions out{false, false, false};
  for (const std::string& name : names) {
    out.fresh = out.fresh || name == "new";
    out.flags = out.flags || name == "flags";
    out.removals = out.removals || name == "removals";
  }
  return out;
}

inline mailstore::Repairs repairsOf(const std::vector<std::string>& names) {
  mailstore::Repairs out;
  for (std::size_t i = 0; i < mailstore::kRepairNames.size(); ++i) {
    if (std::find(names.begin(), names.end(), mailstore::kRepairNames[i]) != names.end())
      out.add(static_cast<mailstore::Repair>(i));
  }
  return out;
}

inline sync::endpoint::LeaveOnServer leaveOnServerOf(const Value& value) {
  using Kind = sync::endpoint::LeaveOnServer::Kind;
  if (const auto* time = std::get_if<std::chrono::seconds>(&value)) return {Kind::ForTime, *time};
  static constexpr std::array<Kind, 3> kKinds{Kind::Forever, Kind::UntilRemoved, Kind::No};
  return {kKinds[std::get<std::uint64_t>(value)], std::chrono::seconds{0}};
}

template <class Enum>
Enum chosen(const Value& value) {
  return static_cast<Enum>(std::get<std::uint64_t>(value));
}

inline constexpr std::array<Key<StoreSettings>, 2> kStoreKeys{{
    {{"path", Shape::Path, kAllTypes, 0, "", "\"$XDG_DATA_HOME/mailbraid\"", "\"~/.local/share/mailbraid\"",
      "the directory of the store"},
     [](StoreSettings& store, Value&& value) { store.path = std::get<std::filesystem::path>(value); }},
    {{"retention", Shape::Duration, kAllTypes, 0, "", "\"30d\"", "\"30d\"",
      "how long a message that was removed everywhere is kept: until then `restore` and `undo` bring it back"},
     [](StoreSettings& store, Value&& value) { store.retention = std::get<std::chrono::seconds>(value); }},
}};

inline constexpr std::array kEndpointKeys = std::to_array<Key<EndpointDraft>>({
    {{"type", Shape::Choice, kAllTypes, kAllTypes, kTypeChoices, "", "\"imap\"", "what the endpoint is"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.type = chosen<EndpointType>(value); }},
    {{"path", Shape::Path, kTrees, kTrees, "", "", "\"~/Maildir\"",
      "the directory of the tree; of type mbox it may be one file, the INBOX"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.path = std::get<std::filesystem::path>(value); }},
    {{"subfolders", Shape::Choice, kTrees, 0, "nested|maildir++|thunderbird", "\"nested\"", "\"nested\"",
      "where mailbox A/B is: PATH/A/B (nested), of type maildir PATH/.A.B (maildir++, as Dovecot has it), of type mbox "
      "PATH/A.sbd/B (thunderbird)"},
     [](EndpointDraft& draft, Value&& value) {
       draft.settings.subfolders = chosen<sync::endpoint::SubfolderStyle>(value);
     }},
    {{"quoting", Shape::Choice, bit(EndpointType::Mbox), 0, "mboxrd|mboxo", "\"mboxrd\"", "\"mboxo\"",
      "how lines that begin with From are quoted; with mboxo a message's own \">From \" loses its >"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.quoting = chosen<mailstore::MboxQuoting>(value); }},
    {{"host", Shape::Text, kServers, kServers, "", "", "\"imap.example.org\"",
      "the server's name; its certificate must carry it"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.server.host = std::get<std::string>(value); }},
    {{"port", Shape::Port, kServers, 0, "", "by type and tls: 993 or 143 for imap, 995 or 110 for pop3", "993",
      "the server's port"},
     [](EndpointDraft& draft, Value&& value) {
       draft.settings.server.port = static_cast<std::uint16_t>(std::get<std::uint64_t>(value));
     }},
    {{"user", Shape::Text, kServers, kServers, "", "", "\"me@example.org\"", "the login name"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.user = std::get<std::string>(value); }},
    {{"password_command", Shape::Command, kServers, 0, "", "", "[\"pass\", \"show\", \"mail/work\"]",
      "a command whose first line of output is the password or token; an array is run without a shell, a string by "
      "/bin/sh -c"},
     [](EndpointDraft& draft, Value&& value) { draft.password = std::get<CommandLine>(std::move(value)); }},
    {{"password_file", Shape::Path, kServers, 0, "", "", "\"~/.config/mailbraid/work.password\"",
      "a file of mode 0600 whose first line is the password"},
     [](EndpointDraft& draft, Value&& value) {
       draft.password = PasswordFile{std::get<std::filesystem::path>(value)};
     }},
    {{"password", Shape::Text, kServers, 0, "", "", "\"not-recommended\"",
      "the password itself; the configuration must then have mode 0600"},
     [](EndpointDraft& draft, Value&& value) {
       draft.password = PasswordInFile{sync::sasl::Secret(std::get<std::string>(std::move(value)))};
     }},
    {{"keyring", Shape::Flag, kServers, 0, "", "false", "true",
      "take the password from the desktop's keyring: secret-tool lookup service mailbraid endpoint NAME"},
     [](EndpointDraft& draft, Value&& value) {
       if (std::get<bool>(value)) draft.password = PasswordFromKeyring{};
     }},
    {{"tls", Shape::Choice, kServers, 0, "implicit|starttls|none", "\"implicit\"", "\"implicit\"",
      "how the connection is encrypted; none is refused unless the host is loopback or allow_plaintext is true"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.server.tls = chosen<sync::net::TlsMode>(value); }},
    {{"allow_plaintext", Shape::Flag, kServers, 0, "", "false", "false",
      "true: mail and password may cross the network readable by everybody"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.server.allowPlaintext = std::get<bool>(value); }},
    {{"ca_file", Shape::ExistingFile, kServers, 0, "", "the system's certificates", "\"~/ca.pem\"",
      "PEM file of the authorities that may sign the server's certificate"},
     [](EndpointDraft& draft, Value&& value) {
       draft.settings.server.caFile = std::get<std::filesystem::path>(value);
     }},
    {{"pin", Shape::PinList, kServers, 0, "", "", "\"sha256//YLh1dUR9y6Kja30RrAn7JKnbQG/uEtLMkBgFF2Fuihg=\"",
      "SHA-256 of the public key (SPKI) that the server must show besides a valid certificate, in hex or base64; one "
      "or an array"},
     [](EndpointDraft& draft, Value&& value) {
       draft.settings.server.pins = std::get<std::vector<std::string>>(std::move(value));
     }},
    {{"client_certificate", Shape::ExistingFile, kServers, 0, "", "", "\"~/me.pem\"",
      "PEM file of the certificate to show"},
     [](EndpointDraft& draft, Value&& value) {
       draft.settings.server.clientCertificate = std::get<std::filesystem::path>(value);
     }},
    {{"client_key", Shape::ExistingFile, kServers, 0, "", "in client_certificate", "\"~/me.key\"",
      "PEM file of its key"},
     [](EndpointDraft& draft, Value&& value) {
       draft.settings.server.clientKey = std::get<std::filesystem::path>(value);
     }},
    {{"auth", Shape::ChoiceList, kServers, 0, kAuthChoices, "the strongest that both sides know",
      "[\"SCRAM-SHA-256\", \"PLAIN\"]",
      "login mechanisms that may be used; one that shows the password is never used without TLS"},
     [](EndpointDraft& draft, Value&& value) {
       draft.settings.auth = std::get<std::vector<std::string>>(std::move(value));
     }},
    {{"timeout", Shape::Duration, kServers | bit(EndpointType::Mbox), 0, "", "\"30s\"", "\"30s\"",
      "how long a server may be silent, connecting and the TLS handshake included, or an mbox locked by another "
      "program"},
     [](EndpointDraft& draft, Value&& value) {
       draft.settings.server.timeout = std::get<std::chrono::seconds>(value);
     }},
    {{"connections", Shape::Count, kServers, 0, "", "2", "2",
      "connections to the server at once, at most; this version opens one"},
     [](EndpointDraft& draft, Value&& value) {
       draft.settings.connections = static_cast<unsigned>(std::get<std::uint64_t>(value));
     }},
    {{"limits", Shape::Limits, kServers, 0, "", "what the host's provider documents, if it does",
      "{ bytes_per_second = \"1M\", messages_per_second = 10, download_per_day = \"2G\", upload_per_day = \"500M\" }",
      "what the server may be asked for: a provider's name (\"gmail\"), \"none\", or a table of bytes_per_second (both "
      "directions), messages_per_second, download_per_day, upload_per_day (days of UTC), connections, and patience, "
      "how "
      "long a run waits for a server that asks for it (2m); what the table leaves out is as the provider documents it"},
     [](EndpointDraft& draft, Value&& value) { draft.limits = std::get<GivenLimits>(std::move(value)); }},
    {{"compress", Shape::Choice, bit(EndpointType::Imap), 0, "auto|yes|no", "\"auto\"", "\"auto\"",
      "COMPRESS=DEFLATE; auto: when the line is slow"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.compress = chosen<sync::endpoint::Compression>(value); }},
    {{"braid", Shape::Text, kAllTypes, 0, "", "a braid of its own: a mirror", "\"home\"",
      "endpoints that name the same braid hold the same mail"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.braid = std::get<std::string>(value); }},
    {{"mailboxes", Shape::TextList, kAllTypes, 0, "", "all but views such as \\All", "[\"*\", \"!Spam\"]",
      "mailboxes to sync, in order, the last that matches wins; * is any text, a leading ! leaves out"},
     [](EndpointDraft& draft, Value&& value) {
       draft.settings.mailboxes = std::get<std::vector<std::string>>(std::move(value));
     }},
    {{"map", Shape::MailboxMap, kAllTypes, 0, "", "by role, then by name", "{ \"Sent Items\" = \"Sent\" }",
      "mailboxes of the endpoint and the mailboxes of the store that they are"},
     [](EndpointDraft& draft, Value&& value) {
       draft.settings.map = std::get<std::map<std::string, std::string>>(std::move(value));
     }},
    {{"pull", Shape::ChoiceList, kAllTypes, 0, kDirectionChoices, "[\"new\", \"flags\", \"removals\"]",
      "[\"new\", \"flags\", \"removals\"]", "what is taken from the endpoint"},
     [](EndpointDraft& draft, Value&& value) {
       draft.settings.pull = directionsOf(std::get<std::vector<std::string>>(value));
     }},
    {{"push", Shape::ChoiceList, kAllTypes, 0, kDirectionChoices, "[\"new\", \"flags\", \"removals\"]", "[]",
      "what is carried to the endpoint; [] is read-only"},
     [](EndpointDraft& draft, Value&& value) {
       draft.settings.push = directionsOf(std::get<std::vector<std::string>>(value));
     }},
    {{"removals", Shape::Choice, kAllTypes, 0, "expunge|trash|mark|never", "\"expunge\"", "\"trash\"",
      "how a message is removed from the endpoint"},
     [](EndpointDraft& draft, Value&& value) {
       draft.settings.removals = chosen<sync::endpoint::RemovalStyle>(value);
     }},
    {{"expunge_deleted", Shape::Flag, kWritten, 0, "", "false", "false",
      "true: messages that others marked \\Deleted are removed, too"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.expungeDeleted = std::get<bool>(value); }},
    {{"create_mailboxes", Shape::Flag, kWritten | bit(EndpointType::Mbox), 0, "", "true", "true",
      "mailboxes that only the store has are made at the endpoint"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.createMailboxes = std::get<bool>(value); }},
    {{"repair", Shape::ChoiceList, bit(EndpointType::Imap), 0, "nul|8bit-header|bare-newline|date", "[]",
      "[\"nul\", \"8bit-header\"]",
      "what may be changed in the copy that is uploaded, when the server refuses a message as it is: NUL octets are "
      "left out, 8-bit octets of the header encoded words, bare line ends CRLF, an internal date before 1970 or after "
      "today the nearest one; each such message is reported, and the store keeps it as it came"},
     [](EndpointDraft& draft, Value&& value) {
       draft.settings.repairs = repairsOf(std::get<std::vector<std::string>>(value));
     }},
    {{"remove_mailboxes", Shape::Flag, kWritten, 0, "", "false", "false",
      "mailboxes that were removed elsewhere are removed here"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.removeMailboxes = std::get<bool>(value); }},
    {{"max_size", Shape::Size, kAllTypes, 0, "", "no limit", "\"25M\"",
      "a larger message is left out, in both directions; what was taken before stays"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.maxSize = std::get<std::uint64_t>(value); }},
    {{"max_age", Shape::Duration, kAllTypes, 0, "", "no limit", "\"52w\"",
      "a message with an older internal date is left out, in both directions"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.maxAge = std::get<std::chrono::seconds>(value); }},
    {{"max_messages", Shape::Count, kAllTypes, 0, "", "no limit", "5000",
      "of what is new in a mailbox, no more than the newest so many are taken or carried there"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.maxMessages = std::get<std::uint64_t>(value); }},
    {{"seen", Shape::Seen, bit(EndpointType::Pop3), 0, "", "\"none\"", "\"older-than 30d\"",
      "which messages count as read when they are taken in, as POP3 does not tell: all, none, those that are older, or "
      "those that are read at another endpoint, as it was synced last (\"from laptop\")"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.seen = std::get<SeenRule>(std::move(value)); }},
    {{"leave_on_server", Shape::ChoiceOrDuration, bit(EndpointType::Pop3), 0, "forever|until-removed|no", "\"forever\"",
      "\"14d\"",
      "how long a POP3 server keeps what is safely in the store: for ever, so long after it was first stored, until it "
      "is removed elsewhere, or not at all"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.leaveOnServer = leaveOnServerOf(value); }},
    {{"newest", Shape::Count, bit(EndpointType::Pop3), 0, "", "all", "500",
      "no more than the newest so many messages stay on a POP3 server, whatever leave_on_server says; older ones are "
      "deleted there once they are safely in the store"},
     [](EndpointDraft& draft, Value&& value) { draft.settings.newest = std::get<std::uint64_t>(value); }},
});

}  // namespace mailbraid::cli::config
