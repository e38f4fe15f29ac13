#include "tests/integration/workspace.h"

#include "tests/support/catch.h"

#include <Poco/JSON/Parser.h>
#include <openssl/sha.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <sstream>

namespace mailbraid::test {
namespace {

void writeSecret(const std::filesystem::path& path, const std::string& secret) {
  writeFile(path, secret + "\n");
  ::chmod(path.c_str(), 0600);
}

std::string wayLines(const Dovecot& server, Way way) {
  switch (way) {
    case Way::Plain:
      return "tls = \"none\"\n";
    case Way::Tls:
      return "ca_file = \"" + server.caFile() + "\"\n";
    case Way::StartTls:
      return "tls = \"starttls\"\nca_file = \"" + server.caFile() + "\"\n";
  }
  return {};
}

std::string serverEndpoint(const Workspace& workspace, const Dovecot& server, const std::string& type,
                           std::uint16_t port, const std::string& user, const std::string& more) {
  const std::filesystem::path file = workspace.path("password-" + user);
  writeSecret(file, server.password(user));
  return "type = \"" + type + "\"\nhost = \"localhost\"\nport = " + std::to_string(port) + "\nuser = \"" + user +
         "\"\npassword_file = \"" + file.string() + "\"\n" + more;
}

unsigned number(const Poco::JSON::Object& object, const std::string& key) {
  return object.getValue<unsigned>(key);
}

std::vector<std::string> texts(const Poco::JSON::Object& object, const std::string& key) {
  std::vector<std::string> result;
  for (const auto& value : *object.getArray(key)) result.push_back(value.convert<std::string>());
  return result;
}

}  // namespace

JsonLines parseJsonLines(const std::string& text) {
  JsonLines objects;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    objects.push_back(Poco::JSON::Parser().parse(line).extract<Poco::JSON::Object::Ptr>());
  }
  return objects;
}

std::ostream& operator<<(std::ostream& stream, const Totals& totals) {
  return stream << "{status " << totals.status << ", new " << totals.fresh << ", flags " << totals.flags << ", moved "
                << totals.moved << ", removed " << totals.removed << ", held " << totals.held << ", quarantined "
                << totals.quarantined << "}";
}

Workspace::Workspace() {
  clearConfiguration();
}

void Workspace::clearConfiguration() {
  configuration("[store]\npath = \"" + store().string() + "\"\n");
}

void Workspace::configuration(const std::string& toml) {
  toml_ = toml;
  writeFile(configurationFile(), toml_);
  ::chmod(configurationFile().c_str(), 0600);
}

void Workspace::endpoint(const std::string& name, const std::string& lines) {
  configuration(toml_ + "\n[endpoint." + name + "]\n" + lines);
}

std::vector<std::string> Workspace::command(const std::vector<std::string>& words) const {
  std::vector<std::string> whole{MAILBRAID_PROGRAM, "--config", configurationFile().string()};
  whole.insert(whole.end(), words.begin(), words.end());
  return whole;
}

ProcessOptions Workspace::options() const {
  const std::string home = directory_.path().string();
  return {{{"HOME", home}, {"XDG_CONFIG_HOME", home + "/.config"}, {"XDG_DATA_HOME", home + "/.data"}, {"TZ", "UTC"}},
          {}};
}

Finished Workspace::mailbraid(const std::vector<std::string>& words) const {
  return run(command(words), options());
}

std::unique_ptr<Process> Workspace::start(const std::vector<std::string>& words) const {
  return std::make_unique<Process>(command(words), options());
}

Totals Workspace::sync(const std::vector<std::string>& words) const {
  std::vector<std::string> whole{"sync", "--json"};
  whole.insert(whole.end(), words.begin(), words.end());
  const Finished finished = mailbraid(whole);
  UNSCOPED_INFO("sync said: " << finished.out << finished.err);
  Totals totals;
  totals.status = static_cast<unsigned>(finished.status);
  const JsonLines lines = parseJsonLines(finished.out);
  if (lines.empty()) return totals;
  const Poco::JSON::Object& last = *lines.back();
  totals.fresh = number(last, "new");
  totals.flags = number(last, "flags");
  totals.moved = number(last, "moved");
  totals.removed = number(last, "removed");
  totals.held = number(last, "held");
  totals.quarantined = number(last, "quarantined");
  return totals;
}

std::vector<StoredMessage> Workspace::stored() const {
  std::vector<StoredMessage> result;
  for (const auto& mailbox : parseJsonLines(mailbraid({"ls", "--json"}).out)) {
    const std::string name = mailbox->getValue<std::string>("mailbox");
    for (const auto& entry : parseJsonLines(mailbraid({"ls", name, "--json"}).out)) {
      result.push_back({name, entry->getValue<std::string>("digest"), texts(*entry, "flags"),
                        entry->getValue<std::string>("internal_date")});
      std::sort(result.back().flags.begin(), result.back().flags.end());
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<std::string> Workspace::digests(const std::string& mailbox) const {
  std::vector<std::string> result;
  for (const auto& entry : parseJsonLines(mailbraid({"ls", mailbox, "--json"}).out)) {
    result.push_back(entry->getValue<std::string>("digest"));
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<std::string> Workspace::entries(const std::string& mailbox) const {
  std::vector<std::string> result;
  for (const auto& entry : parseJsonLines(mailbraid({"ls", mailbox, "--json"}).out)) {
    result.push_back(std::to_string(entry->getValue<std::int64_t>("entry")));
  }
  return result;
}

std::string imapEndpoint(const Workspace& workspace, const Dovecot& server, const std::string& user, Way way,
                         const std::string& more) {
  return serverEndpoint(workspace, server, "imap", way == Way::Tls ? server.imaps() : server.imap(), user,
                        wayLines(server, way) + more);
}

std::string pop3Endpoint(const Workspace& workspace, const Dovecot& server, const std::string& user, Way way,
                         const std::string& more) {
  return serverEndpoint(workspace, server, "pop3", way == Way::Tls ? server.pop3s() : server.pop3(), user,
                        wayLines(server, way) + more);
}

std::string endpointAt(const Workspace& workspace, const std::string& type, std::uint16_t port,
                       const std::string& more) {
  const std::filesystem::path file = workspace.path("password-user1");
  writeSecret(file, "secret");
  return "type = \"" + type + "\"\nhost = \"localhost\"\nport = " + std::to_string(port) +
         "\nuser = \"user1\"\ntls = \"none\"\npassword_file = \"" + file.string() + "\"\n" + more;
}

std::string sha256(std::string_view octets) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(octets.data()), octets.size(), digest.data());
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const unsigned char octet : digest) {
    text += kHex[octet >> 4U];
    text += kHex[octet & 15U];
  }
  return text;
}

}  // namespace mailbraid::test
