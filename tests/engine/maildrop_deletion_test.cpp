// What is deleted from POP3 maildrops that do odd things (leave_on_server, newest).
#include "tests/engine/trial.h"
#include "tests/support/catch.h"
#include "tests/support/fake_pop3.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using namespace mailbraid::tests;
using mailbraid::mailstore::Access;
using mailbraid::mailstore::Store;
using mailbraid::sync::endpoint::EndpointType;
using mailbraid::sync::endpoint::LeaveOnServer;
using mailbraid::sync::engine::SyncRequest;
using Kind = LeaveOnServer::Kind;

namespace {

constexpr std::int64_t kDay = 86'400;

FakeMessage mail(int number, const std::string& uidl) {
  const std::string name = "m" + std::to_string(number);
  return {uidl, "Subject: " + name + "\r\nMessage-ID: <" + name + "@x>\r\n\r\nbody " + name + "\r\n"};
}

/// A maildrop, a store, and runs between them; the server is there while a run is.
class Post {
 public:
  explicit Post(int messages = 3) {
    for (int i = 1; i <= messages; ++i) add(i);
    trial.now = 1'800'000'000;
    settings.name = settings.braid = "old";
    settings.type = EndpointType::Pop3;
    settings.server.host = "127.0.0.1";
    settings.server.tls = mailbraid::sync::net::TlsMode::None;
    settings.server.timeout = std::chrono::seconds(20);
    settings.user = "me";
    settings.password = [] { return mailbraid::sync::sasl::Secret("secret"); };
  }

  void add(int number) { drop.messages.push_back(mail(number, "u" + std::to_string(number))); }
  void leave(Kind kind, std::chrono::seconds time = {}) { settings.leaveOnServer = {kind, time}; }

  RunReport run(std::vector<EndpointSettings> others = {}) {
    log.clear();
    TestServer server(FakePop3(drop, log), 1000);
    settings.server.port = server.port();
    others.push_back(settings);
    return trial.run(std::move(others));
  }
  /// A run in which nothing goes wrong.
  RunReport runWell() {
    RunReport report = run();
    CAPTURE(problemsOf(report));
    CHECK(report.endpoints.front().complete());
    return report;
  }

  std::vector<std::string> there() const {
    std::vector<std::string> out;
    for (const FakeMessage& message : drop.messages) out.push_back(message.uidl);
    return out;
  }
  std::size_t said(const std::string& verb) const {
    return static_cast<std::size_t>(std::count_if(
        log.begin(), log.end(), [&](const std::string& line) { return line.substr(0, line.find(' ')) == verb; }));
  }
  std::vector<std::string> stored() { return trial.subjects("old", "INBOX"); }

