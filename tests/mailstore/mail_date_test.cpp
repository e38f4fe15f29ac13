// Dates as real mail has them: each form from a mail that somebody has got, or from the RFC.
#include "mailstore/mail_date.h"
#include "tests/mailstore/store_fixture.h"

#include <array>
#include <chrono>
#include <string>
#include <string_view>

using namespace mailbraid::mailstore;
using mailbraid::tests::prepared;

namespace {

constexpr std::int64_t kNow = 1'800'000'000;  // 2027-01-15T08:00:00Z

std::int64_t utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0, int second = 0) {
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
  return std::chrono::sys_days{date}.time_since_epoch().count() * 86400 + hour * 3600 + minute * 60 + second;
}

struct Row {
  std::string_view text;
  std::int64_t seconds;
  std::int16_t zone = 0;
};

const std::int64_t kMoment = utc(2002, 12, 2, 2, 4, 5);

/// The date that a message of this header gets, as far as the header tells it.
InternalDate arrivalOf(const std::string& header, std::int64_t now = kNow) {
  SpoolOptions options;
  options.latestDate = latestDateAt(now);
  MessageBuilder builder(options);
  builder.append(header + "\r\nbody\r\n");
  return builder.finish().fallbackDate;
}

}  // namespace

TEST_CASE("a date is read in every form that mail has", "[index][date]") {
  const std::array rows{
      // RFC 5322 section 3.3
      Row{"Mon, 2 Dec 2002 03:04:05 +0100", kMoment, 60},
      Row{"Mon, 02 Dec 2002 03:04:05 +0100 (CET)", kMoment, 60},
      Row{"2 Dec 2002 03:04:05 +0100", kMoment, 60},
      Row{"Mon, 2 Dec 2002 03:04 +0100", kMoment - 5, 60},
      Row{"Mon,\r\n 2 Dec 2002\r\n\t03:04:05 +0100", kMoment, 60},
      Row{"Mon (x (y) \\)), 2 Dec 2002 03:04:05 +0100", kMoment, 60},
      Row{"Sat, 31 Dec 2016 23:59:60 +0000", utc(2017, 1, 1)},  // a leap second
      Row{"Thu, 29 Feb 2024 12:00:00 +0000", utc(2024, 2, 29, 12)},
      // Zones
      Row{"Mon, 2 Dec 2002 07:34:05 +0530", kMoment, 330},
      Row{"Mon, 2 Dec 2002 02:04:05 -0000", kMoment},
      Row{"Sun, 1 Dec 2002 14:04:05 -1200", kMoment, -720},
      Row{"Mon, 2 Dec 2002 16:04:05 +1400", kMoment, 840},
      Row{"Sun, 1 Dec 2002 21:04:05 EST", kMoment, -300},
      Row{"Sun, 1 Dec 2002 18:04:05 PST", kMoment, -480},
      Row{"Sun, 1 Dec 2002 19:04:05 pdt", kMoment, -420},
      Row{"Mon, 2 Dec 2002 02:04:05 UT", kMoment},
      Row{"Mon, 2 Dec 2002 02:04:05 GMT", kMoment},
      Row{"Mon, 2 Dec 2002 02:04:05 Z", kMoment},
      Row{"Mon, 2 Dec 2002 03:04:05 CET", kMoment, 60},
      Row{"Mon, 2 Dec 2002 02:04:05 K", kMoment},                      // military letters mean nothing
      Row{"Mon, 2 Dec 2002 02:04:05 Pacific Standard Time", kMoment},  // nor do names that nobody knows
      Row{"Mon, 2 Dec 2002 02:04:05", kMoment},
      Row{"Mon, 2 Dec 2002 04:04:05 GMT+0200", kMoment, 120},
      Row{"Mon, 2 Dec 2002 04:04:05 GMT +0200", kMoment, 120},
      Row{"Mon, 2 Dec 2002 03:04:05 GMT+1", kMoment, 60},
      Row{"Mon, 2 Dec 2002 04:04:05 UTC+02:00", kMoment, 120},
      Row{"Sun, 01 Dec 2002 18:04:05 -08:00", kMoment, -480},  // MailEnable
      Row{"Mon, 2 Dec 2002 03:04:05+0100", kMoment, 60},
      Row{"Mon, 2 Dec 2002 07:34:05 0530", kMoment, 330},
      Row{"Mon, 2 Dec 2002 02:04:05 01800", kMoment},
      // Years
      Row{"Mon, 02 Dec 02 03:04:05 +0100", kMoment, 60},
      Row{"Mon,2 December 102 03:04:05 CET", kMoment, 60},
      Row{"Sat, 1 Jan 50 00:00:00 +0000", utc(1950, 1, 1)},
      Row{"Fri, 1 Jan 49 00:00:00 +0000", utc(2049, 1, 1)},
      Row{"Sat, 1 Jan 99 00:00:00 +0000", utc(1999, 1, 1)},
      Row{"Sat, 1 Jan 100 00:00:00 +0000", utc(2000, 1, 1)},
      // Week days and months
      Row{"Fri, 2 Dec 2002 03:04:05 +0100", kMoment, 60},  // it was a Monday
      Row{"Monday, 2 December 2002 03:04:05 +0100", kMoment, 60},
      Row{"mon, 2 dec 2002 03:04:05 +0100", kMoment, 60},
      Row{"MON, 2 DEC 2002 03:04:05 +0100", kMoment, 60},
      Row{"Mo, 2 Dec 2002 03:04:05 +0100", kMoment, 60},
      Row{"Tue, 3 Sept 2002 10:00:00 +0200", utc(2002, 9, 3, 8), 120},
      // Other orders, other marks
      Row{"Mon Dec  2 02:04:05 2002", kMoment},
      Row{"Mon Dec  2 03:04:05 CET 2002", kMoment, 60},
      Row{"Mon Dec  2 03:04:05 2002 +0100", kMoment, 60},
      Row{"Dec, 2 2002 3:04:05 AM +0100", kMoment, 60},
      Row{"Dec 2, 2002 03:04:05 +0100", kMoment, 60},
      Row{"2-Dec-2002 03:04:05 +0100", kMoment, 60},
      Row{"02-Dec-02 02:04:05", kMoment},
      Row{"Tue, 03 Sep 2002 10.38.05 +0200", utc(2002, 9, 3, 8, 38, 5), 120},
      Row{"Fri, 02 Aug 2002 03:19: 59 -0500", utc(2002, 8, 2, 8, 19, 59), -300},  // a relay of Tumbleweed
      Row{"28 Jun 01 10:05:15 PM", utc(2001, 6, 28, 22, 5, 15)},
      Row{"03 Jul 01 12:47:50 AM", utc(2001, 7, 3, 0, 47, 50)},
      Row{"Tue, 06 Aug 2002 06:50:21 PM -0400", utc(2002, 8, 6, 22, 50, 21), -240},
      Row{"2002-12-02T03:04:05+01:00", kMoment, 60},
      Row{"2002-12-02T02:04:05Z", kMoment},
      Row{"2002-12-02T02:04:05.678Z", kMoment},
      Row{"2002-12-02 03:04:05 +0100", kMoment, 60},
      Row{"2002/09/14 Sat 13:06:03 GMT", utc(2002, 9, 14, 13, 6, 3)},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto date = parseMailDate(row.text);
    REQUIRE(date.has_value());
    CHECK(date->seconds == row.seconds);
    CHECK(date->zoneMinutes == row.zone);
  }
}

