// The SASL mechanisms (RFC 4422) that mailbraid speaks, and which of them to use with a server.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mailbraid::sync::sasl {

/// Strongest first; the order of the table below.
enum class Mechanism : std::uint8_t {
  External,         ///< RFC 4422 appendix A: the TLS client certificate says who we are
  ScramSha256Plus,  ///< RFC 7677, with channel binding
  ScramSha1Plus,    ///< RFC 5802, with channel binding
  ScramSha256,
  ScramSha1,
  OAuthBearer,  ///< RFC 7628
  XOAuth2,      ///< Google's and Microsoft's predecessor of OAUTHBEARER
  CramMd5,      ///< RFC 2195
  Plain,        ///< RFC 4616
  Login,        ///< draft-murchison-sasl-login
};

struct MechanismFacts {
  Mechanism mechanism;
  std::string_view name;
  bool showsSecret;  ///< whoever reads the connection has the password or token
  bool needsToken;   ///< the secret is an OAuth access token, not a password
  bool needsBinding;
  bool needsClientCertificate;
  bool clientFirst;   ///< the client speaks first: an initial response is possible
  bool provesServer;  ///< the server proves that it knows the password, too
};

inline constexpr std::array<MechanismFacts, 10> kMechanisms{{
    // mechanism, name, shows secret, token, binding, certificate, client first, proves server
    {Mechanism::External, "EXTERNAL", false, false, false, true, true, false},
    {Mechanism::ScramSha256Plus, "SCRAM-SHA-256-PLUS", false, false, true, false, true, true},
    {Mechanism::ScramSha1Plus, "SCRAM-SHA-1-PLUS", false, false, true, false, true, true},
    {Mechanism::ScramSha256, "SCRAM-SHA-256", false, false, false, false, true, true},
    {Mechanism::ScramSha1, "SCRAM-SHA-1", false, false, false, false, true, true},
    {Mechanism::OAuthBearer, "OAUTHBEARER", true, true, false, false, true, false},
    {Mechanism::XOAuth2, "XOAUTH2", true, true, false, false, true, false},
    {Mechanism::CramMd5, "CRAM-MD5", false, false, false, false, false, false},
    {Mechanism::Plain, "PLAIN", true, false, false, false, true, false},
    {Mechanism::Login, "LOGIN", true, false, false, false, false, false},
}};

const MechanismFacts& factsOf(Mechanism mechanism);
/// In any case; empty for a mechanism that is not spoken.
std::optional<Mechanism> mechanismFromName(std::string_view name);

/// What lies between us and whoever listens.
enum class TransportSecurity : std::uint8_t {
  Encrypted,         ///< TLS, chain and name verified
  PlaintextAllowed,  ///< none, and the user wrote so: `tls = "none"` on loopback or with `allow_plaintext = true`
  Plaintext,         ///< none: no mechanism that shows the secret
};

/// RFC 5056 data of this TLS connection. The types that are spoken: "tls-exporter" (RFC 9266) and "tls-unique" (RFC
/// 5929).
struct ChannelBinding {
  std::string type;
  std::string data;  ///< raw octets
};

/// What a choice depends on.
struct Choice {
  std::vector<std::string> announced;  ///< mechanism names as the server says them (without "AUTH=")
  std::vector<std::string> allowed;    ///< `auth` of the configuration; empty: all that are safe and need no token
  TransportSecurity transport = TransportSecurity::Plaintext;
  std::optional<ChannelBinding> binding;
  bool clientCertificate = false;  ///< the TLS connection carries a certificate of ours
};

/// Why there is no mechanism: one sentence for the user, without a final full stop.
struct Refusal {
  std::string reason;
};

/// True when `allowed` names OAUTHBEARER or XOAUTH2: then the secret is a token and only those two are used, because a
/// token is worth nothing to the others and must not be sent as a password.
bool secretIsToken(const std::vector<std::string>& allowed);

/// The strongest announced mechanism that is allowed and safe. Never one that shows the secret over Plaintext.
std::variant<Mechanism, Refusal> chooseMechanism(const Choice& choice);

/// Whether a protocol's own login command that shows the password (IMAP LOGIN, POP3 USER and PASS) may be used: it
/// obeys the rules of PLAIN. `name` is what `allowed` would call it ("LOGIN", "USER").
bool passwordCommandAllowed(const Choice& choice, std::string_view name);

}  // namespace mailbraid::sync::sasl
