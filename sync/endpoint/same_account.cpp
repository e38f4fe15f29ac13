#include "sync/endpoint/same_account.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace mailbraid::sync::endpoint {
namespace {

constexpr std::string_view kLoopback = "localhost";

/// Domains of servers that are one provider's. The user names the account there, whichever host it is read by.
struct ProviderDomain {
  std::string_view domain;
  std::string_view provider;
};
constexpr std::string_view kGmail = "gmail";
constexpr std::array<ProviderDomain, 37> kProviderDomains{{
    {"gmail.com", kGmail},
    {"googlemail.com", kGmail},
    {"outlook.com", "microsoft"},
    {"outlook.de", "microsoft"},
    {"office365.com", "microsoft"},
    {"office.com", "microsoft"},
    {"hotmail.com", "microsoft"},
    {"live.com", "microsoft"},
    {"msn.com", "microsoft"},
    {"icloud.com", "apple"},
    {"me.com", "apple"},
    {"mac.com", "apple"},
    {"yahoo.com", "yahoo"},
    {"yahoo.co.uk", "yahoo"},
    {"yahoo.de", "yahoo"},
    {"yahoo.fr", "yahoo"},
    {"ymail.com", "yahoo"},
    {"gmx.net", "gmx"},
    {"gmx.com", "gmx"},
    {"gmx.de", "gmx"},
    {"gmx.at", "gmx"},
    {"gmx.ch", "gmx"},
    {"ionos.com", "ionos"},
    {"ionos.de", "ionos"},
    {"ionos.co.uk", "ionos"},
    {"1und1.de", "ionos"},
    {"1and1.com", "ionos"},
    {"kundenserver.de", "ionos"},
    {"orange.fr", "orange"},
    {"wanadoo.fr", "orange"},
    {"yandex.ru", "yandex"},
    {"yandex.com", "yandex"},
    {"yandex.by", "yandex"},
    {"yandex.kz", "yandex"},
    {"yandex.ua", "yandex"},
    {"fastmail.com", "fastmail"},
    {"messagingengine.com", "fastmail"},
}};

/// Domains of addresses that name one mailbox: me@googlemail.com is me@gmail.com.
struct AddressDomain {
  std::string_view domain;
  std::string_view first;
};
constexpr std::array<AddressDomain, 8> kAddressDomains{{
    {"googlemail.com", "gmail.com"},
    {"me.com", "icloud.com"},
    {"mac.com", "icloud.com"},
    {"yandex.com", "yandex.ru"},
    {"yandex.by", "yandex.ru"},
    {"yandex.kz", "yandex.ru"},
    {"yandex.ua", "yandex.ru"},
    {"ya.ru", "yandex.ru"},
}};

std::string inSmallLetters(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

bool isLoopback(const std::string& host) {
  constexpr std::array<std::string_view, 4> kNames{kLoopback, "localhost.localdomain", "::1", "0:0:0:0:0:0:0:1"};
  const bool isAddress = host.find_first_not_of("0123456789.") == std::string::npos;
  return (isAddress && host.starts_with("127.")) || std::find(kNames.begin(), kNames.end(), host) != kNames.end();
}

/// One spelling of a host's name: small letters, no last dot, no brackets.
std::string hostOf(const EndpointSettings& settings) {
  std::string host = inSmallLetters(settings.server.host);
  while (host.ends_with('.')) host.pop_back();
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return isLoopback(host) ? std::string(kLoopback) : host;
}

/// Whether a country keeps this second level for others to register below it: "co.uk" is nobody's domain. A short rule,
/// not the list of all of them: one that is missing here makes two accounts count as one, which only keeps mail.
bool isPublicSuffix(std::string_view second, std::string_view top) {
  constexpr std::array<std::string_view, 9> kSeconds{"ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"};
  return top.size() == 2 && std::find(kSeconds.begin(), kSeconds.end(), second) != kSeconds.end();
}

/// "example.org" of "imap.example.org"; an address as it is.
std::string domainOf(const std::string& host) {
  const bool isAddress = host.find(':') != std::string::npos || host.find_first_not_of("0123456789.") == host.npos;
  const std::size_t last = host.rfind('.');
  if (isAddress || last == std::string::npos || last == 0) return host;
  const std::size_t before = host.rfind('.', last - 1);
  if (before == std::string::npos || before == 0) return host;
  const std::string_view second = std::string_view(host).substr(before + 1, last - before - 1);
  if (!isPublicSuffix(second, std::string_view(host).substr(last + 1))) return host.substr(before + 1);
  const std::size_t third = host.rfind('.', before - 1);
  return third == std::string::npos ? host : host.substr(third + 1);
}

/// Empty: none that is known.
std::string_view providerOf(const std::string& host) {
  const std::string domain = domainOf(host);
  const auto known = std::find_if(kProviderDomains.begin(), kProviderDomains.end(),
                                  [&](const ProviderDomain& one) { return one.domain == domain; });
  return known == kProviderDomains.end() ? std::string_view() : known->provider;
}

bool isOneProvider(const std::string& left, const std::string& right) {
  const std::string_view provider = providerOf(left);
  return provider.empty() ? domainOf(left) == domainOf(right) : provider == providerOf(right);
}

struct User {
  std::string local;
  std::string domain;  ///< empty: not said
};

User knownAs(std::string_view local, std::string_view domain, std::string_view provider) {
  User out{std::string(local), std::string(domain)};
  const auto other = std::find_if(kAddressDomains.begin(), kAddressDomains.end(),
                                  [&](const AddressDomain& one) { return one.domain == out.domain; });
  if (other != kAddressDomains.end()) out.domain = other->first;
  // Gmail does not look at dots, but for those of organisations: m.e@gmail.com is me@gmail.com.
  if (provider == kGmail && (out.domain.empty() || out.domain == "gmail.com")) std::erase(out.local, '.');
  return out;
}

/// All that a user's name may mean: "a+b" is a user of that name, or, to some servers, a@b.
std::vector<User> readingsOf(const EndpointSettings& settings, std::string_view provider) {
  constexpr std::string_view kRecent = "recent:";  // Gmail's POP3: the last 30 days of the same account
  constexpr std::string_view kOthers = "%+\\";     // Courier, cPanel and others take them for the @
  const std::string small = inSmallLetters(settings.user);
  std::string_view text = small;
  if (text.starts_with(kRecent)) text.remove_prefix(kRecent.size());
  const std::size_t at = text.rfind('@');
  if (at != std::string_view::npos) return {knownAs(text.substr(0, at), text.substr(at + 1), provider)};
  std::vector<User> out{knownAs(text, {}, provider)};
  for (const char separator : kOthers) {
    const std::size_t where = text.rfind(separator);
    if (where == std::string_view::npos) continue;
    out.push_back(knownAs(text.substr(0, where), text.substr(where + 1), provider));
    // Exchange's DOMAIN\user: the short name of a domain says nothing of its long one.
    if (separator == '\\') out.push_back(knownAs(text.substr(where + 1), {}, provider));
  }
  return out;
}

bool maybeSameUser(const EndpointSettings& left, const EndpointSettings& right, std::string_view provider) {
  const std::vector<User> others = readingsOf(right, provider);
  const auto maybeAnyOf = [&](const User& one) {
    return std::any_of(others.begin(), others.end(), [&](const User& other) {
      const bool maybeOneDomain = one.domain.empty() || other.domain.empty() || one.domain == other.domain;
      return one.local == other.local && maybeOneDomain;
    });
  };
  const std::vector<User> users = readingsOf(left, provider);
  return std::any_of(users.begin(), users.end(), maybeAnyOf);
}

bool isServer(const EndpointSettings& one) {
  return one.type == EndpointType::Imap || one.type == EndpointType::Pop3;
}

/// The port that stands for a server: it listens with and without TLS at once.
std::uint16_t portOf(const EndpointSettings& settings) {
  switch (settings.server.port) {
    case 993:
      return 143;
    case 995:
      return 110;
    default:
      return settings.server.port;
  }
}

}  // namespace

bool maybeSameAccount(const EndpointSettings& left, const EndpointSettings& right) {
  if (isServer(left) != isServer(right)) return false;
  if (!isServer(left)) {
    std::error_code ignored;
    return left.path == right.path || std::filesystem::equivalent(left.path, right.path, ignored);
  }
  const std::string host = hostOf(left);
  return isOneProvider(host, hostOf(right)) && maybeSameUser(left, right, providerOf(host));
}

bool maybeSameEndpoint(const EndpointSettings& left, const EndpointSettings& right) {
  if (left.type != right.type || !maybeSameAccount(left, right)) return false;
  if (!isServer(left)) return true;
  // Two hosts of a domain may be two servers, an old one and a new one; those of a provider are one.
  const std::string host = hostOf(left);
  const bool isOneHost = host == hostOf(right) || !providerOf(host).empty();
  return isOneHost && portOf(left) == portOf(right);
}

}  // namespace mailbraid::sync::endpoint
