// The header of a message as fields, found without judging it: whatever arrives has some reading (mailstore's own).
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace mailbraid::mailstore {

/// Finds the end of a header: the first empty line (LF, or CR LF, at the beginning of a line), fed in pieces.
class HeaderEnd {
 public:
  /// How many of `octets` belong to the header, the empty line included.
  std::size_t feed(std::string_view octets);
  [[nodiscard]] bool found() const { return place_ == Place::After; }
  void reset() { place_ = Place::LineStart; }

 private:
  enum class Place : unsigned char { LineStart, CrAtLineStart, InLine, After };
  Place place_ = Place::LineStart;
};

/// One field. Views into the header.
struct HeaderField {
  std::string_view name;
  std::string_view body;  ///< after the colon, folded as it came, without the line's end
};

/// Calls `visit` with each field in order; lines that are no fields are passed over (RFC 5322 section 2.2).
void forEachField(std::string_view header, const std::function<void(const HeaderField&)>& visit);

/// A field's body in one line: every run of white space and line ends is one space, none at either end.
std::string unfolded(std::string_view body);

/// ASCII only. Inline: it is asked of every field of every message for a handful of names.
inline bool equalIgnoringCase(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(), [&](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace mailbraid::mailstore
