#include "mailstore/types/uid_set.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace mailbraid::mailstore {
namespace {

using Range = UidSet::Range;

constexpr std::uint32_t kMax = std::numeric_limits<std::uint32_t>::max();

/// True when nothing lies between `left` and a range that begins at `first`, so that both are one range.
bool touches(Uid left, Uid first) {
  return left.value() == kMax || left.value() + 1 >= first.value();
}

std::uint64_t countOf(const Range& range) {
  return static_cast<std::uint64_t>(range.last.value()) - range.first.value() + 1;
}

std::optional<Uid> parseUid(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0) return std::nullopt;
  return Uid{value};
}

std::optional<Range> parseRange(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto first = parseUid(text.substr(0, colon));
  const auto last = colon == std::string_view::npos ? first : parseUid(text.substr(colon + 1));
  if (!first || !last) return std::nullopt;
  // "9:5" means the same as "5:9" (RFC 9051 section 9, seq-range).
  return Range{std::min(*first, *last), std::max(*first, *last)};
}

void appendText(std::string& out, const Range& range) {
  if (!out.empty()) out.push_back(',');
  out += std::to_string(range.first.value());
  if (range.first == range.last) return;
  out.push_back(':');
  out += std::to_string(range.last.value());
}

}  // namespace

UidSet UidSet::of(Uid first, Uid last) {
  UidSet out;
  out.add(first, last);
  return out;
}

std::optional<UidSet> UidSet::parse(std::string_view text, std::size_t maxRanges) {
  std::vector<Range> ranges;
  while (true) {
    const std::size_t comma = text.find(',');
    const auto range = parseRange(text.substr(0, comma));
    if (!range || ranges.size() == maxRanges) return std::nullopt;
    ranges.push_back(*range);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  // Sorted first: a server may send a million ranges backwards.
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  UidSet out;
  for (const Range& range : ranges) out.add(range.first, range.last);
  return out;
}

void UidSet::add(Uid uid) {
  add(uid, uid);
}

void UidSet::add(Uid first, Uid last) {
  if (first.value() == 0 || last < first) return;
  if (ranges_.empty() || !touches(ranges_.back().last, first)) {
    ranges_.push_back({first, last});
    return;
  }
  // All ranges from `begin` to before `end` touch the new one and become one with it.
  const auto begin = std::lower_bound(ranges_.begin(), ranges_.end(), first,
                                      [](const Range& range, Uid uid) { return !touches(range.last, uid); });
  auto end = begin;
  while (end != ranges_.end() && touches(last, end->first)) {
    first = std::min(first, end->first);
    last = std::max(last, end->last);
    ++end;
  }
  if (begin == end) {
    ranges_.insert(begin, {first, last});
    return;
  }
  *begin = {first, last};
  ranges_.erase(begin + 1, end);
}

void UidSet::add(const UidSet& other) {
  std::vector<Range> all;
  all.reserve(ranges_.size() + other.ranges_.size());
  std::merge(ranges_.begin(), ranges_.end(), other.ranges_.begin(), other.ranges_.end(), std::back_inserter(all),
             [](const Range& a, const Range& b) { return a.first < b.first; });
  ranges_.clear();
  for (const Range& range : all) add(range.first, range.last);
}

void UidSet::remove(const UidSet& other) {
  std::vector<Range> kept;
  auto cut = other.ranges_.begin();
  for (Range range : ranges_) {
    while (cut != other.ranges_.end() && cut->last < range.first) ++cut;
    bool rest = true;
    for (auto next = cut; rest && next != other.ranges_.end() && next->first <= range.last; ++next) {
      if (range.first < next->first) kept.push_back({range.first, Uid{next->first.value() - 1}});
      rest = next->last < range.last;
      if (rest) range.first = Uid{next->last.value() + 1};
    }
    if (rest) kept.push_back(range);
  }
  ranges_ = std::move(kept);
}

bool UidSet::contains(Uid uid) const {
  const auto place = std::lower_bound(ranges_.begin(), ranges_.end(), uid,
                                      [](const Range& range, Uid wanted) { return range.last < wanted; });
  return place != ranges_.end() && place->first <= uid;
}

std::uint64_t UidSet::count() const {
  std::uint64_t out = 0;
  for (const Range& range : ranges_) out += countOf(range);
  return out;
}

UidSet UidSet::intersectedWith(const UidSet& other) const {
  UidSet out;
  auto left = ranges_.begin();
  auto right = other.ranges_.begin();
  while (left != ranges_.end() && right != other.ranges_.end()) {
    out.add(std::max(left->first, right->first), std::min(left->last, right->last));
    (left->last < right->last ? left : right)++;
  }
  return out;
}

std::string UidSet::text() const {
  std::string out;
  for (const Range& range : ranges_) appendText(out, range);
  return out;
}

std::vector<UidSet> UidSet::chunksOfText(std::size_t maxLength) const {
  std::vector<UidSet> out;
  std::size_t length = 0;
  for (const Range& range : ranges_) {
    std::string text;
    appendText(text, range);
    if (out.empty() || length + 1 + text.size() > maxLength) {
      out.emplace_back();
      length = text.size();
    } else {
      length += 1 + text.size();
    }
    out.back().ranges_.push_back(range);
  }
  return out;
}

UidSet UidSet::lowest(std::uint64_t count, std::size_t maxRanges) const {
  UidSet out;
  for (const Range& range : ranges_) {
    if (count == 0 || out.ranges_.size() >= maxRanges) break;
    const std::uint64_t taken = std::min(countOf(range), count);
    out.ranges_.push_back({range.first, Uid{static_cast<std::uint32_t>(range.first.value() + (taken - 1))}});
    count -= taken;
  }
  return out;
}

std::vector<UidSet> UidSet::chunksOfCount(std::uint64_t maxCount) const {
  std::vector<UidSet> out;
  const std::uint64_t limit = std::max<std::uint64_t>(maxCount, 1);
  std::uint64_t room = 0;
  for (Range range : ranges_) {
    for (std::uint64_t left = countOf(range); left > 0;) {
      if (room == 0) {
        out.emplace_back();
        room = limit;
      }
      const std::uint64_t taken = std::min(left, room);
      const Uid last{static_cast<std::uint32_t>(range.first.value() + (taken - 1))};
      out.back().ranges_.push_back({range.first, last});
      left -= taken;
      room -= taken;
      if (left > 0) range.first = Uid{last.value() + 1};
    }
  }
  return out;
}

}  // namespace mailbraid::mailstore
