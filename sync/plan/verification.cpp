#include "sync/plan/verification.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <numeric>
#include <set>
#include <tuple>
#include <unordered_set>
#include <utility>

namespace mailbraid::sync::plan {

using mailstore::InternalDate;
using mailstore::RemoteKey;

namespace {

/// By the clock of its own zone.
int yearOf(const InternalDate& date) {
  if (date.seconds == 0) return 0;
  const std::chrono::sys_seconds there{std::chrono::seconds(date.seconds + std::int64_t{date.zoneMinutes} * 60)};
  return static_cast<int>(std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(there)).year());
}

InternalDate dateOf(const FoundMessage& found) {
  if (found.date) return *found.date;
  return {found.index ? found.index->date : 0, 0};
}

/// Without a body, a header and a size say it only where the header names its message, or a pair does.
bool isSame(const ExpectedMessage& expected, const FoundMessage& found) {
  if (found.body) return found.body->digest == expected.digest;
  const bool named = found.hasMessageId || expected.key == found.key;
  return named && found.header == expected.header && found.size == expected.size;
}

bool isRepairedForm(const ExpectedMessage& expected, const FoundMessage& found) {
  if (!found.unreadable.empty()) return false;
  return std::any_of(expected.forms.begin(), expected.forms.end(), [&](const mailstore::MessageForm& form) {
    return found.body ? found.body->digest == form.digest
                      : found.header == form.headerDigest && found.size == form.size;
  });
}

std::string octets(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " octet" : " octets");
}

std::string flagText(const mailstore::Flags& flags) {
  std::string out;
  for (const std::string& name : flags.names()) out += (out.empty() ? "" : " ") + name;
  return out.empty() ? "none" : out;
}

std::string whatDiffers(const ExpectedMessage& expected, const FoundMessage& found) {
  const std::string what = found.header == expected.header ? "its body is another one" : "its header is another one";
  if (found.size == expected.size) return what + ", of the same size";
  return what + ": " + octets(found.size) + " instead of " + octets(expected.size);
}

}  // namespace

std::uint64_t likenessOf(const mailstore::HeaderIndex& index) {
  constexpr std::uint64_t kPrime = 1099511628211U;  // FNV-1a
  std::uint64_t hash = 14695981039346656037U;
  const auto feed = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
    hash *= kPrime;
  };
  if (!index.messageId.empty()) {
    feed(index.messageId);
  } else if (index.date != 0 || !index.from.empty() || !index.subject.empty()) {
    feed(std::to_string(index.date));
    feed(index.from);
    feed(index.subject);
  } else {
    return 0;
  }
  return hash == 0 ? 1 : hash;
}

template <class Change>
void Verification::count(std::size_t mailbox, const InternalDate& date, const Change& change) {
  change(mailboxes_[mailbox]);
  change(years_[yearOf(date)]);
  change(totals_);
}

void Verification::expect(std::size_t mailbox, const ExpectedMessage& message) {
  expectedDigests_.push_back(message.digest);
  count(mailbox, message.date, [&](Tally& tally) {
    ++tally.expected;
    tally.octetsExpected += message.size;
  });
}

Finding& Verification::add(Finding::Kind kind, std::size_t mailbox, const ExpectedMessage& expected) {
  Finding& finding = findings_.emplace_back();
  finding.kind = kind;
  finding.mailbox = mailbox;
  finding.entry = expected.entry;
  finding.key = expected.key;
  finding.size = expected.size;
  finding.date = expected.date;
  return finding;
}

