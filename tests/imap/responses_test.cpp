// Untagged responses other than FETCH, each whole, octet by octet and at every split.
#include "tests/imap/session_script.h"
#include "tests/support/catch.h"

using namespace mailbraid;
using namespace mailbraid::sync::imap;
using tests::authenticated;
using tests::checkAtEverySplit;
using tests::eventsOf;
using Lines = std::vector<std::string>;

namespace {

void check(std::string_view wire, const Lines& expected) {
  checkAtEverySplit(wire, expected, authenticated);
}

}  // namespace

TEST_CASE("LIST tells name, delimiter, attributes and role", "[imap][list]") {
  check("* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Items\"\r\n",
        {"List 'Sent Items' wire='Sent Items' / (HasNoChildren) role=sent"});
  check("* LIST (\\Noselect \\HasChildren) \".\" Lists.C\r\n",
        {"List 'Lists/C' wire='Lists.C' . (NoSelect HasChildren)"});
  check("* LIST (\\NonExistent \\Subscribed) \"/\" gone\r\n",
        {"List 'gone' wire='gone' / (NoSelect NonExistent Subscribed)"});
  check("* LIST () \"\\\\\" \"a\\\\b\"\r\n", {"List 'a/b' wire='a\\b' \\ ()"});
  check("* LIST () NIL INBOX\r\n", {"List 'INBOX' wire='INBOX' NIL () role=inbox"});
  check("* LIST (\\Drafts) \"/\" Entw&APw-rfe\r\n", {"List 'Entw\xC3\xBCrfe' wire='Entw&APw-rfe' / () role=drafts"});
}

TEST_CASE("a mailbox name may come as a literal", "[imap][list]") {
  check("* LIST () \"/\" {7}\r\na \"b\\ c\r\n* LIST () \"/\" {1}\r\nd (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n",
        {"List 'a \"b\\ c' wire='a \"b\\ c' / ()", "List 'd' wire='d' / () child=SUBSCRIBED"});
}

TEST_CASE("extended LIST data is read where known and skipped where not", "[imap][list]") {
  check("* LIST (\\HasChildren) \"/\" a (\"CHILDINFO\" (\"SUBSCRIBED\") XDATA (1 (2 \"3\")) OLDNAME (\"b c\"))\r\n",
        {"List 'a' wire='a' / (HasChildren) child=SUBSCRIBED old='b c'"});
}

TEST_CASE("a mailbox whose name is refused is told with the reason", "[imap][list]") {
  check("* LIST () \"/\" \"a/../b\"\r\n",
        {"List '' wire='a/../b' / () problem='has a level that would leave its directory'"});
  check("* LIST () \"/\" \"caf\xE9\"\r\n", {"List '' wire='caf\xE9' / () problem='is not valid modified UTF-7'"});
}

TEST_CASE("names are UTF-8 once the server enabled it, or knows only IMAP4rev2", "[imap][list]") {
  checkAtEverySplit("* ENABLED UTF8=ACCEPT\r\n* LIST () \"/\" \"Entw\xC3\xBCrfe\"\r\n",
                    {"Enabled UTF8=ACCEPT", "List 'Entw\xC3\xBCrfe' wire='Entw\xC3\xBCrfe' / ()"}, authenticated);
  checkAtEverySplit("* CAPABILITY IMAP4rev2\r\n* LIST () \"/\" \"a&b\"\r\n",
                    {"CapabilitiesChanged", "List 'a&b' wire='a&b' / ()"}, authenticated);
}

TEST_CASE("STATUS tells what it tells", "[imap][status]") {
  check(
      "* STATUS \"a b\" (MESSAGES 231 UIDNEXT 44292 UIDVALIDITY 7 UNSEEN 3 DELETED 2 SIZE 9999999999 HIGHESTMODSEQ 77 "
      "APPENDLIMIT NIL MAILBOXID (F2212ea87) XNEW (a b))\r\n",
      {"StatusData 'a b' messages=231 uidnext=44292 uidvalidity=7 unseen=3 deleted=2 size=9999999999 modseq=77 "
       "id=F2212ea87"});
  check("* STATUS {5}\r\ninbox (MESSAGES 0)\r\n", {"StatusData 'INBOX' messages=0"});
}

