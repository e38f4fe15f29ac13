// Writes the man page and the completions when mailbraid is built, from the tables that the program itself uses.
// usage: generate man TEMPLATE VERSION | generate completion SHELL      (to standard output)

#include "cli/commands_table.h"
#include "cli/completion.h"
#include "cli/config/keys.h"
#include "cli/exit_code.h"

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

using namespace mailbraid::cli;

/// For roff: what would be a request, an escape or a hyphen that is no minus.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && out.empty()) {
      out += "\\&";
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

std::string term(const std::string& head, const std::string& text) {
  return ".TP\n.B " + head + "\n" + text + "\n";
}

std::string exitCodes() {
  std::string out;
  for (const ExitCodeRow& row : kExitCodes) out += term(std::to_string(number(row.code)), roff(row.meaning) + ".");
  return out;
}

std::string commands() {
  std::string out;
  for (const CommandRow& row : kCommands) {
    std::string text = roff(row.summary) + ".";
    if (!row.details.empty()) text += "\n" + roff(row.details);
    out += term(roff(row.name) + (row.synopsis.empty() ? "" : " \\fR" + roff(row.synopsis) + "\\fP"), text);
  }
  return out;
}

std::string examples() {
  std::string out;
  for (const CommandRow& row : kCommands) {
    for (std::string_view rest = row.examples; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, end);
      const std::size_t colon = std::min(line.find(": "), line.size());
      out += term(roff(line.substr(0, colon)), roff(line.substr(std::min(colon + 2, line.size()))) + ".");
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return out;
}

std::string typesText(unsigned types) {
  if (types == config::kAllTypes) return {};
  std::string out;
  for (const auto type : {config::EndpointType::Imap, config::EndpointType::Pop3, config::EndpointType::Maildir,
                          config::EndpointType::Mbox}) {
    if ((types & config::bit(type)) == 0) continue;
    out += (out.empty() ? "" : ", ") + config::choicesOf(config::kTypeChoices)[static_cast<std::size_t>(type)];
  }
  return out;
}

template <class Keys>
std::string keys(const Keys& table) {
  std::string out;
  for (const auto& key : table) {
    const config::KeyInfo& info = key.info;
    std::string text = roff(info.meaning) + ".";
    if (!info.choices.empty()) {
      std::string choices;
      for (const std::string& choice : config::choicesOf(info.choices))
        choices += (choices.empty() ? "" : ", ") + choice;
      text += "\nOne of " + roff(choices) + ".";
    }
    if (const std::string types = typesText(info.types); !types.empty()) text += "\nFor " + roff(types) + ".";
    if (info.needed != 0) text += "\nNeeded.";
    if (!info.fallback.empty()) text += "\nDefault: " + roff(info.fallback) + ".";
    out += term(roff(info.name) + " \\fR= " + roff(info.example) + "\\fP", text);
  }
  return out;
}

void replace(std::string& text, std::string_view what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
}

std::string withoutLastLineEnd(std::string text) {
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

int writeManPage(const char* file, const char* version) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return 1;
  std::string page((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  replace(page, "@VERSION@", version);
  replace(page, "@COMMANDS@", withoutLastLineEnd(commands()));
  replace(page, "@STORE_KEYS@", withoutLastLineEnd(keys(config::kStoreKeys)));
  replace(page, "@ENDPOINT_KEYS@", withoutLastLineEnd(keys(config::kEndpointKeys)));
  replace(page, "@EXIT_CODES@", withoutLastLineEnd(exitCodes()));
  replace(page, "@EXAMPLES@", withoutLastLineEnd(examples()));
  std::cout << page;
  return std::cout.flush() ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  const std::vector<std::string_view> arguments(words, words + count);
  if (count == 4 && arguments[1] == "man") return writeManPage(words[2], words[3]);
  if (count == 3 && arguments[1] == "completion") {
    std::cout << completionScript(arguments[2]);
    return std::cout.flush() ? 0 : 1;
  }
  std::cerr << "usage: generate man TEMPLATE VERSION | generate completion SHELL\n";
  return 64;
}
