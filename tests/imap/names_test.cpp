// Mailbox names: modified UTF-7 and the way between the wire and the store.
#include "sync/imap/mailbox_name.h"
#include "sync/imap/mutf7.h"
#include "tests/support/catch.h"

#include <string>
#include <utility>
#include <vector>

using namespace mailbraid::sync::imap;

TEST_CASE("modified UTF-7 goes both ways for every kind of character", "[imap][names]") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", ""},
      {"INBOX", "INBOX"},
      {"a&b", "a&-b"},
      {"Entwürfe", "Entw&APw-rfe"},
      {"~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
      {"😀", "&2D3eAA-"},
      {"é&è", "&AOk-&-&AOg-"},
      {"日本", "&ZeVnLA-"},
      {"tab\there", "tab&AAk-here"},
  };
  for (const auto& [utf8, wire] : rows) {
    CAPTURE(utf8);
    CHECK(encodeMutf7(utf8) == wire);
    CHECK(decodeMutf7(wire) == utf8);
  }
}

TEST_CASE("modified UTF-7 that the encoder would not write is refused, so that one mailbox has one name",
          "[imap][names]") {
  const std::vector<std::string> refused = {
      "&",            // unfinished
      "&AOk",         // no end
      "a&AOk-&AOg-",  // two runs where one would do
      "&AGE-",        // shifted ASCII
      "&AAA",         // NUL, unfinished
      "&AO-",         // too short for a character
      "&AOkA-",       // bits left over
      "&AOl-",        // padding bits that are not 0 would be another spelling
      "&2D0-",        // a high surrogate alone
      "&3gA-",        // a low surrogate alone
      "&ZeV!-",       // not base64
      "&ZeV/-",       // the base64 of MIME
      "caf\xC3\xA9",  // 8-bit
      "a\tb",         // a control character
  };
  for (const std::string& wire : refused) {
    CAPTURE(wire);
    CHECK_FALSE(decodeMutf7(wire).has_value());
  }
}

TEST_CASE("UTF-8 that is not well-formed is not encoded", "[imap][names]") {
  for (const std::string text : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xFF", "\x80"}) {
    CHECK_FALSE(isUtf8(text));
    CHECK_FALSE(encodeMutf7(text).has_value());
  }
  CHECK(isUtf8("\xF4\x8F\xBF\xBF"));
}

TEST_CASE("wire names become store names with slashes and one INBOX", "[imap][names]") {
  CHECK(decodeMailboxName("Lists.C++", '.', NameEncoding::ModifiedUtf7).name == "Lists/C++");
  CHECK(decodeMailboxName("a/b", '/', NameEncoding::ModifiedUtf7).name == "a/b");
  CHECK(decodeMailboxName("inbox", std::nullopt, NameEncoding::ModifiedUtf7).name == "INBOX");
  CHECK(decodeMailboxName("Inbox.Sub", '.', NameEncoding::ModifiedUtf7).name == "INBOX/Sub");
  CHECK(decodeMailboxName("Inboxes", '.', NameEncoding::ModifiedUtf7).name == "Inboxes");
  CHECK(decodeMailboxName("Entw\xC3\xBCrfe", '/', NameEncoding::Utf8).name == "Entw\xC3\xBCrfe");
  CHECK(decodeMailboxName("a&b", '/', NameEncoding::Utf8).name == "a&b");
}

TEST_CASE("names that would leave their directory or hide something are refused and not cleaned", "[imap][names]") {
  const auto problem = [](std::string_view wire, std::optional<char> delimiter, NameEncoding encoding) {
    const DecodedName decoded = decodeMailboxName(wire, delimiter, encoding);
    CHECK(decoded.name.empty());
    return std::string(decoded.problem);
  };
  constexpr auto kOld = NameEncoding::ModifiedUtf7;
  CHECK(problem("", '/', kOld) == "has no name");
  CHECK(problem("..", '/', kOld) == "has a level that would leave its directory");
  CHECK(problem("a/../b", '/', kOld) == "has a level that would leave its directory");
  CHECK(problem("a.b/./c", '/', kOld) == "has a level that would leave its directory");
  CHECK(problem("/etc", '/', kOld) == "has an empty level");
  CHECK(problem("a//b", '/', kOld) == "has an empty level");
  CHECK(problem("a/", '/', kOld) == "has an empty level");
  CHECK(problem("a/b", '.', kOld) == "has a slash, which is not the server's delimiter");
  CHECK(problem("a/b", std::nullopt, kOld) == "has a slash, which is not the server's delimiter");
  CHECK(problem("&AAk-", '/', kOld) == "has control characters");
  CHECK(problem("&AIU-", '/', kOld) == "has control characters");
  CHECK(problem("a\x7F", '/', NameEncoding::Utf8) == "has control characters");
  CHECK(problem("caf\xC3\xA9", '/', kOld) == "is not valid modified UTF-7");
  CHECK(problem("caf\xE9", '/', NameEncoding::Utf8) == "is not valid UTF-8");
}

TEST_CASE("store names become wire names, or nothing where the server cannot write them", "[imap][names]") {
  CHECK(encodeMailboxName("a/é", '.', NameEncoding::ModifiedUtf7) == "a.&AOk-");
  CHECK(encodeMailboxName("a/é", '/', NameEncoding::Utf8) == "a/é");
  CHECK(encodeMailboxName("INBOX", std::nullopt, NameEncoding::ModifiedUtf7) == "INBOX");
  CHECK_FALSE(encodeMailboxName("v1.2/x", '.', NameEncoding::ModifiedUtf7).has_value());
  CHECK_FALSE(encodeMailboxName("a/b", std::nullopt, NameEncoding::ModifiedUtf7).has_value());
  CHECK_FALSE(encodeMailboxName("", '/', NameEncoding::Utf8).has_value());
  CHECK_FALSE(encodeMailboxName("a\nb", '/', NameEncoding::Utf8).has_value());
}
