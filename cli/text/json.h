// Writes JSON (RFC 8259) on one line: keys in the order given, always valid UTF-8.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::cli {

/// `text` with its quotes, escaped; octets that are not UTF-8 become U+FFFD.
std::string jsonString(std::string_view text);

/// Builds one object. Values are written as they are given, nothing is kept.
class JsonObject {
 public:
  JsonObject& add(std::string_view key, std::string_view value);
  JsonObject& add(std::string_view key, const char* value) { return add(key, std::string_view(value)); }
  JsonObject& add(std::string_view key, const std::vector<std::string>& values);
  JsonObject& add(std::string_view key, const std::vector<JsonObject>& values);
  JsonObject& add(std::string_view key, const JsonObject& value) { return raw(key, value.text()); }
  template <std::integral Number>
  requires(!std::same_as<Number, bool> && !std::same_as<Number, char>) JsonObject& add(std::string_view key,
                                                                                       Number value) {
    return raw(key, std::to_string(value));
  }
  template <std::same_as<bool> Bool>
  JsonObject& add(std::string_view key, Bool value) {
    return raw(key, value ? "true" : "false");
  }
  /// With three digits after the point.
  JsonObject& add(std::string_view key, double value);
  /// `json` is written as it is: it must be JSON.
  JsonObject& addJson(std::string_view key, std::string_view json) { return raw(key, json); }
  JsonObject& addNull(std::string_view key) { return raw(key, "null"); }
  /// `{...}` without a line end.
  [[nodiscard]] std::string text() const { return members_.empty() ? "{}" : "{" + members_ + "}"; }

 private:
  JsonObject& raw(std::string_view key, std::string_view value);
  std::string members_;
};

}  // namespace mailbraid::cli
