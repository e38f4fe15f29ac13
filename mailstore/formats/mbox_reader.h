// Reading an mbox file, of any size, in bounded memory.
#pragma once

#include "mailstore/formats/mbox_parser.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace mailbraid::mailstore {

/// Takes the messages of a scan, in order.
class MboxVisitor {
 public:
  virtual ~MboxVisitor() = default;
  /// A message begins; also the one at hand anew, when what was given of it has to be forgotten.
  virtual void begin() = 0;
  virtual void octets(std::string_view octets) = 0;
  virtual void end(const MboxMessage& message) = 0;
};

/// An open mbox. It owns nothing: the descriptor stays the caller's, its position is neither used nor changed. One
/// thread. mbox_parser.h says what is a message, and which of its octets are its own; a last line without a line end
/// is given one. Throws only what the visitor throws.
class MboxReader {
 public:
  MboxReader(int descriptor, MboxQuoting quoting) : descriptor_(descriptor), quoting_(quoting) {}

  enum class Outcome : std::uint8_t {
    Complete,    ///< read to its end; an empty file is a mailbox without messages
    NotMbox,     ///< it does not begin with a postmark; nothing was visited
    Unreadable,  ///< errno says why
  };
  /// Visits all messages from `offset`, which is 0 or where a message begins, to the end.
  [[nodiscard]] Outcome scan(std::uint64_t offset, MboxVisitor& visitor) const;
  /// Gives the octets of a message of an earlier scan; false when the file cannot be read there.
  [[nodiscard]] bool read(const MboxPlace& place, const std::function<void(std::string_view)>& sink) const;
  /// Reads the postmark and the header at `place` again, for the flags that it has now; none when there is no message.
  [[nodiscard]] std::optional<MboxMessage> header(const MboxPlace& place,
                                                  const std::function<void(std::string_view)>& sink) const;

 private:
  int descriptor_;
  MboxQuoting quoting_;
};

}  // namespace mailbraid::mailstore
