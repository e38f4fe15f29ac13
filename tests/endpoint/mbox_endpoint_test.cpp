#include "sync/endpoint/mbox_endpoint.h"

#include "tests/endpoint/pull_log.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace mailbraid;
using namespace mailbraid::sync::endpoint;
using mailbraid::tests::PullLog;
using mailstore::Flags;
using mailstore::Uidl;
namespace fs = std::filesystem;

namespace {

const std::string kFrom = "From - Mon Nov 11 07:33:20 2002\n";

std::string stored(const std::string& id, const std::string& status = "0000") {
  return kFrom + "X-Mozilla-Status: " + status + "\nSubject: s\nMessage-ID: <" + id + "@x>\n\nbody " + id + "\n\n";
}

class PushLog final : public PushSink {
 public:
  void onFlags(std::size_t, const mailstore::RemoteKey&, const Flags&) override {}
  void onChangedMeanwhile(std::size_t, const mailstore::RemoteKey&) override {}
  void onTransferred(std::size_t, const mailstore::RemoteKey&, const std::optional<mailstore::RemoteKey>&) override {}
  void onAppending(std::size_t, mailstore::UidValidity, mailstore::Uid) override { ++appending; }
  void onAppended(std::size_t, std::uint64_t token, const std::optional<mailstore::RemoteKey>& key,
                  const Flags& flags) override {
    REQUIRE(key.has_value());
    appended[token] = {std::get<Uidl>(*key).value(), flags};
  }
  void onRepairing(std::size_t, std::uint64_t, const mailstore::MessageForm&) override {}
  void onRepaired(std::size_t, std::uint64_t, const mailstore::Repairs&) override {}
  void onRemoved(std::size_t, const mailstore::RemoteKey&) override {}
  void onMarked(std::size_t, const mailstore::RemoteKey&) override {}
  void onVanished(std::size_t, const mailstore::RemoteKey&) override {}
  void onRefused(std::size_t, const mailstore::RemoteKey&, const mailstore::Error&) override {}
  void onAppendRefused(std::size_t, std::uint64_t token, const mailstore::Error&) override { refused.push_back(token); }
  void onOctets(std::uint64_t) override {}

  int appending = 0;
  std::map<std::uint64_t, std::pair<std::string, Flags>> appended;
  std::vector<std::uint64_t> refused;
};

/// A tree, and an endpoint on it; put() is another program.
class Fixture {
 public:
  explicit Fixture(SubfolderStyle style = SubfolderStyle::Nested) : style_(style) { fs::create_directory(tree()); }
  [[nodiscard]] fs::path tree() const { return directory_ / "mail"; }
  fs::path put(const std::string& name, const std::string& text) const {
    fs::create_directories((tree() / name).parent_path());
    test::writeFile(tree() / name, text);
    return tree() / name;
  }
  void add(const std::string& name, const std::string& text) const {
    std::ofstream(tree() / name, std::ios::binary | std::ios::app) << text;
  }
  std::unique_ptr<MboxEndpoint> open() const {
    EndpointSettings settings;
    settings.name = "mail";
    settings.type = EndpointType::Mbox;
    settings.path = tree();
    settings.subfolders = style_;
    settings.server.timeout = patience;
    Environment environment;
    environment.seal = {"seal", lastRun};
    environment.spool.directory = directory_.path();
    environment.maxMessageSize = 100'000;
    auto endpoint = std::make_unique<MboxEndpoint>(settings, environment);
    endpoint->open();
    return endpoint;
  }
  [[nodiscard]] fs::path spool() const { return directory_.path(); }
  std::int64_t lastRun = 0;
  std::chrono::milliseconds patience{0};

