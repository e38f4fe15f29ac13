#include "cli/text/json.h"

#include "cli/text/utf8.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace mailbraid::cli {

std::string jsonString(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : validUtf8(text)) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (octet < 0x20 || octet == 0x7F) {
      out += "\\u00";
      out.push_back(kDigits[octet >> 4U]);
      out.push_back(kDigits[octet & 0x0FU]);
    } else {
      out.push_back(c);
    }
  }
  return out += '"';
}

JsonObject& JsonObject::raw(std::string_view key, std::string_view value) {
  if (!members_.empty()) members_ += ',';
  members_ += jsonString(key);
  members_ += ':';
  members_ += value;
  return *this;
}

JsonObject& JsonObject::add(std::string_view key, std::string_view value) {
  return raw(key, jsonString(value));
}

JsonObject& JsonObject::add(std::string_view key, const std::vector<std::string>& values) {
  std::string list = "[";
  for (const std::string& value : values) {
    if (list.size() > 1) list += ',';
    list += jsonString(value);
  }
  return raw(key, list += ']');
}

JsonObject& JsonObject::add(std::string_view key, const std::vector<JsonObject>& values) {
  std::string list = "[";
  for (const JsonObject& value : values) {
    if (list.size() > 1) list += ',';
    list += value.text();
  }
  return raw(key, list += ']');
}

JsonObject& JsonObject::add(std::string_view key, double value) {
  if (!std::isfinite(value)) return addNull(key);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.3f", value);
  return raw(key, text.data());
}

}  // namespace mailbraid::cli