void Verification::compare(std::size_t mailbox, std::vector<ExpectedMessage> expected,
                           std::vector<FoundMessage> found) {
  mailboxes_[mailbox];
  std::vector<bool> met(expected.size(), false);
  std::vector<bool> matched(found.size(), false);
  const auto take = [&](std::size_t e, std::size_t f) {
    if (met[e] || !isSame(expected[e], found[f])) return false;
    met[e] = matched[f] = true;
    same(mailbox, expected[e], found[f]);
    return true;
  };
  std::vector<std::size_t> byKey;
  std::vector<std::size_t> byHeader(expected.size());
  std::iota(byHeader.begin(), byHeader.end(), std::size_t{0});
  std::copy_if(byHeader.begin(), byHeader.end(), std::back_inserter(byKey),
               [&](std::size_t e) { return expected[e].key.has_value(); });
  const auto keyOf = [&](std::size_t e) -> const RemoteKey& { return *expected[e].key; };
  const auto headerOf = [&](std::size_t e) -> const mailstore::HeaderDigest& { return expected[e].header; };
  std::stable_sort(byKey.begin(), byKey.end(), [&](std::size_t l, std::size_t r) { return keyOf(l) < keyOf(r); });
  // What is required comes first: it is not taken for gone while something else takes its copy.
  std::stable_sort(byHeader.begin(), byHeader.end(), [&](std::size_t l, std::size_t r) {
    return std::tie(headerOf(l), expected[l].standing) < std::tie(headerOf(r), expected[r].standing);
  });
  for (std::size_t f = 0; f < found.size(); ++f) {
    const auto paired = std::lower_bound(byKey.begin(), byKey.end(), found[f].key,
                                         [&](std::size_t e, const RemoteKey& key) { return keyOf(e) < key; });
    if (paired != byKey.end() && keyOf(*paired) == found[f].key) take(*paired, f);
  }
  for (std::size_t f = 0; f < found.size(); ++f) {
    if (matched[f] || !found[f].header) continue;
    auto alike = std::lower_bound(byHeader.begin(), byHeader.end(), *found[f].header,
                                  [&](std::size_t e, const mailstore::HeaderDigest& h) { return headerOf(e) < h; });
    while (alike != byHeader.end() && headerOf(*alike) == *found[f].header && !take(*alike, f)) ++alike;
  }
  for (std::size_t e = 0; e < expected.size(); ++e) {
    if (!met[e]) expected_.push_back({mailbox, std::move(expected[e])});
  }
  for (std::size_t f = 0; f < found.size(); ++f) {
    if (matched[f]) continue;
    foundAt_.emplace(Place{mailbox, found[f].key}, found_.size());
    found_.push_back({mailbox, std::move(found[f])});
  }
}

/// A message of the store that is removed there and is still here.
bool Verification::stillThere(std::size_t mailbox, const ExpectedMessage& expected, const FoundMessage& found) {
  if (expected.standing != Standing::Removed) return false;
  const bool isMeant = expected.reason.empty();
  count(mailbox, expected.date, [&](Tally& tally) { ++(isMeant ? tally.leftOut : tally.extra); });
  if (isMeant) return true;
  Finding& finding = add(Finding::Kind::Extra, mailbox, expected);
  finding.key = found.key;
  finding.reason = expected.reason;
  return true;
}

void Verification::same(std::size_t mailbox, const ExpectedMessage& expected, const FoundMessage& found) {
  if (stillThere(mailbox, expected, found)) return;
  expect(mailbox, expected);
  const bool isUpload = expected.wasUploaded && expected.key == found.key;
  const bool mayDiffer = expected.repairs.find(mailstore::repairName(mailstore::Repair::Date)) != std::string::npos;
  const bool wrongDate = isUpload && !mayDiffer && found.date && found.date->seconds != expected.date.seconds;
  if (wrongDate) {
    count(mailbox, expected.date, [](Tally& tally) { ++tally.altered; });
    Finding& finding = add(Finding::Kind::Altered, mailbox, expected);
    finding.key = found.key;
    finding.reason = "its date is another one";
    finding.dateThere = found.date;
    return;
  }
  okDigests_.push_back(expected.digest);
  count(mailbox, expected.date, [&](Tally& tally) {
    ++tally.ok;
    tally.octetsOk += expected.size;
  });
  remark(mailbox, expected, found);
}

void Verification::remark(std::size_t mailbox, const ExpectedMessage& expected, const FoundMessage& found) {
  if (found.flags && !(*found.flags == expected.flags)) {
    Finding& finding = add(Finding::Kind::FlagsDiffer, mailbox, expected);
    finding.key = found.key;
    finding.reason = "in the store " + flagText(expected.flags) + ", there " + flagText(*found.flags);
  }
  if (found.date && expected.date.seconds != 0 && found.date->seconds != expected.date.seconds) {
    Finding& finding = add(Finding::Kind::DateDiffers, mailbox, expected);
    finding.key = found.key;
    finding.dateThere = found.date;
  }
}

std::vector<Verification::Place> Verification::bodiesWanted() const {
  std::unordered_set<std::uint64_t> likenesses;
  std::unordered_set<mailstore::HeaderDigest> headers;
  std::set<Place> pairs;
  for (const LeftExpected& left : expected_) {
    if (left.message.likeness != 0) likenesses.insert(left.message.likeness);
    headers.insert(left.message.header);
    if (left.message.key) pairs.insert({left.mailbox, *left.message.key});
  }
  std::vector<Place> out;
  for (const LeftFound& left : found_) {
    const FoundMessage& message = left.message;
    if (expected_.empty() || message.body || !message.unreadable.empty()) continue;
    const bool mayBe = !message.header || headers.contains(*message.header) || likenesses.contains(message.likeness) ||
                       pairs.contains({left.mailbox, message.key});
    if (mayBe) out.push_back({left.mailbox, message.key});
  }
  return out;
}

Verification::LeftFound* Verification::foundAt(const Place& place) {
  const auto found = foundAt_.find(place);
  return found == foundAt_.end() ? nullptr : &found_[found->second];
}

