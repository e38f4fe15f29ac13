// Sets of UIDs as ranges (RFC 9051 `sequence-set`, without `*`).
#pragma once

#include "mailstore/types/ids.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::mailstore {

/// A set of UIDs, kept as ascending, disjoint, non-adjacent ranges. A value type; not thread-safe. Adding in ascending
/// order costs O(1), anything else O(number of ranges).
class UidSet {
 public:
  struct Range {
    Uid first;
    Uid last;  ///< inclusive
    friend bool operator==(const Range&, const Range&) = default;
  };

  UidSet() = default;
  static UidSet of(Uid first, Uid last);
  /// `3,5:9,12`; empty optional when it is not a set, has 0 or `*`, or has more than `maxRanges` ranges.
  static std::optional<UidSet> parse(std::string_view text, std::size_t maxRanges = 1'000'000);

  void add(Uid uid);
  void add(Uid first, Uid last);
  void add(const UidSet& other);
  void remove(const UidSet& other);

  [[nodiscard]] bool contains(Uid uid) const;
  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  /// How many UIDs are in it.
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] const std::vector<Range>& ranges() const { return ranges_; }
  [[nodiscard]] UidSet intersectedWith(const UidSet& other) const;
  [[nodiscard]] std::string text() const;
  /// Cut into sets whose text is at most `maxLength` octets: command lines have limits.
  [[nodiscard]] std::vector<UidSet> chunksOfText(std::size_t maxLength) const;
  /// Its lowest `count` UIDs, in at most `maxRanges` ranges.
  [[nodiscard]] UidSet lowest(std::uint64_t count, std::size_t maxRanges) const;
  /// Cut into sets of at most `maxCount` UIDs.
  [[nodiscard]] std::vector<UidSet> chunksOfCount(std::uint64_t maxCount) const;
  friend bool operator==(const UidSet&, const UidSet&) = default;

 private:
  std::vector<Range> ranges_;
};

}  // namespace mailbraid::mailstore
