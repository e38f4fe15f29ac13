#include "sync/net/failure.h"

#include <cctype>
#include <system_error>

namespace mailbraid::sync::net {

using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;

std::string hostAndPort(std::string_view host, unsigned port) {
  const bool bare = host.find(':') != std::string_view::npos && host.front() != '[';
  const std::string name = bare ? "[" + std::string(host) + "]" : std::string(host);
  return name + ":" + std::to_string(port);
}

std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 100;
  std::string out(text.substr(0, kLongest));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7E) c = '?';
  }
  if (text.size() > kLongest) out += "...";
  return out;
}

std::string seconds(long long milliseconds) {
  std::string out = std::to_string(milliseconds / 1000);
  if (const long long tenths = milliseconds % 1000 / 100; tenths != 0) out += "." + std::to_string(tenths);
  return milliseconds < 100 ? std::to_string(milliseconds) + " ms" : out + " s";
}

std::string errnoText(int error) {
  std::string text = std::generic_category().message(error);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

void fail(ErrorKind kind, Retry retry, const std::string& sentence) {
  throw Error(kind, Scope::Connection, retry, sentence);
}
void failLost(const std::string& sentence) {
  fail(ErrorKind::Unreachable, Retry::Now, sentence);
}
void failUnreachable(const std::string& sentence) {
  fail(ErrorKind::Unreachable, Retry::Later, sentence);
}
void failRefused(const std::string& sentence) {
  fail(ErrorKind::Refused, Retry::Never, sentence);
}
void failProtocol(const std::string& sentence) {
  fail(ErrorKind::Protocol, Retry::Never, sentence);
}
void failConfiguration(const std::string& sentence) {
  fail(ErrorKind::Configuration, Retry::Never, sentence);
}
void failCancelled(const std::string& where) {
  fail(ErrorKind::Cancelled, Retry::Later, "the connection to " + where + " was stopped on request");
}

}  // namespace mailbraid::sync::net
