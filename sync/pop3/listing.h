// What a POP3 mailbox holds, as far as the server tells, and what may be concluded from it. Pure functions.
#pragma once

#include "mailstore/types/ids.h"
#include "sync/pop3/command.h"
#include "sync/pop3/event.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mailbraid::sync::pop3 {

struct ListedMessage {
  MessageNumber number = 0;
  std::uint64_t size = 0;  ///< octets as LIST says; servers are wrong about it often enough: a hint, not a fact
  bool sizeKnown = false;
  mailstore::Uidl uidl;  ///< empty: the message is not identified by UIDL; look at its header (fallbackUidl())
};

/// Why a listing is less than it should be.
enum class ListingDefect : std::uint8_t {
  NoUidl,           ///< the server has none: every message is known by its header only
  DuplicateUidl,    ///< some messages share one (against RFC 1939 section 7): those are known by their header
  InvalidUidl,      ///< some are too long or have forbidden characters: likewise
  ShorterThanStat,  ///< fewer lines than STAT counts: incomplete
  CountsDiffer,     ///< LIST and UIDL do not list the same messages: incomplete
  UnreadableLine,   ///< incomplete
  RepeatedNumber,   ///< one number in two lines: incomplete
};
std::string_view describe(ListingDefect defect);

struct Listing {
  std::vector<ListedMessage> messages;  ///< ascending by number
  std::vector<ListingDefect> defects;
  /// Absence from this listing is evidence that a message is gone (P6). False for any incomplete one.
  bool complete = false;
  /// Every message has a unique-id: absence of a UIDL means something.
  bool identified = false;
  [[nodiscard]] bool has(ListingDefect defect) const;
};

/// What the replies said. `*Refused`: the server answered -ERR.
struct ListingReplies {
  std::optional<std::uint64_t> statCount;  ///< empty: no readable STAT
  std::vector<ListItem> sizes;
  bool listRefused = false;
  std::vector<UidlItem> uidls;
  bool uidlRefused = false;
  std::size_t unreadable = 0;
};
Listing analyse(ListingReplies replies);

/// The key of a message without a usable UIDL: it has spaces, so that it never equals one of a server. `ordinal` counts
/// messages of equal header and size within the listing, from 0: two equal copies stay two.
mailstore::Uidl fallbackUidl(const mailstore::HeaderDigest& header, std::uint64_t size, std::size_t ordinal);
bool isFallback(const mailstore::Uidl& uidl);

}  // namespace mailbraid::sync::pop3