TEST_CASE("SEARCH and ESEARCH give sets of UIDs", "[imap][search]") {
  check("* SEARCH 2 3 6\r\n", {"Search '2:3,6'"});
  check("* SEARCH 2 5 (MODSEQ 917162500)\r\n", {"Search '2,5' modseq=917162500"});
  check("* ESEARCH (TAG \"A282\") UID ALL 4:18,21,28 COUNT 17 MIN 4 MAX 28 MODSEQ 12 XADD (1 2)\r\n",
        {"Search A282 '4:18,21,28' min=4 max=28 count=17 modseq=12"});
  check("* ESEARCH (TAG \"A1\") UID\r\n", {"Search A1 ''"});
  CHECK(eventsOf("* SEARCH 2 0 6\r\n", authenticated) == Lines{"Malformed 29 '0 is no UID'"});
  CHECK(eventsOf("* SEARCH 2 99999999999\r\n", authenticated) == Lines{"Malformed 28 'a number is out of range'"});
  CHECK(eventsOf("* ESEARCH ALL 4\r\n", authenticated) == Lines{"Malformed 32 'an ESEARCH response without UID'"});
}

TEST_CASE("the size of the mailbox and what left it come at any time", "[imap][unsolicited]") {
  check(
      "* 23 EXISTS\r\n* 5 RECENT\r\n* 44 EXPUNGE\r\n* VANISHED 300:310,405\r\n* VANISHED (EARLIER) 1\r\n* FLAGS "
      "(\\Answered $x)\r\n",
      {"Exists 23", "Recent 5", "Expunged 44", "Vanished 300:310,405", "VanishedEarlier 1",
       "MailboxFlags (\\Answered $x)"});
  CHECK(eventsOf("* 0 EXPUNGE\r\n", authenticated) == Lines{"Malformed 28 '0 is no sequence number'"});
  CHECK(eventsOf("* 4294967296 EXISTS\r\n", authenticated) == Lines{"Malformed 19 'a number is out of range'"});
  CHECK(eventsOf("* VANISHED 3:*\r\n", authenticated) ==
        Lines{"Malformed 31 'a set of UIDs is malformed or too long'"});
}

TEST_CASE("ID and NAMESPACE", "[imap][responses]") {
  check("* ID (\"name\" \"Cyrus\" \"v\" NIL \"os\" {2}\r\na))\r\n", {"Id name='Cyrus' v='' os='a)'"});
  check("* ID NIL\r\n", {"Id"});
  check("* NAMESPACE ((\"\" \"/\")(\"#mh/\" \"/\" \"X\" (\"y\"))) NIL ((\"Shared.\" \".\"))\r\n",
        {"Namespaces [|/;#mh/|/;][][Shared.|.;]"});
}

TEST_CASE("untagged OK, NO and BAD carry their codes; ALERT comes first", "[imap][status-responses]") {
  check("* OK [UIDNEXT 4392] Predicted\r\n* NO [ALERT] disk 98% full\r\n* BAD what\r\n* OK [XODD a b] x\r\n",
        {"Status OK [UIDNEXT 4392] 'Predicted'", "Alert 'disk 98% full'", "Status NO [ALERT] 'disk 98% full'",
         "Status BAD 'what'", "Status OK [?XODD a b] 'x'"});
  check("* OK [PERMANENTFLAGS (\\Deleted \\Seen \\*)] Limited\r\n", {"PermanentFlags (\\Seen \\Deleted) new"});
  check("* OK [CAPABILITY IMAP4rev1 IDLE] x\r\n", {"CapabilitiesChanged"});
  check("* BYE [UNAVAILABLE] try later\r\n", {"Bye [UNAVAILABLE] 'try later'"});
}

TEST_CASE("a code whose number is impossible is reported", "[imap][status-responses]") {
  check("* OK [UIDVALIDITY 0] x\r\n",
        {"Malformed 17 'a response code whose argument is missing or out of range'", "Status OK [?UIDVALIDITY 0] 'x'"});
}

TEST_CASE("text in braces at the end of a status response announces no literal", "[imap][framer]") {
  check("* OK see {5}\r\n* 5 EXISTS\r\n", {"Status OK 'see {5}'", "Exists 5"});
}

TEST_CASE("a response with a mistake is skipped with its literals, and the next one is well", "[imap][framer]") {
  check("* LIST x {3}\r\n)\r\n\r\n* 5 EXISTS\r\n",
        {"Malformed 24 'LIST does not begin with its attributes'", "Exists 5"});
  check("* LIST (\\a \"/\" {3}\r\nb)c\r\n* 5 EXISTS\r\n",
        {"Malformed 28 'a list of mailbox attributes is malformed'", "Exists 5"});
  check("* STATUS INBOX (MESSAGES x)\r\n* 5 EXISTS\r\n", {"Malformed 42 'a number is missing'", "Exists 5"});
}
