// The commands that change something as they go onto the wire.
#include "sync/imap/response_code.h"
#include "tests/imap/encoder_fixture.h"

#include <string>
#include <utility>
#include <vector>

using namespace mailbraid;
using namespace mailbraid::sync::imap;
using namespace mailbraid::tests;

TEST_CASE("flags are stored as deltas, of exactly the messages that are named", "[imap][encoder]") {
  const mailstore::Flags flags = mailstore::Flags::parse({"\\Seen", "\\Flagged", "$Forwarded"});
  CHECK(encoded(UidStore{uids("1:3,7"), StoreMode::Add, flags, StoreAnswer::Flags, {}}) ==
        "T UID STORE 1:3,7 +FLAGS (\\Seen \\Flagged $Forwarded)\r\n");
  CHECK(encoded(UidStore{uids("5"), StoreMode::Remove, flags, StoreAnswer::Silent, mailstore::ModSeq{99}}) ==
        "T UID STORE 5 (UNCHANGEDSINCE 99) -FLAGS.SILENT (\\Seen \\Flagged $Forwarded)\r\n");
  CHECK(problemOf(UidStore{uids("5"), StoreMode::Add, {}, StoreAnswer::Flags, {}}) == "STORE has no flag");
  CHECK(problemOf(UidStore{{}, StoreMode::Add, flags, StoreAnswer::Flags, {}}) == "the set of UIDs is empty");
}

TEST_CASE("a keyword that is no atom never reaches the server", "[imap][encoder]") {
  mailstore::Flags flags = mailstore::Flags::fromColumns(1, "good");
  flags.add("b(d");
  flags.add("inj\r\nT LOGOUT");
  const std::string line = encoded(UidStore{uids("5"), StoreMode::Add, flags, StoreAnswer::Flags, {}});
  CHECK(line == "T UID STORE 5 +FLAGS (\\Seen good)\r\n");
}

TEST_CASE("messages are moved, copied and expunged by UID", "[imap][encoder]") {
  CHECK(encoded(UidMove{uids("1:3"), "Sent Items"}) == "T UID MOVE 1:3 \"Sent Items\"\r\n");
  CHECK(encoded(UidCopy{uids("1"), "INBOX"}) == "T UID COPY 1 INBOX\r\n");
  CHECK(encoded(UidExpunge{uids("2,4")}) == "T UID EXPUNGE 2,4\r\n");
}

TEST_CASE("mailboxes are made with their special use, renamed, removed, subscribed to", "[imap][encoder]") {
  CHECK(encoded(Create{"Work", mailstore::Role::None}) == "T CREATE Work\r\n");
  CHECK(encoded(Create{"Gesendet", mailstore::Role::Sent}) == "T CREATE Gesendet (USE (\\Sent))\r\n");
  CHECK(encoded(Create{"Everything", mailstore::Role::All}) == "T CREATE Everything\r\n");
  CHECK(encoded(Rename{"A", "B C"}) == "T RENAME A \"B C\"\r\n");
  CHECK(encoded(Delete{"A"}) == "T DELETE A\r\n");
  CHECK(encoded(Subscribe{"A"}) == "T SUBSCRIBE A\r\n");
  CHECK(encoded(Unsubscribe{"A"}) == "T UNSUBSCRIBE A\r\n");
}

namespace {

AppendMessage messageOf(const std::string& octets) {
  AppendMessage out;
  out.flags = mailstore::Flags::parse({"\\Seen"});
  out.date = {1577934245, 60};  // 2020-01-02T04:04:05+01:00
  out.size = octets.size();
  out.octets = octets;
  return out;
}

constexpr const char* kHead = "(\\Seen) \"02-Jan-2020 04:04:05 +0100\" ";

}  // namespace

TEST_CASE("APPEND has flags, internal date and literals that wait only where they must", "[imap][encoder]") {
  const Append one{"INBOX", {messageOf("a\r\nb")}};
  CHECK(encoded(one, {.literals = LiteralMode::Plus}) == "T APPEND INBOX " + std::string(kHead) + "{4+}\r\na\r\nb\r\n");
  const Append two{"INBOX", {messageOf("1"), messageOf("22")}};
  CHECK(encode("T", two, {.literals = LiteralMode::Synchronising}).pieces ==
        Pieces{"T APPEND INBOX " + std::string(kHead) + "{1}\r\n", "1 " + std::string(kHead) + "{2}\r\n", "22\r\n"});
  const Append large{"INBOX", {messageOf(std::string(4097, 'x'))}};
  CHECK(encode("T", large, {.literals = LiteralMode::Minus}).pieces.size() == 2);
  CHECK(encode("T", large, {.literals = LiteralMode::Plus}).pieces.size() == 1);
}

TEST_CASE("octets that are supplied later are announced, and owed where they belong", "[imap][encoder]") {
  AppendMessage later = messageOf("");
  later.size = 1'000'000;
  later.octets.reset();
  later.literal = LiteralKind::Binary;
  const EncodedCommand plus = encode("T", Append{"INBOX", {later}}, {.literals = LiteralMode::Plus});
  CHECK(plus.pieces == Pieces{"T APPEND INBOX " + std::string(kHead) + "~{1000000+}\r\n", "\r\n"});
  REQUIRE(plus.owed.size() == 1);
  CHECK(plus.owed.front().octets == 1'000'000);
  CHECK(plus.owed.front().mode == LiteralMode::Plus);
  const EncodedCommand waits = encode("T", Append{"INBOX", {later}}, {.literals = LiteralMode::Synchronising});
  CHECK(waits.owed.front().mode == LiteralMode::Synchronising);
}

TEST_CASE("a message of another size than it says is not sent", "[imap][encoder]") {
  AppendMessage wrong = messageOf("four");
  wrong.size = 5;
  CHECK(problemOf(Append{"INBOX", {wrong}}) == "a message has another size than it says");
}

TEST_CASE("COPYUID tells which message became which, in the server's order", "[imap][codes]") {
  const auto copied = parseCopyUid("38505 304,319:320 3956:3958");
  REQUIRE(copied.has_value());
  CHECK(copied->uidValidity == mailstore::UidValidity{38505});
  using mailstore::Uid;
  const std::vector<std::pair<Uid, Uid>> wanted{{Uid{304}, Uid{3956}}, {Uid{319}, Uid{3957}}, {Uid{320}, Uid{3958}}};
  CHECK(copied->uids == wanted);
  CHECK(parseCopyUid("1 5,3 9,8")->uids.front() == std::pair{Uid{5}, Uid{9}});
  for (const char* wrong : {"", "1", "1 2", "0 1 1", "1 1:3 1:2", "1 1 0", "1 1, 1", "1 1 1 1",
                            "1 1:4294967295 1:4294967295", "x 1 1", "1 * 1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parseCopyUid(wrong));
  }
}
