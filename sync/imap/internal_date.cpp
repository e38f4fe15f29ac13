#include "sync/imap/internal_date.h"

#include "sync/imap/cursor.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace mailbraid::sync::imap {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<unsigned> takeMonth(Cursor& cursor) {
  const std::string_view text = cursor.rest().substr(0, 3);
  for (unsigned i = 0; i < kMonths.size(); ++i) {
    if (!equalsIgnoringCase(kMonths[i], text)) continue;
    cursor.skip(3);
    return i + 1;
  }
  return std::nullopt;
}

/// Seconds since midnight of "02:44:25".
std::optional<std::int64_t> takeTime(Cursor& cursor) {
  const auto hour = cursor.number(23);
  if (!hour || !cursor.take(':')) return std::nullopt;
  const auto minute = cursor.number(59);
  if (!minute || !cursor.take(':')) return std::nullopt;
  const auto second = cursor.number(60);
  if (!second) return std::nullopt;
  return static_cast<std::int64_t>(*hour * 3600 + *minute * 60 + *second);
}

/// Minutes east of UTC of "-0700".
std::optional<std::int16_t> takeZone(Cursor& cursor) {
  const int sign = cursor.peek() == '-' ? -1 : 1;
  if (!cursor.take('-') && !cursor.take('+')) return std::nullopt;
  const std::size_t start = cursor.at();
  const auto value = cursor.number(2359);
  if (!value || cursor.at() - start != 4 || *value % 100 > 59) return std::nullopt;
  return static_cast<std::int16_t>(sign * static_cast<int>(*value / 100 * 60 + *value % 100));
}

}  // namespace

std::optional<mailstore::InternalDate> parseInternalDate(std::string_view text) {
  Cursor cursor(text);
  cursor.spaces();  // quirk ShortInternalDate
  const auto day = cursor.number(31);
  if (!day || !cursor.take('-')) return std::nullopt;
  const auto month = takeMonth(cursor);
  if (!month || !cursor.take('-')) return std::nullopt;
  const auto year = cursor.number(9999);
  if (!year) return std::nullopt;
  cursor.spaces();
  const auto time = takeTime(cursor);
  if (!time) return std::nullopt;
  cursor.spaces();
  const auto zone = takeZone(cursor);
  if (!zone) return std::nullopt;
  cursor.spaces();
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!cursor.atEnd() || !date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return mailstore::InternalDate{days * 86400 + *time - std::int64_t{*zone} * 60, *zone};
}

std::string dateTime(const mailstore::InternalDate& date) {
  using namespace std::chrono;
  constexpr std::int64_t kFirst = -62167219200;  // 0000-01-01
  constexpr std::int64_t kLast = 253402300799;   // 9999-12-31
  constexpr std::int64_t kDay = 86400;
  const int zone = std::clamp<int>(date.zoneMinutes, -1439, 1439);
  const std::int64_t local = std::clamp<std::int64_t>(date.seconds + zone * std::int64_t{60}, kFirst, kLast);
  const std::int64_t days = (local >= 0 ? local : local - kDay + 1) / kDay;
  const std::int64_t seconds = local - days * kDay;
  const year_month_day day{sys_days{std::chrono::days{days}}};
  const auto digits = [](std::int64_t value, std::size_t width) {
    std::string text = std::to_string(value);
    return text.size() < width ? std::string(width - text.size(), '0') + text : text;
  };
  const int east = zone < 0 ? -zone : zone;
  return digits(static_cast<unsigned>(day.day()), 2) + "-" +
         std::string(kMonths[static_cast<unsigned>(day.month()) - 1]) + "-" + digits(static_cast<int>(day.year()), 4) +
         " " + digits(seconds / 3600, 2) + ":" + digits(seconds / 60 % 60, 2) + ":" + digits(seconds % 60, 2) +
         (zone < 0 ? " -" : " +") + digits(east / 60, 2) + digits(east % 60, 2);
}

}  // namespace mailbraid::sync::imap
