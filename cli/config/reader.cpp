#include "cli/config/reader.h"

#include "cli/text/nearest.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <sstream>

namespace mailbraid::cli::config {
namespace {

Reading wrong(std::string text) {
  return {std::nullopt, std::move(text)};
}
Reading right(Value value) {
  return {std::move(value), {}};
}

std::string writeExample(const KeyInfo& key) {
  return "; write " + std::string(key.name) + " = " + std::string(key.example);
}

Reading wrongType(const KeyInfo& key, std::string_view wanted) {
  return wrong("must be " + std::string(wanted) + writeExample(key));
}

bool hasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

Reading readText(const KeyInfo& key, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  if (!text) return wrongType(key, "a string");
  if (text->empty()) return wrong("must not be empty" + writeExample(key));
  if (hasControl(*text)) return wrong("must not have control characters" + writeExample(key));
  return right(*text);
}

Reading readPath(const KeyInfo& key, const toml::node& node, const PathBase& base) {
  Reading reading = readText(key, node);
  if (reading.value) reading.value = base.expand(std::get<std::string>(*reading.value));
  return reading;
}

Reading readExistingFile(const KeyInfo& key, const toml::node& node, const PathBase& base) {
  Reading reading = readPath(key, node, base);
  if (!reading.value) return reading;
  const auto& path = std::get<std::filesystem::path>(*reading.value);
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return wrong(path.string() + " does not exist; write the path of a PEM file");
  if (!std::filesystem::is_regular_file(path, error))
    return wrong(path.string() + " is not a file; write the path of a PEM file");
  if (!std::ifstream(path).good()) return wrong(path.string() + " cannot be read; let this user read it");
  return reading;
}

Reading readFlag(const KeyInfo& key, const toml::node& node) {
  const auto flag = node.value_exact<bool>();
  return flag ? right(*flag)
              : wrong("must be true or false, without quotes; write " + std::string(key.name) + " = true");
}

Reading readNumber(const KeyInfo& key, const toml::node& node, std::int64_t most) {
  const auto number = node.value_exact<std::int64_t>();
  const std::string range = "a whole number from 1 to " + std::to_string(most);
  if (!number) return wrongType(key, range + ", without quotes");
  if (*number < 1 || *number > most) return wrong(std::to_string(*number) + " is not " + range + writeExample(key));
  return right(static_cast<std::uint64_t>(*number));
}

Reading readDuration(const KeyInfo& key, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  if (!text) return wrongType(key, "a time in quotes");
  const auto time = parseDuration(*text);
  if (!time)
    return wrong("\"" + harmlessLine(*text) +
                 "\" is not a time; write a number and s, m, h, d or w, as \"30s\" or \"14d\"");
  return right(*time);
}

Reading readSize(const KeyInfo& key, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  if (!text) return wrongType(key, "a size in quotes");
  const auto size = parseSize(*text);
  if (!size)
    return wrong("\"" + harmlessLine(*text) + "\" is not a size; write a number and k, M or G, as \"500k\" or \"25M\"");
  return right(*size);
}

std::string notAChoice(std::string_view text, std::string_view choices, std::string_view also = "") {
  const std::string near = didYouMean(text, choicesOf(choices));
  return "\"" + harmlessLine(text) + "\" is not known; write " + choicesInWords(choices) + std::string(also) +
         (near.empty() ? "" : ";" + near);
}

Reading readChoice(const KeyInfo& key, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  if (!text) return wrong("must be a string; write " + choicesInWords(key.choices));
  const std::vector<std::string> choices = choicesOf(key.choices);
  const auto found = std::find(choices.begin(), choices.end(), *text);
  if (found == choices.end()) return wrong(notAChoice(*text, key.choices));
  return right(static_cast<std::uint64_t>(found - choices.begin()));
}

Reading readChoiceOrDuration(const KeyInfo& key, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  if (text && !text->empty() && std::isdigit(static_cast<unsigned char>(text->front())) != 0)
    return readDuration(key, node);
  Reading reading = readChoice(key, node);
  if (!reading.value && text) return wrong(notAChoice(*text, key.choices, ", or a time as \"14d\""));
  return reading;
}

Reading readSeen(const KeyInfo& key, const toml::node& node) {
  using Kind = SeenRule::Kind;
  const auto text = node.value_exact<std::string>();
  if (!text) return wrongType(key, "a string");
  const std::size_t space = text->find(' ');
  const std::string word = text->substr(0, space);
  const std::string rest = space == std::string::npos ? "" : text->substr(space + 1);
  if (*text == "none") return right(SeenRule{});
  if (*text == "all") return right(SeenRule{Kind::All, {}, {}});
  if (word == "older-than") {
    if (const auto age = parseDuration(rest)) return right(SeenRule{Kind::OlderThan, *age, {}});
  }
  if (word == "from" && !rest.empty()) return right(SeenRule{Kind::From, {}, rest});
  return wrong("\"" + harmlessLine(*text) +
               "\" is not known; write \"all\", \"none\", \"older-than 30d\" or \"from\" and an endpoint's name");
}

Reading readTexts(const KeyInfo& key, const toml::node& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr) return wrongType(key, "an array of strings");
  std::vector<std::string> out;
  for (const toml::node& element : *array) {
    Reading reading = readText(key, element);
    if (!reading.value) return wrongType(key, "an array of strings that are not empty");
    out.push_back(std::get<std::string>(std::move(*reading.value)));
  }
  return right(std::move(out));
}

Reading readChoiceList(const KeyInfo& key, const toml::node& node) {
  Reading reading = readTexts(key, node);
  if (!reading.value) return reading;
  const std::vector<std::string> choices = choicesOf(key.choices);
  for (std::string& text : std::get<std::vector<std::string>>(*reading.value)) {
    const auto found = std::find_if(choices.begin(), choices.end(), [&](const std::string& choice) {
      // Mechanism names are written in any case (RFC 4422), the words of mailbraid are not.
      return choice == text || (key.choices == kAuthChoices && editDistance(choice, text) == 0);
    });
    if (found == choices.end()) return wrong(notAChoice(text, key.choices));
    text = *found;
  }
  return reading;
}

bool looksLikePin(std::string_view pin) {
  const auto all = [&](auto&& allowed) { return std::all_of(pin.begin(), pin.end(), allowed); };
  const auto hex = [](unsigned char c) { return std::isxdigit(c) != 0; };
  const auto base64 = [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '/' || c == '='; };
  return (pin.size() == 64 && all(hex)) || (pin.size() == 44 && pin.back() == '=' && all(base64));
}

Reading readPins(const KeyInfo& key, const toml::node& node) {
  Reading reading;
  if (const auto one = node.value_exact<std::string>()) {
    reading = right(std::vector<std::string>{*one});
  } else {
    reading = readTexts(key, node);
  }
  if (!reading.value) return reading;
  for (std::string& pin : std::get<std::vector<std::string>>(*reading.value)) {
    // As curl and openssl people write it.
    if (pin.starts_with("sha256//")) pin.erase(0, 8);
    if (!looksLikePin(pin)) {
      return wrong("\"" + harmlessLine(pin) +
                   "\" is not a SHA-256; write 64 hexadecimal digits, or 44 characters of base64");
    }
  }
  return reading;
}

bool isMailboxName(std::string_view name) {
  if (name.empty() || hasControl(name)) return false;
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t slash = std::min(name.find('/', at), name.size());
    const std::string_view level = name.substr(at, slash - at);
    if (level.empty() || level == "." || level == "..") return false;
    at = slash + 1;
  }
  return true;
}