  Trial trial;
  FakeMaildrop drop;
  std::vector<std::string> log;
  EndpointSettings settings;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("P1: nothing is deleted at a POP3 server before it is durable in the store", "[engine][pop3][P1]") {
  Post post(50);
  post.leave(Kind::No);
  post.trial.adjust = [](SyncRequest& request) { request.commitAge = std::chrono::hours(1); };
  std::vector<std::uint64_t> durable;
  post.drop.onDeletion = [&] {
    const auto reader = Store::open(post.trial.store().directory(), Access::ReadOnly);
    const auto mailboxes = reader->mailboxes().list();
    durable.push_back(mailboxes.empty() ? 0 : mailboxes.front().messages);
  };
  const RunReport report = post.runWell();
  CHECK(durable == std::vector<std::uint64_t>(50, 50));
  CHECK(report.totals.fresh == 50);
  CHECK(report.totals.removedThere == 50);
  CHECK(post.there().empty());
  CHECK(post.said("PASS") == 1);  // servers that want a while between two logins get one
}

TEST_CASE("P3: a second run deletes nothing at a POP3 server, and keeps what was deleted there", "[engine][pop3][P3]") {
  Post post;
  post.leave(Kind::No);
  post.runWell();
  CHECK(post.stored() == numbered(1, 3));
  const RunReport second = post.runWell();
  CHECK(post.said("DELE") == 0);
  CHECK(second.totals.removedThere == 0);
  CHECK(second.totals.fresh + second.totals.adopted + second.totals.removed == 0);
  CHECK(post.stored() == numbered(1, 3));
}

TEST_CASE("a maildrop that is left alone gets no DELE: the default, push = [], and removals = never",
          "[engine][pop3]") {
  Post post;
  post.runWell();
  CHECK(post.said("DELE") == 0);
  post.leave(Kind::No);
  post.settings.push = {false, false, false};
  post.runWell();
  CHECK(post.said("DELE") == 0);
  post.settings.push = {};
  post.settings.removals = mailbraid::sync::endpoint::RemovalStyle::Never;
  post.runWell();
  CHECK(post.said("DELE") == 0);
  CHECK(post.there().size() == 3);
}

TEST_CASE("P1: what is in quarantine, left out, damaged or too large stays on a POP3 server", "[engine][pop3][P1]") {
  Post post;
  post.drop.refuses = 1;
  post.leave(Kind::No);
  CHECK(post.run().totals.quarantined == 1);
  CHECK(post.there() == Names{"u2"});

  Post small;
  small.drop.messages[0].octets.insert(small.drop.messages[0].octets.size() - 2, std::string(5000, 'x'));
  small.settings.maxSize = 1000;
  small.leave(Kind::No);
  small.runWell();
  CHECK(small.there() == Names{"u1"});

  Post shrunk;
  shrunk.drop.messages[0].octets.insert(shrunk.drop.messages[0].octets.size() - 2, std::string(5000, 'x'));
  shrunk.runWell();
  shrunk.settings.maxSize = 1000;
  shrunk.leave(Kind::No);
  shrunk.runWell();
  CHECK(shrunk.there() == Names{"u1"});

  Post damaged;
  damaged.runWell();
  {
    Store::Transaction transaction(damaged.trial.store());
    damaged.trial.store().messages().markDamaged(mailbraid::mailstore::MessageId{1}, damaged.trial.now);
    transaction.commit();
  }
  damaged.drop.refuses = 0;
  damaged.leave(Kind::No);
  damaged.run();
  CHECK(damaged.there() == Names{"u1"});
}

TEST_CASE("a message without a unique-id is not deleted, and that is told", "[engine][pop3]") {
  Post post;
  post.drop.uidl = false;
  post.leave(Kind::No);
  const RunReport report = post.runWell();
  CHECK(post.said("DELE") == 0);
  CHECK(problemsOf(report).find("3 messages stay there, because the server has no unique-id") != std::string::npos);
}

TEST_CASE("a listing that is not complete deletes nothing", "[engine][pop3][P6]") {
  Post post;
  post.runWell();
  post.leave(Kind::No);
  post.drop.missing = 1;
  CHECK_FALSE(post.run().endpoints.front().complete());
  CHECK(post.said("DELE") == 0);
  post.drop.missing = 0;
  post.runWell();
  CHECK(post.there().empty());
}

TEST_CASE("one message that the server will not delete does not stop the others, and is tried again",
          "[engine][pop3][P10]") {
  Post post;
  post.drop.keeps = {"u2"};
  post.leave(Kind::No);
  const RunReport report = post.run();
  CHECK(post.there() == Names{"u2"});
  CHECK(report.totals.removedThere == 2);
  CHECK(problemsOf(report).find("1 message could not be deleted there and will be tried again: the server says "
                                "\"locked\"") != std::string::npos);
  post.drop.keeps.clear();
  CHECK(post.runWell().totals.removedThere == 1);
  CHECK(post.there().empty());
  CHECK(post.stored() == numbered(1, 3));
}

TEST_CASE("P4: whatever becomes of QUIT, the next run knows what the server has done", "[engine][pop3][P4]") {
  for (const std::string answer : {"-ERR some deleted messages not removed", ""}) {
    for (const bool carriedOut : {false, true}) {
      CAPTURE(answer, carriedOut);
      Post post;
      post.leave(Kind::No);
      post.drop.quitAnswer = answer;
      post.drop.deletes = carriedOut;
      const RunReport report = post.run();
      CHECK(report.totals.removedThere == 0);
      CHECK(problemsOf(report).find("3 deletions were not confirmed by the server") != std::string::npos);
      CHECK(problemsOf(report).find("tried again") != std::string::npos);
      post.drop.quitAnswer = "+OK";
      post.drop.deletes = true;
      CHECK(post.runWell().totals.removedThere == (carriedOut ? 0 : 3));
      CHECK(post.there().empty());
      post.runWell();
      CHECK(post.said("DELE") == 0);
      CHECK(post.stored() == numbered(1, 3));
    }
  }
}

TEST_CASE("P5: a message that was deleted and is listed again is the same one: nothing is doubled, and it goes again",
          "[engine][pop3][P5]") {
  Post post;
  post.leave(Kind::No);
  const std::vector<FakeMessage> backup = post.drop.messages;
  post.runWell();
  post.drop.messages = backup;  // the server was restored
  const RunReport report = post.runWell();
  CHECK(report.totals.fresh == 0);
  CHECK(report.totals.removedThere == 3);
  CHECK(post.said("RETR") == 0);
  CHECK(post.said("TOP") == 3);  // it was looked at before it was deleted
  CHECK(post.stored() == numbered(1, 3));
  post.drop.messages = backup;
  post.leave(Kind::Forever);
  post.runWell();
  CHECK(post.there().size() == 3);
  CHECK(post.stored() == numbered(1, 3));
}

TEST_CASE("P1: new mail under a unique-id that was there before is not deleted unread", "[engine][pop3][P1]") {
  Post post;
  post.leave(Kind::No);
  post.runWell();
  post.drop.messages = {mail(4, "u1"), mail(5, "u2")};  // a server that numbers anew
  post.run();
  CHECK(post.there() == Names{"u1", "u2"});
  post.runWell();
  CHECK(post.stored() == numbered(1, 5));
  CHECK(post.there().empty());
}

TEST_CASE("P1: what was fetched in an earlier session is compared with the store before it is deleted",
          "[engine][pop3][P1]") {
  for (const bool top : {true, false}) {
    CAPTURE(top);
    Post post;
    post.drop.top = top;
    if (!top) post.drop.capabilities = "UIDL\r\nUSER\r\nPIPELINING\r\n";
    post.runWell();
    // A server that writes a field of its own, and one message that is another one by now.
    for (FakeMessage& message : post.drop.messages) message.octets.insert(0, "Status: RO\r\n");
    post.drop.messages[1].octets = mail(4, "").octets;
    post.leave(Kind::No);
    post.runWell();
    CHECK(post.there() == Names{"u2"});
    post.runWell();
    CHECK(post.there().empty());
    CHECK(post.stored() == numbered(1, 4));
  }
}

TEST_CASE("P1: of mail without a Message-ID a header is no proof: it is compared as a whole", "[engine][pop3][P1]") {
  Post post(0);
  post.drop.messages = {{"u1", "\r\none\r\n"}, {"u2", "\r\ntwo\r\n"}};
  post.runWell();
  post.drop.messages[1].octets = "\r\nsix\r\n";
  post.leave(Kind::No);
  post.run();
  CHECK(post.there() == Names{"u2"});
  post.runWell();
  CHECK(post.there().empty());
  CHECK(post.stored().size() == 3);
}

TEST_CASE("mail that was removed everywhere, deleted at its server and delivered again is new mail", "[engine][pop3]") {
  Post post(1);
  post.leave(Kind::UntilRemoved);
  post.runWell();
  post.trial.removeFromStore("old", "m1");
  post.runWell();
  CHECK(post.there().empty());
  post.drop.messages.push_back(mail(1, "another"));
  post.runWell();
  CHECK(post.stored() == numbered(1, 1));
}

TEST_CASE("a dry run tells what would be deleted at a POP3 server, and deletes nothing", "[engine][pop3]") {
  Post post;
  post.leave(Kind::No);
  post.trial.adjust = [](SyncRequest& request) { request.dryRun = true; };
  const RunReport dry = post.runWell();
  CHECK(post.said("DELE") + post.said("RETR") == 0);
  CHECK(std::find(dry.plan.begin(), dry.plan.end(), "old INBOX: remove there 3 (u1 u2 u3) safe in the store") !=
        dry.plan.end());
  post.trial.adjust = {};
  const RunReport wet = post.runWell();
  CHECK(dry.totals.removedThere == wet.totals.removedThere);
  CHECK(dry.totals.fresh == wet.totals.fresh);
}

TEST_CASE("a server that lists in parts is read session by session until nothing new comes", "[engine][pop3][quirks]") {
  Post post(25);
  post.drop.greeting = "+OK Gpop ready for requests from 192.0.2.7 a1mb2";
  post.drop.part = 10;
  CHECK(post.runWell().totals.fresh == 25);
  CHECK(post.said("PASS") == 4);
  CHECK(post.stored().size() == 25);
  const RunReport second = post.runWell();  // it lists nothing of what was fetched: that is no removal
  CHECK(post.said("PASS") == 1);
  CHECK(second.totals.removed == 0);
  CHECK(post.stored().size() == 25);
}

TEST_CASE("of a server that lists in parts each part is deleted in its session, also under another user name",
          "[engine][pop3][quirks]") {
  Post post(25);
  post.drop.greeting = "+OK Gpop ready for requests from 192.0.2.7 a1mb2";
  post.drop.part = 10;
  post.settings.user = "recent:me@gmail.com";
  post.leave(Kind::No);
  CHECK(post.runWell().totals.removedThere == 25);
  CHECK(std::count(post.log.begin(), post.log.end(), "USER recent:me@gmail.com") == 4);
  CHECK(post.there().empty());
  CHECK(post.stored().size() == 25);
}

TEST_CASE("deletions that wait for another endpoint are not made before that holds the message", "[engine][pop3][P1]") {
  Post post;
  post.leave(Kind::No);
  post.trial.adjust = [](SyncRequest& request) { request.deletionsConfirmedBy = "new"; };
  const RunReport report = post.runWell();
  CHECK(post.said("DELE") == 0);
  CHECK(problemsOf(report).find("nothing is deleted there, since new could not be read in full") != std::string::npos);
}