std::vector<Verification::Place> Verification::undescribed() const {
  std::vector<Place> out;
  for (const LeftFound& left : found_) {
    if (left.message.header && !left.message.index) out.push_back({left.mailbox, left.message.key});
  }
  return out;
}

void Verification::describe(const Place& place, mailstore::HeaderIndex index) {
  LeftFound* left = foundAt(place);
  if (left == nullptr) return;
  left->message.likeness = likenessOf(index);
  left->message.index = std::make_shared<const mailstore::HeaderIndex>(std::move(index));
}

void Verification::tellBody(const Place& place, Body body) {
  LeftFound* left = foundAt(place);
  if (left == nullptr) return;
  FoundMessage& message = left->message;
  message.body = body.names;
  message.header = body.header;
  message.size = body.size;
  describe(place, std::move(body.index));
}

void Verification::tellUnreadable(const Place& place, std::string reason) {
  if (LeftFound* left = foundAt(place)) left->message.unreadable = std::move(reason);
}

template <class KeyOfExpected, class KeyOfFound, class Meet>
void Verification::pairUp(Reach reach, const KeyOfExpected& keyOfExpected, const KeyOfFound& keyOfFound,
                          const Meet& meet) {
  using Key = typename decltype(keyOfFound(std::declval<const FoundMessage&>()))::value_type;
  std::map<Key, std::vector<std::size_t>> waiting;
  for (std::size_t e = 0; e < expected_.size(); ++e) {
    // Elsewhere only what has to be somewhere is looked for.
    const bool looked = reach == Reach::SameMailbox || expected_[e].message.standing == Standing::Required;
    if (expected_[e].done || !looked) continue;
    if (const auto key = keyOfExpected(expected_[e].message)) waiting[*key].push_back(e);
  }
  for (LeftFound& found : found_) {
    if (found.done) continue;
    const auto key = keyOfFound(found.message);
    const auto candidates = key ? waiting.find(*key) : waiting.end();
    if (candidates == waiting.end()) continue;
    std::vector<std::size_t>& those = candidates->second;
    const auto fits = std::find_if(those.begin(), those.end(), [&](std::size_t e) {
      return (expected_[e].mailbox == found.mailbox) == (reach == Reach::SameMailbox);
    });
    if (fits == those.end()) continue;
    LeftExpected& expected = expected_[*fits];
    those.erase(fits);
    expected.done = found.done = true;
    meet(expected, found);
  }
}

void Verification::settle() {
  std::stable_sort(expected_.begin(), expected_.end(), [](const LeftExpected& left, const LeftExpected& right) {
    return left.message.standing < right.message.standing;
  });
  const auto digest = [](const ExpectedMessage& e) { return std::optional(e.digest); };
  const auto digestThere = [](const FoundMessage& f) { return f.body ? std::optional(f.body->digest) : std::nullopt; };
  const auto content = [](const ExpectedMessage& e) { return std::optional(e.content); };
  const auto contentThere = [](const FoundMessage& f) {
    return f.body ? std::optional(f.body->content) : std::nullopt;
  };
  using Outline = std::pair<mailstore::HeaderDigest, std::uint64_t>;
  const auto outline = [](const ExpectedMessage& e) { return std::optional(Outline{e.header, e.size}); };
  const auto outlineThere = [](const FoundMessage& f) {
    const bool known = !f.body && f.header && f.hasMessageId;
    return known ? std::optional(Outline{*f.header, f.size}) : std::nullopt;
  };
  const auto isMisplaced = [this](const LeftExpected& e, const LeftFound& f) { misplaced(e, f); };
  const auto isAltered = [this](const LeftExpected& e, const LeftFound& f) { altered(e, f); };

  pairUp(Reach::SameMailbox, digest, digestThere,
         [this](const LeftExpected& e, const LeftFound& f) { same(e.mailbox, e.message, f.message); });
  pairUp(Reach::SameMailbox, content, contentThere,
         [this](const LeftExpected& e, const LeftFound& f) { anotherRoute(e, f); });
  pairUp(Reach::OtherMailbox, digest, digestThere, isMisplaced);
  pairUp(Reach::OtherMailbox, outline, outlineThere, isMisplaced);
  pairUp(Reach::OtherMailbox, content, contentThere, isMisplaced);
  pairUp(
      Reach::SameMailbox, [](const ExpectedMessage& e) { return e.key; },
      [](const FoundMessage& f) { return std::optional(f.key); }, isAltered);
  pairUp(
      Reach::SameMailbox,
      [](const ExpectedMessage& e) {
        return e.standing == Standing::Required && e.likeness != 0 ? std::optional(e.likeness) : std::nullopt;
      },
      [](const FoundMessage& f) {
        return f.likeness != 0 && f.unreadable.empty() ? std::optional(f.likeness) : std::nullopt;
      },
      isAltered);
  for (const LeftExpected& left : expected_) {
    if (!left.done) absent(left);
  }
  for (const LeftFound& left : found_) {
    if (!left.done) surplus(left);
  }
  expected_.clear();
  found_.clear();
  foundAt_.clear();
}

