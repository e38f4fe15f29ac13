// The limits that providers of mail document for their accounts. Pure.
#pragma once

#include "sync/endpoint/settings.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace mailbraid::sync::endpoint {

/// What a provider says in public of one protocol of its accounts; 0: it says nothing.
struct ProviderLimits {
  std::string_view name;  ///< as in `limits = "gmail"`
  EndpointType type = EndpointType::Imap;
  std::span<const std::string_view> hosts;  ///< lower case
  std::uint64_t downloadPerDay = 0;         ///< octets
  std::uint64_t uploadPerDay = 0;
  std::string_view source;  ///< where it says so
  std::string_view asOf;    ///< the last day of which that is known
};

std::span<const ProviderLimits> providerLimits();

/// Null: the provider has none for such endpoints.
const ProviderLimits* limitsOfProvider(std::string_view name, EndpointType type);
/// Null: nothing is documented. `host` in any case, with or without a last dot.
const ProviderLimits* limitsOfHost(std::string_view host, EndpointType type);

}  // namespace mailbraid::sync::endpoint
