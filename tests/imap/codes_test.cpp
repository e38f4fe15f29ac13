// Capabilities, response codes and dates: the small tables.
#include "sync/imap/capabilities.h"
#include "sync/imap/internal_date.h"
#include "sync/imap/response_code.h"
#include "tests/support/catch.h"

#include <string>
#include <vector>

using namespace mailbraid;
using namespace mailbraid::sync::imap;

TEST_CASE("capabilities compare in any case and keep their values", "[imap][capabilities]") {
  const auto capabilities = Capabilities::parse(" IMAP4rev1  auth=PLAIN AUTH=SCRAM-SHA-256 Literal+ IMAP4REV1 ", 512);
  CHECK(capabilities.has("literal+"));
  CHECK(capabilities.has("AUTH=PLAIN"));
  CHECK_FALSE(capabilities.has("AUTH"));
  CHECK_FALSE(capabilities.has("ENABLE"));
  CHECK(capabilities.authMechanisms() == std::vector<std::string>{"PLAIN", "SCRAM-SHA-256"});
  CHECK(capabilities.names().size() == 4);
  CHECK(Capabilities::parse("A B C D", 2).names().size() == 2);
}

TEST_CASE("IMAP4rev2 contains the extensions that it took in", "[imap][capabilities]") {
  const auto capabilities = Capabilities::parse("IMAP4rev2", 512);
  for (const std::string_view name :
       {"ENABLE", "ESEARCH", "LIST-STATUS", "LITERAL-", "UNSELECT", "SASL-IR", "NAMESPACE", "UIDPLUS"}) {
    CAPTURE(std::string(name));
    CHECK(capabilities.has(name));
    CHECK_FALSE(capabilities.announces(name));
  }
  CHECK_FALSE(capabilities.has("QRESYNC"));
  CHECK_FALSE(capabilities.has("LITERAL+"));
  CHECK_FALSE(capabilities.has("ID"));
}

TEST_CASE("every response code of RFC 5530 is known with what it means for the caller", "[imap][codes]") {
  struct Row {
    std::string name;
    FailureAdvice advice;
  };
  const std::vector<Row> rows = {
      {"UNAVAILABLE", FailureAdvice::TryLater},
      {"AUTHENTICATIONFAILED", FailureAdvice::Refused},
      {"AUTHORIZATIONFAILED", FailureAdvice::Refused},
      {"EXPIRED", FailureAdvice::Refused},
      {"PRIVACYREQUIRED", FailureAdvice::Refused},
      {"CONTACTADMIN", FailureAdvice::Refused},
      {"NOPERM", FailureAdvice::Refused},
      {"INUSE", FailureAdvice::TryLater},
      {"EXPUNGEISSUED", FailureAdvice::TryLater},
      {"CORRUPTION", FailureAdvice::TryLater},
      {"SERVERBUG", FailureAdvice::TryLater},
      {"CLIENTBUG", FailureAdvice::Never},
      {"CANNOT", FailureAdvice::Never},
      {"LIMIT", FailureAdvice::TryLater},
      {"OVERQUOTA", FailureAdvice::TryLater},
      {"ALREADYEXISTS", FailureAdvice::Never},
      {"NONEXISTENT", FailureAdvice::Never},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const ResponseCode code = parseResponseCode(row.name);
    CHECK(code.kind != ResponseCodeKind::Unknown);
    CHECK(responseCodeName(code.kind) == row.name);
    CHECK(adviceOf(code.kind) == row.advice);
  }
}

TEST_CASE("every kind of response code has exactly one name", "[imap][codes]") {
  for (int i = static_cast<int>(ResponseCodeKind::Alert); i <= static_cast<int>(ResponseCodeKind::Throttled); ++i) {
    const auto kind = static_cast<ResponseCodeKind>(i);
    CAPTURE(i);
    REQUIRE_FALSE(responseCodeName(kind).empty());
    CHECK(isKnownResponseCode(responseCodeName(kind)));
  }
}

TEST_CASE("a code with a number is taken at its word only when the number fits", "[imap][codes]") {
  CHECK(parseResponseCode("uidvalidity 4294967295").number == 4294967295U);
  CHECK(parseResponseCode("UIDVALIDITY 4294967296").kind == ResponseCodeKind::Unknown);
  CHECK(parseResponseCode("UIDVALIDITY 0").kind == ResponseCodeKind::Unknown);
  CHECK(parseResponseCode("UIDVALIDITY").kind == ResponseCodeKind::Unknown);
  CHECK(parseResponseCode("UIDVALIDITY 3x").kind == ResponseCodeKind::Unknown);
  CHECK(parseResponseCode("UIDNEXT 0").kind == ResponseCodeKind::UidNext);
  CHECK(parseResponseCode("HIGHESTMODSEQ 9223372036854775807").number == 9223372036854775807U);
  CHECK(parseResponseCode("HIGHESTMODSEQ 9223372036854775808").kind == ResponseCodeKind::Unknown);
  CHECK(parseResponseCode("HIGHESTMODSEQ  5 ").number == 5);
  CHECK(parseResponseCode("XSOMETHING a b").kind == ResponseCodeKind::Unknown);
  CHECK(parseResponseCode("XSOMETHING a b").arguments == "a b");
  CHECK(parseResponseCode("").kind == ResponseCodeKind::Unknown);
}

TEST_CASE("APPENDUID and MODIFIED give sets or nothing", "[imap][codes]") {
  const auto append = parseAppendUid("38505 3955,3960:3961");
  REQUIRE(append.has_value());
  CHECK(append->uidValidity == mailstore::UidValidity{38505});
  CHECK(append->uids.text() == "3955,3960:3961");
  CHECK_FALSE(parseAppendUid("0 5").has_value());
  CHECK_FALSE(parseAppendUid("5").has_value());
  CHECK_FALSE(parseAppendUid("5 *").has_value());
  CHECK(parseModified("7,9")->text() == "7,9");
  CHECK_FALSE(parseModified("").has_value());
}

TEST_CASE("internal dates are seconds and a zone, and impossible ones are none", "[imap][dates]") {
  CHECK(parseInternalDate("17-Jul-1996 02:44:25 -0700") == mailstore::InternalDate{837596665, -420});
  CHECK(parseInternalDate(" 1-Jan-1970 00:00:00 +0000") == mailstore::InternalDate{0, 0});
  CHECK(parseInternalDate("1-jan-1970 05:45:00 +0545") == mailstore::InternalDate{0, 345});
  CHECK(parseInternalDate("29-Feb-2024 00:00:00 +0000").has_value());
  CHECK(parseInternalDate("31-Dec-1969 23:59:59 +0000") == mailstore::InternalDate{-1, 0});
  for (const std::string_view text :
       {"", "29-Feb-2023 00:00:00 +0000", "32-Jan-2023 00:00:00 +0000", "1-Foo-2023 00:00:00 +0000",
        "1-Jan-2023 24:00:00 +0000", "1-Jan-2023 00:60:00 +0000", "1-Jan-2023 00:00:00", "1-Jan-2023 00:00:00 0000",
        "1-Jan-2023 00:00:00 +00000", "1-Jan-2023 00:00:00 +0060", "1-Jan-99999 00:00:00 +0000",
        "1-Jan-2023 00:00:00 +0000x", "0-Jan-2023 00:00:00 +0000"}) {
    CAPTURE(std::string(text));
    CHECK_FALSE(parseInternalDate(text).has_value());
  }
}
