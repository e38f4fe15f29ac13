#include "tests/support/catch.h"

#include "cli/config/configuration.h"
#include "tests/cli/scratch.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

using namespace mailbraid::cli;
using namespace mailbraid::cli::config;
using mailbraid::cli::tests::Scratch;
using mailbraid::sync::net::TlsMode;

namespace {

const std::string kWork = "[endpoint.work]\ntype = \"imap\"\nhost = \"imap.example.org\"\nuser = \"me\"\n";

Environment environmentOf(const Scratch& scratch) {
  return {scratch.path(), scratch.path() / ".config", scratch.path() / ".local/share"};
}

Configuration loaded(const std::string& text) {
  Scratch scratch;
  return load(scratch.write("c.toml", text, 0600), environmentOf(scratch));
}

/// The complaints about `text`, with "FILE" for the file's path.
std::vector<std::string> complaintsOf(const Scratch& scratch, const std::filesystem::path& file) {
  std::vector<std::string> out;
  try {
    load(file, environmentOf(scratch));
  } catch (const ConfigurationError& error) {
    CHECK(error.kind() == mailbraid::mailstore::ErrorKind::Configuration);
    for (const Complaint& complaint : error.complaints()) {
      std::string sentence = complaint.sentence();
      REQUIRE(sentence.starts_with(file.string()));
      out.push_back("FILE" + sentence.substr(file.string().size()));
    }
  }
  return out;
}

std::vector<std::string> complaintsOf(const std::string& text) {
  Scratch scratch;
  return complaintsOf(scratch, scratch.write("c.toml", text, 0600));
}

using Sentences = std::vector<std::string>;

}  // namespace