 private:
  SubfolderStyle style_;
  test::TempDir directory_;
};

const RemoteMailbox& mailbox(MboxEndpoint& endpoint, const std::string& name) {
  const auto& all = endpoint.list();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
  REQUIRE(found != all.end());
  return *found;
}

Delta changes(MboxEndpoint& endpoint, const std::string& name, std::vector<Uidl> skip = {}) {
  PullLog log;
  DeltaRequest request;
  request.mailbox = &mailbox(endpoint, name);
  request.skip = std::move(skip);
  request.due = std::vector<Uidl>{};
  return endpoint.changes(std::span(&request, 1), log).front();
}

PullLog fetch(MboxEndpoint& endpoint, const std::string& name, const KeySet& keys) {
  PullLog log;
  const KeyRequest request{&mailbox(endpoint, name), {}, keys};
  const Outcomes outcomes = endpoint.fetch(std::span(&request, 1), log);
  if (outcomes.front()) log.refused.emplace_back("", outcomes.front()->what());
  return log;
}

Outcomes append(MboxEndpoint& endpoint, const std::string& name, const std::vector<std::string>& messages,
                const Flags& flags, PushLog& log) {
  AppendRequest request{&mailbox(endpoint, name), {}};
  for (std::size_t i = 0; i < messages.size(); ++i)
    request.items.push_back({i, flags, {1037000000, 0}, messages[i].size()});
  const auto octets = [&](const AppendItem& item, const auto& sink) {
    if (messages[item.token] == "unreadable") {
      throw mailstore::Error(mailstore::ErrorKind::StoreDamaged, mailstore::Scope::Message, mailstore::Retry::Later,
                             "no");
    }
    sink(messages[item.token]);
  };
  return endpoint.append(std::span(&request, 1), octets, log);
}

}  // namespace

TEST_CASE("the postmark of a delivery tells the date, that of Thunderbird only when the header does not",
          "[endpoint][mbox][date]") {
  constexpr std::int64_t kPostmark = 1'037'000'000;  // 2002-11-11T07:33:20Z
  constexpr std::int64_t kReceived = kPostmark - 3600;
  const std::string received = "Received: from a by b; Mon, 11 Nov 2002 06:33:20 +0000\n";
  const auto dateOf = [](const std::string& postmark, const std::string& header) {
    const Fixture fixture;
    fixture.put("INBOX", postmark + "\n" + header + "Subject: s\n\nbody\n\n");
    const auto endpoint = fixture.open();
    return fetch(*endpoint, "INBOX", changes(*endpoint, "INBOX").fresh).messages.at(0).date;
  };
  CHECK(dateOf("From a@b.example Mon Nov 11 07:33:20 2002", received) == kPostmark);
  CHECK(dateOf("From a@b.example Mon Nov 11 07:33:20 2002", "") == kPostmark);
  CHECK(dateOf("From - Mon Nov 11 07:33:20 2002", received) == kReceived);
  CHECK(dateOf("From - Mon Nov 11 07:33:20 2002", "") == kPostmark);
  CHECK(dateOf("From a@b.example Thu Jan  1 00:00:00 1970", received) == kReceived);
}

TEST_CASE("P2: an appended message is read back with the same digest and its flags", "[endpoint][mbox][P2]") {
  for (const SubfolderStyle style : {SubfolderStyle::Nested, SubfolderStyle::Thunderbird}) {
    const Fixture fixture(style);
    fixture.put("Inbox", stored("1"));
    const auto endpoint = fixture.open();
    const std::vector<std::string> messages{"A: b\r\n\r\nFrom x\r\nno end", "", "A: b\r\n\r\nlone \r or \n\r\n",
                                            "unreadable", "Status: RO\r\n\r\n"};
    const Flags flags = Flags::parse({"\\Seen", "\\Flagged", "work"});
    PushLog log;
    REQUIRE_FALSE(append(*endpoint, "INBOX", messages, flags, log).front().has_value());
    CHECK(log.appending == 1);
    CHECK(log.refused == std::vector<std::uint64_t>{3});
    REQUIRE(log.appended.size() == 4);
    const auto again = fixture.open();
    for (const auto& [token, told] : log.appended) {
      const PullLog read = fetch(*again, "INBOX", std::vector<Uidl>{Uidl{told.first}});
      REQUIRE(read.messages.size() == 1);
      CHECK(read.messages[0].digest == told.first);
      CHECK(read.messages[0].size == messages[token].size());
      CHECK(told.second == flags);
    }
    CHECK(countOf(*changes(*again, "INBOX").present) == 5);
  }
}

