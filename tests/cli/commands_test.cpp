// The program itself over a store that the test filled; no server.
#include "tests/support/catch.h"

#include "mailstore/store.h"
#include "tests/cli/scratch.h"
#include "tests/support/process.h"

#include <netinet/in.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

using namespace mailbraid::mailstore;
using mailbraid::cli::tests::Scratch;
using mailbraid::test::Finished;

namespace {

const std::string kOdd("Subject: nul\r\n\r\na\0b\xFF\rc\nno end", 29);
const std::string kPlain =
    "From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nTo: me@example.org\r\nSubject: =?utf-8?b?44GT44KT44Gr44Gh44Gv?= "
    "\x1B[2J\r\n"
    "Message-ID: <1@example.org>\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nGr\xFC\xDF"
    "e\x1B]0;owned\x07\r\n";
const std::string kHtml =
    "From: a@example.org\r\nSubject: two parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
    "boundary=x\r\n\r\n--x\r\n"
    "Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hello <b>you</b></p>\r\n--x\r\nContent-Type: image/png\r\n"
    "Content-Disposition: attachment; filename=\"p.png\"\r\n\r\nxxxx\r\n--x--\r\n";

/// A home with a configuration of two endpoints and, once fill() was called, a store.
class Home {
 public:
  Home() {
    std::filesystem::create_directories(scratch_.path() / ".config/mailbraid");
    configure(
        "[endpoint.work]\ntype = \"imap\"\nhost = \"127.0.0.1\"\nport = 1\nuser = \"me\"\npassword_command = "
        "[\"echo\", \"x\"]\n"
        "braid = \"home\"\n");
  }
  void configure(const std::string& text) const { scratch_.write(".config/mailbraid/config.toml", text, 0600); }
  [[nodiscard]] std::filesystem::path storeDirectory() const { return scratch_.path() / "data/mailbraid"; }
  [[nodiscard]] std::filesystem::path path() const { return scratch_.path(); }