TEST_CASE("limits are the provider's, a table's, or none", "[cli][config][limits]") {
  const std::string gmail = "[endpoint.g]\ntype = \"imap\"\nhost = \"imap.gmail.com\"\nuser = \"me\"\n";
  const auto settingsOf = [](const std::string& text) { return loaded(text).endpoints[0].settings; };
  CHECK(settingsOf(kWork).limits.downloadPerDay == 0);
  CHECK(settingsOf(kWork).limits.patience == std::chrono::seconds(120));
  CHECK(settingsOf(gmail).limits.downloadPerDay == 2'500'000'000);
  CHECK(settingsOf(gmail + "limits = \"none\"\n").limits.downloadPerDay == 0);
  CHECK(settingsOf(kWork + "limits = \"gmail\"\n").limits.uploadPerDay == 500'000'000);

  const EndpointSettings own = settingsOf(
      gmail +
      "limits = { bytes_per_second = \"1M\", messages_per_second = 10, upload_per_day = \"none\", connections = 1, "
      "patience = \"10m\" }\n");
  CHECK(own.server.bytesPerSecond == 1'000'000);
  CHECK(own.limits.messagesPerSecond == 10);
  CHECK(own.limits.downloadPerDay == 2'500'000'000);
  CHECK(own.limits.uploadPerDay == 0);
  CHECK(own.limits.patience == std::chrono::minutes(10));
  CHECK(own.connections == 1);
}

TEST_CASE("a mistake in limits is named", "[cli][config][limits]") {
  const auto complaint = [](const std::string& limits) {
    const Sentences all = complaintsOf(kWork + "limits = " + limits + "\n");
    return all.size() == 1 ? all[0] : std::to_string(all.size()) + " complaints";
  };
  const std::string at = "FILE:5: [endpoint.work] limits: ";
  CHECK(complaint("\"gmial\"")
            .starts_with(at + "\"gmial\" is not known; write \"gmail\", \"zone\" or \"none\", or a table"));
  CHECK(complaint("7").starts_with(at + "must be a name or a table; write limits = {"));
  CHECK(complaint("{ bytes_per_secnd = \"1M\" }").starts_with(at + "has an unknown key \"bytes_per_secnd\""));
  CHECK(complaint("{ bytes_per_second = 1000 }") ==
        at + "bytes_per_second must be a size in quotes; write bytes_per_second = \"1M\"");
  CHECK(complaint("{ connections = 0 }").starts_with(at + "connections 0 is not a whole number from 1"));
  CHECK(complaint("{ patience = \"soon\" }").starts_with(at + "patience \"soon\" is not a time"));
}

TEST_CASE("an endpoint needs only type, host and user; the rest has defaults", "[cli][config]") {
  const Configuration configuration = loaded(kWork);
  REQUIRE(configuration.endpoints.size() == 1);
  const EndpointSettings& work = configuration.endpoints[0].settings;
  CHECK(work.name == "work");
  CHECK(work.braid == "work");
  CHECK(work.server.host == "imap.example.org");
  CHECK(work.server.port == 993);
  CHECK(work.server.tls == TlsMode::Implicit);
  CHECK(work.server.timeout == std::chrono::seconds(30));
  CHECK(work.pull.removals);
  CHECK(std::holds_alternative<std::monostate>(configuration.endpoints[0].password));
  CHECK(configuration.store.path.string().ends_with(".local/share/mailbraid"));
}

TEST_CASE("the port follows from type and tls", "[cli][config]") {
  const auto portOf = [](const std::string& type, const std::string& tls) {
    return loaded("[endpoint.a]\ntype = \"" + type + "\"\nhost = \"localhost\"\nuser = \"me\"\ntls = \"" + tls + "\"\n")
        .endpoints[0]
        .settings.server.port;
  };
  CHECK(portOf("imap", "implicit") == 993);
  CHECK(portOf("imap", "starttls") == 143);
  CHECK(portOf("pop3", "implicit") == 995);
  CHECK(portOf("pop3", "none") == 110);
}

TEST_CASE("every key reaches the settings", "[cli][config]") {
  const Configuration configuration = loaded(
      "[store]\npath = \"~/mail\"\nretention = \"60d\"\n" + kWork +
      "port = 1993\npassword_command = [\"pass\", \"show\"]\ntls = \"starttls\"\nauth = [\"plain\", "
      "\"SCRAM-SHA-256\"]\n"
      "timeout = \"5s\"\nconnections = 4\ncompress = \"no\"\nbraid = \"home\"\nmailboxes = [\"*\", \"!Spam\"]\n"
      "map = { \"Sent Items\" = \"Sent\" }\npull = [\"new\"]\npush = []\nremovals = \"trash\"\nexpunge_deleted = true\n"
      "create_mailboxes = false\nremove_mailboxes = true\n"
      "pin = \"sha256//YLh1dUR9y6Kja30RrAn7JKnbQG/uEtLMkBgFF2Fuihg=\"\n"
      "[endpoint.isp]\ntype = \"pop3\"\nhost = \"pop\"\nuser = \"me\"\nleave_on_server = \"forever\"\n");
  REQUIRE(configuration.endpoints.size() == 2);
  CHECK(configuration.store.path.filename() == "mail");
  CHECK(configuration.store.retention == std::chrono::hours(60 * 24));
  const EndpointSettings& work = configuration.endpoints[0].settings;
  CHECK(work.server.port == 1993);
  CHECK(work.server.tls == TlsMode::StartTls);
  CHECK(work.auth == std::vector<std::string>{"PLAIN", "SCRAM-SHA-256"});
  CHECK(work.server.timeout == std::chrono::seconds(5));
  CHECK(work.connections == 4);
  CHECK(work.compress == mailbraid::sync::endpoint::Compression::No);
  CHECK(work.braid == "home");
  CHECK(work.mailboxes == std::vector<std::string>{"*", "!Spam"});
  CHECK(work.map.at("Sent Items") == "Sent");
  CHECK(work.pull.fresh);
  CHECK_FALSE(work.pull.flags);
  CHECK_FALSE(work.push.fresh);
  CHECK(work.removals == mailbraid::sync::endpoint::RemovalStyle::Trash);
  CHECK(work.expungeDeleted);
  CHECK_FALSE(work.createMailboxes);
  CHECK(work.removeMailboxes);
  CHECK(work.server.pins == std::vector<std::string>{"YLh1dUR9y6Kja30RrAn7JKnbQG/uEtLMkBgFF2Fuihg="});
  const auto& command = std::get<CommandLine>(configuration.endpoints[0].password);
  CHECK(command.words == std::vector<std::string>{"pass", "show"});
  CHECK_FALSE(command.shell);
}

TEST_CASE("a command given as a string is one for the shell", "[cli][config]") {
  const Configuration configuration = loaded(kWork + "password_command = \"cat x | head -1\"\n");
  CHECK(std::get<CommandLine>(configuration.endpoints[0].password).shell);
}

TEST_CASE("an unknown key is refused with the nearest known one", "[cli][config]") {
  CHECK(complaintsOf(kWork + "usr = \"x\"\n") ==
        Sentences{"FILE:5: [endpoint.work] usr: unknown key; did you mean \"user\"?"});
  CHECK(
      complaintsOf(kWork + "zebra = 1\n") ==
      Sentences{"FILE:5: [endpoint.work] zebra: unknown key; remove it (`mailbraid config example` shows every key)"});
  CHECK(complaintsOf("[store]\npaht = \"/x\"\n" + kWork) ==
        Sentences{"FILE:2: [store] paht: unknown key; did you mean \"path\"?"});
}

TEST_CASE("an unknown section is refused", "[cli][config]") {
  CHECK(complaintsOf(kWork + "[stor]\npath = \"/x\"\n") ==
        Sentences{"FILE:5: [stor]: unknown section; did you mean \"store\"?"});
  CHECK(complaintsOf("host = \"x\"\n" + kWork) ==
        Sentences{"FILE:1: host: is outside of a section; write it below [store] or [endpoint.NAME]"});
  CHECK(complaintsOf("[endpoint]\nhost = \"x\"\n") ==
        Sentences{"FILE:2: [endpoint] host: is outside of an endpoint; write it below a line [endpoint.NAME]"});
}

TEST_CASE("missing values are named with what to write", "[cli][config]") {
  CHECK(complaintsOf("[endpoint.work]\ntype = \"imap\"\n") ==
        Sentences{"FILE:1: [endpoint.work] host: is missing; write host = \"imap.example.org\"",
                  "FILE:1: [endpoint.work] user: is missing; write user = \"me@example.org\""});
  CHECK(complaintsOf("[endpoint.work]\nhost = \"h\"\nuser = \"u\"\n") ==
        Sentences{"FILE:1: [endpoint.work] type: is missing; write type = \"imap\""});
  CHECK(complaintsOf("[endpoint.work]\ntype = \"imap\"\nhost = \"\"\nuser = \"u\"\n") ==
        Sentences{"FILE:3: [endpoint.work] host: must not be empty; write host = \"imap.example.org\""});
  CHECK(complaintsOf("") ==
        Sentences{"FILE: has no endpoint; write a section [endpoint.NAME] (`mailbraid config example` shows one)"});
}

TEST_CASE("wrong types are named with what to write", "[cli][config]") {
  CHECK(complaintsOf("[endpoint.work]\ntype = \"imap\"\nhost = 7\nuser = \"u\"\n") ==
        Sentences{"FILE:3: [endpoint.work] host: must be a string; write host = \"imap.example.org\""});
  CHECK(complaintsOf(kWork + "allow_plaintext = \"yes\"\n") ==
        Sentences{"FILE:5: [endpoint.work] allow_plaintext: must be true or false, without quotes; write "
                  "allow_plaintext = true"});
  CHECK(complaintsOf(kWork + "mailboxes = \"*\"\n") ==
        Sentences{
            "FILE:5: [endpoint.work] mailboxes: must be an array of strings; write mailboxes = [\"*\", \"!Spam\"]"});
  CHECK(complaintsOf(kWork + "port = \"993\"\n") ==
        Sentences{
            "FILE:5: [endpoint.work] port: must be a whole number from 1 to 65535, without quotes; write port = 993"});
}

TEST_CASE("bad ports and times are refused", "[cli][config]") {
  CHECK(complaintsOf(kWork + "port = 70000\n") ==
        Sentences{"FILE:5: [endpoint.work] port: 70000 is not a whole number from 1 to 65535; write port = 993"});
  CHECK(complaintsOf(kWork + "timeout = \"soon\"\n") ==
        Sentences{"FILE:5: [endpoint.work] timeout: \"soon\" is not a time; write a number and s, m, h, d or w, as "
                  "\"30s\" or \"14d\""});
  CHECK(complaintsOf(kWork + "max_size = \"20MB\"\n") ==
        Sentences{
            "FILE:5: [endpoint.work] max_size: \"20MB\" is not a size; write a number and k, M or G, as \"500k\" or "
            "\"25M\""});
  CHECK(complaintsOf(kWork + "max_size = \"20M\"\nmax_age = \"365d\"\nmax_messages = 1000\n").empty());
  CHECK(complaintsOf("[store]\nretention = 30\n" + kWork) ==
        Sentences{"FILE:2: [store] retention: must be a time in quotes; write retention = \"30d\""});
}

TEST_CASE("a Maildir has a path and no server", "[cli][config]") {
  const std::string disk = "[endpoint.disk]\ntype = \"maildir\"\n";
  CHECK(complaintsOf(disk) == Sentences{"FILE:1: [endpoint.disk] path: is missing; write path = \"~/Maildir\""});
  CHECK(complaintsOf(disk + "path = \"/tmp/a\"\nsubfolders = \"maildir++\"\n").empty());
  CHECK(complaintsOf(disk + "path = \"/tmp/a\"\nhost = \"h\"\n") ==
        Sentences{
            "FILE:4: [endpoint.disk] host: is not for type = \"maildir\"; remove it (it is for \"imap\" or \"pop3\")"});
}

TEST_CASE("an mbox tree has a path, its own layouts and a way of quoting", "[cli][config]") {
  const std::string mail = "[endpoint.mail]\ntype = \"mbox\"\npath = \"/tmp/a\"\n";
  CHECK(complaintsOf(mail + "subfolders = \"thunderbird\"\nquoting = \"mboxo\"\ntimeout = \"5s\"\n").empty());
  CHECK(complaintsOf(mail + "subfolders = \"maildir++\"\n") ==
        Sentences{"FILE:4: [endpoint.mail] subfolders: \"maildir++\" is not for type = \"mbox\"; write \"nested\" or "
                  "\"thunderbird\""});
  CHECK(complaintsOf("[endpoint.disk]\ntype = \"maildir\"\npath = \"/tmp/a\"\nsubfolders = \"thunderbird\"\n") ==
        Sentences{"FILE:4: [endpoint.disk] subfolders: \"thunderbird\" is not for type = \"maildir\"; write "
                  "\"nested\" or \"maildir++\""});
  CHECK(complaintsOf(mail + "removals = \"mark\"\nexpunge_deleted = true\n").size() == 1);
}

TEST_CASE("two endpoints on one account of a braid, or on one directory, are refused", "[cli][config]") {
  const std::string imap = "type = \"imap\"\nhost = \"h\"\nuser = \"u\"\nbraid = \"home\"\n";
  CHECK(complaintsOf("[endpoint.a]\n" + imap + "[endpoint.b]\n" + imap) ==
        Sentences{"FILE:6: [endpoint.b]: is the same account as [endpoint.a] in line 1; remove one of them"});
  const std::string disk = "type = \"maildir\"\npath = ";
  CHECK(complaintsOf("[endpoint.a]\n" + disk + "\"/tmp/x\"\n[endpoint.b]\n" + disk + "\"/tmp/x\"\n") ==
        Sentences{"FILE:4: [endpoint.b]: has the same directory as [endpoint.a] in line 1; remove one of them"});
  CHECK(complaintsOf("[endpoint.a]\n" + disk + "\"/tmp/x/y\"\n[endpoint.b]\n" + disk + "\"/tmp/x\"\n") ==
        Sentences{
            "FILE:4: [endpoint.b]: has a directory inside, or around, that of [endpoint.a] in line 1; remove one of "
            "them"});
  CHECK(complaintsOf("[endpoint.a]\n" + disk + "\"/tmp/xy\"\n[endpoint.b]\n" + disk + "\"/tmp/x\"\n").empty());
}

TEST_CASE("what a POP3 server keeps is read, and what contradicts it is refused", "[cli][config]") {
  using Kind = mailbraid::sync::endpoint::LeaveOnServer::Kind;
  const std::string isp = "[endpoint.isp]\ntype = \"pop3\"\nhost = \"h\"\nuser = \"u\"\n";
  const auto leaving = [&](const std::string& value) {
    return loaded(isp + "leave_on_server = \"" + value + "\"\n").endpoints.at(0).settings.leaveOnServer;
  };
  CHECK(leaving("forever").kind == Kind::Forever);
  CHECK(leaving("until-removed").kind == Kind::UntilRemoved);
  CHECK(leaving("no").kind == Kind::No);
  CHECK(leaving("14d").kind == Kind::ForTime);
  CHECK(leaving("14d").time == std::chrono::days(14));
  CHECK(loaded(isp + "newest = 500\n").endpoints.at(0).settings.newest == 500);
  CHECK(
      complaintsOf(isp + "leave_on_server = \"no\"\npush = []\n") ==
      Sentences{"FILE:5: [endpoint.isp] leave_on_server: deletes mail at the server, but \"push\" carries no removals "
                "there; write one or the other"});
  CHECK(complaintsOf(isp + "newest = 500\nremovals = \"never\"\n") ==
        Sentences{"FILE:5: [endpoint.isp] newest: deletes mail at the server, but removals = \"never\" forbids it; "
                  "write one or the other"});
  CHECK(complaintsOf(isp + "leave_on_server = \"no\"\nnewest = 500\n") ==
        Sentences{"FILE:6: [endpoint.isp] newest: says what stays on the server, but leave_on_server = \"no\" leaves "
                  "nothing there; remove one"});
}

TEST_CASE("a value outside of a closed set lists the allowed ones", "[cli][config]") {
  CHECK(complaintsOf(kWork + "tls = \"startls\"\n") ==
        Sentences{"FILE:5: [endpoint.work] tls: \"startls\" is not known; write \"implicit\", \"starttls\" or "
                  "\"none\"; did you mean "
                  "\"starttls\"?"});
  CHECK(complaintsOf(kWork + "pull = [\"new\", \"all\"]\n") ==
        Sentences{"FILE:5: [endpoint.work] pull: \"all\" is not known; write \"new\", \"flags\" or \"removals\""});
  CHECK(complaintsOf("[endpoint.p]\ntype = \"pop3\"\nhost = \"h\"\nuser = \"u\"\nleave_on_server = \"never\"\n") ==
        Sentences{"FILE:5: [endpoint.p] leave_on_server: \"never\" is not known; write \"forever\", \"until-removed\" "
                  "or \"no\", "
                  "or a time as \"14d\""});
}

TEST_CASE("a key of another type of endpoint is refused", "[cli][config]") {
  CHECK(
      complaintsOf(kWork + "leave_on_server = \"14d\"\n") ==
      Sentences{"FILE:5: [endpoint.work] leave_on_server: is not for type = \"imap\"; remove it (it is for \"pop3\")"});
}

TEST_CASE("two endpoints of one name are refused, also when case differs", "[cli][config]") {
  CHECK(complaintsOf(kWork + kWork) ==
        Sentences{"FILE:5: [endpoint.work]: there are two endpoints of this name; rename or remove one"});
  CHECK(
      complaintsOf(kWork + "[endpoint.WORK]\ntype = \"imap\"\nhost = \"h\"\nuser = \"u\"\n") ==
      Sentences{"FILE:5: [endpoint.WORK]: differs from [endpoint.work] in line 1 by case only; give it another name"});
}

TEST_CASE("a key that is given twice is refused", "[cli][config]") {
  CHECK(complaintsOf(kWork + "host = \"other\"\n") ==
        Sentences{"FILE:5: [endpoint.work] host: is given twice; remove one of them"});
}

TEST_CASE("what is not TOML is named with its line", "[cli][config]") {
  const Sentences complaints = complaintsOf(kWork + "port = = 3\n");
  REQUIRE(complaints.size() == 1);
  CHECK(complaints[0].starts_with("FILE:5: [endpoint.work]: is not TOML: "));
}

TEST_CASE("plaintext needs loopback or the user's word", "[cli][config]") {
  CHECK(complaintsOf(kWork + "tls = \"none\"\n") ==
        Sentences{"FILE:5: [endpoint.work] tls: \"none\" would send the password and the mail readable over the "
                  "network; write tls = "
                  "\"implicit\" or \"starttls\" (or, knowing that, allow_plaintext = true)"});
  CHECK(complaintsOf(kWork + "tls = \"none\"\nallow_plaintext = true\n").empty());
  for (const char* host : {"localhost", "127.0.0.1", "127.1.2.3", "::1"}) {
    CAPTURE(host);
    CHECK(complaintsOf("[endpoint.a]\ntype = \"imap\"\nhost = \"" + std::string(host) +
                       "\"\nuser = \"u\"\ntls = \"none\"\n")
              .empty());
  }
  for (const char* host : {"localhost.example.org", "127.example.org", "127.0.0.1.example.org", "127.0.0",
                           "127.0.0.256", "127.0.0.1.", "128.0.0.1"}) {
    CAPTURE(host);
    CHECK(complaintsOf("[endpoint.a]\ntype = \"imap\"\nhost = \"" + std::string(host) +
                       "\"\nuser = \"u\"\ntls = \"none\"\n")
              .size() == 1);
  }
}

TEST_CASE("two sources of one password are refused", "[cli][config]") {
  CHECK(complaintsOf(kWork + "password = \"x\"\npassword_command = [\"a\"]\n") ==
        Sentences{"FILE:5: [endpoint.work] password: is given beside password_command; keep one of them"});
}

TEST_CASE("a file that is named must be there", "[cli][config]") {
  CHECK(complaintsOf(kWork + "ca_file = \"/nonexistent/ca.pem\"\n") ==
        Sentences{"FILE:5: [endpoint.work] ca_file: /nonexistent/ca.pem does not exist; write the path of a PEM file"});
}

TEST_CASE("a configuration that holds a password must be private", "[cli][config]") {
  Scratch scratch;
  const auto file = scratch.write("c.toml", kWork + "password = \"hunter2\"\n", 0644);
  CHECK(complaintsOf(scratch, file) ==
        Sentences{"FILE:5: [endpoint.work] password: other users could read the password in " + file.string() +
                  " (mode 0644); run: chmod 600 " + file.string()});
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  CHECK(complaintsOf(scratch, file).empty());
}

TEST_CASE("a configuration without a password may be read by others, but not written", "[cli][config]") {
  Scratch scratch;
  CHECK(complaintsOf(scratch, scratch.write("a.toml", kWork, 0644)).empty());
  const auto file = scratch.write("b.toml", kWork, 0666);
  CHECK(complaintsOf(scratch, file) ==
        Sentences{"FILE: other users could write it, and it says which commands are run (mode 0666); run: chmod go-w " +
                  file.string()});
}

TEST_CASE("a password file must be private", "[cli][config]") {
  Scratch scratch;
  const auto secret = scratch.write("secret", "hunter2\n", 0640);
  const auto file = scratch.write("c.toml", kWork + "password_file = \"" + secret.string() + "\"\n", 0600);
  CHECK(complaintsOf(scratch, file) ==
        Sentences{"FILE:5: [endpoint.work] password_file: other users could read the password in " + secret.string() +
                  " (mode 0640); run: chmod 600 " + secret.string()});
}

TEST_CASE("a password never appears in a complaint or in what is shown", "[cli][config]") {
  const Configuration configuration = loaded(kWork + "password = \"hunter2\"\n");
  for (const auto& [key, value] : configuration.endpoints[0].given) CHECK(value.find("hunter2") == std::string::npos);
  for (const std::string& sentence : complaintsOf(kWork + "password = \"hunter2\"\nport = 0\n")) {
    CHECK(sentence.find("hunter2") == std::string::npos);
  }
}

TEST_CASE("a mailbox is never mapped out of the store's tree", "[cli][config]") {
  for (const char* name : {"../x", "a/../b", "", "a//b", "/a", "a/", "."}) {
    CAPTURE(name);
    CHECK(complaintsOf(kWork + "map = { a = \"" + std::string(name) + "\" }\n").size() == 1);
  }
}

TEST_CASE("a name that --allow-removals or a path could not carry is refused", "[cli][config]") {
  const auto named = [](const std::string& name) {
    return complaintsOf("[endpoint.\"" + name + "\"]\ntype = \"imap\"\nhost = \"h\"\nuser = \"u\"\n").size();
  };
  CHECK(named("a:b") == 1);
  CHECK(named("a/b") == 1);
  CHECK(named("..") == 1);
  CHECK(named("b\xC3\xBCro") == 0);
}

TEST_CASE("all mistakes are told at once, in the order of the file", "[cli][config]") {
  CHECK(complaintsOf("[store]\nretention = \"x\"\n[endpoint.b]\ntype = \"imap\"\nhost = 1\nport = 0\nusr = \"x\"\n") ==
        Sentences{
            "FILE:2: [store] retention: \"x\" is not a time; write a number and s, m, h, d or w, as \"30s\" or \"14d\"",
            "FILE:3: [endpoint.b] user: is missing; write user = \"me@example.org\"",
            "FILE:5: [endpoint.b] host: must be a string; write host = \"imap.example.org\"",
            "FILE:6: [endpoint.b] port: 0 is not a whole number from 1 to 65535; write port = 993",
            "FILE:7: [endpoint.b] usr: unknown key; did you mean \"user\"?"});
}

TEST_CASE("a configuration that is missing, a directory or endless gives one sentence", "[cli][config]") {
  Scratch scratch;
  const auto missing = scratch.path() / "none.toml";
  CHECK(complaintsOf(scratch, missing) ==
        Sentences{"FILE: does not exist; write it (`mailbraid config example > " + missing.string() + "` is a start)"});
  CHECK(complaintsOf(scratch, scratch.path()) == Sentences{"FILE: is a directory; name a file"});
  const auto endless = scratch.write("long.toml", std::string(kLongestFile + 10, '#'), 0600);
  CHECK(complaintsOf(scratch, endless) == Sentences{"FILE: is longer than 1 MiB; name a configuration"});
}

TEST_CASE("the example is a configuration without mistakes and names every key", "[cli][config]") {
  const std::string example = exampleText();
  CHECK(complaintsOf(example).empty());
  for (const auto& key : kEndpointKeys) {
    CAPTURE(key.info.name);
    CHECK(example.find(std::string(key.info.name) + " = ") != std::string::npos);
  }
}

TEST_CASE("every value that the example shows is one that the key takes", "[cli][config]") {
  for (const auto& key : kEndpointKeys) {
    if (key.info.shape == Shape::ExistingFile || key.info.name == "type") continue;
    CAPTURE(key.info.name);
    const bool pop3 = key.info.types == bit(EndpointType::Pop3);
    const bool mbox = key.info.types == bit(EndpointType::Mbox);
    const bool maildir = mbox || key.info.types == kTrees;
    std::string text = "[endpoint.a]\ntype = \"" +
                       std::string(pop3      ? "pop3"
                                   : mbox    ? "mbox"
                                   : maildir ? "maildir"
                                             : "imap") +
                       "\"\n";
    if (!maildir && key.info.name != "host") text += "host = \"h\"\n";
    if (!maildir && key.info.name != "user") text += "user = \"u\"\n";
    if (maildir && key.info.name != "path") text += "path = \"/tmp/m\"\n";
    text += std::string(key.info.name) + " = " + std::string(key.info.example) + "\n";
    for (const std::string& sentence : complaintsOf(text)) {
      CHECK(key.info.name == "password_file");  // the example's file is not there
      CHECK(sentence.find("cannot be read") != std::string::npos);
    }
  }
}