TEST_CASE("names stay when another program changes flags, removes a message and adds one", "[endpoint][mbox]") {
  const Fixture fixture;
  fixture.put("Inbox", stored("1") + stored("2") + stored("3"));
  const auto endpoint = fixture.open();
  const std::vector<Uidl> before = namesOf(*changes(*endpoint, "INBOX").present);
  REQUIRE(before.size() == 3);
  fixture.put("Inbox", stored("1", "0005") + stored("3") + stored("4"));
  endpoint->refresh();
  const auto other = fixture.open();
  for (MboxEndpoint* one : {endpoint.get(), other.get()}) {
    const Delta delta = changes(*one, "INBOX", before);
    REQUIRE_FALSE(delta.failure.has_value());
    const std::vector<Uidl>& present = namesOf(*delta.present);
    REQUIRE(present.size() == 3);
    CHECK(present[0] == before[0]);
    CHECK(present[1] == before[2]);
    CHECK(namesOf(delta.fresh) == std::vector<Uidl>{present[2]});
    REQUIRE(delta.flags.size() == 2);
    CHECK(delta.flags[0].flags == Flags::parse({"\\Seen", "\\Flagged"}));
  }
}

TEST_CASE("equal copies are two messages", "[endpoint][mbox]") {
  const Fixture fixture;
  fixture.put("Inbox", stored("1") + stored("1", "0001"));
  const std::vector<Uidl> names = namesOf(*changes(*fixture.open(), "INBOX").present);
  REQUIRE(names.size() == 2);
  CHECK(names[1].value() == names[0].value() + "-2");
}

TEST_CASE("what was read once is not read again, however the file grows or shrinks", "[endpoint][mbox]") {
  const Fixture fixture;
  fixture.put("Inbox", stored("1") + stored("2"));
  const auto endpoint = fixture.open();
  for (const std::string& text :
       {stored("1") + stored("2") + stored("3"), stored("1") + stored("3"), stored("1"), std::string(),
        stored("5") + stored("1"), stored("5") + "more\n\n", stored("5") + "more\n\n" + stored("6")}) {
    fixture.put("Inbox", text);
    endpoint->refresh();
    const auto fresh = fixture.open();
    CHECK(namesOf(*changes(*endpoint, "INBOX").present) == namesOf(*changes(*fresh, "INBOX").present));
  }
}

TEST_CASE("what is known of a large mbox is kept, and a damaged memory only costs time", "[endpoint][mbox]") {
  const Fixture fixture;
  const fs::path inbox = fixture.put("Inbox", stored("1") + stored("2", "0001") + stored("3"));
  const auto keysAndFlags = [&](const fs::path& memory) {
    MboxFolder folder(inbox, mailstore::MboxQuoting::Mboxrd, {}, {memory, 1});
    folder.scan();
    std::string out;
    for (const MboxFolder::Message& one : folder.messages()) {
      out += one.key + (one.found.flags.empty() ? " " : "S ") + std::to_string(one.found.size) + "\n";
    }
    return out;
  };
  const fs::path memory = fixture.spool() / "memory";
  CHECK(keysAndFlags(memory) == keysAndFlags({}));
  const std::string kept = test::readFile(memory);
  fixture.put("Inbox", stored("1", "0001") + stored("2") + stored("3") + stored("4"));
  for (std::size_t cut = 0; cut <= kept.size(); cut += 7) {
    test::writeFile(memory, kept.substr(0, cut));
    REQUIRE(keysAndFlags(memory) == keysAndFlags({}));
  }
  for (const std::string& text : {stored("2") + stored("3"), stored("1") + stored("3"), std::string()}) {
    test::writeFile(memory, kept);
    fixture.put("Inbox", text);
    CHECK(keysAndFlags(memory) == keysAndFlags({}));
  }
}

TEST_CASE("a file that changes under the reader's hands fails, and nothing of it is taken", "[endpoint][mbox]") {
  const Fixture fixture;
  fixture.put("Inbox", stored("1") + stored("2"));
  const auto endpoint = fixture.open();
  const Delta delta = changes(*endpoint, "INBOX");
  fixture.put("Inbox", stored("2"));
  const PullLog log = fetch(*endpoint, "INBOX", delta.fresh);
  REQUIRE(log.messages.size() == 1);  // read anew: the first is gone, the second was found where it is now
  CHECK(log.refused.empty());
}

