#include "cli/config/configuration.h"
#include "cli/config/reader.h"
#include "cli/file_mode.h"
#include "cli/text/nearest.h"
#include "cli/text/utf8.h"
#include "sync/endpoint/same_account.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>

namespace mailbraid::cli::config {
namespace {

using sync::net::TlsMode;

std::string joined(const std::vector<Complaint>& complaints) {
  std::string out;
  for (const Complaint& complaint : complaints) {
    if (!out.empty()) out += '\n';
    out += complaint.sentence();
  }
  return out;
}

template <class Keys>
std::vector<std::string> namesOf(const Keys& keys) {
  std::vector<std::string> out(std::size(keys));
  std::transform(std::begin(keys), std::end(keys), out.begin(), [](const auto& key) { return key.info.name; });
  return out;
}

template <class Keys>
std::string unknownKey(std::string_view name, const Keys& keys) {
  const std::string near = didYouMean(name, namesOf(keys));
  return "unknown key;" + (near.empty() ? " remove it (`mailbraid config example` shows every key)" : near);
}

std::string typeName(EndpointType type) {
  return choicesOf(kTypeChoices)[static_cast<std::size_t>(type)];
}

std::string typesInWords(unsigned types) {
  std::string choices;
  for (const EndpointType type : {EndpointType::Imap, EndpointType::Pop3, EndpointType::Maildir, EndpointType::Mbox}) {
    if ((types & bit(type)) != 0) choices += (choices.empty() ? "" : "|") + typeName(type);
  }
  return choicesInWords(choices);
}

/// An address of 127.0.0.0/8, written out: "127.example.org" is a name like any other.
bool isLoopbackV4(std::string_view host) {
  for (int part = 0; part < 4; ++part) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(host.data(), host.data() + host.size(), number);
    if (error != std::errc{} || number > 255 || (part == 0 && number != 127)) return false;
    host.remove_prefix(static_cast<std::size_t>(end - host.data()));
    if (part == 3) return host.empty();
    if (!host.starts_with('.')) return false;
    host.remove_prefix(1);
  }
  return false;
}

bool isLoopback(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "::1" || host == "[::1]" || isLoopbackV4(host);
}

/// A name that becomes part of a path in the store, a key of --allow-removals and a word of the report.
bool isPlainName(std::string_view name) {
  const auto bad = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '/' || c == ':'; };
  return !name.empty() && name != "." && name != ".." && std::none_of(name.begin(), name.end(), bad);
}

/// Reads one [endpoint.NAME].
class EndpointReader {
 public:
  EndpointReader(const toml::table& table, std::string name, std::size_t line, const PathBase& base,
                 Complaints& complaints)
      : table_(table), section_("endpoint." + name), line_(line), base_(base), complaints_(complaints) {
    draft_.settings.name = std::move(name);
  }

  EndpointConfig read() {
    if (!isPlainName(draft_.settings.name))
      complain("", "is not a name; write one without \"/\", \":\" and control characters");
    complainAboutUnknownKeys();
    typeKnown_ = apply(kEndpointKeys.front(), table_.get("type"));
    for (std::size_t at = 1; at < kEndpointKeys.size(); ++at) readKey(kEndpointKeys[at]);
    checkPasswordSources();
    if (typeKnown_) checkServer();
    finish();
    return {std::move(draft_.settings), std::move(draft_.password), line_, std::move(given_)};
  }

 private:
  void complain(std::string_view key, std::string text) {
    const toml::node* node = table_.get(key);
    const std::size_t line = node != nullptr ? static_cast<std::size_t>(node->source().begin.line) : line_;
    complaints_.add(line, section_, key, std::move(text));
  }

  void complainAboutUnknownKeys() {
    const std::vector<std::string> known = namesOf(kEndpointKeys);
    for (auto&& [name, node] : table_) {
      if (std::find(known.begin(), known.end(), name.str()) != known.end()) continue;
      complaints_.add(static_cast<std::size_t>(node.source().begin.line), section_, harmlessLine(name.str()),
                      unknownKey(name.str(), kEndpointKeys));
    }
  }