TEST_CASE("what is no date is none", "[index][date]") {
  for (const std::string_view text : {"",
                                      " ",
                                      "yesterday",
                                      "(Mon, 2 Dec 2002 03:04:05 +0100)",
                                      "Mon, 32 Dec 2002 03:04:05 +0100",
                                      "Mon, 30 Feb 2002 03:04:05 +0100",
                                      "Thu, 29 Feb 2023 12:00:00 +0000",
                                      "Mon, 0 Dec 2002 03:04:05 +0100",
                                      "Mon, 2 Dez 2002 03:04:05 +0100",
                                      "Mon, 2 Decimal 2002 03:04:05 +0100",
                                      "Mon, 2 De 2002 03:04:05 +0100",
                                      "Mon, 2 Dec 2002 24:04:05 +0100",
                                      "Mon, 2 Dec 2002 03:60:05 +0100",
                                      "Mon, 2 Dec 2002 03:04:61 +0100",
                                      "Mon, 2 Dec 2002 03:04:05 +2400",
                                      "Mon, 2 Dec 2002 03:04:05 +0160",
                                      "Mon, 2 Dec 2002 03:04:05 -9999",
                                      "2 Dec 2002",
                                      "2 Dec 2002 03",
                                      "2 Dec 2 03:04:05",
                                      "2 Dec 20002 03:04:05",
                                      "02/10/2002 08:58:53",
                                      "2002-13-02T03:04:05Z",
                                      "2002-12-02",
                                      "99999999999999999999 Dec 2002 03:04:05",
                                      "-2 Dec 2002 03:04:05"}) {
    CAPTURE(text);
    CHECK_FALSE(parseMailDate(text).has_value());
  }
}