TEST_CASE("a lock of another program is waited for no longer than the timeout", "[endpoint][mbox]") {
  const Fixture fixture;
  const fs::path inbox = fixture.put("Inbox", stored("1"));
  const auto endpoint = fixture.open();
  mailbox(*endpoint, "INBOX");
  const int other = ::open(inbox.c_str(), O_RDWR | O_CLOEXEC);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  REQUIRE(::fcntl(other, F_OFD_SETLK, &lock) == 0);
  const Delta delta = changes(*endpoint, "INBOX");
  REQUIRE(delta.failure.has_value());
  CHECK(std::string(delta.failure->what()).find("is locked by another program") != std::string::npos);
  CHECK(delta.failure->retry() == mailstore::Retry::Later);
  CHECK_FALSE(delta.present.has_value());
  ::close(other);
  CHECK(countOf(*changes(*endpoint, "INBOX").present) == 1);
}

TEST_CASE("P1: what is added while another program replaces the file is in the file that takes its place",
          "[endpoint][mbox][P1]") {
  Fixture fixture;
  fixture.patience = std::chrono::minutes(1);
  const fs::path inbox = fixture.put("Inbox", stored("1"));
  const fs::path next = fixture.put("next", stored("1") + stored("2"));
  const auto endpoint = fixture.open();
  mailbox(*endpoint, "INBOX");
  changes(*endpoint, "INBOX");
  const int other = ::open(inbox.c_str(), O_RDWR | O_CLOEXEC);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  REQUIRE(::fcntl(other, F_OFD_SETLK, &lock) == 0);
  const int watch = ::inotify_init1(IN_CLOEXEC);
  REQUIRE(::inotify_add_watch(watch, inbox.c_str(), IN_OPEN) >= 0);
  std::thread program([&] {
    std::array<char, 4096> event{};
    static_cast<void>(::read(watch, event.data(), event.size()));  // it is open, and waits for the lock
    fs::rename(next, inbox);
    ::close(other);
  });
  PushLog log;
  append(*endpoint, "INBOX", {"Subject: 3\r\n\r\nbody\r\n"}, {}, log);
  program.join();
  ::close(watch);
  CHECK(log.appended.size() == 1);
  CHECK(test::readFile(inbox).find("Subject: 3") != std::string::npos);
  CHECK(countOf(*changes(*endpoint, "INBOX").present) == 3);
}

TEST_CASE("nothing is added while a dot lock is held; one of a mailbraid that is gone does not count",
          "[endpoint][mbox]") {
  const Fixture fixture;
  fixture.put("Inbox", stored("1"));
  const auto endpoint = fixture.open();
  PushLog log;
  fixture.put("Inbox.lock", std::to_string(::getpid()) + "\n");
  CHECK(append(*endpoint, "INBOX", {"A: b\r\n\r\n"}, {}, log).front().has_value());
  CHECK(test::readFile(fixture.tree() / "Inbox") == stored("1"));
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  fixture.put("Inbox.lock", std::string("999999999 mailbraid ") + host.data() + "\n");
  PushLog second;
  append(*endpoint, "INBOX", {"A: b\r\n\r\n"}, {}, second);
  // The first attempt finds the old lock and clears it away; with more time the same one would have gone on.
  append(*endpoint, "INBOX", {"A: b\r\n\r\n"}, {}, second);
  CHECK(second.appended.size() == 1);
  CHECK_FALSE(fs::exists(fixture.tree() / "Inbox.lock"));
}

