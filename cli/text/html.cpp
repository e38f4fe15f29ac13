#include "cli/text/html.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace mailbraid::cli {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kEntities{
    {{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}, {"hellip", "\xE2\x80\xA6"}}};
constexpr std::array<std::string_view, 12> kBlocks{"br", "p",  "div", "tr", "li",    "h1",
                                                   "h2", "h3", "ul",  "ol", "table", "blockquote"};
constexpr std::array<std::string_view, 4> kHidden{"style", "script", "head", "title"};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string utf8(std::uint32_t value) {
  std::string out;
  const auto push = [&](std::uint32_t octet) { out.push_back(static_cast<char>(octet)); };
  if (value < 0x80) {
    push(value);
  } else if (value < 0x800) {
    push(0xC0U | (value >> 6U));
    push(0x80U | (value & 0x3FU));
  } else if (value < 0x10000) {
    push(0xE0U | (value >> 12U));
    push(0x80U | ((value >> 6U) & 0x3FU));
    push(0x80U | (value & 0x3FU));
  } else {
    push(0xF0U | (value >> 18U));
    push(0x80U | ((value >> 12U) & 0x3FU));
    push(0x80U | ((value >> 6U) & 0x3FU));
    push(0x80U | (value & 0x3FU));
  }
  return out;
}

/// What `&name;` stands for; empty when it is no entity that is known here.
std::string entity(std::string_view name) {
  if (name.starts_with('#')) {
    const bool hex = name.size() > 1 && lower(name[1]) == 'x';
    const std::string_view digits = name.substr(hex ? 2 : 1);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
    const bool good = error == std::errc{} && end == digits.data() + digits.size() && value != 0 && value <= 0x10FFFF;
    return good ? utf8(value) : std::string();
  }
  for (const auto& [known, text] : kEntities) {
    if (known == name) return std::string(text);
  }
  return {};
}

std::string tagName(std::string_view tag) {
  std::string out;
  for (const char c : tag) {
    const char small = lower(c);
    if ((small < 'a' || small > 'z') && (small < '0' || small > '9')) break;
    out.push_back(small);
  }
  return out;
}

/// Where the element `name`, whose start tag ended just before `at`, is over.
std::size_t endOfElement(std::string_view html, std::size_t at, std::string_view name) {
  for (; at < html.size(); ++at) {
    if (html[at] != '<' || at + 1 >= html.size() || html[at + 1] != '/' ||
        tagName(html.substr(at + 2, name.size() + 1)) != name)
      continue;
    return std::min(html.find('>', at), html.size() - 1) + 1;
  }
  return html.size();
}

void addText(std::string& out, char c) {
  const bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
  if (!space) {
    out.push_back(c);
  } else if (!out.empty() && out.back() != ' ' && out.back() != '\n') {
    out.push_back(' ');
  }
}

void addLineEnd(std::string& out) {
  while (!out.empty() && out.back() == ' ') out.pop_back();
  if (!out.empty() && !out.ends_with("\n\n")) out.push_back('\n');
}

}  // namespace

std::string textOfHtml(std::string_view html) {
  std::string out;
  for (std::size_t at = 0; at < html.size();) {
    if (html[at] == '&') {
      constexpr std::size_t kLongest = 12;
      const std::size_t end = html.substr(at, kLongest).find(';');
      const std::string text = end == std::string_view::npos ? std::string() : entity(html.substr(at + 1, end - 1));
      out += text.empty() ? "&" : text;
      at += text.empty() ? 1 : end + 1;
    } else if (html[at] != '<') {
      addText(out, html[at++]);
    } else if (html.substr(at).starts_with("<!--")) {
      const std::size_t end = html.find("-->", at);
      at = end == std::string_view::npos ? html.size() : end + 3;
    } else {
      const bool closing = at + 1 < html.size() && html[at + 1] == '/';
      const std::string name = tagName(html.substr(at + (closing ? 2 : 1)));
      at = std::min(html.find('>', at), html.size() - 1) + 1;
      if (std::find(kBlocks.begin(), kBlocks.end(), name) != kBlocks.end()) addLineEnd(out);
      if (!closing && std::find(kHidden.begin(), kHidden.end(), name) != kHidden.end())
        at = endOfElement(html, at, name);
    }
  }
  return out;
}

}  // namespace mailbraid::cli
