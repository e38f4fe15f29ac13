#include "mailstore/mail_date.h"

#include "mailstore/header_fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mailbraid::mailstore {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::array<std::string_view, 12> kMonths{"january",   "february", "march",    "april",
                                                   "may",       "june",     "july",     "august",
                                                   "september", "october",  "november", "december"};

struct Zone {
  std::string_view name;
  std::int16_t minutes;
};
constexpr std::array kZones{
    Zone{"ut", 0},     Zone{"utc", 0},    Zone{"gmt", 0},    Zone{"z", 0},       Zone{"est", -300},  Zone{"edt", -240},
    Zone{"cst", -360}, Zone{"cdt", -300}, Zone{"mst", -420}, Zone{"mdt", -360},  Zone{"pst", -480},  Zone{"pdt", -420},
    Zone{"wet", 0},    Zone{"west", 60},  Zone{"cet", 60},   Zone{"cest", 120},  Zone{"met", 60},    Zone{"mest", 120},
    Zone{"mesz", 120}, Zone{"mez", 60},   Zone{"bst", 60},   Zone{"eet", 120},   Zone{"eest", 180},  Zone{"msk", 180},
    Zone{"jst", 540},  Zone{"kst", 540},  Zone{"hst", -600}, Zone{"akst", -540}, Zone{"akdt", -480},
};

constexpr std::size_t kMaxWords = 256;

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

/// "2-Dec-2002" as three words.
void addWord(std::string_view word, std::vector<std::string_view>& out) {
  const std::size_t first = word.find('-');
  const std::size_t second = first == std::string_view::npos ? first : word.find('-', first + 1);
  const bool dashed = isDigit(word.front()) && second != std::string_view::npos && second > first + 1 &&
                      second + 1 < word.size() && !isDigit(word[first + 1]);
  if (!dashed) {
    out.push_back(word);
    return;
  }
  out.push_back(word.substr(0, first));
  out.push_back(word.substr(first + 1, second - first - 1));
  out.push_back(word.substr(second + 1));
}

/// The words between spaces, commas, semicolons and comments; comments nest and quote (RFC 5322 section 3.2.2).
std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  int depth = 0;
  std::size_t start = std::string_view::npos;
  for (std::size_t i = 0; i <= text.size() && out.size() < kMaxWords; ++i) {
    const char c = i < text.size() ? text[i] : ' ';
    const bool part =
        c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == ';' || c == '(' || c == ')' || depth > 0;
    if (part && start != std::string_view::npos) {
      addWord(text.substr(start, i - start), out);
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

std::string_view wordAt(Words parts, std::size_t at) {
  return at < parts.size() ? parts[at] : std::string_view{};
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

std::optional<unsigned> month(std::string_view text) {
  if (text.size() > 3 && text.back() == '.') text.remove_suffix(1);
  for (std::size_t i = 0; text.size() >= 3 && i < kMonths.size(); ++i) {
    if (equalIgnoringCase(text, kMonths[i].substr(0, text.size()))) return static_cast<unsigned>(i) + 1;
  }
  return std::nullopt;
}

std::optional<int> year(std::string_view text) {
  const auto value = number(text, 4);
  if (!value || text.size() < 2) return std::nullopt;
  if (text.size() == 2) return *value + (*value < 50 ? 2000 : 1900);
  if (text.size() == 3) return *value + 1900;
  return value;
}

struct Time {
  int seconds = 0;        ///< of the day
  std::string_view rest;  ///< what follows in the same word: "+0100", "Z", "PM"
};

/// "03:04:05", "03:04", "03.04.05", "03:04:05.678".
std::optional<Time> timeOfDay(std::string_view text) {
  std::array<int, 3> parts{};
  std::size_t count = 0;
  while (count < parts.size()) {
    const auto digits = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), isDigit) - text.begin());
    const auto value = number(text.substr(0, digits), 2);
    if (!value) return std::nullopt;
    parts[count++] = *value;
    text.remove_prefix(digits);
    const bool goesOn = text.size() > 1 && (text[0] == ':' || text[0] == '.') && isDigit(text[1]);
    if (!goesOn) break;
    text.remove_prefix(1);
  }
  if (count < 2 || parts[0] > 23 || parts[1] > 59 || parts[2] > 60) return std::nullopt;
  while (!text.empty() && isDigit(text.front())) text.remove_prefix(1);  // the fraction
  return Time{parts[0] * 3600 + parts[1] * 60 + parts[2], text};
}

