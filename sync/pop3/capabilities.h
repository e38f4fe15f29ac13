// What a server says it can do (CAPA, RFC 2449).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailbraid::sync::pop3 {

/// EXPIRE (RFC 2449 section 6.7): how long the server keeps messages.
struct Expire {
  std::optional<std::uint32_t> days;  ///< empty: NEVER
  bool perUser = false;               ///< the value after login may be another
};

struct Capabilities {
  bool top = false;
  bool user = false;
  bool uidl = false;
  bool stls = false;
  bool pipelining = false;
  bool respCodes = false;
  bool authRespCode = false;  ///< RFC 3206: -ERR with [AUTH] is the only one that blames the credentials
  bool utf8 = false;          ///< RFC 6856
  bool utf8User = false;      ///< UTF8 USER: names and passwords too
  std::vector<std::string> sasl;
  std::optional<std::chrono::seconds> loginDelay;  ///< least time between two logins
  std::optional<Expire> expire;
  std::string implementation;
  std::vector<std::string> lines;  ///< as the server says them, control characters replaced

  /// Takes in one line of the reply. Unknown capabilities and unreadable parameters are left out.
  void add(std::string_view line);
};

}  // namespace mailbraid::sync::pop3
