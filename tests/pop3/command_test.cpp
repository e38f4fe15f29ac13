#include "sync/pop3/command.h"

#include "tests/support/catch.h"

#include <string>
#include <vector>

using namespace mailbraid::sync::pop3;

TEST_CASE("every command has its line", "[pop3][command]") {
  const std::pair<Command, std::string> rows[] = {{Capa{}, "CAPA"},
                                                  {Stls{}, "STLS"},
                                                  {User{"a b"}, "USER a b"},
                                                  {Pass{" p w "}, "PASS  p w "},
                                                  {Apop{"me", "0123"}, "APOP me 0123"},
                                                  {Auth{"CRAM-MD5", {}}, "AUTH CRAM-MD5"},
                                                  {Auth{"PLAIN", "AGE="}, "AUTH PLAIN AGE="},
                                                  {Auth{"EXTERNAL", ""}, "AUTH EXTERNAL ="},
                                                  {Utf8{}, "UTF8"},
                                                  {Stat{}, "STAT"},
                                                  {List{}, "LIST"},
                                                  {Uidl{}, "UIDL"},
                                                  {Top{7, 0}, "TOP 7 0"},
                                                  {Retr{4294967295}, "RETR 4294967295"},
                                                  {Dele{3}, "DELE 3"},
                                                  {Rset{}, "RSET"},
                                                  {Noop{}, "NOOP"},
                                                  {Quit{}, "QUIT"}};
  for (const auto& [command, line] : rows) {
    CAPTURE(line);
    CHECK(encode(command) == line + "\r\n");
    CHECK(line.rfind(factsOf(command).verb, 0) == 0);
  }
}

TEST_CASE("an argument with a control character is not sent", "[pop3][command]") {
  const std::vector<Command> refused = {
      User{""},          User{"a\r\nDELE 1"}, Pass{"p\nQUIT"},      Pass{std::string_view("a\0b", 3)},
      Apop{"a b", "00"}, Apop{"a", "0\r\n"},  Auth{"PLAIN", "A\n"}, Auth{"", {}},
      Auth{"PL AIN", {}}};
  for (const Command& command : refused) {
    CAPTURE(redacted(command));
    CHECK_FALSE(encode(command).has_value());
  }
}

TEST_CASE("a trace shows no secret", "[pop3][command]") {
  CHECK(redacted(Pass{"secret"}) == "PASS ***");
  CHECK(redacted(Apop{"me", "0123"}) == "APOP me ***");
  CHECK(redacted(Auth{"PLAIN", "AGEAYg=="}) == "AUTH PLAIN ***");
  CHECK(redacted(Auth{"LOGIN", {}}) == "AUTH LOGIN");
  CHECK(redacted(Retr{7}) == "RETR 7");
  CHECK(redacted(User{"me"}) == "USER me");
}
