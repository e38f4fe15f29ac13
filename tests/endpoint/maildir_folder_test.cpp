#include "sync/endpoint/maildir_folder.h"

#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

#include <fstream>
#include <random>
#include <set>
#include <string>

using namespace mailbraid;
using sync::endpoint::MaildirFolder;
namespace fs = std::filesystem;

namespace {

mailstore::Flags flags(const std::vector<std::string>& names) {
  return mailstore::Flags::parse(names);
}

/// A Maildir, and somebody who works in it with the file system alone.
class Mailbox {
 public:
  Mailbox() : folder(directory_ / "INBOX") { folder.make(); }
  fs::path put(const std::string& name, const std::string& text = "Subject: x\n\nbody\n") {
    const fs::path path = folder.directory() / name;
    std::ofstream(path) << text;
    return path;
  }
  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> out;
    for (const char* part : {"cur", "new"}) {
      for (const auto& entry : fs::directory_iterator(folder.directory() / part)) {
        out.insert(std::string(part) + "/" + entry.path().filename().string());
      }
    }
    return out;
  }

 private:
  test::TempDir directory_;

 public:
  MaildirFolder folder;
};

using Names = std::set<std::string>;

}  // namespace

TEST_CASE("a flag is changed by a new name, and letters that nobody here knows stay", "[endpoint][maildir]") {
  Mailbox mailbox;
  mailbox.put("cur/1.a:2,SX");
  REQUIRE(mailbox.folder.scan());
  CHECK(mailbox.folder.change("1.a", flags({"\\Flagged"}), flags({"\\Seen"})) == flags({"\\Flagged"}));
  CHECK(mailbox.names() == Names{"cur/1.a:2,FX"});
}

TEST_CASE("a message that another program has renamed meanwhile is found, and its flags are kept",
          "[endpoint][maildir]") {
  Mailbox mailbox;
  const fs::path file = mailbox.put("new/1.a");
  REQUIRE(mailbox.folder.scan());
  fs::rename(file, mailbox.folder.directory() / "cur/1.a:2,RS");
  CHECK(mailbox.folder.change("1.a", flags({"\\Flagged"}), {}) == flags({"\\Answered", "\\Flagged", "\\Seen"}));
  CHECK(mailbox.names() == Names{"cur/1.a:2,FRS"});
}

TEST_CASE("what is gone is told, and nothing else is touched", "[endpoint][maildir]") {
  Mailbox mailbox;
  const fs::path file = mailbox.put("cur/1.a:2,");
  mailbox.put("cur/2.b:2,S");
  REQUIRE(mailbox.folder.scan());
  fs::remove(file);
  CHECK_FALSE(mailbox.folder.change("1.a", flags({"\\Seen"}), {}).has_value());
  CHECK_FALSE(mailbox.folder.remove("1.a"));
  CHECK(mailbox.folder.open("1.a").descriptor < 0);
  CHECK(mailbox.names() == Names{"cur/2.b:2,S"});
}

TEST_CASE("keywords have their own letters in each mailbox, and a move keeps the keyword", "[endpoint][maildir]") {
  Mailbox from;
  Mailbox to;
  std::ofstream(to.folder.directory() / "dovecot-keywords") << "0 other\n";
  from.put("cur/1.a:2,");
  REQUIRE(from.folder.scan());
  CHECK(from.folder.change("1.a", flags({"work"}), {}) == flags({"work"}));
  CHECK(from.names() == Names{"cur/1.a:2,a"});
  CHECK(from.folder.transfer("1.a", to.folder, MaildirFolder::Transfer::Move) == "1.a");
  CHECK(to.names() == Names{"cur/1.a:2,b"});
  CHECK(from.names().empty());
}

TEST_CASE("a name that is taken in the other mailbox is not taken away there", "[endpoint][maildir]") {
  Mailbox from;
  Mailbox to;
  from.put("cur/1.a:2,", "mine\n");
  to.put("cur/1.a:2,", "theirs\n");
  const auto name = from.folder.transfer("1.a", to.folder, MaildirFolder::Transfer::Move);
  REQUIRE(name.has_value());
  CHECK(*name != "1.a");
  CHECK(to.names().size() == 2);
}