/// "3:04 PM" was read as 3:04.
std::optional<int> halfDay(int seconds, std::string_view word) {
  constexpr int kHalf = 12 * 3600;
  if (equalIgnoringCase(word, "AM")) return seconds % kHalf;
  if (equalIgnoringCase(word, "PM")) return seconds % kHalf + kHalf;
  return std::nullopt;
}

bool beginsNumericZone(std::string_view text) {
  return text.size() >= 2 && (text[0] == '+' || text[0] == '-') && isDigit(text[1]);
}

/// "+0100", "+01:00", "+100", "+1"; none when that is no zone.
std::optional<std::int16_t> numericZone(std::string_view text) {
  const bool west = text.front() == '-';
  text.remove_prefix(1);
  std::string digits;
  for (const char c : text) {
    if (c != ':') digits += c;
  }
  const auto value = number(digits, 4);
  if (!value) return std::nullopt;
  const int hours = digits.size() <= 2 ? *value : *value / 100;
  const int minutes = digits.size() <= 2 ? 0 : *value % 100;
  if (hours > 23 || minutes > 59) return std::nullopt;
  const int east = hours * 60 + minutes;
  return static_cast<std::int16_t>(west ? -east : east);
}

/// Of the word `text`; `next` is the word after it. None: a number that is no zone.
std::optional<std::int16_t> zoneMinutes(std::string_view text, std::string_view next) {
  if (beginsNumericZone(text)) return numericZone(text);
  for (const std::string_view universal : {"GMT", "UTC", "UT"}) {
    if (!equalIgnoringCase(text.substr(0, universal.size()), universal)) continue;
    if (const auto offset = text.substr(universal.size()); beginsNumericZone(offset)) return numericZone(offset);
    if (text.size() == universal.size() && beginsNumericZone(next)) return numericZone(next);
  }
  for (const Zone& zone : kZones) {
    if (equalIgnoringCase(zone.name, text)) return zone.minutes;
  }
  if (text.size() == 4 && number(text, 4)) return numericZone("+" + std::string(text)).value_or(std::int16_t{0});
  return std::int16_t{0};
}

struct Parts {
  std::optional<int> year;
  std::optional<unsigned> month;
  std::optional<int> day;
  std::optional<Time> time;
  std::string_view zone;
  std::string_view afterZone;
};

std::optional<InternalDate> dateOf(const Parts& parts) {
  if (!parts.day || !parts.month || !parts.year || !parts.time) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*parts.year}, std::chrono::month{*parts.month},
                                         std::chrono::day{static_cast<unsigned>(*parts.day)}};
  if (!date.ok()) return std::nullopt;
  const auto zone = zoneMinutes(parts.zone, parts.afterZone);
  if (!zone) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  return InternalDate{days * 86400 + parts.time->seconds - std::int64_t{*zone} * 60, *zone};
}

/// Takes the time at `at`, with what belongs to it; the place of the word after it.
std::size_t takeTime(Words words, std::size_t at, Parts& out) {
  out.time = timeOfDay(wordAt(words, at));
  if (!out.time) return at;
  std::string_view rest = std::exchange(out.time->rest, {});
  if (rest == ":") {  // 03:19: 59
    const auto seconds = number(wordAt(words, ++at), 2);
    if (!seconds || *seconds > 60) return at;
    out.time->seconds += *seconds;
    rest = {};
  }
  const bool apart = rest.empty();
  if (apart) rest = wordAt(words, at + 1);
  if (const auto seconds = halfDay(out.time->seconds, rest)) {
    out.time->seconds = *seconds;
    return apart ? at + 2 : at + 1;
  }
  if (!apart) out.zone = rest;
  return at + 1;
}

