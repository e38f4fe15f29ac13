// Status responses: OK, NO, BAD, BYE and PREAUTH with their codes (RFC 9051 section 7.1). Internal to sync/imap.
#pragma once

#include "sync/imap/response_code.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace mailbraid::sync::imap {

enum class StatusWord : std::uint8_t { Ok, No, Bad, Bye, PreAuth };

struct StatusLine {
  StatusWord word = StatusWord::Ok;
  ResponseCode code;
  std::string_view text;
};

/// `text` is what stands behind "* " or behind the tag; empty optional when it is no status response.
std::optional<StatusLine> parseStatusLine(std::string_view text);

}  // namespace mailbraid::sync::imap
