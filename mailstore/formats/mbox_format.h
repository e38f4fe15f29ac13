// The lines of an mbox that are not a message's own: postmarks and the header fields that hold flags.
#pragma once

#include "mailstore/types/flags.h"
#include "mailstore/types/ids.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailbraid::mailstore {

/// How lines that begin with "From " are told from postmarks. Mboxrd: `From `, `>From `, `>>From ` ... get one `>`
/// more, which can be undone. Mboxo: only `From ` gets one, so that `>From ` of a message comes out as `From `.
enum class MboxQuoting : std::uint8_t { Mboxrd, Mboxo };

/// Which header fields hold the flags. Plain: Status, X-Status, X-Keywords (mutt, Dovecot, Python); Thunderbird:
/// X-Mozilla-Status, X-Mozilla-Status2, X-Mozilla-Keys, which have no \Deleted and no \Draft.
enum class MboxStyle : std::uint8_t { Plain, Thunderbird };

/// A `From ` line, without its line end.
struct MboxPostmark {
  /// Of asctime(), with or without a zone; without one it counts as UTC (RFC 4155). None: the line is `From ` and
  /// nothing, or a `-`, as Thunderbird writes it, or holds no date.
  std::optional<InternalDate> date;
  /// The sender is a `-`: Thunderbird wrote it, and the date is when it put the message there, not when that arrived.
  bool isThunderbirds = false;
  bool bare = false;     ///< `From ` and nothing, or a `-`
  bool openEnd = false;  ///< a space behind the date: this project's sign that the message ends without a line end
};
/// None when the line does not begin with `From `.
std::optional<MboxPostmark> parsePostmark(std::string_view line);
/// With its line end. `from` is a From field; its address is taken where it is a plain one.
std::string mboxPostmark(std::string_view from, InternalDate date, bool openEnd);

/// What a field of flags says. Fields are gathered one by one.
class MboxStatus {
 public:
  /// What a field of this name is to an mbox.
  enum class Field : std::uint8_t {
    None,         ///< the message's own
    Plain,        ///< Status, X-Status, X-Keywords
    Thunderbird,  ///< X-Mozilla-Status, X-Mozilla-Status2, X-Mozilla-Keys
    Account,      ///< X-Account-Key, X-UIDL: Thunderbird writes them above its own
    Volatile,     ///< X-UID, X-IMAPbase, X-IMAP: notes of IMAP servers
    Length        ///< Content-Length
  };
  static Field kindOf(std::string_view name);
  /// Whether `value` is one that a mail program writes into this field; a bug tracker's "Status: open" is not.
  static bool isPlausible(std::string_view name, std::string_view value);

  void take(std::string_view name, std::string_view value);
  [[nodiscard]] const Flags& flags() const { return flags_; }
  /// Thunderbird has removed the message, but not yet from the file (X-Mozilla-Status 0008).
  [[nodiscard]] bool isExpunged() const { return expunged_; }
  /// It is no message but a note of an IMAP server to itself (X-IMAP).
  [[nodiscard]] bool isInternal() const { return internal_; }

 private:
  Flags flags_;
  bool expunged_ = false;
  bool internal_ = false;
};

/// All three fields of the style, each a line that ends in LF, in the order in which MboxParser knows them again.
std::string mboxStatusLines(const Flags& flags, MboxStyle style);
/// The flags that such lines hold.
Flags mboxHeldFlags(const Flags& flags, MboxStyle style);

}  // namespace mailbraid::mailstore
