#include "cli/text/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <limits>

namespace mailbraid::cli {
namespace {

struct TimeUnit {
  char letter;
  std::int64_t seconds;
};
constexpr std::array<TimeUnit, 5> kTimeUnits{{{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};

template <class... Arguments>
std::string formatted(const char* format, Arguments... arguments) {
  std::array<char, 96> text{};
  const int length = std::snprintf(text.data(), text.size(), format, arguments...);
  return std::string(text.data(), static_cast<std::size_t>(std::clamp(length, 0, 95)));
}

}  // namespace

std::optional<std::chrono::seconds> parseDuration(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number <= 0 || end + 1 != text.data() + text.size()) return std::nullopt;
  for (const TimeUnit& unit : kTimeUnits) {
    if (unit.letter != *end) continue;
    // A thousand years is a slip of the finger, and keeps every later sum far from overflow.
    if (number > 1000LL * 366 * 86400 / unit.seconds) return std::nullopt;
    return std::chrono::seconds(number * unit.seconds);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parseSize(std::string_view text) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 50U;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number == 0) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  std::uint64_t factor = 0;
  if (unit.empty()) factor = 1;
  if (unit == "k") factor = 1000;
  if (unit == "M") factor = 1'000'000;
  if (unit == "G") factor = 1'000'000'000;
  if (factor == 0 || number > kMost / factor) return std::nullopt;
  return number * factor;
}

std::string durationText(std::chrono::seconds time) {
  for (const TimeUnit& unit : kTimeUnits) {
    if (time.count() != 0 && time.count() % unit.seconds == 0)
      return std::to_string(time.count() / unit.seconds) + unit.letter;
  }
  return "0s";
}

std::string sizeText(std::uint64_t octets) {
  if (octets < 1000) return formatted("%llu B", static_cast<unsigned long long>(octets));
  static constexpr std::array<const char*, 4> kNames{"kB", "MB", "GB", "TB"};
  double value = static_cast<double>(octets) / 1000;
  std::size_t at = 0;
  while (value >= 999.95 && at + 1 < kNames.size()) {
    value /= 1000;
    ++at;
  }
  return formatted("%.1f %s", value, kNames[at]);
}

std::string elapsedText(double seconds) {
  if (seconds < 9.95) return formatted("%.1f s", std::max(seconds, 0.0));
  const auto whole = static_cast<long long>(std::llround(std::min(seconds, 1e12)));
  if (whole < 60) return formatted("%lld s", whole);
  if (whole < 3600) return formatted("%lld min %lld s", whole / 60, whole % 60);
  return formatted("%lld h %lld min", whole / 3600, whole % 3600 / 60);
}

std::string counted(std::uint64_t count, std::string_view noun) {
  std::string out = grouped(count) + " ";
  out += noun;
  // "1 mailbox, 2 mailboxes": the only plural of ours that takes more than an "s".
  if (count != 1) out += noun.ends_with('x') ? "es" : "s";
  return out;
}

std::string grouped(std::uint64_t count) {
  std::string out = std::to_string(count);
  for (std::size_t at = out.size(); at > 3;) out.insert(at -= 3, 1, ',');
  return out;
}

std::string rfc3339(const mailstore::InternalDate& date) {
  constexpr std::int64_t kFirst = -62167219200;  // 0000-01-01
  constexpr std::int64_t kLast = 253402300799;   // 9999-12-31
  const std::int64_t offset = std::int64_t{date.zoneMinutes} * 60;
  const auto local = static_cast<std::time_t>(std::clamp(date.seconds, kFirst + 86400, kLast - 86400) + offset);
  std::tm broken{};
  gmtime_r(&local, &broken);
  const std::string zone = date.zoneMinutes == 0
                               ? "Z"
                               : formatted("%c%02d:%02d", date.zoneMinutes < 0 ? '-' : '+',
                                           std::abs(date.zoneMinutes) / 60, std::abs(date.zoneMinutes) % 60);
  return formatted("%04d-%02d-%02dT%02d:%02d:%02d", broken.tm_year + 1900, broken.tm_mon + 1, broken.tm_mday,
                   broken.tm_hour, broken.tm_min, broken.tm_sec) +
         zone;
}

std::string rfc3339(std::int64_t secondsUtc) {
  return rfc3339(mailstore::InternalDate{secondsUtc, 0});
}

std::string localTime(std::int64_t secondsUtc) {
  if (secondsUtc == 0) return "never";
  const auto time = static_cast<std::time_t>(secondsUtc);
  std::tm broken{};
  if (localtime_r(&time, &broken) == nullptr) return "?";
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &broken);
  return text.data();
}

}  // namespace mailbraid::cli
