// From octets as they arrive to a message that is ready to be stored.
#pragma once

#include "mailstore/message_form.h"
#include "mailstore/types/ids.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::mailstore {

/// Header fields for people and for search, decoded to UTF-8 (RFC 2047), each cut at 1000 octets. Empty where absent or
/// unreadable.
struct HeaderIndex {
  std::string messageId;  ///< Message-ID, without the angle brackets
  std::string from;
  std::string to;
  std::string subject;
  std::int64_t date = 0;  ///< Date: seconds since 1970 UTC; 0 when absent or unreadable
};

/// A message that is ready to be stored: its names and its octets, compressed, in memory or, above
/// `SpoolOptions::memoryLimit`, in an unlinked file. Movable, may change threads.
class PreparedMessage {
 public:
  class Octets;  // compressed chunks; mailstore's own
  PreparedMessage();
  PreparedMessage(PreparedMessage&&) noexcept;
  PreparedMessage& operator=(PreparedMessage&&) noexcept;
  ~PreparedMessage();

  Digest digest;
  HeaderDigest headerDigest;
  ContentKey contentKey;
  std::uint64_t size = 0;  ///< octets
  HeaderIndex header;
  /// For sources that know no internal date: of the topmost Received that has one which can be believed (mail_date.h),
  /// else of Date, else 0.
  InternalDate fallbackDate;
  /// What SpoolOptions::repairs may make of it, where it has such faults.
  std::vector<MessageForm> repairedForms;
  /// Octets of memory that it holds: what a bounded queue counts.
  [[nodiscard]] std::size_t memoryUse() const;

  std::unique_ptr<Octets> octets;
};

struct SpoolOptions {
  std::filesystem::path directory;          ///< where unlinked files may be made: the store's directory
  std::size_t memoryLimit = 1024UL * 1024;  ///< compressed octets kept in memory for one message
  std::size_t headerLimit = 256UL * 1024;   ///< octets of header that are looked at
  /// Seconds since 1970: a header's date after it is not believed, see mail_date.h.
  std::int64_t latestDate = INT64_MAX;
  bool keepsOctets = true;  ///< false: only digests and header are wanted, `octets` stays empty
  Repairs repairs{};        ///< that an endpoint may need: of a message up to kMostRepaired its forms are told
};

/// Takes the octets of one message in pieces of any size and prepares it in one pass: digests, header index,
/// compression. Memory is bounded by SpoolOptions whatever the message's size. Reusable after finish() or discard(),
/// which keeps its buffers and compressor. One thread. Throws Error (NotWritable) when the spool file cannot be
/// written.
class MessageBuilder {
 public:
  explicit MessageBuilder(SpoolOptions options);
  ~MessageBuilder();
  MessageBuilder(const MessageBuilder&) = delete;
  MessageBuilder& operator=(const MessageBuilder&) = delete;

  void append(std::string_view octets);
  [[nodiscard]] std::uint64_t size() const;
  PreparedMessage finish();
  void discard();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Digest of a header alone, as fetched by BODY.PEEK[HEADER] or TOP n 0, fed in pieces. Equal to
/// PreparedMessage::headerDigest of the same message: octets up to the first empty line, trailing CR and LF left out.
/// The octets after the empty line, if any are fed, do not count.
class HeaderDigester {
 public:
  HeaderDigester();
  ~HeaderDigester();
  HeaderDigester(HeaderDigester&&) noexcept;
  HeaderDigester& operator=(HeaderDigester&&) noexcept;
  void append(std::string_view octets);
  HeaderDigest finish();  ///< and begins anew
  void discard();         ///< begins anew
  /// Of the header that finish() ended last: whether it had a non-empty Message-ID field.
  [[nodiscard]] bool hadMessageId() const;
  /// Of the same header.
  [[nodiscard]] HeaderIndex index() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mailbraid::mailstore