void takeZone(Words words, std::size_t at, Parts& out) {
  if (!out.zone.empty()) return;
  out.zone = wordAt(words, at);
  out.afterZone = wordAt(words, at + 1);
}

/// 2 Dec 2002 03:04:05 +0100
std::optional<InternalDate> byTheBook(Words words) {
  Parts out;
  out.day = number(wordAt(words, 0), 2);
  out.month = month(wordAt(words, 1));
  out.year = year(wordAt(words, 2));
  takeZone(words, takeTime(words, 3, out), out);
  return dateOf(out);
}

/// Dec 2 03:04:05 CET 2002, Dec 2 03:04:05 2002 +0100, Dec 2 2002 03:04:05 +0100
std::optional<InternalDate> monthFirst(Words words) {
  Parts out;
  out.month = month(wordAt(words, 0));
  out.day = number(wordAt(words, 1), 2);
  if (!out.month || !out.day) return std::nullopt;
  if (!timeOfDay(wordAt(words, 2))) {
    out.year = year(wordAt(words, 2));
    takeZone(words, takeTime(words, 3, out), out);
    return dateOf(out);
  }
  const std::size_t after = takeTime(words, 2, out);
  const auto fourDigits = [&](std::size_t at) {
    return wordAt(words, at).size() == 4 ? year(wordAt(words, at)) : std::nullopt;
  };
  out.year = fourDigits(after);
  if (out.year) {
    takeZone(words, after + 1, out);
  } else {
    takeZone(words, after, out);
    out.afterZone = {};
    out.year = fourDigits(after + 1);
  }
  return dateOf(out);
}

/// 2002-12-02T03:04:05Z, 2002-12-02 03:04:05 +0100, 2002/12/02 Mon 03:04:05 CET
std::optional<InternalDate> iso(Words words) {
  std::string_view date = wordAt(words, 0);
  const bool parted = date.size() >= 10 && (date[4] == '-' || date[4] == '/') && date[7] == date[4];
  if (!parted) return std::nullopt;
  Parts out;
  out.year = number(date.substr(0, 4), 4);
  const auto monthNumber = number(date.substr(5, 2), 2);
  if (monthNumber) out.month = static_cast<unsigned>(*monthNumber);
  out.day = number(date.substr(8, 2), 2);
  date.remove_prefix(10);
  if (date.empty()) {
    const std::size_t time = timeOfDay(wordAt(words, 1)) ? 1 : 2;  // behind the week day
    takeZone(words, takeTime(words, time, out), out);
  } else if (date.front() == 'T' || date.front() == 't') {
    const std::array<std::string_view, 3> joined{date.substr(1), wordAt(words, 1), wordAt(words, 2)};
    takeZone(joined, takeTime(joined, 0, out), out);
  }
  return dateOf(out);
}

std::optional<InternalDate> dateAt(Words words) {
  if (const auto date = byTheBook(words)) return date;
  if (const auto date = monthFirst(words)) return date;
  return iso(words);
}

}  // namespace

std::optional<InternalDate> parseMailDate(std::string_view text) {
  const std::vector<std::string_view> parts = words(text);
  if (const auto date = dateAt(parts)) return date;
  return parts.empty() ? std::nullopt : dateAt(Words(parts).subspan(1));  // behind the week day
}

std::optional<InternalDate> parseReceivedDate(std::string_view body) {
  const std::size_t semicolon = body.rfind(';');
  if (semicolon != std::string_view::npos) {
    if (const auto date = parseMailDate(body.substr(semicolon + 1))) return date;
  }
  const std::vector<std::string_view> parts = words(body);
  for (std::size_t at = parts.size(); at-- > 0;) {
    if (const auto date = dateAt(Words(parts).subspan(at))) return date;
  }
  return std::nullopt;
}

}  // namespace mailbraid::mailstore