  bool apply(const Key<EndpointDraft>& key, const toml::node* node) {
    if (node == nullptr) {
      if ((key.info.needed & typeBits()) == typeBits()) complain(key.info.name, missing(key.info));
      return false;
    }
    Reading reading = readValue(key.info, *node, base_);
    if (!reading.value) {
      complain(key.info.name, std::move(reading.wrong));
      return false;
    }
    key.apply(draft_, std::move(*reading.value));
    given_.emplace_back(key.info.name, key.info.name == "password" ? "\"********\"" : tomlText(*node));
    return true;
  }

  void readKey(const Key<EndpointDraft>& key) {
    const toml::node* node = table_.get(key.info.name);
    if (typeKnown_ && (key.info.types & typeBits()) == 0) {
      if (node != nullptr) {
        complain(key.info.name, "is not for type = \"" + typeName(draft_.settings.type) + "\"; remove it (it is for " +
                                    typesInWords(key.info.types) + ")");
      }
      return;
    }
    apply(key, node);
  }

  static std::string missing(const KeyInfo& key) {
    return "is missing; write " + std::string(key.name) + " = " + std::string(key.example);
  }

  [[nodiscard]] unsigned typeBits() const { return typeKnown_ ? bit(draft_.settings.type) : kAllTypes; }

  void checkPasswordSources() {
    std::vector<std::string> sources;
    for (const std::string_view key : {"password_command", "password_file", "password", "keyring"}) {
      const toml::node* node = table_.get(key);
      if (node != nullptr && node->value_exact<bool>() != false) sources.emplace_back(key);
    }
    if (sources.size() > 1) {
      complain(sources[1], "is given beside " + sources[0] + "; keep one of them");
    }
    if (const auto* file = std::get_if<PasswordFile>(&draft_.password)) {
      if (std::string wrong = whyNotPrivate(file->path); !wrong.empty()) complain("password_file", std::move(wrong));
    }
    if (table_.contains("password")) {
      if (std::string wrong = whyNotPrivate(complaints_.file()); !wrong.empty()) complain("password", std::move(wrong));
    }
  }

  void checkServer() {
    const sync::net::ServerSettings& server = draft_.settings.server;
    if (server.host.empty()) return;
    if (server.tls == TlsMode::None && !server.allowPlaintext && !isLoopback(server.host)) {
      complain("tls",
               "\"none\" would send the password and the mail readable over the network; write tls = \"implicit\" or "
               "\"starttls\" (or, knowing that, allow_plaintext = true)");
    }
    if (!server.clientKey.empty() && server.clientCertificate.empty()) {
      complain("client_key", "is given without client_certificate; write both");
    }
  }

  void checkSubfolders() {
    using sync::endpoint::SubfolderStyle;
    const SubfolderStyle style = draft_.settings.subfolders;
    if (typeKnown_ && draft_.settings.type == EndpointType::Mbox && style == SubfolderStyle::MaildirPlusPlus) {
      complain("subfolders", "\"maildir++\" is not for type = \"mbox\"; write \"nested\" or \"thunderbird\"");
    }
    if (typeKnown_ && draft_.settings.type == EndpointType::Maildir && style == SubfolderStyle::Thunderbird) {
      complain("subfolders", "\"thunderbird\" is not for type = \"maildir\"; write \"nested\" or \"maildir++\"");
    }
  }

  void checkDeletions() {
    using Kind = sync::endpoint::LeaveOnServer::Kind;
    const EndpointSettings& settings = draft_.settings;
    const bool deletes = settings.leaveOnServer.kind != Kind::Forever;
    const std::string_view key = deletes ? "leave_on_server" : "newest";
    if (!deletes && !settings.newest) return;
    if (!settings.push.removals) {
      complain(key, "deletes mail at the server, but \"push\" carries no removals there; write one or the other");
    } else if (settings.removals == sync::endpoint::RemovalStyle::Never) {
      complain(key, "deletes mail at the server, but removals = \"never\" forbids it; write one or the other");
    }
    if (settings.newest && settings.leaveOnServer.kind == Kind::No) {
      complain("newest",
               "says what stays on the server, but leave_on_server = \"no\" leaves nothing there; remove one");
    }
  }

