#include "mailstore/formats/mbox_format.h"

#include "mailstore/header_fields.h"
#include "mailstore/mail_date.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <utility>
#include <vector>

namespace mailbraid::mailstore {
namespace {

constexpr std::string_view kFrom = "From ";
constexpr std::string_view kForwarded = "$Forwarded";
constexpr unsigned kMozillaExpunged = 0x0008;
constexpr unsigned kMozillaForwarded = 0x1000;
constexpr std::array<std::pair<unsigned, SystemFlag>, 3> kMozillaFlags{
    {{0x0001, SystemFlag::Seen}, {0x0002, SystemFlag::Answered}, {0x0004, SystemFlag::Flagged}}};
constexpr std::array<std::pair<char, SystemFlag>, 4> kStatusLetters{
    {{'A', SystemFlag::Answered}, {'F', SystemFlag::Flagged}, {'D', SystemFlag::Deleted}, {'T', SystemFlag::Draft}}};

constexpr std::array<std::pair<std::string_view, MboxStatus::Field>, 12> kFields{{
    {"Status", MboxStatus::Field::Plain},
    {"X-Status", MboxStatus::Field::Plain},
    {"X-Keywords", MboxStatus::Field::Plain},
    {"X-Mozilla-Status", MboxStatus::Field::Thunderbird},
    {"X-Mozilla-Status2", MboxStatus::Field::Thunderbird},
    {"X-Mozilla-Keys", MboxStatus::Field::Thunderbird},
    {"X-Account-Key", MboxStatus::Field::Account},
    {"X-UIDL", MboxStatus::Field::Account},
    {"X-UID", MboxStatus::Field::Volatile},
    {"X-IMAPbase", MboxStatus::Field::Volatile},
    {"X-IMAP", MboxStatus::Field::Volatile},
    {"Content-Length", MboxStatus::Field::Length},
}};

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t start = text.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) return out;
    text.remove_prefix(start);
    const std::size_t end = std::min(text.find_first_of(" \t\r\n"), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

bool isYear(std::string_view word) {
  return word.size() == 4 && std::all_of(word.begin(), word.end(), isDigit);
}

/// `Mon Nov 11 07:33[:20] [zone] 2002 [zone]` at the end of the words.
std::optional<InternalDate> asctimeDate(const std::vector<std::string_view>& parts) {
  for (std::size_t time = 2; time < parts.size(); ++time) {
    const bool isTime = isDigit(parts[time].front()) && parts[time].find(':') != std::string_view::npos;
    if (!isTime) continue;
    std::string year;
    std::string zone;
    for (std::size_t i = time + 1; i < parts.size() && i <= time + 3; ++i) {
      if (year.empty() && isYear(parts[i])) {
        year = parts[i];
      } else if (zone.empty()) {
        zone = parts[i];
      }
    }
    if (year.empty()) continue;
    std::string text(parts[time - 1]);
    for (const std::string_view part : {parts[time - 2], std::string_view(year), parts[time]}) {
      text += ' ';
      text += part;
    }
    if (auto date = parseMailDate(text + ' ' + zone)) return date;
    if (auto date = parseMailDate(text)) return date;  // a zone that is none does not make it another line
  }
  return std::nullopt;
}

/// The address for the postmark (RFC 4155): from the From field when there is one without spaces.
std::string senderOf(std::string_view from) {
  const std::size_t open = from.rfind('<');
  if (open != std::string_view::npos) {
    from.remove_prefix(open + 1);
    from = from.substr(0, from.find('>'));
  }
  const bool plain = !from.empty() && from.find('@') != std::string_view::npos &&
                     std::all_of(from.begin(), from.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  return plain ? std::string(from) : "MAILER-DAEMON";
}

/// asctime() without a locale, in UTC.
std::string dateOf(InternalDate date) {
  const auto seconds = static_cast<time_t>(date.seconds);
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr || parts.tm_year + 1900 > 9999) return "Thu Jan  1 00:00:00 1970";
  std::array<char, 64> buffer{};
  ::asctime_r(&parts, buffer.data());
  std::string out(buffer.data());
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

std::optional<unsigned> hexNumber(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string joined(const std::vector<std::string>& keywords, std::string_view without) {
  std::string out;
  for (const std::string& keyword : keywords) {
    if (!without.empty() && equalIgnoringCase(keyword, without)) continue;
    out += (out.empty() ? "" : " ") + keyword;
  }
  return out;
}

}  // namespace

std::optional<MboxPostmark> parsePostmark(std::string_view line) {
  if (!line.starts_with(kFrom)) return std::nullopt;
  const std::vector<std::string_view> parts = words(line.substr(kFrom.size()));
  MboxPostmark out;
  out.bare = parts.empty() || (parts.size() == 1 && parts[0] == "-");
  out.isThunderbirds = !parts.empty() && parts[0] == "-";
  out.date = asctimeDate(parts);
  out.openEnd = out.date && line.ends_with(' ');
  return out;
}

std::string mboxPostmark(std::string_view from, InternalDate date, bool openEnd) {
  return "From " + senderOf(from) + " " + dateOf(date) + (openEnd ? " \n" : "\n");
}

MboxStatus::Field MboxStatus::kindOf(std::string_view name) {
  for (const auto& [known, kind] : kFields) {
    if (equalIgnoringCase(known, name)) return kind;
  }
  return Field::None;
}

bool MboxStatus::isPlausible(std::string_view name, std::string_view value) {
  const auto only = [&](std::string_view letters) {
    return value.find_first_not_of(letters) == std::string_view::npos;
  };
  if (equalIgnoringCase(name, "Status")) return only("RODNU \t\r\n");
  if (equalIgnoringCase(name, "X-Status")) return only("AFDTRNO \t\r\n");
  if (equalIgnoringCase(name, "Content-Length") || equalIgnoringCase(name, "X-UID")) return only("0123456789 \t\r\n");
  if (name.size() >= 16 && equalIgnoringCase(name.substr(0, 16), "X-Mozilla-Status")) {
    return only("0123456789abcdefABCDEF \t\r\n");
  }
  return true;
}

void MboxStatus::take(std::string_view name, std::string_view value) {
  if (equalIgnoringCase(name, "Status")) {
    if (value.find('R') != std::string_view::npos) flags_.add(SystemFlag::Seen);
  } else if (equalIgnoringCase(name, "X-Status")) {
    for (const auto& [letter, flag] : kStatusLetters) {
      if (value.find(letter) != std::string_view::npos) flags_.add(flag);
    }
  } else if (equalIgnoringCase(name, "X-Keywords") || equalIgnoringCase(name, "X-Mozilla-Keys")) {
    for (const std::string_view word : words(value)) flags_.add(word);
  } else if (equalIgnoringCase(name, "X-Mozilla-Status")) {
    const std::vector<std::string_view> parts = words(value);
    const unsigned bits = parts.empty() ? 0 : hexNumber(parts[0]).value_or(0);
    for (const auto& [bit, flag] : kMozillaFlags) {
      if ((bits & bit) != 0) flags_.add(flag);
    }
    if ((bits & kMozillaForwarded) != 0) flags_.add(kForwarded);
    expunged_ = (bits & kMozillaExpunged) != 0;
  } else if (equalIgnoringCase(name, "X-IMAP")) {
    internal_ = true;
  }
}

std::string mboxStatusLines(const Flags& flags, MboxStyle style) {
  if (style == MboxStyle::Plain) {
    std::string letters;
    for (const auto& [letter, flag] : kStatusLetters) {
      if (flags.has(flag)) letters.push_back(letter);
    }
    return std::string("Status: ") + (flags.has(SystemFlag::Seen) ? "RO" : "O") + "\nX-Status: " + letters +
           "\nX-Keywords: " + joined(flags.keywords(), {}) + "\n";
  }
  unsigned bits = flags.hasKeyword(kForwarded) ? kMozillaForwarded : 0;
  for (const auto& [bit, flag] : kMozillaFlags) {
    if (flags.has(flag)) bits |= bit;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (unsigned shift = 16; shift > 0; shift -= 4) hex.push_back(kDigits[(bits >> (shift - 4)) & 0x0FU]);
  std::string keys = joined(flags.keywords(), kForwarded);
  // Thunderbird changes the keys in place, and leaves itself this room for it.
  constexpr std::size_t kRoom = 80;
  if (keys.size() < kRoom) keys.append(kRoom - keys.size(), ' ');
  return "X-Mozilla-Status: " + hex + "\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: " + keys + "\n";
}

Flags mboxHeldFlags(const Flags& flags, MboxStyle style) {
  if (style == MboxStyle::Plain) return flags;
  return flags.without(Flags::of(SystemFlag::Deleted).unitedWith(Flags::of(SystemFlag::Draft)));
}

}  // namespace mailbraid::mailstore
