#include "mailstore/mail_date.h"

#include "mailstore/header_fields.h"

#include <array>
#include <charconv>
#include <chrono>
#include <utility>
#include <vector>

namespace mailbraid::mailstore {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};

struct Zone {
  std::string_view name;
  std::int16_t minutes;
};
// RFC 5322 section 4.3, and some that mail is full of. Military letters are told to mean nothing.
constexpr std::array kZones{
    Zone{"ut", 0},     Zone{"utc", 0},    Zone{"gmt", 0},    Zone{"z", 0},       Zone{"est", -300},  Zone{"edt", -240},
    Zone{"cst", -360}, Zone{"cdt", -300}, Zone{"mst", -420}, Zone{"mdt", -360},  Zone{"pst", -480},  Zone{"pdt", -420},
    Zone{"wet", 0},    Zone{"west", 60},  Zone{"cet", 60},   Zone{"cest", 120},  Zone{"met", 60},    Zone{"mest", 120},
    Zone{"mesz", 120}, Zone{"mez", 60},   Zone{"bst", 60},   Zone{"eet", 120},   Zone{"eest", 180},  Zone{"msk", 180},
    Zone{"jst", 540},  Zone{"kst", 540},  Zone{"hst", -600}, Zone{"akst", -540}, Zone{"akdt", -480},
};

constexpr std::size_t kMaxWords = 12;

/// The words between spaces, commas and comments; comments nest and quote (RFC 5322 section 3.2.2).
std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  int depth = 0;
  std::size_t start = std::string_view::npos;
  for (std::size_t i = 0; i <= text.size() && out.size() < kMaxWords; ++i) {
    const char c = i < text.size() ? text[i] : ' ';
    const bool part = c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == '(' || c == ')' || depth > 0;
    if (part && start != std::string_view::npos) {
      out.push_back(text.substr(start, i - start));
      start = std::string_view::npos;
    } else if (!part && start == std::string_view::npos) {
      start = i;
    }
    if (c == '\\' && depth > 0) ++i;
    if (c == '(') ++depth;
    if (c == ')' && depth > 0) --depth;
  }
  return out;
}

std::optional<int> number(std::string_view text, std::size_t maxDigits) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.size() > maxDigits || error != std::errc{} || end != text.data() + text.size() ||
      value < 0) {
    return std::nullopt;
  }
  return value;
}

std::optional<int> month(std::string_view text) {
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (equalIgnoringCase(text.substr(0, 3), kMonths[i])) return static_cast<int>(i) + 1;
  }
  return std::nullopt;
}

std::optional<int> year(std::string_view text) {
  auto value = number(text, 4);
  if (!value) return std::nullopt;
  if (text.size() <= 2) return *value + (*value < 50 ? 2000 : 1900);
  if (text.size() == 3) return *value + 1900;
  return value;
}

/// "03:04:05", "03:04" as seconds of the day.
std::optional<int> timeOfDay(std::string_view text) {
  std::array<int, 3> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t colon = text.find(':');
    const auto value = number(text.substr(0, colon), 2);
    if (!value) return std::nullopt;
    parts[i] = *value;
    if (colon == std::string_view::npos) {
      if (i == 0) return std::nullopt;
      break;
    }
    text.remove_prefix(colon + 1);
  }
  if (parts[0] > 23 || parts[1] > 59 || parts[2] > 60) return std::nullopt;
  return parts[0] * 3600 + parts[1] * 60 + parts[2];
}

std::int16_t zoneMinutes(std::string_view text) {
  if (text.size() == 5 && (text[0] == '+' || text[0] == '-')) {
    const auto digits = number(text.substr(1), 4);
    if (!digits || *digits % 100 > 59) return 0;
    const int minutes = *digits / 100 * 60 + *digits % 100;
    if (minutes >= 24 * 60) return 0;
    return static_cast<std::int16_t>(text[0] == '-' ? -minutes : minutes);
  }
  for (const Zone& zone : kZones) {
    if (equalIgnoringCase(zone.name, text)) return zone.minutes;
  }
  return 0;
}

}  // namespace

std::optional<InternalDate> parseMailDate(std::string_view text) {
  const std::vector<std::string_view> parts = words(text);
  // The week day says nothing that the date does not.
  std::size_t at = !parts.empty() && !number(parts[0], 2) ? 1 : 0;
  if (parts.size() < at + 4) return std::nullopt;
  const auto dayNumber = number(parts[at], 2);
  const auto monthNumber = month(parts[at + 1]);
  const auto yearNumber = year(parts[at + 2]);
  const auto seconds = timeOfDay(parts[at + 3]);
  if (!dayNumber || !monthNumber || !yearNumber || !seconds) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*yearNumber},
                                         std::chrono::month{static_cast<unsigned>(*monthNumber)},
                                         std::chrono::day{static_cast<unsigned>(*dayNumber)}};
  if (!date.ok()) return std::nullopt;
  const std::int16_t zone = parts.size() > at + 4 ? zoneMinutes(parts[at + 4]) : std::int16_t{0};
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  return InternalDate{days * 86400 + *seconds - zone * 60, zone};
}

}  // namespace mailbraid::mailstore
