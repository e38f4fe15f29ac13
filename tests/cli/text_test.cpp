#include "tests/support/catch.h"

#include "cli/text/json.h"
#include "cli/text/nearest.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"

using namespace mailbraid::cli;
using namespace std::chrono_literals;

TEST_CASE("octets that are not UTF-8 become replacement characters, one each", "[cli][text]") {
  CHECK(validUtf8("gr\xC3\xBC\xC3\x9F") == "gr\xC3\xBC\xC3\x9F");
  CHECK(validUtf8("a\xFF"
                  "b") ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(validUtf8("\xC3") == "\xEF\xBF\xBD");
  CHECK(validUtf8("\xC0\xAF") == "\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(validUtf8("\xED\xA0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(validUtf8("\xF4\x90\x80\x80").size() == 12);
  CHECK(validUtf8("\xF0\x9F\x93\xAC") == "\xF0\x9F\x93\xAC");
}

TEST_CASE("a subject cannot move the cursor, ring the bell or turn the direction of a line", "[cli][text]") {
  CHECK(harmlessLine("a\x1B[2Jb") == "a\xC2\xB7[2Jb");
  CHECK(harmlessLine("a\x07\r\nb\tc") == "a\xC2\xB7 b c");
  CHECK(harmlessLine("a\rb") ==
        "a\xC2\xB7"
        "b");
  CHECK(harmlessLine("x\xC2\x9B"
                     "31my") ==
        "x\xC2\xB7"
        "31my");
  CHECK(harmlessLine("x\xE2\x80\xAEy") == "x\xC2\xB7y");
  CHECK(harmlessLine(std::string_view("a\0b", 3)) ==
        "a\xC2\xB7"
        "b");
  CHECK(harmlessText("a\r\nb\tc\x1B]0;t\x07\n") == "a\nb\tc\xC2\xB7]0;t\xC2\xB7\n");
}

TEST_CASE("text is cut and padded by columns, not by octets", "[cli][text]") {
  CHECK(displayWidth("gr\xC3\xBC\xC3\x9F") == 4);
  CHECK(displayWidth("\xE9\x80\x81\xE4\xBF\xA1") == 4);
  CHECK(displayWidth("e\xCC\x81") == 1);
  CHECK(cutToWidth("mailbraid", 5) == "mail\xE2\x80\xA6");
  CHECK(cutToWidth("\xE9\x80\x81\xE4\xBF\xA1", 3) == "\xE9\x80\x81\xE2\x80\xA6");
  CHECK(cutToWidth("abc", 3) == "abc");
  CHECK(paddedToWidth("ab", 4) == "ab  ");
  CHECK(displayWidth(paddedToWidth("\xE9\x80\x81\xE4\xBF\xA1\xE6\xB8\x88", 4)) == 4);
}

TEST_CASE("JSON strings are escaped and always UTF-8", "[cli][json]") {
  CHECK(jsonString("a\"b\\c\n\t\r") == R"("a\"b\\c\n\t\r")");
  CHECK(jsonString(std::string_view("\0\x1F\x7F", 3)) == R"("\u0000\u001f\u007f")");
  CHECK(jsonString("\xFFx") == "\"\xEF\xBF\xBDx\"");
  CHECK(jsonString("\xE9\x80\x81") == "\"\xE9\x80\x81\"");
}

TEST_CASE("a JSON object keeps the order of its keys", "[cli][json]") {
  JsonObject object;
  object.add("z", "1")
      .add("a", 7U)
      .add("b", true)
      .add("c", 0.25)
      .add("d", std::vector<std::string>{"x", "y\""})
      .addNull("e");
  object.add("f", JsonObject().add("g", -1));
  CHECK(object.text() == R"({"z":"1","a":7,"b":true,"c":0.250,"d":["x","y\""],"e":null,"f":{"g":-1}})");
  CHECK(JsonObject().text() == "{}");
}

TEST_CASE("a time is a number and one unit, nothing else", "[cli][units]") {
  CHECK(parseDuration("30s") == 30s);
  CHECK(parseDuration("5m") == 5min);
  CHECK(parseDuration("12h") == 12h);
  CHECK(parseDuration("14d") == 14 * 24h);
  CHECK(parseDuration("2w") == 14 * 24h);
  for (const char* wrong :
       {"", "14", "d", "0d", "-1d", "1.5h", "14 d", "14days", "99999999999999999999d", "400000d", "1D", "+1d"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parseDuration(wrong));
  }
  CHECK(durationText(14 * 24h) == "2w");
  CHECK(durationText(90s) == "90s");
}

TEST_CASE("sizes have one unit of a thousand each, or none", "[cli][text]") {
  CHECK(parseSize("1") == 1U);
  CHECK(parseSize("500k") == 500'000U);
  CHECK(parseSize("25M") == 25'000'000U);
  CHECK(parseSize("2G") == 2'000'000'000U);
  for (const char* wrong : {"", "0", "0M", "-1", "M", "25 M", "25MB", "25m", "1.5G", "99999999999G", "1k2"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parseSize(wrong));
  }
}

TEST_CASE("sizes are written in powers of 1000", "[cli][units]") {
  CHECK(sizeText(999) == "999 B");
  CHECK(sizeText(1'234'567) == "1.2 MB");
  CHECK(sizeText(999'990) == "1.0 MB");
}

TEST_CASE("dates are RFC 3339 in the zone they were told in", "[cli][units]") {
  CHECK(rfc3339(mailbraid::mailstore::InternalDate{0, 0}) == "1970-01-01T00:00:00Z");
  CHECK(rfc3339(mailbraid::mailstore::InternalDate{1'700'000'000, 60}) == "2023-11-14T23:13:20+01:00");
  CHECK(rfc3339(mailbraid::mailstore::InternalDate{1'700'000'000, -570}) == "2023-11-14T12:43:20-09:30");
  CHECK(rfc3339(mailbraid::mailstore::InternalDate{INT64_MAX, 0}).starts_with("9999-"));
  CHECK(rfc3339(mailbraid::mailstore::InternalDate{INT64_MIN, 0}).starts_with("0000-"));
}

TEST_CASE("counts read as people write them", "[cli][units]") {
  CHECK(counted(1, "message") == "1 message");
  CHECK(counted(0, "message") == "0 messages");
  CHECK(counted(1234, "mailbox") == "1,234 mailboxes");
  CHECK(grouped(100) == "100");
  CHECK(grouped(1234567) == "1,234,567");
  CHECK(elapsedText(0.44) == "0.4 s");
  CHECK(elapsedText(200) == "3 min 20 s");
  CHECK(elapsedText(3900) == "1 h 5 min");
}

TEST_CASE("the nearest known name is offered, and none that is far", "[cli][nearest]") {
  const std::vector<std::string> known{"host", "port", "user", "password_command"};
  CHECK(nearest("usr", known) == "user");
  CHECK(nearest("hots", known) == "host");
  CHECK(nearest("User", known) == "user");
  CHECK(nearest("password_comand", known) == "password_command");
  CHECK_FALSE(nearest("zebra", known));
  CHECK_FALSE(nearest("x", known));
  CHECK(editDistance("ab", "ba") == 1);
  CHECK(editDistance("", "abc") == 3);
  CHECK(didYouMean("prot", known) == " did you mean \"port\"?");
  CHECK(didYouMean("qqq", known).empty());
}
