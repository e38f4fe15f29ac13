#include "sync/pop3/listing.h"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace mailbraid::sync::pop3 {

namespace {

constexpr std::string_view kFallbackPrefix = " header ";

struct DefectText {
  ListingDefect defect;
  std::string_view text;
};
constexpr std::array<DefectText, 7> kDefects{{
    {ListingDefect::NoUidl, "the server has no UIDL, messages are known by their headers"},
    {ListingDefect::DuplicateUidl, "the server gives one unique-id to several messages"},
    {ListingDefect::InvalidUidl, "the server gives unique-ids that are none"},
    {ListingDefect::ShorterThanStat, "the server lists fewer messages than it says it has"},
    {ListingDefect::CountsDiffer, "LIST and UIDL do not name the same messages"},
    {ListingDefect::UnreadableLine, "the server's listing has lines that cannot be read"},
    {ListingDefect::RepeatedNumber, "the server lists a message twice"},
}};

/// Sorts by number; true when a number was there twice (the first stays).
template <class Item>
bool sortAndDrop(std::vector<Item>& items) {
  const auto less = [](const Item& a, const Item& b) { return a.number < b.number; };
  if (!std::is_sorted(items.begin(), items.end(), less)) std::stable_sort(items.begin(), items.end(), less);
  const auto last =
      std::unique(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.number == b.number; });
  const bool dropped = last != items.end();
  items.erase(last, items.end());
  return dropped;
}

/// Merges the two sorted lists by number; true when both named the same messages.
bool merge(ListingReplies& replies, std::vector<ListedMessage>& out) {
  bool same = true;
  auto uidl = replies.uidls.begin();
  auto size = replies.sizes.begin();
  out.reserve(std::max(replies.sizes.size(), replies.uidls.size()));
  while (uidl != replies.uidls.end() || size != replies.sizes.end()) {
    const bool hasUidl = uidl != replies.uidls.end() && (size == replies.sizes.end() || uidl->number <= size->number);
    const bool hasSize = size != replies.sizes.end() && (uidl == replies.uidls.end() || size->number <= uidl->number);
    ListedMessage message;
    if (hasUidl) {
      message.number = uidl->number;
      message.uidl = std::move(uidl->uidl);
      ++uidl;
    }
    if (hasSize) {
      message.number = size->number;
      message.size = size->size;
      message.sizeKnown = true;
      ++size;
    }
    same = same && hasUidl && hasSize;
    out.push_back(std::move(message));
  }
  return same;
}

/// Takes away every unique-id that is there more than once: none of its messages is identified by it.
bool dropDuplicates(std::vector<ListedMessage>& messages) {
  std::unordered_set<std::string_view> seen;
  std::unordered_set<std::string> duplicates;
  seen.reserve(messages.size());
  for (const ListedMessage& message : messages) {
    const std::string& uidl = message.uidl.value();
    if (!uidl.empty() && !seen.insert(uidl).second) duplicates.insert(uidl);
  }
  seen.clear();
  if (duplicates.empty()) return false;
  for (ListedMessage& message : messages) {
    if (duplicates.count(message.uidl.value()) != 0) message.uidl = {};
  }
  return true;
}

}  // namespace

std::string_view describe(ListingDefect defect) {
  for (const DefectText& known : kDefects) {
    if (known.defect == defect) return known.text;
  }
  return {};
}

bool Listing::has(ListingDefect defect) const {
  return std::find(defects.begin(), defects.end(), defect) != defects.end();
}

Listing analyse(ListingReplies replies) {
  Listing listing;
  const auto note = [&](bool found, ListingDefect defect) {
    if (found) listing.defects.push_back(defect);
    return found;
  };
  bool incomplete = note(replies.unreadable != 0, ListingDefect::UnreadableLine);
  const bool repeatedSize = sortAndDrop(replies.sizes);
  const bool repeatedUidl = sortAndDrop(replies.uidls);
  incomplete |= note(repeatedSize || repeatedUidl, ListingDefect::RepeatedNumber);
  const bool invalid = std::any_of(replies.uidls.begin(), replies.uidls.end(),
                                   [](const UidlItem& item) { return item.uidl.value().empty(); });
  const bool same = merge(replies, listing.messages);
  note(replies.uidlRefused, ListingDefect::NoUidl);
  note(invalid, ListingDefect::InvalidUidl);
  note(dropDuplicates(listing.messages), ListingDefect::DuplicateUidl);
  incomplete |= note(!same && !replies.uidlRefused && !replies.listRefused, ListingDefect::CountsDiffer);
  incomplete |=
      note(!replies.statCount || listing.messages.size() < *replies.statCount, ListingDefect::ShorterThanStat);
  listing.complete = !incomplete && !(replies.uidlRefused && replies.listRefused);
  listing.identified = std::all_of(listing.messages.begin(), listing.messages.end(),
                                   [](const ListedMessage& message) { return !message.uidl.value().empty(); });
  return listing;
}

mailstore::Uidl fallbackUidl(const mailstore::HeaderDigest& header, std::uint64_t size, std::size_t ordinal) {
  return mailstore::Uidl(std::string(kFallbackPrefix) + header.hex() + " " + std::to_string(size) + " " +
                         std::to_string(ordinal));
}

bool isFallback(const mailstore::Uidl& uidl) {
  return uidl.value().rfind(kFallbackPrefix, 0) == 0;
}

}  // namespace mailbraid::sync::pop3