TEST_CASE("P1: on a full disk nothing is added, the mbox is as it was, and it says so", "[endpoint][mbox][P1]") {
  const Fixture fixture;
  const std::string before = kFrom + "A: b\n\n" + std::string(50'000, 'x') + "\n\n";
  const fs::path inbox = fixture.put("Inbox", before);
  const auto endpoint = fixture.open();
  mailbox(*endpoint, "INBOX");
  PushLog log;
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const rlimit small{before.size() + 1000, old.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const Outcomes full = append(*endpoint, "INBOX", {"A: c\r\n\r\n" + std::string(5000, 'y')}, {}, log);
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  REQUIRE(full.front().has_value());
  CHECK(full.front()->kind() == mailstore::ErrorKind::NotWritable);
  CHECK(log.appended.empty());
  CHECK(test::readFile(inbox) == before);
  CHECK_FALSE(fs::exists(fixture.spool() / "append-seal.note"));
  CHECK_FALSE(append(*endpoint, "INBOX", {"A: c\r\n\r\n"}, {}, log).front().has_value());
  CHECK(log.appended.size() == 1);
}

TEST_CASE("P4: an append that was cut off is taken away again, a whole one stays", "[endpoint][mbox][P4]") {
  const std::string before = stored("1");
  const std::string added = stored("2") + stored("3");
  for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, added.size() / 2, added.size() - 1, added.size()}) {
    CAPTURE(cut);
    const Fixture fixture;
    const fs::path inbox = fixture.put("Inbox", before + added.substr(0, cut));
    test::writeFile(fixture.spool() / "append-seal.mbox", added);
    test::writeFile(fixture.spool() / "append-seal.note", "mailbraid-append-1 " + std::to_string(before.size()) + " " +
                                                              std::to_string(added.size()) + " 0 " + inbox.string());
    const auto endpoint = fixture.open();
    CHECK(test::readFile(inbox) == (cut == added.size() ? before + added : before));
    CHECK_FALSE(fs::exists(fixture.spool() / "append-seal.note"));
  }
}

TEST_CASE("P1: what another program added behind an append that was cut off is not taken away",
          "[endpoint][mbox][P1]") {
  const Fixture fixture;
  const std::string added = stored("2") + stored("3");
  const std::string now = stored("1") + added.substr(0, 40) + stored("4");
  const fs::path inbox = fixture.put("Inbox", now);
  test::writeFile(fixture.spool() / "append-seal.mbox", added);
  test::writeFile(fixture.spool() / "append-seal.note", "mailbraid-append-1 " + std::to_string(stored("1").size()) +
                                                            " " + std::to_string(added.size()) + " 0 " +
                                                            inbox.string());
  fixture.open();
  CHECK(test::readFile(inbox) == now);
}

TEST_CASE("a Thunderbird tree: levels in .sbd, what is no mail is passed over or told", "[endpoint][mbox]") {
  const Fixture fixture(SubfolderStyle::Thunderbird);
  fixture.put("Inbox", "");
  fixture.put("Inbox.msf", "x");
  fixture.put("msgFilterRules.dat", "x");
  fixture.put("Work", "");
  fixture.put("Work.sbd/Deep", stored("1"));
  fixture.put("letter", "Dear ...\n");
  fixture.put("other/Hidden", stored("1"));
  fs::create_symlink("loop", fixture.tree() / "loop");
  fs::create_symlink(".", fixture.tree() / "Back.sbd");
  const auto endpoint = fixture.open();
  std::map<std::string, bool> listed;
  for (const RemoteMailbox& one : endpoint->list()) listed[one.name] = one.refusal.empty();
  CHECK(listed == std::map<std::string, bool>{
                      {"INBOX", true}, {"Work", true}, {"Work/Deep", true}, {"letter", false}, {"loop", false}});
  const std::vector<MailboxChange> wanted{{MailboxChange::Kind::Create, nullptr, "New/Below", {}},
                                          {MailboxChange::Kind::Create, nullptr, "a.msf", {}},
                                          {MailboxChange::Kind::Create, nullptr, "../out", {}}};
  const auto made = endpoint->changeMailboxes(wanted);
  REQUIRE(made.size() == 3);
  CHECK_FALSE(made[0].failure.has_value());
  CHECK(fs::exists(fixture.tree() / "New"));
  CHECK(fs::exists(fixture.tree() / "New.sbd/Below"));
  REQUIRE(made[1].failure.has_value());
  CHECK(std::string(made[1].failure->what()).find("\"a.msf\" cannot be the name of its file") != std::string::npos);
  CHECK(made[2].failure.has_value());
}

