// What real POP3 servers do that RFC 1939 does not say. One line a quirk; each has a transcript in
// tests/pop3/quirks_test.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mailbraid::sync::pop3 {

enum class Quirk : std::uint8_t {
  BareOk,
  NoCapa,
  PaddedListing,
  TextAfterUidl,
  ColumnsAfterSize,
  AngleBracketsInGreeting,
  LfOnlyLines,
  LongUidl,
  UnreadableListingLine,
  NoUidl,
  NoTop,
  ListsInParts,
};

struct QuirkFacts {
  Quirk quirk;
  std::string_view name;
  std::string_view handling;
};

inline constexpr std::array<QuirkFacts, 12> kQuirks{{
    {Quirk::BareOk, "bare-ok", "+OK or -ERR without a text, RETR without a size: taken as it is"},
    {Quirk::NoCapa, "no-capa", "-ERR to CAPA: nothing is pipelined, UIDL and TOP are tried"},
    {Quirk::PaddedListing, "padded-listing", "more than one space in a LIST or UIDL line: skipped"},
    {Quirk::TextAfterUidl, "text-after-uidl", "words after the unique-id: left out, the id is the first word"},
    {Quirk::ColumnsAfterSize, "columns-after-size", "columns after the size in LIST (RFC 1939 allows them): left out"},
    {Quirk::AngleBracketsInGreeting, "angle-brackets-in-greeting", "<...> that is no msg-id: not an APOP timestamp"},
    {Quirk::LfOnlyLines, "lf-only-lines", "the greeting ends in a bare LF: LF ends every line of this connection"},
    {Quirk::LongUidl, "long-uidl", "a unique-id of more than 70 characters: kept as it is, up to the limit"},
    {Quirk::UnreadableListingLine, "unreadable-listing-line",
     "a listing line without a number: the listing is incomplete"},
    {Quirk::NoUidl, "no-uidl", "-ERR to UIDL: messages are known by their header"},
    {Quirk::NoTop, "no-top", "-ERR to TOP: messages without a unique-id are fetched whole"},
    {Quirk::ListsInParts, "lists-in-parts",
     "Gmail lists some hundred messages a session: sessions go on while they bring new ones"},
}};

/// Which quirks a connection has shown.
class QuirkSet {
 public:
  void add(Quirk quirk) { bits_ |= 1U << static_cast<unsigned>(quirk); }
  [[nodiscard]] bool has(Quirk quirk) const { return (bits_ & 1U << static_cast<unsigned>(quirk)) != 0; }
  void add(const QuirkSet& other) { bits_ |= other.bits_; }
  friend bool operator==(const QuirkSet&, const QuirkSet&) = default;

 private:
  std::uint32_t bits_ = 0;
};

}  // namespace mailbraid::sync::pop3
