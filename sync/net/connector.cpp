#include "sync/net/connector.h"

#include "sync/net/failure.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>

#include <Poco/Exception.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/Net/StreamSocketImpl.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace mailbraid::sync::net {
namespace {

using Poco::Net::IPAddress;
using Poco::Net::SocketAddress;
using Poco::Net::StreamSocket;

/// Shared with a look-up thread that may outlive everybody else.
struct PendingLookUp {
  WakeUp done;
  std::mutex mutex;
  std::optional<LookUp> result;
};

/// IPv6 and IPv4 in turns, beginning with the family the system prefers (RFC 8305 section 4).
Addresses alternateFamilies(const Addresses& sorted) {
  Addresses first;
  Addresses second;
  for (const SocketAddress& address : sorted) {
    (address.family() == sorted.front().family() ? first : second).push_back(address);
  }
  Addresses out;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) out.push_back(first[i]);
    if (i < second.size()) out.push_back(second[i]);
  }
  return out;
}

/// One connect() under way, or failed.
class Attempts {
 public:
  explicit Attempts(const Addresses& addresses) : addresses_(addresses) {}

  [[nodiscard]] bool exhausted() const { return next_ == addresses_.size() && pending_.empty(); }
  [[nodiscard]] bool mayStartNext() const { return next_ < addresses_.size(); }

  void startNext() {
    const SocketAddress& address = addresses_[next_++];
    try {
      StreamSocket socket(address.family());
      // POCO's sockets outlive an exec(): a password command could read them and would hold the connection open.
      ::fcntl(socket.impl()->sockfd(), F_SETFD, FD_CLOEXEC);
      socket.connectNB(address);
      pending_.push_back({socket, address});
    } catch (const Poco::Exception& error) {
      failed_.push_back({address, error.code()});
    }
  }

  std::vector<pollfd> pollSet() const {
    std::vector<pollfd> set;
    for (const Pending& one : pending_) set.push_back({one.socket.impl()->sockfd(), POLLOUT, 0});
    return set;
  }

  /// The first socket of `set` that is connected; those that failed are put aside.
  std::optional<StreamSocket> harvest(const std::vector<pollfd>& set) {
    std::vector<Pending> still;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      if (set[i].revents == 0) {
        still.push_back(pending_[i]);
        continue;
      }
      const int error = pending_[i].socket.impl()->socketError();
      if (error == 0) return pending_[i].socket;
      failed_.push_back({pending_[i].address, error});
    }
    anyFailedLast_ = still.size() != pending_.size();
    pending_ = std::move(still);
    return std::nullopt;
  }
  [[nodiscard]] bool anyFailedLast() const { return anyFailedLast_; }

  /// "connection refused (127.0.0.1, ::1)", one group a reason.
  [[nodiscard]] std::string failures() const {
    std::vector<std::pair<std::string, std::string>> groups;
    for (const Failed& one : failed_) {
      const std::string reason = one.error != 0 ? errnoText(one.error) : "no connection";
      const std::string name = one.address.host().toString();
      const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == reason; });
      if (group == groups.end()) {
        groups.emplace_back(reason, name);
      } else {
        group->second += ", " + name;
      }
    }
    std::string out;
    for (const auto& [reason, names] : groups) out += (out.empty() ? "" : "; ") + reason + " (" + names + ")";
    return out;
  }

 private:
  struct Pending {
    StreamSocket socket;
    SocketAddress address;
  };
  struct Failed {
    SocketAddress address;
    int error;
  };
  const Addresses& addresses_;
  std::size_t next_ = 0;
  std::vector<Pending> pending_;
  std::vector<Failed> failed_;
  bool anyFailedLast_ = false;
};

}  // namespace

LookUp systemLookUp(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const std::string service = std::to_string(port);
  LookUp out;
  if (const int code = ::getaddrinfo(host.c_str(), service.c_str(), &hints, &list); code != 0) {
    const bool unknown = code == EAI_NONAME;
    out.failure = unknown ? "no such host" : ::gai_strerror(code);
    return out;
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    if (at->ai_family == AF_INET || at->ai_family == AF_INET6) out.addresses.emplace_back(at->ai_addr, at->ai_addrlen);
  }
  if (out.addresses.empty()) out.failure = "it has no address";
  return out;
}

Addresses resolve(const std::string& host, std::uint16_t port, Waiter& waiter, Deadline until,
                  const LookUpFunction& lookUp) {
  const std::string where = hostAndPort(host, port);
  if (IPAddress literal; IPAddress::tryParse(host, literal)) return {SocketAddress(literal, port)};
  const auto pending = std::make_shared<PendingLookUp>();
  std::thread([pending, host, port, lookUp] {
    LookUp result = lookUp(host, port);
    const std::lock_guard lock(pending->mutex);
    pending->result = std::move(result);
    pending->done.signal();
  }).detach();
  short got = 0;
  switch (waiter.wait(pending->done.descriptor(), POLLIN, until, got)) {
    case Waiter::Outcome::Stopped:
      failCancelled(where);
    case Waiter::Outcome::TimedOut:
      failUnreachable("cannot reach " + where + ": the name server did not answer in time; is the network up?");
    case Waiter::Outcome::Ready:
      break;
  }
  const std::lock_guard lock(pending->mutex);
  if (pending->result->addresses.empty()) {
    failUnreachable("cannot find " + printable(host) + ": " + pending->result->failure +
                    "; check the host name and the network");
  }
  return alternateFamilies(pending->result->addresses);
}

bool isLoopback(const SocketAddress& address) {
  const IPAddress host = address.host();
  if (host.isLoopback()) return true;
  if (host.family() != IPAddress::IPv6 || !host.isIPv4Mapped()) return false;
  constexpr std::size_t kIPv4Offset = 12;
  return static_cast<const unsigned char*>(host.addr())[kIPv4Offset] == 127;
}

StreamSocket connectAny(const Addresses& addresses, const std::string& where, Waiter& waiter, Deadline until) {
  constexpr std::chrono::milliseconds kStagger{250};
  Attempts attempts(addresses);
  Deadline nextStart = Clock::now();
  for (;;) {
    if (attempts.mayStartNext() && Clock::now() >= nextStart) {
      attempts.startNext();
      nextStart = Clock::now() + kStagger;
    }
    std::vector<pollfd> set = attempts.pollSet();
    if (set.empty()) {
      if (attempts.exhausted()) {
        failUnreachable("cannot connect to " + where + ": " + attempts.failures() + "; check host and port");
      }
      nextStart = Clock::now();
      continue;
    }
    const Waiter::Outcome outcome = waiter.wait(set, attempts.mayStartNext() ? std::min(until, nextStart) : until);
    if (outcome == Waiter::Outcome::Stopped) failCancelled(where);
    if (outcome == Waiter::Outcome::TimedOut && Clock::now() >= until) {
      const std::string others = attempts.failures();
      failUnreachable("cannot connect to " + where + ": no answer in time" + (others.empty() ? "" : "; " + others) +
                      "; check host, port and firewall");
    }
    if (std::optional<StreamSocket> connected = attempts.harvest(set)) {
      connected->setNoDelay(true);
      return *connected;
    }
    if (attempts.anyFailedLast()) nextStart = Clock::now();
  }
}

}  // namespace mailbraid::sync::net