  /// Entries 1 to 3: plain (seen), odd, with an attachment.
  void fill() const {
    const auto store = Store::open(storeDirectory(), Access::ReadWrite);
    Store::Transaction transaction(*store);
    const BraidId braid = store->mailboxes().ensureBraid("home");
    const MailboxId inbox = store->mailboxes().ensure(braid, "INBOX", Role::Inbox);
    store->mailboxes().ensure(braid, "Sent Items", Role::Sent);
    add(*store, inbox, kPlain, Flags::parse({"\\Seen", "$Forwarded"}));
    add(*store, inbox, kOdd, {});
    add(*store, inbox, kHtml, {});
    const EndpointRecord endpoint = store->endpoints().ensure("work", "imap", braid);
    const EndpointMailbox mailbox = store->endpoints().addMailbox(endpoint.id, "Sent Items", inbox, "");
    store->endpoints().recordProblem(endpoint.id, 1'700'000'000, "no answer\x1B[2J");
    const PairId pair = store->pairs().add(mailbox.id, Uid{7}, EntryId{1}, {}, "");
    store->pairs().setHeld(pair, true);
    store->quarantine().add(mailbox.id, Uid{9}, 1'200'000, "the server's literal ended early", 1'700'000'000, 3600);
    const RunId run = store->runs().begin("sync", 1'700'000'000);
    store->runs().add({run, "work", "Sent Items", "new", 3, "1:3", ""});
    store->runs().finish(run, 1'700'000'001, 10, R"({"new":3,"held":1})");
    transaction.commit();
  }

  Finished run(std::vector<std::string> words) const {
    words.insert(words.begin(), MAILBRAID_PROGRAM);
    return mailbraid::test::run(words, options());
  }
  [[nodiscard]] mailbraid::test::ProcessOptions options() const {
    mailbraid::test::ProcessOptions out;
    out.environment = {{"HOME", path().string()},
                       {"XDG_DATA_HOME", (path() / "data").string()},
                       {"XDG_CONFIG_HOME", ""},
                       {"TZ", "UTC"}};
    return out;
  }

 private:
  static void add(Store& store, MailboxId mailbox, const std::string& octets, const Flags& flags) {
    MessageBuilder builder(store.spoolOptions());
    builder.append(octets);
    store.entries().add(mailbox, store.messages().add(builder.finish()), flags, InternalDate{1'700'000'000, 60});
  }
  Scratch scratch_;
};

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("ls lists mailboxes and messages, for people and as JSON", "[cli][commands]") {
  Home home;
  home.fill();
  CHECK(home.run({"ls", "--json"}).out ==
        "{\"mailbox\":\"home/INBOX\",\"role\":\"inbox\",\"messages\":3,\"unseen\":2}\n"
        "{\"mailbox\":\"home/Sent Items\",\"role\":\"sent\",\"messages\":0,\"unseen\":0}\n");
  const Finished list = home.run({"ls", "home/INBOX", "--json"});
  CHECK(list.status == 0);
  CHECK(has(list.out, "{\"entry\":1,\"digest\":\""));
  CHECK(has(list.out,
            "\"flags\":[\"\\\\Seen\",\"$Forwarded\"],\"internal_date\":\"2023-11-14T23:13:20+01:00\",\"message_id\":"
            "\"1@example.org\""));
  CHECK(has(list.out, "\"from\":\"J\xC3\xBCrgen <j@example.org>\""));
  CHECK_FALSE(has(home.run({"ls", "INBOX"}).out, "\x1B"));
}

TEST_CASE("show --raw gives exactly the octets", "[cli][commands]") {
  Home home;
  home.fill();
  CHECK(home.run({"show", "2", "--raw"}).out == kOdd);
  CHECK(home.run({"show", "1", "--raw"}).out == kPlain);
}

TEST_CASE("show decodes for people and lets no mail drive the terminal", "[cli][commands]") {
  Home home;
  home.fill();
  const std::string plain = home.run({"show", "1"}).out;
  CHECK(has(plain, "From: J\xC3\xBCrgen <j@example.org>\n"));
  CHECK(has(plain, "Subject: \xE3\x81\x93\xE3\x82\x93\xE3\x81\xAB\xE3\x81\xA1\xE3\x81\xAF"));
  CHECK(has(plain,
            "Gr\xC3\xBC\xC3\x9F"
            "e"));
  CHECK_FALSE(has(plain, "\x1B"));
  CHECK_FALSE(has(plain, "\x07"));
  const std::string html = home.run({"show", "3"}).out;
  CHECK(has(html, "\nHello you\n"));
  CHECK(has(html, "[attached: p.png, image/png]"));
  CHECK(has(home.run({"show", "3", "--json"}).out, "\"attachments\":[{\"name\":\"p.png\",\"type\":\"image/png\"}]"));
}

TEST_CASE("a name that the store does not have gives the nearest one", "[cli][commands]") {
  Home home;
  home.fill();
  const Finished ls = home.run({"ls", "home/INBX"});
  CHECK(ls.status == 64);
  CHECK(ls.err == "mailbraid: there is no mailbox \"home/INBX\" in the store; did you mean \"home/INBOX\"?\n");
  CHECK(home.run({"sync", "wrok"}).err == "mailbraid: there is no endpoint \"wrok\" in " +
                                              (home.path() / ".config/mailbraid/config.toml").string() +
                                              "; did you mean \"work\"?\n");
  CHECK(home.run({"show", "99"}).err ==
        "mailbraid: there is no entry 99 in the store; `mailbraid ls MAILBOX` lists them\n");
  CHECK(home.run({"log", "99"}).err == "mailbraid: there is no run 99; `mailbraid log` lists them\n");
}

TEST_CASE("status names what is held back with the command that lets it go, and what is quarantined with its reason",
          "[cli][commands]") {
  Home home;
  home.fill();
  const Finished status = home.run({"status"});
  CHECK(status.status == 0);
  CHECK(has(status.out,
            "Sent Items: 1 removal held back; look, and if they are meant, run: mailbraid sync --allow-removals "
            "'work:Sent Items'\n"));
  CHECK(has(status.out,
            "UID 9 (1.2 MB) could not be taken in: the server's literal ended early; tried 1 time, next try 2023-11-14 "
            "23:13\n"));
  CHECK(has(status.out, "last problem (2023-11-14 22:13): no answer"));
  CHECK_FALSE(has(status.out, "\x1B"));
  CHECK(has(home.run({"status", "--json"}).out, "\"held\":[{\"mailbox\":\"Sent Items\",\"removals\":1,\"command\":"));
}

TEST_CASE("log tells what runs did", "[cli][commands]") {
  Home home;
  home.fill();
  CHECK(home.run({"log"}).out == "1       2023-11-14 22:13  sync      held: 3 new, 1 held\n");
  CHECK(has(home.run({"log", "1"}).out, "work Sent Items: 3 new (1:3)\n"));
  CHECK(home.run({"log", "--json"}).out ==
        "{\"run\":1,\"command\":\"sync\",\"started\":\"2023-11-14T22:13:20Z\",\"finished\":\"2023-11-14T22:13:21Z\","
        "\"exit_code\":10,"
        "\"summary\":{\"new\":3,\"held\":1}}\n");
}

TEST_CASE("export writes the octets of every message", "[cli][commands]") {
  Home home;
  home.fill();
  const Finished exported = home.run({"export", (home.path() / "out").string(), "--format", "eml"});
  CHECK(exported.status == 0);
  CHECK(has(exported.out, "3 messages, "));
  CHECK(contents(home.path() / "out/home/INBOX/2.eml") == kOdd);
  CHECK(home.run({"export", (home.path() / "sent").string(), "--mailbox", "Sent Items", "--json"}).out ==
        "{\"path\":\"" + (home.path() / "sent").string() +
            "\",\"messages\":0,\"octets\":0,\"damaged\":0,\"cancelled\":false}\n");
}

TEST_CASE("verify finds a message whose octets are not what they were", "[cli][commands]") {
  Home home;
  home.fill();
  CHECK(home.run({"verify"}).out.starts_with("3 messages, "));
  CHECK(home.run({"verify", "-q"}).out.empty());
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open((home.storeDirectory() / "store.db").c_str(), &handle) == SQLITE_OK);
  // The digest of one message becomes another: its octets cannot have it.
  const char* sql = "UPDATE message SET digest = zeroblob(32) WHERE id = 2";
  const int changed = sqlite3_exec(handle, sql, nullptr, nullptr, nullptr);
  CAPTURE(sqlite3_errmsg(handle));
  CHECK(changed == SQLITE_OK);
  sqlite3_close(handle);
  const Finished verified = home.run({"verify"});
  CHECK(verified.status == 12);
  CHECK(has(verified.out, "message 2: "));
  CHECK(has(verified.out, "1 differ; the next sync fetches again what the servers still have\n"));
  {
    const auto holder = Store::open(home.storeDirectory(), Access::ReadWrite);
    const Finished told = home.run({"verify"});
    CHECK(told.status == 12);
    CHECK(has(told.out, "1 differ\n"));
    CHECK(has(told.err, "could not be marked for the next sync"));
  }
  CHECK(has(home.run({"verify", "--json"}).out, "\"different\":1"));
  const Finished exported = home.run({"export", (home.path() / "out").string()});
  CHECK(exported.status == 12);
  CHECK(has(exported.out, "2 messages, "));
}

TEST_CASE("a store that is no store, cut short or newer ends with 65 and is left as it is", "[cli][commands]") {
  Home home;
  home.fill();
  const auto file = home.storeDirectory() / "store.db";
  SECTION("not a database") {
    std::filesystem::remove(home.storeDirectory() / "store.db-wal");
    std::ofstream(file, std::ios::binary | std::ios::trunc) << std::string(8192, 'x');
  }
  SECTION("cut short") {
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  }
  const std::string before = contents(file);
  for (const std::vector<std::string>& words : {std::vector<std::string>{"verify"}, {"ls"}, {"sync"}}) {
    CAPTURE(words[0]);
    const Finished finished = home.run(words);
    CHECK(finished.status == 65);
    CHECK(finished.err.starts_with("mailbraid: "));
  }
  CHECK(contents(file) == before);
}

TEST_CASE("a second run at the same time says who holds the store and ends with 75", "[cli][commands]") {
  Home home;
  home.fill();
  const auto holder = Store::open(home.storeDirectory(), Access::ReadWrite);
  const Finished second = home.run({"sync"});
  CHECK(second.status == 75);
  CHECK(has(second.err, std::to_string(getpid())));
  CHECK(home.run({"ls"}).status == 0);
}

TEST_CASE("nothing synced yet is no error", "[cli][commands]") {
  const Home home;
  CHECK(home.run({"ls"}).status == 0);
  CHECK(home.run({"log"}).status == 0);
  CHECK(home.run({"verify"}).status == 0);
  CHECK(has(home.run({"status"}).out, "last success never"));
  CHECK_FALSE(std::filesystem::exists(home.storeDirectory()));
}

TEST_CASE("config check tells every mistake with file and line and ends with 78", "[cli][commands]") {
  Home home;
  const std::string file = (home.path() / ".config/mailbraid/config.toml").string();
  CHECK(home.run({"config", "check"}).out == file + ": 1 endpoint, no mistake\n");
  home.configure("[endpoint.a]\ntype = \"imap\"\nhots = \"h\"\nuser = \"u\"\n");
  const Finished checked = home.run({"config", "check"});
  CHECK(checked.status == 78);
  CHECK(checked.err == "mailbraid: " + file + ":1: [endpoint.a] host: is missing; write host = \"imap.example.org\"\n" +
                           "mailbraid: " + file + ":3: [endpoint.a] hots: unknown key; did you mean \"host\"?\n");
  const Finished json = home.run({"config", "check", "--json"});
  CHECK(json.status == 78);
  CHECK(has(json.out, "\"complaints\":[{\"line\":1,\"section\":\"endpoint.a\",\"key\":\"host\","));
}

TEST_CASE("config show never prints a password", "[cli][commands]") {
  Home home;
  home.configure("[endpoint.a]\ntype = \"imap\"\nhost = \"h\"\nuser = \"u\"\npassword = \"hunter2\"\n");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"config", "show"}, {"config", "show", "--json"}}) {
    const Finished shown = home.run(words);
    CHECK(shown.status == 0);
    CHECK_FALSE(has(shown.out, "hunter2"));
    CHECK(has(shown.out, "********"));
  }
}

TEST_CASE("a server that cannot be reached is one sentence and 69, in the log file, too", "[cli][commands]") {
  Home home;
  const Finished synced = home.run({"sync", "--log-file", (home.path() / "log").string()});
  CHECK(synced.status == 69);
  CHECK(has(synced.err, "work: "));
  struct stat status {};
  REQUIRE(stat((home.path() / "log").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
  CHECK(home.run({"check"}).status == 69);
  CHECK(has(home.run({"log", "--json"}).out, "\"exit_code\":69"));
}

TEST_CASE("a log file that cannot be written ends with 73", "[cli][commands]") {
  const Home home;
  const Finished finished = home.run({"ls", "--log-file", "/nonexistent/log"});
  CHECK(finished.status == 73);
  CHECK(has(finished.err, "/nonexistent/log cannot be written"));
}

TEST_CASE("a full disk behind standard output ends with 73", "[cli][commands]") {
  Home home;
  home.fill();
  const Finished finished =
      mailbraid::test::run({"/bin/sh", "-c", MAILBRAID_PROGRAM " ls > /dev/full"}, home.options());
  CHECK(finished.status == 73);
  CHECK(has(finished.err, "standard output cannot be written"));
}

TEST_CASE("a reader that goes away ends it quietly", "[cli][commands]") {
  Home home;
  home.fill();
  const Finished finished = mailbraid::test::run(
      {"/bin/bash", "-c", MAILBRAID_PROGRAM " completion bash | true; echo ${PIPESTATUS[0]}"}, home.options());
  CHECK((finished.out == "141\n" || finished.out == "0\n"));
  CHECK(finished.err.empty());
}

TEST_CASE("a SIGINT while a server is silent ends the run with a sentence and 75", "[cli][commands]") {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(listen(listener, 5) == 0);
  REQUIRE(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  Home home;
  home.configure(
      "[endpoint.a]\ntype = \"imap\"\nhost = \"127.0.0.1\"\nport = " + std::to_string(ntohs(address.sin_port)) +
      "\nuser = \"u\"\npassword = \"x\"\ntls = \"none\"\ntimeout = \"300s\"\n");
  mailbraid::test::Process process({MAILBRAID_PROGRAM, "sync"}, home.options());
  const int connection = accept(listener, nullptr, nullptr);
  REQUIRE(connection >= 0);
  process.signal(SIGINT);
  const Finished finished = process.wait(std::chrono::seconds(60));
  CHECK(finished.status == 75);
  CHECK(has(finished.out, "stopped before the end; nothing is lost, run it again to go on"));
  close(connection);
  close(listener);
}

TEST_CASE("the completion scripts are shell that parses", "[cli][commands]") {
  const Home home;
  CHECK(mailbraid::test::run({"/bin/bash", "-n"}, {}, home.run({"completion", "bash"}).out).status == 0);
  const std::string offers =
      home.run({"completion", "bash"}).out +
      "\nPATH=" + std::filesystem::path(MAILBRAID_PROGRAM).parent_path().string() +
      ":$PATH; COMP_WORDS=(mailbraid sync w); COMP_CWORD=2; _mailbraid; printf '%s\\n' \"${COMPREPLY[@]}\"";
  CHECK(mailbraid::test::run({"/bin/bash"}, home.options(), offers).out == "work\n");
}
