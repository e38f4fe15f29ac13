#include "sync/pop3/command.h"

#include <algorithm>
#include <array>

namespace mailbraid::sync::pop3 {

namespace {

constexpr std::array<CommandFacts, std::variant_size_v<Command>> kFacts{{
    {"CAPA", ReplyShape::CapaLines, false},
    {"STLS", ReplyShape::Line, false},
    {"USER", ReplyShape::Line, false},
    {"PASS", ReplyShape::Line, true},
    {"APOP", ReplyShape::Line, true},
    {"AUTH", ReplyShape::Line, true},
    {"UTF8", ReplyShape::Line, false},
    {"STAT", ReplyShape::Line, false},
    {"LIST", ReplyShape::SizeLines, false},
    {"UIDL", ReplyShape::UidlLines, false},
    {"TOP", ReplyShape::Body, false},
    {"RETR", ReplyShape::Body, false},
    {"DELE", ReplyShape::Line, false},
    {"RSET", ReplyShape::Line, false},
    {"NOOP", ReplyShape::Line, false},
    {"QUIT", ReplyShape::Line, false},
}};

bool hasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}
bool isName(std::string_view text) {
  return !text.empty() && !hasControl(text) && text.find(' ') == std::string_view::npos;
}

/// The arguments with a space before each; empty optional when one cannot be said.
struct Arguments {
  std::optional<std::string> operator()(const User& command) const {
    // Names with spaces exist ("DOMAIN/First Last"); USER has one argument that goes to the end of the line.
    if (command.name.empty() || hasControl(command.name)) return std::nullopt;
    return " " + std::string(command.name);
  }
  std::optional<std::string> operator()(const Pass& command) const {
    if (command.password.empty() || hasControl(command.password)) return std::nullopt;
    std::string out;
    out.reserve(command.password.size() + 1);
    out += ' ';
    out += command.password;
    return out;
  }
  std::optional<std::string> operator()(const Apop& command) const {
    if (!isName(command.name) || !isName(command.digest)) return std::nullopt;
    return " " + std::string(command.name) + " " + std::string(command.digest);
  }
  std::optional<std::string> operator()(const Auth& command) const {
    if (!isName(command.mechanism)) return std::nullopt;
    std::string out;
    out.reserve(command.mechanism.size() + 3 + (command.initialResponse ? command.initialResponse->size() : 0));
    out += ' ';
    out += command.mechanism;
    if (!command.initialResponse) return out;
    if (!command.initialResponse->empty() && !isName(*command.initialResponse)) return std::nullopt;
    out += ' ';
    out += command.initialResponse->empty() ? std::string_view("=") : *command.initialResponse;
    return out;
  }
  std::optional<std::string> operator()(const Top& command) const {
    return " " + std::to_string(command.number) + " " + std::to_string(command.lines);
  }
  std::optional<std::string> operator()(const Retr& command) const { return " " + std::to_string(command.number); }
  std::optional<std::string> operator()(const Dele& command) const { return " " + std::to_string(command.number); }
  std::optional<std::string> operator()(const Capa&) const { return ""; }
  std::optional<std::string> operator()(const Stls&) const { return ""; }
  std::optional<std::string> operator()(const Utf8&) const { return ""; }
  std::optional<std::string> operator()(const Stat&) const { return ""; }
  std::optional<std::string> operator()(const List&) const { return ""; }
  std::optional<std::string> operator()(const Uidl&) const { return ""; }
  std::optional<std::string> operator()(const Rset&) const { return ""; }
  std::optional<std::string> operator()(const Noop&) const { return ""; }
  std::optional<std::string> operator()(const Quit&) const { return ""; }
};

}  // namespace

const CommandFacts& factsOf(const Command& command) {
  return kFacts[command.index()];
}

std::optional<std::string> encode(const Command& command) {
  std::optional<std::string> arguments = std::visit(Arguments{}, command);
  if (!arguments) return std::nullopt;
  const std::string_view verb = factsOf(command).verb;
  std::string line;
  line.reserve(verb.size() + arguments->size() + 2);
  line += verb;
  line += *arguments;
  line += "\r\n";
  if (factsOf(command).carriesSecret) std::fill(arguments->begin(), arguments->end(), '\0');
  return line;
}

std::string redacted(const Command& command) {
  const CommandFacts& facts = factsOf(command);
  if (const auto* auth = std::get_if<Auth>(&command)) {
    return "AUTH " + std::string(auth->mechanism) + (auth->initialResponse ? " ***" : "");
  }
  if (const auto* apop = std::get_if<Apop>(&command)) return "APOP " + std::string(apop->name) + " ***";
  if (facts.carriesSecret) return std::string(facts.verb) + " ***";
  std::string line = encode(command).value_or(std::string(facts.verb) + "\r\n");
  line.resize(line.size() - 2);
  return line;
}

}  // namespace mailbraid::sync::pop3
