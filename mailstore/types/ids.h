// The words of the whole project as types: a number that names one thing never passes for another.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace mailbraid::mailstore {

/// A value of Rep that only compares with, and converts to, itself. `Tag` names what it means.
template <class Tag, class Rep>
class Named {
 public:
  using Value = Rep;
  constexpr Named() = default;
  constexpr explicit Named(Rep value) : value_(std::move(value)) {}
  [[nodiscard]] constexpr const Rep& value() const { return value_; }
  friend constexpr auto operator<=>(const Named&, const Named&) = default;

 private:
  Rep value_{};
};

// IMAP (RFC 9051 section 2.3.1, RFC 7162 section 3.1). 0 means "not known"; no server may send it.
using Uid = Named<struct UidTag, std::uint32_t>;
using UidValidity = Named<struct UidValidityTag, std::uint32_t>;
using ModSeq = Named<struct ModSeqTag, std::uint64_t>;

/// POP3 unique-id, 1 to 70 characters 0x21 to 0x7E (RFC 1939 section 7); longer ones that servers send are kept as they
/// are.
using Uidl = Named<struct UidlTag, std::string>;

// Row numbers in the store. 0 means "none".
using BraidId = Named<struct BraidIdTag, std::int64_t>;
using MailboxId = Named<struct MailboxIdTag, std::int64_t>;
using MessageId = Named<struct MessageIdTag, std::int64_t>;  ///< a message's row, not its Message-ID header
using EntryId = Named<struct EntryIdTag, std::int64_t>;
using EndpointId = Named<struct EndpointIdTag, std::int64_t>;
using EndpointMailboxId = Named<struct EndpointMailboxIdTag, std::int64_t>;
using PairId = Named<struct PairIdTag, std::int64_t>;
using RunId = Named<struct RunIdTag, std::int64_t>;

/// Store change number: every entry change gets the next one.
using ChangeNumber = Named<struct ChangeNumberTag, std::int64_t>;

/// SHA-256. `Digest` names a whole message, `HeaderDigest` its header, `ContentKey` its content without what transport
/// adds.
template <class Tag>
struct Sha256Value {
  std::array<std::uint8_t, 32> bytes{};
  friend auto operator<=>(const Sha256Value&, const Sha256Value&) = default;
  /// 64 lower-case hexadecimal digits.
  [[nodiscard]] std::string hex() const {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
      out.push_back(kDigits[byte >> 4U]);
      out.push_back(kDigits[byte & 0x0FU]);
    }
    return out;
  }
};
using Digest = Sha256Value<struct DigestTag>;
using HeaderDigest = Sha256Value<struct HeaderDigestTag>;
using ContentKey = Sha256Value<struct ContentKeyTag>;

/// A message's internal date: seconds since 1970-01-01T00:00:00Z and the zone it was told in, minutes east of UTC.
struct InternalDate {
  std::int64_t seconds = 0;
  std::int16_t zoneMinutes = 0;
  friend auto operator<=>(const InternalDate&, const InternalDate&) = default;
};

}  // namespace mailbraid::mailstore

template <class Tag, class Rep>
struct std::hash<mailbraid::mailstore::Named<Tag, Rep>> {
  std::size_t operator()(const mailbraid::mailstore::Named<Tag, Rep>& named) const noexcept {
    return std::hash<Rep>{}(named.value());
  }
};

template <class Tag>
struct std::hash<mailbraid::mailstore::Sha256Value<Tag>> {
  /// The first bytes of a SHA-256 are as good a hash as any.
  std::size_t operator()(const mailbraid::mailstore::Sha256Value<Tag>& value) const noexcept {
    std::size_t out = 0;
    for (std::size_t i = 0; i < sizeof out; ++i) out = (out << 8U) | value.bytes[i];
    return out;
  }
};
