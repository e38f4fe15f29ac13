// Whether two endpoints may be one account under two names or protocols: then the mail of one is that of the other.
#pragma once

#include "sync/endpoint/settings.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>
#include <system_error>

namespace mailbraid::sync::endpoint {

inline std::string inSmallLetters(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// "example.org" of "imap.example.org"; an address as it is.
inline std::string domainOf(const std::string& host) {
  const std::string name = inSmallLetters(host);
  const bool isAddress = name.find_first_not_of("0123456789.:abcdef[]") == std::string::npos;
  const std::size_t last = name.rfind('.');
  const std::size_t before = isAddress || last == std::string::npos || last == 0 ? last : name.rfind('.', last - 1);
  return isAddress || before == std::string::npos || last == std::string::npos ? name : name.substr(before + 1);
}

/// Of servers: the same user at hosts of one domain, whatever the protocol and the port. Of trees: the same directory.
inline bool maybeSameAccount(const EndpointSettings& left, const EndpointSettings& right) {
  const auto isServer = [](const EndpointSettings& one) {
    return one.type == EndpointType::Imap || one.type == EndpointType::Pop3;
  };
  if (isServer(left) != isServer(right)) return false;
  if (!isServer(left)) {
    std::error_code ignored;
    return left.path == right.path || std::filesystem::equivalent(left.path, right.path, ignored);
  }
  return inSmallLetters(left.user) == inSmallLetters(right.user) &&
         domainOf(left.server.host) == domainOf(right.server.host);
}

}  // namespace mailbraid::sync::endpoint
