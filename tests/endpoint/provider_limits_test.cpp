#include "sync/endpoint/provider_limits.h"

#include "tests/support/catch.h"

#include <string>

using namespace mailbraid::sync::endpoint;

TEST_CASE("a provider is known by its host and by its name, for each protocol by itself", "[endpoint][limits]") {
  for (const std::string host : {"imap.gmail.com", "IMAP.Gmail.com", "imap.gmail.com.", "imap.googlemail.com"}) {
    CAPTURE(host);
    const ProviderLimits* found = limitsOfHost(host, EndpointType::Imap);
    REQUIRE(found != nullptr);
    CHECK(found->downloadPerDay == 2'500'000'000);
    CHECK(found->uploadPerDay == 500'000'000);
    CHECK(limitsOfProvider("gmail", EndpointType::Imap) == found);
  }
  const ProviderLimits* pop = limitsOfHost("pop.gmail.com", EndpointType::Pop3);
  REQUIRE(pop != nullptr);
  CHECK(pop->downloadPerDay == 1'250'000'000);
  for (const std::string host :
       {"gmail.com", "imap.gmail.com.example.org", "notimap.gmail.com", "", ".", "imap.example.org"}) {
    CAPTURE(host);
    CHECK(limitsOfHost(host, EndpointType::Imap) == nullptr);
  }
  CHECK(limitsOfHost("pop.gmail.com", EndpointType::Imap) == nullptr);
  CHECK(limitsOfProvider("nobody", EndpointType::Imap) == nullptr);
}

TEST_CASE("every figure says where it comes from, and of when that is known", "[endpoint][limits]") {
  for (const ProviderLimits& one : providerLimits()) {
    CAPTURE(std::string(one.name));
    CHECK(one.source.starts_with("https://"));
    CHECK(one.asOf.size() == 10);
    CHECK(one.downloadPerDay + one.uploadPerDay > 0);
    CHECK_FALSE(one.hosts.empty());
  }
}
