#include "sync/endpoint/provider_limits.h"

#include <algorithm>
#include <array>

namespace mailbraid::sync::endpoint {
namespace {

constexpr std::uint64_t kMegabyte = 1'000'000;
constexpr std::uint64_t kGibibyte = std::uint64_t{1} << 30U;

constexpr std::array<std::string_view, 2> kGmailImap{"imap.gmail.com", "imap.googlemail.com"};
constexpr std::array<std::string_view, 2> kGmailPop{"pop.gmail.com", "pop.googlemail.com"};
constexpr std::array<std::string_view, 1> kZoneImap{"imap.zone.eu"};
constexpr std::array<std::string_view, 1> kZonePop{"pop3.zone.eu"};

// Only what a provider itself documents for IMAP or POP3, octets a day. Of Outlook and Microsoft 365, Yahoo, AOL,
// iCloud, GMX, WEB.DE, Posteo, Fastmail, mailbox.org, Yandex and Mail.ru no such figure was found in 2026, of Zoho's
// POP3 only a copy that others contradict. Those that throttle all the same say so when they do (server_limit.h), and
// who limits the size of a message says that by APPENDLIMIT. Zone's are those of its smallest plan.
constexpr std::array kProviders{
    ProviderLimits{"gmail", EndpointType::Imap, kGmailImap, 2500 * kMegabyte, 500 * kMegabyte,
                   "https://support.google.com/a/answer/1071518", "2022-12-16"},
    ProviderLimits{"gmail", EndpointType::Pop3, kGmailPop, 1250 * kMegabyte, 0,
                   "https://support.google.com/a/answer/1071518", "2016-05-23"},
    ProviderLimits{"zone", EndpointType::Imap, kZoneImap, 10 * kGibibyte, 5 * kGibibyte,
                   "https://help.zone.eu/en/kb/e-mail-server-restrictions/", "2026-11-26"},
    ProviderLimits{"zone", EndpointType::Pop3, kZonePop, 10 * kGibibyte, 0,
                   "https://help.zone.eu/en/kb/e-mail-server-restrictions/", "2026-11-26"},
};

bool isSameHost(std::string_view host, std::string_view known) {
  if (host.ends_with('.')) host.remove_suffix(1);
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(host.begin(), host.end(), known.begin(), known.end(),
                    [&](char one, char other) { return lower(one) == other; });
}

template <class Is>
const ProviderLimits* find(EndpointType type, const Is& is) {
  const auto* const found = std::find_if(kProviders.begin(), kProviders.end(),
                                         [&](const ProviderLimits& one) { return one.type == type && is(one); });
  return found == kProviders.end() ? nullptr : found;
}

}  // namespace

std::span<const ProviderLimits> providerLimits() {
  return kProviders;
}

const ProviderLimits* limitsOfProvider(std::string_view name, EndpointType type) {
  return find(type, [&](const ProviderLimits& one) { return one.name == name; });
}

const ProviderLimits* limitsOfHost(std::string_view host, EndpointType type) {
  return find(type, [&](const ProviderLimits& one) {
    return std::any_of(one.hosts.begin(), one.hosts.end(),
                       [&](std::string_view known) { return isSameHost(host, known); });
  });
}

}  // namespace mailbraid::sync::endpoint
