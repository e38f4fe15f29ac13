// A message as a person reads it: decoded header fields and text.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailbraid::mailstore {

/// What a reader of mail sees. All is UTF-8 but not yet harmless for a terminal.
struct MessageText {
  std::vector<std::pair<std::string, std::string>>
      fields;            ///< From, To, Cc, Reply-To, Date, Subject, as far as present, decoded (RFC 2047)
  std::string text;      ///< the first text/plain part, else the first text part, decoded
  std::string textType;  ///< "text/plain", "text/html"; empty: there is no text
  struct Attachment {
    std::string name;  ///< decoded (RFC 2231); may be empty
    std::string type;  ///< "image/png"
  };
  std::vector<Attachment> attachments;  ///< the other parts, in order
  bool cut = false;                     ///< the text was longer than the limit
};

/// Reads the octets of one message by GMime. Never fails: what cannot be read is left out. The text is cut at
/// `textLimit` octets; parts at `partLimit` of them.
MessageText readableText(std::string_view octets, std::size_t textLimit = 4UL * 1024 * 1024,
                         std::size_t partLimit = 1000);

}  // namespace mailbraid::mailstore