TEST_CASE("deliveries show up when they are whole, unseen ones in new, and tmp is left empty", "[endpoint][maildir]") {
  Mailbox mailbox;
  {
    MaildirFolder::Delivery delivery(mailbox.folder);
    const auto write = [](const auto& sink) { sink("Subject: x\r\n\r\nbody\r\n"); };
    delivery.add(1, {}, {1'000'000'000, 0}, write);
    delivery.add(2, flags({"\\Seen", "work"}), {1'000'000'001, 0}, write);
    CHECK(mailbox.names().empty());
    const auto delivered = delivery.deliver();
    REQUIRE(delivered.size() == 2);
    CHECK(delivered[1].flags == flags({"\\Seen", "work"}));
    CHECK(mailbox.names() == Names{"new/" + delivered[0].base, "cur/" + delivered[1].base + ":2,Sa"});
    delivery.add(3, {}, {}, write);  // not delivered
  }
  CHECK(fs::is_empty(mailbox.folder.directory() / "tmp"));
  CHECK(mailbox.names().size() == 2);
}

TEST_CASE("a message whose octets cannot be had leaves nothing behind", "[endpoint][maildir]") {
  Mailbox mailbox;
  MaildirFolder::Delivery delivery(mailbox.folder);
  const auto fails = [](const auto& sink) {
    sink("half");
    throw mailstore::Error(mailstore::ErrorKind::StoreDamaged, mailstore::Scope::Message, mailstore::Retry::Later,
                           "no");
  };
  CHECK_THROWS_AS(delivery.add(1, {}, {}, fails), mailstore::Error);
  CHECK(fs::is_empty(mailbox.folder.directory() / "tmp"));
  CHECK(delivery.deliver().empty());
}

TEST_CASE("a mailbox that was changed just now may change again unseen", "[endpoint][maildir]") {
  Mailbox mailbox;
  CHECK(mailbox.folder.changeNumber() == 0);
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (const char* part : {"cur", "new"}) fs::last_write_time(mailbox.folder.directory() / part, old);
  const std::uint64_t number = mailbox.folder.changeNumber();
  CHECK(number != 0);
  fs::last_write_time(mailbox.folder.directory() / "new", old + std::chrono::seconds(1));
  CHECK(mailbox.folder.changeNumber() > number);
}

TEST_CASE("a keyword letter that another program has just given out keeps its meaning", "[endpoint][maildir]") {
  Mailbox mailbox;
  mailbox.put("cur/1:2,");
  mailbox.put("cur/2:2,b");
  mailbox.put("dovecot-keywords", "0 alpha\n");
  REQUIRE(mailbox.folder.scan());
  mailbox.put("dovecot-keywords", "0 alpha\n1 gamma\n");
  CHECK(mailbox.folder.change("1", flags({"beta"}), {})->keywords() == std::vector<std::string>{"beta"});
  CHECK(mailbox.folder.change("2", flags({"\\Seen"}), {})->keywords() == std::vector<std::string>{"gamma"});
  CHECK(mailbox.names() == Names{"cur/1:2,c", "cur/2:2,Sb"});
  CHECK(test::readFile(mailbox.folder.directory() / "dovecot-keywords") == "0 alpha\n1 gamma\n2 beta\n");
  CHECK_FALSE(fs::exists(mailbox.folder.directory() / "dovecot-uidlist.lock"));
}

TEST_CASE("only a mailbox without messages is removed, and what belongs to it goes along", "[endpoint][maildir]") {
  Mailbox mailbox;
  const fs::path file = mailbox.put("new/1.a");
  std::ofstream(mailbox.folder.directory() / "dovecot.index") << "x";
  CHECK_FALSE(mailbox.folder.removeIfEmpty());
  fs::remove(file);
  CHECK(mailbox.folder.removeIfEmpty());
  CHECK_FALSE(fs::exists(mailbox.folder.directory()));
}
