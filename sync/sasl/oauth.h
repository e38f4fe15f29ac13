// The two OAuth mechanisms, which libgsasl lacks: OAUTHBEARER (RFC 7628) and XOAUTH2. Internal to sync/sasl.
#pragma once

#include "sync/sasl/exchange.h"
#include "sync/sasl/secret.h"

#include <string>
#include <string_view>

namespace mailbraid::sync::sasl {

/// What forbids to send this user and token; empty: nothing. A 0x01 in either would let it add fields of its own.
std::string oauthObjection(std::string_view user, const Secret& token);

/// RFC 7628 section 3.1.
Secret oauthBearerMessage(std::string_view user, const Target& target, const Secret& token);
/// https://developers.google.com/gmail/imap/xoauth2-protocol
Secret xoauth2Message(std::string_view user, const Secret& token);

/// One sentence about the error challenge of either (RFC 7628 section 3.2.2): JSON with a "status".
std::string oauthRefusal(std::string_view challenge);

/// At most 200 octets of `text`, with everything but printable ASCII replaced.
std::string printable(std::string_view text);

}  // namespace mailbraid::sync::sasl
