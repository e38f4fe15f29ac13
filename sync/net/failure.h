// How sync/net tells what went wrong: one sentence with host and port. Internal to sync/net.
#pragma once

#include "mailstore/types/error.h"

#include <string>
#include <string_view>

namespace mailbraid::sync::net {

/// "imap.example.org:993", "[::1]:993".
std::string hostAndPort(std::string_view host, unsigned port);

/// Text that a peer chose (a name in a certificate), made safe for a terminal: control and non-ASCII octets become '?',
/// and it is cut at 100 characters.
std::string printable(std::string_view text);

/// "30 s", "1.5 s".
std::string seconds(long long milliseconds);

/// "connection refused": an errno as words.
std::string errnoText(int error);

[[noreturn]] void fail(mailstore::ErrorKind kind, mailstore::Retry retry, const std::string& sentence);
/// The connection is gone in the middle of things: a new one may help at once.
[[noreturn]] void failLost(const std::string& sentence);
[[noreturn]] void failUnreachable(const std::string& sentence);
[[noreturn]] void failRefused(const std::string& sentence);
[[noreturn]] void failProtocol(const std::string& sentence);
[[noreturn]] void failConfiguration(const std::string& sentence);
[[noreturn]] void failCancelled(const std::string& where);

}  // namespace mailbraid::sync::net
