// One SASL authentication of a client (RFC 4422), without I/O: decoded challenges in, responses to encode out.
#pragma once

#include "sync/sasl/mechanism.h"
#include "sync/sasl/secret.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace mailbraid::sync::sasl {

struct Credentials {
  std::string user;
  std::function<Secret()>
      secret;  ///< asked at most once an exchange, when the mechanism needs it; may throw mailstore::Error
};

/// Whom we talk to: OAUTHBEARER tells the server (RFC 7628 section 3.1).
struct Target {
  std::string service;  ///< "imap" or "pop"
  std::string host;
  std::uint16_t port = 0;
};

/// Send these octets, base64-encoded. May be empty (an empty line, or "=" as an initial response).
struct Respond {
  Secret octets;
};

/// Cancel with "*" and do not log in. `reason` is one sentence for the user without a final full stop; it never holds a
/// secret, and control characters of the server are taken out of it.
struct Abort {
  std::string reason;
};

using Step = std::variant<Respond, Abort>;

/// Use: where the protocol carries an initial response and hasInitialResponse(), send AUTHENTICATE with
/// initialResponse(); otherwise without, and every challenge goes through respond(), the empty first one included. When
/// the server says OK, believe it only if accepted() is empty. When it says NO, failureReason() is better than the
/// server's words where not empty.
///
/// Not thread-safe; one object, one thread. Throws only what Credentials::secret throws, and mailstore::Error
/// (Internal) when the library has no memory. After an Abort every further step is that Abort.
class Exchange {
 public:
  /// Server iteration counts of SCRAM outside of these are refused: fewer protect the password too little (RFC 7677
  /// section 4 names 4096), more would let a hostile server keep us busy (a million takes about a second).
  static constexpr unsigned kMinIterations = 4096;
  static constexpr unsigned kMaxIterations = 1'000'000;
  /// No challenge of a known mechanism is longer.
  static constexpr std::size_t kMaxChallenge = 16UL * 1024;

  /// `binding`: the connection's, used by the -PLUS mechanisms and ignored by all others. (libgsasl 2.2 cannot say that
  /// the client could have bound, the gs2 flag "y" of RFC 5802 section 6: it says "n".)
  Exchange(Mechanism mechanism, Credentials credentials, Target target, std::optional<ChannelBinding> binding);
  ~Exchange();
  Exchange(Exchange&&) noexcept;
  Exchange& operator=(Exchange&&) noexcept;

  [[nodiscard]] Mechanism mechanism() const;
  [[nodiscard]] std::string_view name() const { return factsOf(mechanism()).name; }
  [[nodiscard]] bool hasInitialResponse() const { return factsOf(mechanism()).clientFirst; }

  /// The first message of a mechanism in which the client speaks first. At most once, before any respond().
  Step initialResponse();
  /// Answers a challenge (decoded). The last one of SCRAM carries the server's proof; its answer is empty.
  Step respond(std::string_view challenge);

  /// To be asked when the server says OK: empty when this may be believed; else why not (the server has not proved
  /// that it knows the password, or the exchange was not at its end).
  [[nodiscard]] std::optional<std::string> accepted() const;
  /// What the server told inside the exchange about its refusal (OAUTHBEARER and XOAUTH2 error challenges); else empty.
  [[nodiscard]] std::string failureReason() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// RFC 4648 section 4. decodeBase64: empty optional when it is not canonical base64; spaces are not skipped.
std::string encodeBase64(std::string_view octets);
Secret encodeBase64(const Secret& octets);
std::optional<std::string> decodeBase64(std::string_view text);

/// The digest argument of POP3 APOP (RFC 1939 section 7): MD5 of the greeting's timestamp, angle brackets included,
/// followed by the secret, in lower-case hexadecimal.
std::string apopDigest(std::string_view timestamp, const Secret& secret);

}  // namespace mailbraid::sync::sasl