  void finish() {
    EndpointSettings& settings = draft_.settings;
    const bool isServer = typeKnown_ && (kServers & bit(settings.type)) != 0;
    if (settings.server.port == 0 && isServer) {
      const bool imap = settings.type == EndpointType::Imap;
      const bool implicit = settings.server.tls == TlsMode::Implicit;
      settings.server.port = static_cast<std::uint16_t>(imap ? (implicit ? 993 : 143) : (implicit ? 995 : 110));
    }
    checkSubfolders();
    checkDeletions();
    if (std::string wrong = isServer ? applyLimits(draft_) : std::string(); !wrong.empty())
      complain("limits", std::move(wrong));
    if (settings.braid.empty()) {
      settings.braid = settings.name;
    } else if (!isPlainName(settings.braid)) {
      complain("braid", "is not a name; write one without \"/\", \":\" and control characters");
    }
  }

  const toml::table& table_;
  std::string section_;
  std::size_t line_;
  const PathBase& base_;
  Complaints& complaints_;
  EndpointDraft draft_;
  std::vector<std::pair<std::string, std::string>> given_;
  bool typeKnown_ = false;
};

std::string lowered(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

void readEndpoints(const toml::node& node, const PathBase& base, Configuration& out, Complaints& complaints) {
  const toml::table* endpoints = node.as_table();
  if (endpoints == nullptr) {
    complaints.add(static_cast<std::size_t>(node.source().begin.line), "", "endpoint",
                   "must be a section; write [endpoint.NAME]");
    return;
  }
  for (auto&& [name, child] : *endpoints) {
    const auto line = static_cast<std::size_t>(child.source().begin.line);
    const toml::table* table = child.as_table();
    if (table == nullptr) {
      complaints.add(line, "endpoint", harmlessLine(name.str()),
                     "is outside of an endpoint; write it below a line [endpoint.NAME]");
      continue;
    }
    out.endpoints.push_back(EndpointReader(*table, std::string(name.str()), line, base, complaints).read());
  }
  std::stable_sort(out.endpoints.begin(), out.endpoints.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  for (auto later = out.endpoints.begin(); later != out.endpoints.end(); ++later) {
    const auto same = [&](const EndpointConfig& other) {
      return lowered(other.settings.name) == lowered(later->settings.name);
    };
    const auto first = std::find_if(out.endpoints.begin(), later, same);
    if (first == later) continue;
    complaints.add(later->line, "endpoint." + later->settings.name, "",
                   "differs from [endpoint." + first->settings.name + "] in line " + std::to_string(first->line) +
                       " by case only; give it another name");
  }
}

bool isBelow(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  const auto [outerEnd, innerAt] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return outerEnd == outer.end() || (std::next(outerEnd) == outer.end() && outerEnd->empty());
}

/// Two names for one thing would sync it with itself.
std::string whySame(const EndpointSettings& one, const EndpointSettings& other) {
  if (one.type != other.type) return {};
  if ((kTrees & bit(one.type)) != 0) {
    if (one.path.empty() || other.path.empty()) return {};
    std::error_code error;
    const std::filesystem::path here = std::filesystem::weakly_canonical(one.path, error);
    const std::filesystem::path there = std::filesystem::weakly_canonical(other.path, error);
    if (here == there) return "has the same directory as";
    return isBelow(here, there) || isBelow(there, here) ? "has a directory inside, or around, that of" : "";
  }
  const bool same = one.server.host == other.server.host && one.server.port == other.server.port &&
                    one.user == other.user && one.braid == other.braid && !one.server.host.empty();
  return same ? "is the same account as" : "";
}

void complainAboutTwins(const Configuration& configuration, Complaints& complaints) {
  for (auto later = configuration.endpoints.begin(); later != configuration.endpoints.end(); ++later) {
    for (auto first = configuration.endpoints.begin(); first != later; ++first) {
      const std::string why = whySame(later->settings, first->settings);
      if (why.empty()) continue;
      complaints.add(later->line, "endpoint." + later->settings.name, "",
                     why + " [endpoint." + first->settings.name + "] in line " + std::to_string(first->line) +
                         "; remove one of them");
    }
  }
}

/// What is deleted by POP3 is gone by IMAP, too, and a removal there goes everywhere.
void complainAboutDeletions(const Configuration& configuration, Complaints& complaints) {
  using Kind = sync::endpoint::LeaveOnServer::Kind;
  for (const EndpointConfig& one : configuration.endpoints) {
    if (one.settings.leaveOnServer.kind == Kind::Forever && !one.settings.newest) continue;
    for (const EndpointConfig& other : configuration.endpoints) {
      const bool together = &other != &one && other.settings.braid == one.settings.braid;
      if (!together || !sync::endpoint::maybeSameAccount(one.settings, other.settings)) continue;
      complaints.add(one.line, "endpoint." + one.settings.name, one.settings.newest ? "newest" : "leave_on_server",
                     "would delete the mail of [endpoint." + other.settings.name +
                         "], which seems to be the same account; remove it, or keep the two in different braids");
    }
  }
}

void complainAboutSeen(const Configuration& configuration, Complaints& complaints) {
  for (const EndpointConfig& one : configuration.endpoints) {
    const std::string& from = one.settings.seen.endpoint;
    const auto isFrom = [&](const EndpointConfig& other) { return other.settings.name == from; };
    const bool known = std::any_of(configuration.endpoints.begin(), configuration.endpoints.end(), isFrom);
    if (from.empty() || (known && from != one.settings.name)) continue;
    complaints.add(one.line, "endpoint." + one.settings.name, "seen",
                   "names \"" + harmlessLine(from) + "\", which is no other endpoint of this configuration");
  }
}

void readStore(const toml::node& node, const PathBase& base, StoreSettings& store, Complaints& complaints) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    complaints.add(static_cast<std::size_t>(node.source().begin.line), "", "store", "must be a section; write [store]");
    return;
  }
  for (auto&& [name, value] : *table) {
    const auto line = static_cast<std::size_t>(value.source().begin.line);
    const auto key = std::find_if(kStoreKeys.begin(), kStoreKeys.end(),
                                  [word = name.str()](const auto& known) { return known.info.name == word; });
    if (key == kStoreKeys.end()) {
      complaints.add(line, "store", harmlessLine(name.str()), unknownKey(name.str(), kStoreKeys));
      continue;
    }
    Reading reading = readValue(key->info, value, base);
    if (reading.value) {
      key->apply(store, std::move(*reading.value));
    } else {
      complaints.add(line, "store", key->info.name, std::move(reading.wrong));
    }
  }
}

