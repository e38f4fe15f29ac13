// Every command as it goes onto the wire.
#include "tests/imap/encoder_fixture.h"

#include <string>
#include <vector>

using namespace mailbraid;
using namespace mailbraid::sync::imap;
using namespace mailbraid::tests;

TEST_CASE("commands without arguments are their names", "[imap][encoder]") {
  CHECK(encoded(Capability{}) == "T CAPABILITY\r\n");
  CHECK(encoded(Noop{}) == "T NOOP\r\n");
  CHECK(encoded(Logout{}) == "T LOGOUT\r\n");
  CHECK(encoded(StartTls{}) == "T STARTTLS\r\n");
  CHECK(encoded(Compress{}) == "T COMPRESS DEFLATE\r\n");
  CHECK(encoded(Namespace{}) == "T NAMESPACE\r\n");
  CHECK(encoded(Unselect{}) == "T UNSELECT\r\n");
  CHECK(encoded(Close{}) == "T CLOSE\r\n");
}

TEST_CASE("strings are atoms, quoted or literals, the first that can hold them", "[imap][encoder]") {
  const EncodeContext plus{.literals = LiteralMode::Plus};
  CHECK(encoded(Login{"me@example.org", SecretText("simple1")}) == "T LOGIN me@example.org simple1\r\n");
  CHECK(encoded(Login{"m e", SecretText("a\"b\\c")}) == "T LOGIN \"m e\" \"a\\\"b\\\\c\"\r\n");
  CHECK(encoded(Login{"nil", SecretText("")}) == "T LOGIN \"nil\" \"\"\r\n");
  CHECK(encoded(Login{"me", SecretText("p\xC3\xA4ss")}, plus) == "T LOGIN me {5+}\r\np\xC3\xA4ss\r\n");
  CHECK(encoded(Login{"me", SecretText("\x01")}, plus) == "T LOGIN me {1+}\r\n\x01\r\n");
  CHECK(encoded(Select{"p\xC3\xA4ss"}, {.utf8 = Utf8Quoting::Allowed}) == "T EXAMINE \"p\xC3\xA4ss\"\r\n");
  CHECK(encoded(Select{"*"}) == "T EXAMINE \"*\"\r\n");
  CHECK(encoded(Select{"(x)"}) == "T EXAMINE \"(x)\"\r\n");
}

TEST_CASE("a synchronising literal cuts the command where the server has to answer", "[imap][encoder]") {
  const EncodedCommand out = encode("T", Login{"\xC3\xA4", SecretText("\xC3\xB6")}, {});
  CHECK(out.pieces == Pieces{"T LOGIN {2}\r\n", "\xC3\xA4 {2}\r\n", "\xC3\xB6\r\n"});
}

TEST_CASE("LITERAL- leaves short literals unsynchronised and synchronises long ones", "[imap][encoder]") {
  const EncodeContext minus{.literals = LiteralMode::Minus};
  const std::string fits(4096, '\xE4');
  const std::string tooLong(4097, '\xE4');
  CHECK(encode("T", Select{fits}, minus).pieces == Pieces{"T EXAMINE {4096+}\r\n" + fits + "\r\n"});
  CHECK(encode("T", Select{tooLong}, minus).pieces == Pieces{"T EXAMINE {4097}\r\n", tooLong + "\r\n"});
}

TEST_CASE("what would break a line is refused and nothing of it is written", "[imap][encoder]") {
  using namespace std::string_literals;
  CHECK(problemOf(Login{"me", SecretText("a\r\nA2 LOGOUT")}) == "an argument has a CR, LF or NUL in it");
  CHECK(problemOf(Login{"a\nb", SecretText("x")}) == "an argument has a CR, LF or NUL in it");
  CHECK(problemOf(Select{"a\0b"s}) == "an argument has a CR, LF or NUL in it");
  CHECK(problemOf(Enable{{"A B"}}) == "a word of a command is no atom");
  CHECK(problemOf(Enable{}) == "there is nothing to enable");
  CHECK(problemOf(Authenticate{"PLAIN\r\n", {}}) == "a word of a command is no atom");
  CHECK(problemOf(UidFetch{}) == "the set of UIDs is empty");
  CHECK(problemOf(UidFetch{.uids = UidsFrom{mailstore::Uid{0}}}) == "0 is no UID");
  CHECK(problemOf(Select{.mailbox = "a", .qresync = Qresync{}}) == "QRESYNC knows nothing");
  CHECK(problemOf(Status{"a", {}}) == "STATUS asks for nothing");
  CHECK(problemOf(UidFetch{.uids = uids("1"), .vanished = VanishedMode::Vanished}) == "VANISHED needs CHANGEDSINCE");
}

TEST_CASE("AUTHENTICATE carries its initial response only with SASL-IR", "[imap][encoder]") {
  const EncodeContext ir{.initialResponse = InitialResponse::WithCommand};
  CHECK(encoded(Authenticate{"PLAIN", SecretText("AGEAYg==")}, ir) == "T AUTHENTICATE PLAIN AGEAYg==\r\n");
  CHECK(encoded(Authenticate{"EXTERNAL", SecretText("")}, ir) == "T AUTHENTICATE EXTERNAL =\r\n");
  CHECK(encoded(Authenticate{"SCRAM-SHA-256", {}}, ir) == "T AUTHENTICATE SCRAM-SHA-256\r\n");
  CHECK(encoded(Authenticate{"PLAIN", SecretText("AGEAYg==")}) == "T AUTHENTICATE PLAIN\r\n");
}