Reading readMailboxMap(const KeyInfo& key, const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return wrongType(key, "a table of mailbox names");
  std::map<std::string, std::string> out;
  for (auto&& [from, to] : *table) {
    const auto name = to.value_exact<std::string>();
    if (!name) return wrongType(key, "a table of mailbox names");
    if (!isMailboxName(*name)) {
      return wrong("\"" + harmlessLine(*name) +
                   "\" is not a mailbox name; write one without empty levels, \".\" and \"..\"");
    }
    out.emplace(std::string(from.str()), *name);
  }
  return right(std::move(out));
}

Reading readCommand(const KeyInfo& key, const toml::node& node) {
  if (const auto line = node.value_exact<std::string>(); line && !line->empty())
    return right(CommandLine{{*line}, true});
  Reading reading = node.is_array() ? readTexts(key, node) : wrongType(key, "an array of strings");
  if (!reading.value) return reading;
  auto words = std::get<std::vector<std::string>>(std::move(*reading.value));
  if (words.empty()) return wrong("must not be empty" + writeExample(key));
  return right(CommandLine{std::move(words), false});
}

}  // namespace

std::filesystem::path PathBase::expand(std::string_view text) const {
  if (text == "~") return home;
  if (text.starts_with("~/")) return home / text.substr(2);
  const std::filesystem::path path(text);
  return path.is_absolute() ? path : directory / path;
}

std::string choicesInWords(std::string_view choices) {
  const std::vector<std::string> all = choicesOf(choices);
  std::string out;
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (at != 0) out += at + 1 == all.size() ? " or " : ", ";
    out += "\"" + all[at] + "\"";
  }
  return out;
}

std::string tomlText(const toml::node& node) {
  std::ostringstream out;
  node.visit([&](const auto& value) { out << value; });
  std::string text = out.str();
  // toml++ lays arrays and tables out on several lines; here a value is one line.
  std::string line;
  for (const char c : text) {
    if (c == '\n') {
      line += ' ';
    } else if (!(c == ' ' && !line.empty() && line.back() == ' ')) {
      line += c;
    }
  }
  return line;
}

Reading readValue(const KeyInfo& key, const toml::node& node, const PathBase& base) {
  switch (key.shape) {
    case Shape::Text:
      return readText(key, node);
    case Shape::Path:
      return readPath(key, node, base);
    case Shape::ExistingFile:
      return readExistingFile(key, node, base);
    case Shape::Flag:
      return readFlag(key, node);
    case Shape::Port:
      return readNumber(key, node, 65535);
    case Shape::Count:
      return readNumber(key, node, 1'000'000'000);
    case Shape::Duration:
      return readDuration(key, node);
    case Shape::Size:
      return readSize(key, node);
    case Shape::Choice:
      return readChoice(key, node);
    case Shape::Seen:
      return readSeen(key, node);
    case Shape::ChoiceOrDuration:
      return readChoiceOrDuration(key, node);
    case Shape::ChoiceList:
      return readChoiceList(key, node);
    case Shape::TextList:
      return readTexts(key, node);
    case Shape::PinList:
      return readPins(key, node);
    case Shape::MailboxMap:
      return readMailboxMap(key, node);
    case Shape::Command:
      return readCommand(key, node);
    case Shape::Limits:
      return readLimits(key, node);
  }
  return wrong("cannot be read");
}

}  // namespace mailbraid::cli::config
