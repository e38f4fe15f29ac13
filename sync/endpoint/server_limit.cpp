#include "sync/endpoint/server_limit.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace mailbraid::sync::endpoint {
namespace {

using Kind = ServerLimit::Kind;
using std::chrono::milliseconds;

struct Saying {
  std::string_view words;  ///< lower case
  Kind kind;
};

// Servers say it in words; the codes that they put before are of many kinds, or missing.
constexpr std::array kSayings{
    Saying{"exceeded command or bandwidth limits", Kind::Bandwidth},  // Gmail: [OVERQUOTA], also to FETCH
    Saying{"bandwidth limit", Kind::Bandwidth},
    Saying{"request is throttled", Kind::Throttled},                 // Outlook: NO and BAD, no code
    Saying{"too many simultaneous connections", Kind::Connections},  // Gmail, Yahoo
    Saying{"too many connections", Kind::Connections},
    Saying{"maximum number of connections", Kind::Connections},  // Dovecot, Courier
    Saying{"rate limit hit", Kind::Throttled},                   // Yahoo: [LIMIT]
};

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// "Suggested Backoff Time: 299909 milliseconds".
std::optional<milliseconds> waitIn(std::string_view lower) {
  constexpr std::string_view kBefore = "backoff time: ";
  constexpr std::uint64_t kLongest = std::uint64_t{7} * 86'400'000;
  const std::size_t at = lower.find(kBefore);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = lower.substr(at + kBefore.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc{}) return std::nullopt;
  return milliseconds(std::min(number, kLongest));
}

ServerLimit limitInWords(std::string_view text) {
  const std::string lower = lowered(text);
  for (const Saying& saying : kSayings) {
    if (lower.find(saying.words) != std::string::npos) return {saying.kind, waitIn(lower)};
  }
  return {};
}

std::uint64_t scrambled(std::uint64_t seed) {  // splitmix64
  seed += 0x9E3779B97F4A7C15U;
  seed = (seed ^ (seed >> 30U)) * 0xBF58476D1CE4E5B9U;
  seed = (seed ^ (seed >> 27U)) * 0x94D049BB133111EBU;
  return seed ^ (seed >> 31U);
}

}  // namespace

ServerLimit limitTold(imap::ResponseCodeKind code, std::string_view text, Moment moment) {
  using Code = imap::ResponseCodeKind;
  // There the words may be those of a mailbox's name.
  const bool ofMailbox = code == Code::NonExistent || code == Code::TryCreate || code == Code::AlreadyExists;
  const ServerLimit told = ofMailbox ? ServerLimit{} : limitInWords(text);
  if (told.kind != Kind::None) return told;
  if (code == Code::Throttled) return {Kind::Throttled, {}};
  const bool busy = code == Code::Unavailable || code == Code::InUse || code == Code::Limit || code == Code::ServerBug;
  return moment == Moment::Login && busy ? ServerLimit{Kind::Busy, {}} : ServerLimit{};
}

ServerLimit limitTold(pop3::ResponseCode code, std::string_view text, Moment moment,
                      std::optional<std::chrono::seconds> loginDelay) {
  using Code = pop3::ResponseCode;
  const ServerLimit told = limitInWords(text);
  if (told.kind != Kind::None) return told;
  if (moment != Moment::Login) return {};
  if (code == Code::LoginDelay) return {Kind::Throttled, loginDelay};
  return code == Code::InUse || code == Code::SysTemp ? ServerLimit{Kind::Busy, {}} : ServerLimit{};
}

std::optional<milliseconds> Patience::next(const ServerLimit& limit) {
  if (limit.kind == Kind::Bandwidth && !limit.wait) return std::nullopt;
  constexpr unsigned kMostDoublings = 20;
  seed_ = scrambled(seed_);
  milliseconds wait(1000LL << std::min(tries_, kMostDoublings));
  ++tries_;
  const auto share = [&](milliseconds part) {
    return milliseconds(static_cast<std::int64_t>(seed_ % 1024) * part / milliseconds(1024));
  };
  // Never shorter than what was asked for.
  wait = limit.wait ? *limit.wait + share(std::min(*limit.wait / 8, milliseconds(5000)))
                    : wait - wait / 4 + share(wait / 2);
  if (wait > left_) return std::nullopt;
  left_ -= wait;
  return wait;
}

}  // namespace mailbraid::sync::endpoint