TEST_CASE("what stands for LOGIN and AUTHENTICATE in a trace has no secret in it", "[imap][encoder]") {
  CHECK(encode("T", Login{"me", SecretText("secret")}, {}).redacted == "T LOGIN <redacted>\r\n");
  CHECK(encode("T", Authenticate{"PLAIN", SecretText("c2VjcmV0")}, {}).redacted ==
        "T AUTHENTICATE PLAIN <redacted>\r\n");
  CHECK(encode("T", Noop{}, {}).redacted.empty());
}

TEST_CASE("ID and ENABLE list what they are given", "[imap][encoder]") {
  CHECK(encoded(Id{}) == "T ID NIL\r\n");
  CHECK(encoded(Id{{{"name", "mailbraid"}, {"version", "0.1"}}}) ==
        "T ID (\"name\" \"mailbraid\" \"version\" \"0.1\")\r\n");
  CHECK(encoded(Enable{{"CONDSTORE", "UTF8=ACCEPT"}}) == "T ENABLE CONDSTORE UTF8=ACCEPT\r\n");
}

TEST_CASE("LIST is that of RFC 3501 until an option is asked for", "[imap][encoder]") {
  CHECK(encoded(List{}) == "T LIST \"\" \"*\"\r\n");
  CHECK(encoded(List{.reference = "a/", .patterns = {"%", "INBOX"}}) == "T LIST \"a/\" (\"%\" \"INBOX\")\r\n");
  CHECK(encoded(List{.select = {ListSelection::Subscribed, ListSelection::RecursiveMatch},
                     .returns = {ListReturn::Children, ListReturn::SpecialUse}}) ==
        "T LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"*\" RETURN (CHILDREN SPECIAL-USE)\r\n");
  CHECK(encoded(List{.status = {StatusItem::UidNext, StatusItem::MailboxId}}) ==
        "T LIST \"\" \"*\" RETURN (STATUS (UIDNEXT MAILBOXID))\r\n");
  CHECK(encoded(Lsub{}) == "T LSUB \"\" \"*\"\r\n");
}

TEST_CASE("STATUS, EXAMINE and SELECT name the mailbox and what the client knows of it", "[imap][encoder]") {
  CHECK(encoded(Status{"INBOX", {StatusItem::Messages, StatusItem::Size}}) == "T STATUS INBOX (MESSAGES SIZE)\r\n");
  CHECK(encoded(Select{"INBOX"}) == "T EXAMINE INBOX\r\n");
  CHECK(encoded(Select{.mailbox = "a b", .mode = SelectMode::ReadWrite}) == "T SELECT \"a b\"\r\n");
  CHECK(encoded(Select{.mailbox = "a", .extension = SelectExtension::Condstore}) == "T EXAMINE a (CONDSTORE)\r\n");
  CHECK(encoded(Select{.mailbox = "a",
                       .qresync = Qresync{mailstore::UidValidity{7}, mailstore::ModSeq{90060115205545359}, {}}}) ==
        "T EXAMINE a (QRESYNC (7 90060115205545359))\r\n");
  CHECK(encoded(Select{.mailbox = "a",
                       .qresync = Qresync{mailstore::UidValidity{7}, mailstore::ModSeq{9}, uids("1:3,9")}}) ==
        "T EXAMINE a (QRESYNC (7 9 1:3,9))\r\n");
}

TEST_CASE("UID FETCH asks for the body last and takes its modifiers", "[imap][encoder]") {
  CHECK(encoded(UidFetch{.uids = uids("1:3,5")}) == "T UID FETCH 1:3,5 (UID)\r\n");
  CHECK(
      encoded(UidFetch{.uids = UidsFrom{mailstore::Uid{7}},
                       .items = {FetchItem::BodyPeek, FetchItem::Flags, FetchItem::Size, FetchItem::GmailMessageId}}) ==
      "T UID FETCH 7:* (UID FLAGS RFC822.SIZE X-GM-MSGID BODY.PEEK[])\r\n");
  CHECK(encoded(UidFetch{.uids = UidsFrom{mailstore::Uid{1}},
                         .items = {FetchItem::Flags},
                         .changedSince = mailstore::ModSeq{12345},
                         .vanished = VanishedMode::Vanished}) ==
        "T UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 12345 VANISHED)\r\n");
}

TEST_CASE("UID SEARCH is that of RFC 3501 until ESEARCH is asked for", "[imap][encoder]") {
  CHECK(encoded(UidSearch{}) == "T UID SEARCH ALL\r\n");
  CHECK(encoded(UidSearch{.uids = UidsFrom{mailstore::Uid{7}}, .returns = {SearchReturn::All}}) ==
        "T UID SEARCH RETURN (ALL) UID 7:*\r\n");
  CHECK(encoded(UidSearch{.returns = {SearchReturn::Min, SearchReturn::Count}}) ==
        "T UID SEARCH RETURN (MIN COUNT) ALL\r\n");
}