TEST_CASE("the date of a Received stands behind its last semicolon, or where its writer put it", "[index][date]") {
  const std::array rows{
      Row{"from a by b; Mon, 2 Dec 2002 03:04:05 +0100", kMoment, 60},
      Row{"from a by b (x; y)\r\n\t; Mon,\r\n 2 Dec 2002 03:04:05 +0100", kMoment, 60},
      Row{"from a by b; Mon, 2 Dec 2002 03:04:05 +0100 (CET; no summer time)", kMoment, 60},
      Row{"from a by b; Mon, 2 Dec 2002 03:04:05 +0100; for me", kMoment, 60},
      Row{"(qmail 12 invoked by uid 500); 2 Dec 2002 02:04:05 -0000", kMoment},
      Row{"(Scanned by Filter for x)2 Dec 2002 02:04:05 -0000", kMoment},
      Row{"from SMTP agent by mail gateway \r\n Mon, 02 Dec 2002 02:04:05 -0000", kMoment},
      Row{"from a (b [192.0.2.7]) by c with ESMTP id bu207z82 Mon, 02 Dec 2002 03:04:05 +0100 (CET)", kMoment, 60},
      Row{"from a (never closed by b; Mon, 2 Dec 2002 03:04:05 +0100", kMoment, 60},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto date = parseReceivedDate(row.text);
    REQUIRE(date.has_value());
    CHECK(date->seconds == row.seconds);
    CHECK(date->zoneMinutes == row.zone);
  }
  for (const std::string_view text : {"", "from unknown", "from a by b; nonsense", "with ESMTP id JAA12432",
                                      "from a by b with qmail-scanner (uvscan: v4.1.60); 02/10/2002 08:58:53",
                                      "from a by b; Mon, 2 Dec 2002 03:04:05 +2400"}) {
    CAPTURE(text);
    CHECK_FALSE(parseReceivedDate(text).has_value());
  }
}

TEST_CASE("a message arrived when its topmost valid Received says, else when Date does", "[index][date]") {
  const std::string date = "Date: Sun, 1 Dec 2002 02:04:05 +0000\r\n";
  const std::string good = "Received: from a by b; Mon, 2 Dec 2002 03:04:05 +0100\r\n";
  const InternalDate there{kMoment, 60};
  const InternalDate written{kMoment - 86400, 0};
  CHECK(arrivalOf(good + "Received: from c by a; Tue, 3 Dec 2002 02:04:05 +0000\r\n" + date) == there);
  CHECK(arrivalOf(date) == written);
  CHECK(arrivalOf("Subject: x\r\n") == InternalDate{});
  CHECK(arrivalOf("Date: nonsense\r\n") == InternalDate{});
  for (const std::string broken :
       {"Received: from x by y\r\n", "Received: from x by y; nonsense\r\n",
        "Received: from x by y; 02/10/2002 08:58:53\r\n", "Received: from x by y; Mon, 2 Dec 2002 03:04:05 +2400\r\n",
        "Received: from x by y; Fri, 1 Jan 1904 00:00:00 +0000\r\n",
        "Received: from x by y; Thu, 1 Jan 1970 00:00:00 +0000\r\n",
        "Received: from x by y; Fri, 23 Aug 0102 02:37:19 -0300\r\n",
        "Received: from x by y; Tue, 19 Jan 2038 03:14:08 +0000\r\n",
        "Received: from x by y; Thu, 1 Jan 2099 00:00:00 +0000\r\n"}) {
    CAPTURE(broken);
    CHECK(arrivalOf(broken + good + date) == there);
    CHECK(arrivalOf(broken + broken + date) == written);
    CHECK(arrivalOf(broken) == InternalDate{});
  }
  CHECK(arrivalOf("Date: Thu, 1 Jan 2099 00:00:00 +0000\r\n") == InternalDate{});
}

TEST_CASE("a date is believed from 1971 until tomorrow", "[index][date]") {
  const std::int64_t latest = latestDateAt(kNow);
  CHECK(isBelievable({utc(1971, 1, 1), 0}, latest));
  CHECK_FALSE(isBelievable({utc(1971, 1, 1) - 1, 0}, latest));
  CHECK(isBelievable({kNow + 86'400, 0}, latest));
  CHECK_FALSE(isBelievable({kNow + 86'401, 0}, latest));
  // A machine whose clock is not set does not doubt all mail.
  CHECK(isBelievable({kNow, 0}, latestDateAt(0)));
  CHECK(arrivalOf("Date: Sun, 1 Dec 2002 02:04:05 +0000\r\n", 1000).seconds == kMoment - 86400);
}
