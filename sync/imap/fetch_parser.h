// FETCH responses (RFC 9051 section 7.5.2), part by part, so that bodies stream. Internal to sync/imap.
#pragma once

#include "sync/imap/cursor.h"
#include "sync/imap/events.h"
#include "sync/imap/limits.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::sync::imap {

/// What is to be done with the literal behind a part.
enum class LiteralUse : std::uint8_t {
  Stream,   ///< it is a body: BodyBegin has been given
  Label,    ///< to be gathered and given to label()
  Discard,  ///< nobody asked for it
};

/// Takes one FETCH response apart, in parts that end where a literal begins. Never goes back over what it has read.
class FetchParser {
 public:
  explicit FetchParser(const Limits& limits) : limits_(limits) {}

  struct Outcome {
    std::string_view problem;  ///< why the rest of this message is to be skipped, static text; empty when all is well
    std::size_t at = 0;        ///< where in the part
    LiteralUse literal = LiteralUse::Discard;
    std::size_t remarks = 0;  ///< attributes that were not understood and are left out, each a Malformed event already
    bool skipped = false;     ///< the literal was a body over its limit
  };

  /// `number` is that of `* number FETCH`.
  void begin(SequenceNumber number, std::vector<Event>& events);
  /// `text` is a line, or what of it stands before the announcement of a literal of `literal` octets. Views in the
  /// events are into `text` or into this object, until the next part. `offset` is that of `text` in the connection.
  Outcome part(std::string_view text, std::optional<std::uint64_t> literal, std::uint64_t offset,
               std::vector<Event>& events);
  void label(std::string_view text);
  /// Octets of all labels of this message so far.
  [[nodiscard]] std::size_t labelOctets() const { return labelOctets_; }
  /// The response is over.
  void end(std::vector<Event>& events);

 private:
  enum class Where : std::uint8_t { Start, Items, Skipping, Labels };

  bool items(Cursor& cursor, bool literalFollows);
  bool item(Cursor& cursor, std::string_view name, bool literalFollows);
  bool body(Cursor& cursor, std::string_view name, bool literalFollows);
  bool uid(Cursor& cursor);
  bool flags(Cursor& cursor);
  bool internalDate(Cursor& cursor);
  bool modSeq(Cursor& cursor);
  bool objectId(Cursor& cursor, std::string& out);
  bool labels(Cursor& cursor, bool literalFollows);
  bool skipping(Cursor& cursor, bool literalFollows);
  bool beginBody(std::string_view name, std::uint64_t size);

  const Limits& limits_;
  FetchAttributes attributes_;
  std::vector<Event>* events_ = nullptr;
  std::deque<std::string> unquoted_;  // bodies of this part that came as quoted strings with escapes
  std::string_view pendingBody_;      // the section whose value is the literal that follows
  std::uint64_t offset_ = 0;          // of this part
  std::size_t remarks_ = 0;           // in this part
  Where where_ = Where::Start;
  std::size_t labelOctets_ = 0;
  std::size_t items_ = 0;
  unsigned depth_ = 0;  // of the value that is skipped
  bool closed_ = false;
  bool literalIsBody_ = false;
};

}  // namespace mailbraid::sync::imap
