// An mbox as a stream: octets in, messages out (mailstore/formats' own; mbox_reader.h is for users).
#pragma once

#include "mailstore/formats/mbox_format.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::mailstore {

/// Where a message stands in its file, and how it is read from there.
struct MboxPlace {
  std::uint64_t begin = 0;      ///< octet of its postmark
  std::uint64_t headerEnd = 0;  ///< octet behind the empty line that ends its header; `end` when there is none
  std::uint64_t end = 0;        ///< octet of the next postmark, or the file's end
  bool asItIs = false;          ///< there is a CR in it: its line ends stay; else LF is given as CRLF
};

struct MboxMessage {
  MboxPlace place;
  Flags flags;
  std::optional<InternalDate> date;  ///< of the postmark
  bool isThunderbirds = false;       ///< the postmark, see MboxPostmark
  std::uint64_t size = 0;            ///< octets, as they are given
  bool hidden = false;               ///< removed by Thunderbird, or a note of an IMAP server: no message for others
};

/// A message begins at a line `From ...` at the beginning of the file; elsewhere at one that has a date, or, behind an
/// empty line, at Thunderbird's `From ` without one that a header follows. The empty line before it is not the
/// message's.
///
/// Fields of flags are not the message's octets: mail programs change them at any time, and the message stays the same.
/// Where they stand above all others, as Thunderbird and this project write them (Status or X-Mozilla-Status among
/// them, each once), exactly those are taken out, and whatever is below belongs to the message. Where they do not (mutt
/// and Dovecot write them at the end of the header) those of plausible value are taken out wherever they stand; a
/// message that had such a field of its own before loses it then, and is still recognised by its content key, which
/// knows none of them.
///
/// Memory: one line, or the beginning of a long one. Never throws; whatever comes has some reading.
class MboxParser {
 public:
  class Events {
   public:
    virtual ~Events() = default;
    virtual void begin() = 0;
    virtual void octets(std::string_view octets) = 0;
    /// `mixed`: octets were given with CRLF for LF before its first CR came; they are wrong, and it has to be read
    /// again with `asItIs`.
    virtual void end(const MboxMessage& message, bool mixed) = 0;
  };
  /// `offset` is that of the first octet to come. `asItIs`: known from an earlier reading.
  MboxParser(MboxQuoting quoting, std::uint64_t offset, Events& events, std::optional<bool> asItIs = std::nullopt);

  /// False once it is clear that this is no mbox: it does not begin with a postmark.
  bool feed(std::string_view octets);
  /// The input ends here.
  bool finish();
  /// Octets of the message so far that were given or will be, when only its beginning is of interest.
  [[nodiscard]] bool isPastHeader() const { return open_ && !inHeader_; }

 private:
  void line(std::string_view raw, bool hasEnd);
  void decideCandidate(std::string_view next);
  void border(std::string_view raw, std::uint64_t at, const MboxPostmark& postmark);
  void closeMessage(std::uint64_t end);
  void content(std::string_view raw, bool hasEnd);
  void headerLine(std::string_view raw, bool hasEnd);
  bool joinsTop(std::string_view name, bool hasEnd) const;
  void endTop();
  void bodyLine(std::string_view raw, bool hasEnd);
  bool takesOut(std::string_view raw);
  void emit(std::string_view octets);

  const MboxQuoting quoting_;
  Events& events_;
  const std::optional<bool> knownAsItIs_;
  std::uint64_t offset_;      ///< of the next octet to come
  std::uint64_t lineAt_ = 0;  ///< of the line that is being looked at
  std::string carry_;         ///< the beginning of a line
  bool longLine_ = false;     ///< what comes belongs to a line whose beginning was dealt with
  bool notMbox_ = false;
  bool open_ = false;       ///< a message has begun
  bool afterEmpty_ = true;  ///< the line before was empty, or there was none
  std::string candidate_;   ///< a postmark without a date, until the next line shows what it is
  std::uint64_t candidateAt_ = 0;
  // Of the message:
  MboxMessage message_;
  bool openEnd_ = false;
  bool inHeader_ = false;
  bool inTop_ = false;
  bool topFound_ = false;
  std::vector<std::string> top_;  ///< lines that may be the fields of flags above all others
  MboxStatus status_;
  std::string_view lastTakenOut_;  ///< a literal; empty: the last line was given
  // What stands between the lines is held back until it is known not to be the end of the message.
  std::string lineEnd_;    ///< of the last line that was given
  std::string emptyLine_;  ///< the empty line behind it
  enum class Ends : std::uint8_t { Unknown, LineFeed, AsItIs };
  Ends ends_ = Ends::Unknown;
  bool mixed_ = false;
  std::string out_;
};

}  // namespace mailbraid::mailstore
