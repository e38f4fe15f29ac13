// Reading status lines and greetings (RFC 1939 section 3, RFC 2449 section 8). Internal to sync/pop3.
#pragma once

#include "sync/pop3/event.h"
#include "sync/pop3/quirks.h"

#include <optional>
#include <string>
#include <string_view>

namespace mailbraid::sync::pop3 {

struct Status {
  bool ok = false;
  ResponseCode code = ResponseCode::None;
  std::string text;
};

/// `+OK ...` or `-ERR ...`; empty when the line is neither.
std::optional<Status> parseStatus(std::string_view line, QuirkSet& quirks);

/// The msg-id of a greeting (RFC 1939 section 7). Strict on purpose: what is no msg-id is never digested, because a
/// false server could choose it so that digests give the password away (CVE-2007-1558). Empty: none.
std::string apopTimestamp(std::string_view text, QuirkSet& quirks);

/// What a first line that is not POP3 looks like: "IMAP", "TLS" ...; empty when it looks like nothing known.
std::string_view foreignProtocol(std::string_view start);

}  // namespace mailbraid::sync::pop3
