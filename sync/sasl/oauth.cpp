#include "sync/sasl/oauth.h"

#include <algorithm>
#include <array>

namespace mailbraid::sync::sasl {

namespace {

/// RFC 5801 section 4: `,` and `=` of an authorization identity are escaped.
std::string saslName(std::string_view user) {
  std::string out;
  for (const char c : user) {
    if (c == ',') {
      out += "=2C";
    } else if (c == '=') {
      out += "=3D";
    } else {
      out += c;
    }
  }
  return out;
}

/// Puts the parts into one buffer of the right size, so that no copy of the token is left behind by growing.
Secret assembled(std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  std::string out;
  out.reserve(size);
  for (const std::string_view part : parts) out += part;
  return Secret(std::move(out));
}

/// The string value of `"key"` in a flat JSON object; empty when there is none. The servers' answers are that simple,
/// and nothing but a sentence for the user depends on it.
std::string_view jsonString(std::string_view json, std::string_view key) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::string quoted = "\"" + std::string(key) + "\"";
  std::size_t at = json.find(quoted);
  if (at == std::string_view::npos) return {};
  at = json.find_first_not_of(kSpace, at + quoted.size());
  if (at == std::string_view::npos || json[at] != ':') return {};
  at = json.find_first_not_of(kSpace, at + 1);
  if (at == std::string_view::npos || json[at] != '"') return {};
  const std::size_t end = json.find('"', at + 1);
  return end == std::string_view::npos ? std::string_view() : json.substr(at + 1, end - at - 1);
}

struct StatusMeaning {
  std::string_view status;
  std::string_view meaning;
};
/// RFC 7628 section 3.2.2 takes RFC 6750's words; XOAUTH2 servers send HTTP's numbers.
constexpr std::array<StatusMeaning, 6> kMeanings{{
    {"invalid_token", "it is expired, revoked or not for this server"},
    {"insufficient_scope", "it does not cover access to the mail"},
    {"invalid_request", "the server does not understand the request"},
    {"400", "it is malformed or expired"},
    {"401", "it is expired or revoked"},
    {"403", "it does not cover access to the mail"},
}};

}  // namespace

std::string oauthObjection(std::string_view user, const Secret& token) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(user.begin(), user.end(), control)) return "the user name holds a control character";
  const std::string_view text = token.reveal();
  if (text.empty()) return "there is no token";
  const auto outside = [](char c) { return c <= ' ' || c >= 0x7F; };
  if (std::any_of(text.begin(), text.end(), outside)) return "the token holds characters that a token cannot have";
  return {};
}

Secret oauthBearerMessage(std::string_view user, const Target& target, const Secret& token) {
  const std::string authzid = user.empty() ? "" : "a=" + saslName(user);
  const std::string port = std::to_string(target.port);
  return assembled({"n,", authzid, ",\x01host=", target.host, "\x01port=", port, "\x01", "auth=Bearer ", token.reveal(),
                    "\x01\x01"});
}

Secret xoauth2Message(std::string_view user, const Secret& token) {
  return assembled({"user=", user, "\x01", "auth=Bearer ", token.reveal(), "\x01\x01"});
}

std::string oauthRefusal(std::string_view challenge) {
  const std::string_view status = jsonString(challenge, "status");
  if (status.empty()) return "the server refuses the access token";
  std::string out = "the server refuses the access token (" + printable(status) + ")";
  for (const StatusMeaning& known : kMeanings) {
    if (known.status == status) out += ": " + std::string(known.meaning);
  }
  return out;
}

std::string printable(std::string_view text) {
  constexpr std::size_t kMost = 200;
  std::string out(text.substr(0, kMost));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c >= 0x7F; }, '?');
  return out;
}

}  // namespace mailbraid::sync::sasl