void readRoot(const toml::table& root, const PathBase& base, Configuration& out, Complaints& complaints) {
  static const std::vector<std::string> kSections{"endpoint", "store"};
  for (auto&& [name, node] : root) {
    const auto line = static_cast<std::size_t>(node.source().begin.line);
    if (name.str() == "store") {
      readStore(node, base, out.store, complaints);
    } else if (name.str() == "endpoint") {
      readEndpoints(node, base, out, complaints);
    } else {
      const std::string near = didYouMean(name.str(), kSections);
      const std::string advice = near.empty() ? " sections are [store] and [endpoint.NAME]" : near;
      if (node.is_table()) {
        complaints.add(line, harmlessLine(name.str()), "", "unknown section;" + advice);
      } else {
        complaints.add(line, "", harmlessLine(name.str()),
                       "is outside of a section; write it below [store] or [endpoint.NAME]");
      }
    }
  }
  if (!root.contains("endpoint") && complaints.list().empty()) {
    complaints.add(0, "", "",
                   "has no endpoint; write a section [endpoint.NAME] (`mailbraid config example` shows one)");
  }
}

/// The name in the last `[section]` header at or above `line`.
std::string sectionAt(std::string_view text, std::size_t line) {
  std::string section;
  for (std::size_t number = 1; number <= line && !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    row.remove_prefix(std::min(row.find_first_not_of(" \t"), row.size()));
    const std::size_t close = row.find(']');
    if (row.starts_with('[') && close != std::string_view::npos) section = row.substr(1, close - 1);
  }
  return section;
}