TEST_CASE("a mailbox is renamed, and never over another one", "[endpoint][mbox]") {
  const Fixture fixture(SubfolderStyle::Thunderbird);
  fixture.put("Work", stored("1"));
  fixture.put("Work.msf", "x");
  fixture.put("Taken", stored("2"));
  const auto endpoint = fixture.open();
  const MailboxChange taken{MailboxChange::Kind::Rename, &mailbox(*endpoint, "Work"), "Taken", {}};
  CHECK(endpoint->changeMailboxes(std::span(&taken, 1)).front().failure.has_value());
  const MailboxChange free{MailboxChange::Kind::Rename, &mailbox(*endpoint, "Work"), "Old/Work", {}};
  const auto made = endpoint->changeMailboxes(std::span(&free, 1));
  REQUIRE_FALSE(made.front().failure.has_value());
  CHECK(made.front().mailbox->name == "Old/Work");
  CHECK(test::readFile(fixture.tree() / "Old.sbd/Work") == stored("1"));
  CHECK(test::readFile(fixture.tree() / "Taken") == stored("2"));
  CHECK_FALSE(fs::exists(fixture.tree() / "Work"));
  CHECK_FALSE(fs::exists(fixture.tree() / "Work.msf"));
}

TEST_CASE("a name belongs to the mailbox and not to another file that would have it", "[endpoint][mbox]") {
  const Fixture fixture;
  fixture.put("INBOX", "rubbish\n");
  fixture.put("Inbox", stored("1"));
  fixture.put("inbox", stored("2"));
  const auto endpoint = fixture.open();
  const auto& listed = endpoint->list();
  REQUIRE(listed.size() == 3);
  CHECK(listed[0].wireName == fixture.tree() / "Inbox");
  CHECK(listed[0].refusal.empty());
  CHECK(listed[1].refusal.find("no mbox") != std::string::npos);
  CHECK(listed[2].refusal.find("same name") != std::string::npos);
}

TEST_CASE("a nested tree: directories are levels, and an ending .mbox is no part of the name", "[endpoint][mbox]") {
  const Fixture fixture;
  fixture.put("A/B", "");
  fixture.put("A.mbox", stored("1"));
  const auto endpoint = fixture.open();
  CHECK(countOf(*changes(*endpoint, "A").present) == 1);
  CHECK(countOf(*changes(*endpoint, "A/B").present) == 0);
  const MailboxChange below{MailboxChange::Kind::Create, nullptr, "A/B/C", {}};
  CHECK(endpoint->changeMailboxes(std::span(&below, 1)).front().failure.has_value());
}

TEST_CASE("an mbox file that is none any more fails with a sentence, and proves no removal", "[endpoint][mbox]") {
  const Fixture fixture;
  fixture.put("Inbox", stored("1"));
  const auto endpoint = fixture.open();
  mailbox(*endpoint, "INBOX");
  fixture.put("Inbox", "rubbish\n");
  const Delta delta = changes(*endpoint, "INBOX");
  REQUIRE(delta.failure.has_value());
  CHECK(std::string(delta.failure->what()).find("is no mbox") != std::string::npos);
  CHECK_FALSE(delta.present.has_value());
}

TEST_CASE("P5: a tree without its mark, or with an older one, has lost its state", "[endpoint][mbox][P5]") {
  Fixture fixture;
  fixture.put("Inbox", stored("1"));
  const auto first = fixture.open();
  CHECK_FALSE(first->hasLostState());
  first->seal(7);
  fixture.lastRun = 7;
  const auto same = fixture.open();
  CHECK_FALSE(same->hasLostState());
  CHECK(same->list().front().status->uidValidity == first->list().front().status->uidValidity);
  fixture.lastRun = 8;
  CHECK(fixture.open()->hasLostState());
  fs::remove(fixture.tree() / ".mailbraid");
  CHECK(fixture.open()->hasLostState());
}

TEST_CASE("a message that is too large is refused", "[endpoint][mbox]") {
  const Fixture fixture;
  fixture.put("Inbox", kFrom + "A: b\n\n" + std::string(200'000, 'x') + "\n");
  const auto endpoint = fixture.open();
  const PullLog log = fetch(*endpoint, "INBOX", changes(*endpoint, "INBOX").fresh);
  CHECK(log.messages.empty());
  REQUIRE(log.refused.size() == 1);
  CHECK(log.refused[0].second.find("more than can be stored") != std::string::npos);
}
