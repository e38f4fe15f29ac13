// Mailbox names between the wire and the store.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mailbraid::sync::imap {

/// How names are written on this connection: UTF-8 after ENABLE UTF8=ACCEPT or IMAP4rev2 (RFC 6855, RFC 9051).
enum class NameEncoding : unsigned char { ModifiedUtf7, Utf8 };

/// A name as the store wants it, or the reason why it is refused. Never a cleaned name.
struct DecodedName {
  std::string name;  ///< UTF-8, levels joined by '/'; "INBOX" in that spelling. Empty when refused
  std::string_view
      problem;  ///< why it is refused, the end of a sentence "mailbox NAME ..."; empty when the name is good
};

/// `wire` is the name without quotes; `delimiter` is the server's, none for a flat name space. Refused are names that
/// are empty, not valid in their encoding, contain control characters or a '/' that is not the delimiter, or have a
/// level that is empty, "." or "..".
DecodedName decodeMailboxName(std::string_view wire, std::optional<char> delimiter, NameEncoding encoding);

/// The wire's name of a store name; empty optional when it cannot be written: not UTF-8, or a level contains the
/// delimiter, or there are levels and no delimiter.
std::optional<std::string> encodeMailboxName(std::string_view name, std::optional<char> delimiter,
                                             NameEncoding encoding);

}  // namespace mailbraid::sync::imap
