// A transcript for every quirk in sync/imap/quirks.h.
#include "sync/imap/quirks.h"
#include "tests/imap/session_script.h"
#include "tests/support/catch.h"

#include <algorithm>

using namespace mailbraid;
using namespace mailbraid::sync::imap;
using Lines = std::vector<std::string>;

namespace {

struct Transcript {
  Quirk quirk;
  std::string wire;
  Lines events;
};

const std::vector<Transcript> kTranscripts = {
    {Quirk::BareLineFeed,
     "* 3 EXISTS\n* 1 FETCH (BODY[] {2}\nab)\n",
     {"Exists 3", "FetchBegin 1", "BodyBegin whole BODY[] 2", "BodyChunk ab", "BodyEnd", "FetchEnd 1"}},
    {Quirk::ExtraSpaces,
     "*  1  FETCH  ( UID  7   FLAGS  ( \\Seen  )  ) \r\n* 3  EXISTS \r\n* LIST ( )  \"/\"  a \r\n",
     {"FetchBegin 1", "FetchEnd 1 uid=7 flags=(\\Seen)", "Exists 3", "List 'a' wire='a' / ()"}},
    {Quirk::EmptyLine, "\r\n* 3 EXISTS\r\n\r\n", {"Exists 3"}},
    {Quirk::EmptySearch, "* SEARCH\r\n* SEARCH \r\n", {"Search ''", "Search ''"}},
    {Quirk::UnorderedSearch, "* SEARCH 9 3 3 4 1\r\n", {"Search '1,3:4,9'"}},
    {Quirk::ShortInternalDate,
     "* 1 FETCH (INTERNALDATE \" 1-Jan-1970 00:00:00 +0000\")\r\n* 2 FETCH (INTERNALDATE \"1-Jan-1970 00:00:01 "
     "+0000\")\r\n",
     {"FetchBegin 1", "FetchEnd 1 date=0/0", "FetchBegin 2", "FetchEnd 2 date=1/0"}},
    {Quirk::UidNextZero,
     "* OK [UIDNEXT 0] x\r\n* STATUS a (UIDNEXT 0)\r\n",
     {"Status OK [UIDNEXT 0] 'x'", "StatusData 'a'"}},
    {Quirk::HighestModSeqZero,
     "* STATUS a (HIGHESTMODSEQ 0)\r\n* 1 FETCH (UID 2 MODSEQ (0))\r\n",
     {"StatusData 'a'", "FetchBegin 1", "FetchEnd 1 uid=2"}},
    {Quirk::DelimiterNilUnquoted,
     "* LIST () \"\" a\r\n* LIST () nil b\r\n",
     {"List 'a' wire='a' NIL ()", "List 'b' wire='b' NIL ()"}},
    {Quirk::LowerCaseSpecialUse,
     "* LIST (\\HasNoChildren \\sent) \"/\" Sent\r\n",
     {"List 'Sent' wire='Sent' / (HasNoChildren) role=sent"}},
    {Quirk::OddFlags,
     "* 1 FETCH (FLAGS (\\* \\Recent \\Odd a]b \\seen))\r\n* FLAGS ()\r\n",
     {"FetchBegin 1", "FetchEnd 1 flags=(\\Seen a]b)", "MailboxFlags ()"}},
    {Quirk::StatusWithoutText,
     "* OK\r\n* NO [ALERT]\r\n* BAD \r\n",
     {"Status OK ''", "Alert ''", "Status NO [ALERT] ''", "Status BAD ''"}},
    {Quirk::BodyNil,
     "* 1 FETCH (UID 7 BODY[] NIL)\r\n",
     {"FetchBegin 1", "BodyMissing whole BODY[]", "FetchEnd 1 uid=7"}},
    {Quirk::BodyQuoted,
     "* 1 FETCH (BODY[] \"a\\\"b\\\\\" BODY[HEADER] \"\" UID 7)\r\n",
     {"FetchBegin 1", "BodyBegin whole BODY[] 4", "BodyChunk a\"b\\", "BodyEnd", "BodyBegin header BODY[HEADER] 0",
      "BodyEnd", "FetchEnd 1 uid=7"}},
    {Quirk::UnknownFetchItem,
     "* 1 FETCH (XONE (a (b)) XTWO \"c\" XTHREE {1}\r\nd XFOUR e UID 7)\r\n",
     {"FetchBegin 1", "FetchEnd 1 uid=7"}},
    {Quirk::UnknownResponse,
     "* QUOTA \"\" (STORAGE 10 512)\r\n* 5 XNEW\r\n* METADATA a (/x {3}\r\n)\r\n)\r\n* 3 EXISTS\r\n",
     {"Exists 3"}},
    {Quirk::BracketInFlag, "* OK [PERMANENTFLAGS (\\Seen a]b)] x\r\n", {"PermanentFlags (\\Seen a]b)"}},
    {Quirk::ModSeqWithoutParentheses, "* 1 FETCH (MODSEQ 5 UID 7)\r\n", {"FetchBegin 1", "FetchEnd 1 uid=7 modseq=5"}},
    {Quirk::InboxInAnyCase,
     "* LIST () \"/\" Inbox\r\n* STATUS \"inbox\" (MESSAGES 1)\r\n",
     {"List 'INBOX' wire='INBOX' / () role=inbox", "StatusData 'INBOX' messages=1"}},
    {Quirk::StatusNameUnquoted,
     "* STATUS Sent Items (MESSAGES 1 MAILBOXID (F1))\r\n",
     {"StatusData 'Sent Items' messages=1 id=F1"}},
};

}  // namespace

TEST_CASE("every quirk is taken, at every split", "[imap][quirks]") {
  for (const Transcript& transcript : kTranscripts) {
    CAPTURE(transcript.wire);
    tests::checkAtEverySplit(transcript.wire, transcript.events, tests::authenticated);
  }
}

TEST_CASE("a lone plus is a continuation request", "[imap][quirks]") {
  tests::Script script;
  script.serverSays("* OK hi\r\n");
  script.client().send(Authenticate{"EXTERNAL", {}});
  script.clientSends("A1 AUTHENTICATE EXTERNAL");
  CHECK(script.serverSays("+\r\n") == Lines{"Continuation ''"});
}

TEST_CASE("every quirk of the list has a transcript", "[imap][quirks]") {
  for (const QuirkRow& row : kQuirks) {
    CAPTURE(std::string(row.what));
    const bool isTested = std::any_of(kTranscripts.begin(), kTranscripts.end(),
                                      [&](const Transcript& transcript) { return transcript.quirk == row.quirk; });
    // A continuation needs a command that waits for it: it has a test of its own.
    CHECK((isTested || row.quirk == Quirk::ContinuationWithoutSpace));
  }
}