void Verification::anotherRoute(const LeftExpected& expected, const LeftFound& found) {
  if (stillThere(expected.mailbox, expected.message, found.message)) return;
  if (isRepairedForm(expected.message, found.message)) {
    repaired(expected, found);
    return;
  }
  expect(expected.mailbox, expected.message);
  okDigests_.push_back(expected.message.digest);
  count(expected.mailbox, expected.message.date, [&](Tally& tally) {
    ++tally.ok;
    tally.octetsOk += expected.message.size;
  });
  Finding& finding = add(Finding::Kind::AnotherRoute, expected.mailbox, expected.message);
  finding.key = found.message.key;
  if (found.message.index) finding.index = *found.message.index;
  remark(expected.mailbox, expected.message, found.message);
}

void Verification::misplaced(const LeftExpected& expected, const LeftFound& found) {
  expect(expected.mailbox, expected.message);
  count(expected.mailbox, expected.message.date, [](Tally& tally) { ++tally.misplaced; });
  Finding& finding = add(Finding::Kind::Misplaced, expected.mailbox, expected.message);
  finding.foundIn = found.mailbox;
  finding.key = found.message.key;
  finding.reason = expected.message.reason;
}

void Verification::repaired(const LeftExpected& expected, const LeftFound& found) {
  expect(expected.mailbox, expected.message);
  okDigests_.push_back(expected.message.digest);
  count(expected.mailbox, expected.message.date, [&](Tally& tally) {
    ++tally.ok;
    tally.octetsOk += expected.message.size;
  });
  Finding& finding = add(Finding::Kind::Repaired, expected.mailbox, expected.message);
  finding.key = found.message.key;
  const std::string& repairs = expected.message.repairs;
  finding.reason = "the server took it with a repair only" + (repairs.empty() ? "" : ": " + repairs);
  remark(expected.mailbox, expected.message, found.message);
}

void Verification::altered(const LeftExpected& expected, const LeftFound& found) {
  if (stillThere(expected.mailbox, expected.message, found.message)) return;
  if (isRepairedForm(expected.message, found.message)) {
    repaired(expected, found);
    return;
  }
  expect(expected.mailbox, expected.message);
  const bool unreadable = !found.message.unreadable.empty();
  count(expected.mailbox, expected.message.date, [&](Tally& tally) { ++(unreadable ? tally.refused : tally.altered); });
  const auto kind = unreadable ? Finding::Kind::Refused : Finding::Kind::Altered;
  Finding& finding = add(kind, expected.mailbox, expected.message);
  finding.key = found.message.key;
  finding.reason =
      unreadable ? "it is there, but " + found.message.unreadable : whatDiffers(expected.message, found.message);
  const std::string& repairs = expected.message.repairs;
  if (!repairs.empty()) finding.reason += ", though not as its repair (" + repairs + ") would have it";
}

void Verification::absent(const LeftExpected& expected) {
  const ExpectedMessage& message = expected.message;
  switch (message.standing) {
    case Standing::Removed:
      return;
    case Standing::LeftOut:
      count(expected.mailbox, message.date, [](Tally& tally) { ++tally.leftOut; });
      return;
    case Standing::Refused:
      expect(expected.mailbox, message);
      count(expected.mailbox, message.date, [](Tally& tally) { ++tally.refused; });
      add(Finding::Kind::Refused, expected.mailbox, message).reason = message.reason;
      return;
    case Standing::Required:
      expect(expected.mailbox, message);
      count(expected.mailbox, message.date, [](Tally& tally) { ++tally.missing; });
      add(Finding::Kind::Missing, expected.mailbox, message).reason = message.reason;
      return;
  }
}

void Verification::surplus(const LeftFound& left) {
  const FoundMessage& found = left.message;
  const bool refused = found.excuse == FoundMessage::Excuse::Refused;
  const bool leftOut = found.excuse == FoundMessage::Excuse::LeftOut;
  count(left.mailbox, dateOf(found), [&](Tally& tally) {
    ++(refused ? tally.refused : leftOut ? tally.leftOut : tally.extra);
  });
  if (leftOut) return;
  Finding& finding = findings_.emplace_back();
  finding.kind = refused ? Finding::Kind::Refused : Finding::Kind::Extra;
  finding.mailbox = left.mailbox;
  finding.key = found.key;
  finding.size = found.size;
  finding.date = dateOf(found);
  if (found.index) finding.index = *found.index;
  finding.reason = !found.reason.empty() ? found.reason : found.unreadable;
}

}  // namespace mailbraid::sync::plan