/// toml++ stops at the first octet that is not TOML; what it says of repeated names becomes a sentence of ours.
void complainAboutSyntax(const toml::parse_error& error, std::string_view text, Complaints& complaints) {
  const auto line = static_cast<std::size_t>(error.source().begin.line);
  const std::string_view description = error.description();
  const std::string section = harmlessLine(sectionAt(text, line));
  if (description.find("cannot redefine existing") == std::string_view::npos) {
    complaints.add(line, section, "", "is not TOML: " + harmlessLine(description));
    return;
  }
  if (description.find("table header") != std::string_view::npos ||
      description.find("existing table") != std::string_view::npos) {
    const bool endpoint = section.starts_with("endpoint.");
    complaints.add(line, section, "",
                   std::string(endpoint ? "there are two endpoints" : "there are two sections") +
                       " of this name; rename or remove one");
    return;
  }
  const std::size_t open = description.rfind(" '");
  const std::size_t close = description.rfind('\'');
  std::string key = open < close && close != std::string_view::npos
                        ? std::string(description.substr(open + 2, close - open - 2))
                        : "";
  if (const std::size_t dot = key.rfind('.'); dot != std::string::npos) key.erase(0, dot + 1);
  complaints.add(line, section, harmlessLine(key), "is given twice; remove one of them");
}

std::string readFile(const std::filesystem::path& file, Complaints& complaints) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    complaints.add(0, "", "",
                   "does not exist; write it (`mailbraid config example > " + file.string() + "` is a start)");
    return {};
  }
  if (std::filesystem::is_directory(file, error)) {
    complaints.add(0, "", "", "is a directory; name a file");
    return {};
  }
  if (std::string wrong = whyOthersCouldWrite(file); !wrong.empty()) complaints.add(0, "", "", std::move(wrong));
  std::ifstream in(file, std::ios::binary);
  std::string text;
  std::array<char, 4096> piece{};
  while (text.size() <= kLongestFile && in.good()) {
    in.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (!in.eof() && !in.good()) complaints.add(0, "", "", "cannot be read; let this user read it");
  if (text.size() > kLongestFile) complaints.add(0, "", "", "is longer than 1 MiB; name a configuration");
  return text;
}

}  // namespace

std::string Complaint::sentence() const {
  std::string out = file;
  if (line != 0) out += ":" + std::to_string(line);
  out += ":";
  if (!section.empty()) out += " [" + section + "]";
  if (!key.empty()) out += " " + key;
  if (!section.empty() || !key.empty()) out += ":";
  return out + " " + text;
}

ConfigurationError::ConfigurationError(std::vector<Complaint> complaints)
    : Error(mailstore::ErrorKind::Configuration, mailstore::Scope::Run, mailstore::Retry::Never, joined(complaints)),
      complaints_(std::move(complaints)) {}

Configuration load(const std::filesystem::path& file, const Environment& environment) {
  Configuration out;
  out.file = file;
  out.store.path = environment.storeDirectory();
  Complaints complaints(file);
  const std::string text = readFile(file, complaints);
  if (!complaints.list().empty()) throw ConfigurationError(std::move(complaints.list()));

  std::error_code error;
  const PathBase base{environment.home, std::filesystem::absolute(file, error).parent_path()};
  const toml::parse_result result = toml::parse(std::string_view(text), file.string());
  if (result.failed()) {
    complainAboutSyntax(result.error(), text, complaints);
  } else {
    readRoot(result.table(), base, out, complaints);
    complainAboutTwins(out, complaints);
    complainAboutSeen(out, complaints);
    complainAboutDeletions(out, complaints);
  }
  if (complaints.list().empty()) return out;
  std::stable_sort(complaints.list().begin(), complaints.list().end(),
                   [](const Complaint& a, const Complaint& b) { return a.line < b.line; });
  throw ConfigurationError(std::move(complaints.list()));
}

}  // namespace mailbraid::cli::config
