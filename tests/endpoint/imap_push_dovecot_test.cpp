// Pushing to a real IMAP server.
#include "sync/endpoint/imap_endpoint.h"

#include "tests/support/catch.h"
#include "tests/support/dovecot.h"
#include "tests/support/mail_account.h"
#include "tests/support/temp_dir.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace mailbraid;
using namespace mailbraid::sync::endpoint;
using mailstore::Flags;
using mailstore::Uid;

namespace {

/// Writes down what became of each message; the other answers are not asked for here.
class PushLog final : public PushSink {
 public:
  void onFlags(std::size_t, const mailstore::RemoteKey& key, const Flags& flags) override {
    stored[std::get<Uid>(key).value()] = flags.names();
  }
  void onChangedMeanwhile(std::size_t, const mailstore::RemoteKey& key) override {
    changedMeanwhile.push_back(std::get<Uid>(key).value());
  }
  void onTransferred(std::size_t, const mailstore::RemoteKey&, const std::optional<mailstore::RemoteKey>&) override {}
  void onAppending(std::size_t, mailstore::UidValidity, Uid) override {}
  void onAppended(std::size_t, std::uint64_t token, const std::optional<mailstore::RemoteKey>& key,
                  const Flags&) override {
    appended[token] = std::get<Uid>(key.value()).value();
  }
  void onRepairing(std::size_t, std::uint64_t, const mailstore::MessageForm&) override {}
  void onRepaired(std::size_t, std::uint64_t, const mailstore::Repairs&) override {}
  void onRemoved(std::size_t, const mailstore::RemoteKey&) override {}
  void onMarked(std::size_t, const mailstore::RemoteKey&) override {}
  void onVanished(std::size_t, const mailstore::RemoteKey&) override {}
  void onRefused(std::size_t, const mailstore::RemoteKey&, const mailstore::Error&) override {}
  void onAppendRefused(std::size_t, std::uint64_t, const mailstore::Error&) override {}
  void onOctets(std::uint64_t) override {}

  std::map<std::uint32_t, std::vector<std::string>> stored;
  std::vector<std::uint32_t> changedMeanwhile;
  std::map<std::uint64_t, std::uint32_t> appended;  ///< UIDs by token
};

std::unique_ptr<ImapEndpoint> openedAt(const test::Dovecot& server, const test::TempDir& directory) {
  EndpointSettings settings;
  settings.name = "work";
  settings.type = EndpointType::Imap;
  settings.server.host = "127.0.0.1";
  settings.server.port = server.imap();
  settings.server.tls = sync::net::TlsMode::None;
  settings.user = "user1";
  settings.password = [] { return sync::sasl::Secret("secret"); };
  Environment environment;
  environment.spool.directory = directory.path();
  auto out = std::make_unique<ImapEndpoint>(settings, std::move(environment));
  out->open();
  return out;
}

}  // namespace

TEST_CASE("what there is to upload further goes out while answers are awaited", "[endpoint][imap][dovecot]") {
  const test::Dovecot server;
  const test::TempDir directory;
  const test::MailAccount account(server.imap(), "user1", "secret");
  const auto endpoint = openedAt(server, directory);
  const RemoteMailbox& inbox = endpoint->list().front();
  const auto octetsOf = [](std::uint64_t token) { return "Subject: " + std::to_string(token) + "\r\n\r\nbody\r\n"; };
  const auto item = [&](std::uint64_t token) { return AppendItem{token, {}, {}, octetsOf(token).size()}; };
  PushLog log;
  std::size_t unanswered = 0;
  AppendRequest request{&inbox, {item(0), item(1)}, {}, {}};
  request.more = [&, asked = 0]() mutable -> std::vector<AppendItem> {
    ++asked;
    if (asked == 1) unanswered = 2 - log.appended.size();
    if (asked == 1) return {item(2)};
    if (asked == 2) return {};  // for now
    if (asked == 3) return {item(3), item(4)};
    return {};
  };
  const auto outcomes = endpoint->append(
      std::span(&request, 1),
      [&](const AppendItem& one, const std::function<void(std::string_view)>& sink) { sink(octetsOf(one.token)); },
      log);
  CHECK_FALSE(outcomes.front());
  CHECK(unanswered == 2);
  CHECK(log.appended == std::map<std::uint64_t, std::uint32_t>{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}});
  CHECK(account.dump("INBOX").size() == 5);
}

TEST_CASE("flags that another client changed after they were read are not written over", "[endpoint][imap][dovecot]") {
  const test::Dovecot server;
  const test::TempDir directory;
  const test::MailAccount account(server.imap(), "user1", "secret");
  account.append("INBOX", {"Subject: 1\r\n\r\n", "Subject: 2\r\n\r\n", "Subject: 3\r\n\r\n"}, "\\Seen");

  const auto opened = openedAt(server, directory);
  ImapEndpoint& endpoint = *opened;
  const RemoteMailbox& inbox = endpoint.list().front();
  REQUIRE(inbox.name == "INBOX");
  REQUIRE(inbox.status->highestModSeq.value() != 0);

  account.store("INBOX", "2", "+FLAGS", {"\\Flagged"});

  FlagChange change;
  change.add = Flags::parse({"\\Answered"});
  change.unchangedSince = inbox.status->highestModSeq;
  change.keys = *mailstore::UidSet::parse("1:3");
  SECTION("one command") {}
  SECTION("adding and removing: what the first command changed, the second one may change too") {
    change.remove = Flags::parse({"\\Seen"});
  }
  PushLog log;
  const FlagRequest request{&inbox, inbox.status->uidValidity, {change}};
  CHECK_FALSE(endpoint.storeFlags(std::span(&request, 1), log).front());

  CHECK(log.changedMeanwhile == std::vector<std::uint32_t>{2});
  CHECK(log.stored.size() == 2);
  const bool removes = !change.remove.empty();
  const std::vector<std::string> changed =
      removes ? std::vector<std::string>{"\\Answered"} : std::vector<std::string>{"\\Answered", "\\Seen"};
  std::vector<std::vector<std::string>> flags;
  for (const test::ServerMessage& message : account.dump("INBOX")) flags.push_back(message.flags);
  CHECK(flags == std::vector<std::vector<std::string>>{changed, {"\\Flagged", "\\Seen"}, changed});
}
