#include "mailstore/types/flags.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mailbraid::mailstore {
namespace {

constexpr std::array<std::pair<std::string_view, SystemFlag>, 5> kSystemFlags{{
    {"\\Seen", SystemFlag::Seen},
    {"\\Answered", SystemFlag::Answered},
    {"\\Flagged", SystemFlag::Flagged},
    {"\\Deleted", SystemFlag::Deleted},
    {"\\Draft", SystemFlag::Draft},
}};
constexpr std::uint8_t kAllBits = 31;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool lessIgnoringCase(std::string_view left, std::string_view right) {
  return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end(),
                                      [](char a, char b) { return lower(a) < lower(b); });
}

bool equalIgnoringCase(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

// A keyword travels in the store's column (parted by spaces) and in IMAP's flag lists (an atom, RFC 9051 section 9).
// 8-bit names and `]` are no atoms, but servers have them, and they do no harm.
bool isKeyword(std::string_view name) {
  constexpr std::string_view kSpecials = "(){%*\"\\";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet > 0x20U && octet != 0x7FU && kSpecials.find(c) == std::string_view::npos;
  });
}

}  // namespace

Flags Flags::parse(const std::vector<std::string>& names) {
  Flags out;
  for (const std::string& name : names) out.add(name);
  return out;
}

Flags Flags::fromColumns(std::uint8_t bits, std::string_view keywords) {
  Flags out;
  out.bits_ = bits & kAllBits;
  while (!keywords.empty()) {
    const std::size_t space = keywords.find(' ');
    out.add(keywords.substr(0, space));
    keywords.remove_prefix(space == std::string_view::npos ? keywords.size() : space + 1);
  }
  return out;
}

bool Flags::add(std::string_view name) {
  for (const auto& [text, flag] : kSystemFlags) {
    if (equalIgnoringCase(text, name)) {
      add(flag);
      return true;
    }
  }
  if (!isKeyword(name)) return false;
  const auto place = std::lower_bound(keywords_.begin(), keywords_.end(), name, lessIgnoringCase);
  if (place == keywords_.end() || !equalIgnoringCase(*place, name)) keywords_.emplace(place, name);
  return true;
}

bool Flags::hasKeyword(std::string_view name) const {
  const auto place = std::lower_bound(keywords_.begin(), keywords_.end(), name, lessIgnoringCase);
  return place != keywords_.end() && equalIgnoringCase(*place, name);
}

std::string Flags::keywordColumn() const {
  std::string out;
  for (const std::string& keyword : keywords_) {
    if (!out.empty()) out.push_back(' ');
    out += keyword;
  }
  return out;
}

std::vector<std::string> Flags::names() const {
  std::vector<std::string> out;
  for (const auto& [text, flag] : kSystemFlags) {
    if (has(flag)) out.emplace_back(text);
  }
  out.insert(out.end(), keywords_.begin(), keywords_.end());
  return out;
}

Flags Flags::without(const Flags& other) const {
  Flags out;
  out.bits_ = static_cast<std::uint8_t>(bits_ & ~other.bits_);
  std::copy_if(keywords_.begin(), keywords_.end(), std::back_inserter(out.keywords_),
               [&](const std::string& keyword) { return !other.hasKeyword(keyword); });
  return out;
}

Flags Flags::unitedWith(const Flags& other) const {
  Flags out = *this;
  out.bits_ = static_cast<std::uint8_t>(bits_ | other.bits_);
  for (const std::string& keyword : other.keywords_) out.add(keyword);
  return out;
}

bool operator==(const Flags& left, const Flags& right) {
  return left.bits_ == right.bits_ &&
         std::equal(left.keywords_.begin(), left.keywords_.end(), right.keywords_.begin(), right.keywords_.end(),
                    [](const std::string& a, const std::string& b) { return equalIgnoringCase(a, b); });
}

}  // namespace mailbraid::mailstore
