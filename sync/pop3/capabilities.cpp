#include "sync/pop3/capabilities.h"

#include "sync/pop3/text.h"

#include <array>

namespace mailbraid::sync::pop3 {

namespace {

struct Switch {
  std::string_view name;
  bool Capabilities::*member;
};
constexpr std::array<Switch, 8> kSwitches{{
    {"TOP", &Capabilities::top},
    {"USER", &Capabilities::user},
    {"UIDL", &Capabilities::uidl},
    {"STLS", &Capabilities::stls},
    {"PIPELINING", &Capabilities::pipelining},
    {"RESP-CODES", &Capabilities::respCodes},
    {"AUTH-RESP-CODE", &Capabilities::authRespCode},
    {"UTF8", &Capabilities::utf8},
}};

void addExpire(Capabilities& capabilities, std::string_view rest) {
  const std::string value = upperAscii(takeWord(rest).text);
  Expire expire;
  if (value != "NEVER") {
    expire.days = parseNumber<std::uint32_t>(value);
    if (!expire.days) return;
  }
  expire.perUser = upperAscii(takeWord(rest).text) == "USER";
  capabilities.expire = expire;
}

}  // namespace

void Capabilities::add(std::string_view line) {
  lines.push_back(printable(line));
  std::string_view rest = line;
  const std::string name = upperAscii(takeWord(rest).text);
  for (const Switch& known : kSwitches) {
    if (known.name == name) this->*known.member = true;
  }
  if (name == "SASL") {
    for (Word word = takeWord(rest); !word.text.empty(); word = takeWord(rest)) sasl.push_back(upperAscii(word.text));
  } else if (name == "LOGIN-DELAY") {
    if (const auto seconds = parseNumber<std::uint32_t>(takeWord(rest).text))
      loginDelay = std::chrono::seconds(*seconds);
  } else if (name == "EXPIRE") {
    addExpire(*this, rest);
  } else if (name == "UTF8") {
    utf8User = upperAscii(takeWord(rest).text) == "USER";
  } else if (name == "IMPLEMENTATION") {
    implementation = printable(rest.substr(rest.empty() ? 0 : 1));
  }
}

}  // namespace mailbraid::sync::pop3
