// A whole session, as the pull of one mailbox goes.
#include "tests/imap/session_script.h"
#include "tests/support/catch.h"

using namespace mailbraid;
using namespace mailbraid::sync::imap;
using tests::Script;
using Lines = std::vector<std::string>;

TEST_CASE("a pull of one mailbox goes from greeting to LOGOUT in five flights", "[imap][session]") {
  Script script;
  Client& client = script.client();
  client.send(Login{"me", SecretText("pass word")});
  CHECK(client.pendingOutput().empty());
  CHECK(script.serverSays("* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ENABLE] Ready.\r\n") ==
        Lines{"Greeting OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ENABLE] 'Ready.'", "CapabilitiesChanged"});
  script.clientSends("A1 LOGIN me \"pass word\"");
  CHECK(script.serverSays("A1 OK [CAPABILITY IMAP4rev1 LITERAL+ ENABLE CONDSTORE QRESYNC LIST-STATUS] in\r\n") ==
        Lines{"CapabilitiesChanged",
              "Done A1 OK [CAPABILITY IMAP4rev1 LITERAL+ ENABLE CONDSTORE QRESYNC LIST-STATUS] 'in'"});
  CHECK(client.state() == SessionState::Authenticated);
  CHECK(client.capabilities().has("qresync"));

  client.send(Enable{{"QRESYNC"}});
  client.send(
      List{.returns = {ListReturn::SpecialUse},
           .status = {StatusItem::Messages, StatusItem::UidNext, StatusItem::UidValidity, StatusItem::HighestModSeq}});
  script.clientSends(
      "A2 ENABLE QRESYNC\r\n"
      "A3 LIST \"\" \"*\" RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))");
  CHECK(script.serverSays("* ENABLED QRESYNC\r\nA2 OK Enabled\r\n"
                          "* LIST (\\HasNoChildren) \"/\" INBOX\r\n"
                          "* STATUS INBOX (MESSAGES 2 UIDNEXT 8 UIDVALIDITY 3 HIGHESTMODSEQ 12)\r\n"
                          "A3 OK done\r\n") ==
        Lines{"Enabled QRESYNC", "Done A2 OK 'Enabled'", "List 'INBOX' wire='INBOX' / (HasNoChildren) role=inbox",
              "StatusData 'INBOX' messages=2 uidnext=8 uidvalidity=3 modseq=12", "Done A3 OK 'done'"});
  CHECK(client.isEnabled("QRESYNC"));

  client.send(Select{.mailbox = "INBOX",
                     .qresync = Qresync{mailstore::UidValidity{3}, mailstore::ModSeq{9},
                                        mailstore::UidSet::of(mailstore::Uid{1}, mailstore::Uid{6})}});
  client.send(UidFetch{.uids = mailstore::UidSet::of(mailstore::Uid{7}, mailstore::Uid{7}),
                       .items = {FetchItem::Flags, FetchItem::InternalDate, FetchItem::BodyPeek}});
  script.clientSends(
      "A4 EXAMINE INBOX (QRESYNC (3 9 1:6))\r\n"
      "A5 UID FETCH 7 (UID FLAGS INTERNALDATE BODY.PEEK[])");
  CHECK(script.serverSays("* FLAGS (\\Seen \\Deleted)\r\n* OK [PERMANENTFLAGS ()] none\r\n* 2 EXISTS\r\n"
                          "* OK [UIDVALIDITY 3] x\r\n* OK [UIDNEXT 8] x\r\n* OK [HIGHESTMODSEQ 12] x\r\n"
                          "* VANISHED (EARLIER) 2,4:6\r\n* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (11))\r\n"
                          "A4 OK [READ-ONLY] done\r\n") ==
        Lines{"MailboxFlags (\\Seen \\Deleted)", "PermanentFlags ()", "Exists 2", "Status OK [UIDVALIDITY 3] 'x'",
              "Status OK [UIDNEXT 8] 'x'", "Status OK [HIGHESTMODSEQ 12] 'x'", "VanishedEarlier 2,4:6", "FetchBegin 1",
              "FetchEnd 1 uid=1 flags=(\\Seen) modseq=11", "Done A4 OK [READ-ONLY] 'done'"});
  REQUIRE(client.selected() != nullptr);
  CHECK(client.selected()->uidNext == mailstore::Uid{8});
  CHECK(client.selected()->exists == 2U);
  CHECK(client.state() == SessionState::Selected);
  CHECK(script.serverSays(
            "* 2 FETCH (FLAGS () INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[] {11}\r\nSubject: x\n UID 7)\r\n"
            "A5 OK done\r\n") == Lines{"FetchBegin 2", "BodyBegin whole BODY[] 11", "BodyChunk Subject: x\n", "BodyEnd",
                                       "FetchEnd 2 uid=7 flags=() date=837596665/-420", "Done A5 OK 'done'"});

  client.send(Logout{});
  script.clientSends("A6 LOGOUT");
  CHECK(script.serverSays("* BYE bye\r\nA6 OK done\r\n") == Lines{"Bye 'bye'", "Done A6 OK 'done'"});
  CHECK(client.state() == SessionState::LoggedOut);
}
