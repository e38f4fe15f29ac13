// What a server that refuses something says of its limits, and how long to wait for it. Pure.
#pragma once

#include "sync/imap/response_code.h"
#include "sync/pop3/event.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mailbraid::sync::endpoint {

struct ServerLimit {
  enum class Kind : std::uint8_t {
    None,         ///< it is about something else
    Throttled,    ///< too much in too little time
    Connections,  ///< others use the account at the same time
    Busy,         ///< it cannot now, and does not say why
    Bandwidth,    ///< the account's share of hours or of a day is used up
  };
  Kind kind = Kind::None;
  std::optional<std::chrono::milliseconds> wait;  ///< what it asks for
};

/// When it was said. A mailbox may be locked, or too full of keywords, in the middle of a session; whoever cannot even
/// log in can only wait.
enum class Moment : std::uint8_t { Login, Session };

ServerLimit limitTold(imap::ResponseCodeKind code, std::string_view text, Moment moment);
/// `loginDelay`: LOGIN-DELAY of CAPA (RFC 2449 section 6.5).
ServerLimit limitTold(pop3::ResponseCode code, std::string_view text, Moment moment,
                      std::optional<std::chrono::seconds> loginDelay);

/// Doles out what a run may wait for one server: as long as it asks for, else 1, 2, 4 ... seconds, a quarter more or
/// less, so that many who were refused together do not come back together.
class Patience {
 public:
  Patience(std::chrono::milliseconds most, std::uint64_t seed) : left_(most), seed_(seed) {}
  /// How long to wait before the next try; none: longer than is left, so it is for another run.
  std::optional<std::chrono::milliseconds> next(const ServerLimit& limit);

 private:
  std::chrono::milliseconds left_;
  std::uint64_t seed_;
  unsigned tries_ = 0;
};

}  // namespace mailbraid::sync::endpoint
