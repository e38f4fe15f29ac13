#include "tests/support/fault_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace mailbraid::test {
namespace {

constexpr std::size_t kSeenLimit = 1U << 20U;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int connectTo(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

bool sendAll(int fd, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t count = ::send(fd, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

std::size_t index(Toward toward) {
  return static_cast<std::size_t>(toward);
}

}  // namespace

/// Two sockets and a thread for each direction, so that one that is stuck never holds up the other.
struct FaultProxy::Connection {
  int client = -1;
  int server = -1;
  Toward faultToward = Toward::Client;  ///< constant once the threads run
  std::optional<Fault> fault;           ///< this and `passed` are for the thread of that direction only
  std::uint64_t passed = 0;
  std::uint64_t releasesBefore = 0;
  std::thread toClient;
  std::thread toServer;

  // shutdown() wakes the threads that read; close() waits until they are gone.
  void cut() const {
    ::shutdown(client, SHUT_RDWR);
    ::shutdown(server, SHUT_RDWR);
  }
  ~Connection() {
    cut();
    if (toClient.joinable()) toClient.join();
    if (toServer.joinable()) toServer.join();
    ::close(client);
    ::close(server);
  }
};

FaultProxy::FaultProxy(std::uint16_t serverPort) : serverPort_(serverPort) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the fault proxy cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept(); });
}

FaultProxy::~FaultProxy() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  connections_.clear();
  ::close(listener_);
}

void FaultProxy::accept() {
  while (true) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0 && errno == EINTR) continue;
    if (client < 0) return;
    const int on = 1;
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int server = connectTo(serverPort_);
    const std::lock_guard lock(mutex_);
    if (server < 0 || stopping_) {
      ::close(client);
      if (server >= 0) ::close(server);
      continue;
    }
    ::setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection& connection = *connections_.emplace_back(std::make_unique<Connection>());
    connection.client = client;
    connection.server = server;
    connection.releasesBefore = releases_;
    if (fault_ && fault_->connections > 0) {
      --fault_->connections;
      connection.fault = fault_;
      connection.faultToward = fault_->toward;
    }
    connection.toClient = std::thread([this, &connection] { pass(connection, Toward::Client); });
    connection.toServer = std::thread([this, &connection] { pass(connection, Toward::Server); });
    changed_.notify_all();
  }
}

void FaultProxy::pass(Connection& connection, Toward toward) {
  const bool toClient = toward == Toward::Client;
  const int from = toClient ? connection.server : connection.client;
  const int to = toClient ? connection.client : connection.server;
  std::array<char, 16384> buffer{};
  bool open = true;
  while (open) {
    const ssize_t count = ::recv(from, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    open = forward(connection, toward, std::string(buffer.data(), static_cast<std::size_t>(count)));
  }
  ::shutdown(to, SHUT_WR);
}

bool FaultProxy::forward(Connection& connection, Toward toward, const std::string& chunk) {
  if (connection.faultToward == toward && connection.fault) {
    const std::uint64_t before = std::exchange(connection.passed, connection.passed + chunk.size());
    if (connection.fault->after < connection.passed) return strike(connection, chunk, connection.fault->after - before);
  }
  return deliver(connection, toward, chunk);
}

bool FaultProxy::deliver(Connection& connection, Toward toward, const std::string& chunk) {
  count(toward, chunk);
  return sendAll(toward == Toward::Client ? connection.client : connection.server, chunk);
}

bool FaultProxy::strike(Connection& connection, const std::string& chunk, std::size_t at) {
  const Fault fault = *std::exchange(connection.fault, std::nullopt);
  if (!deliver(connection, fault.toward, chunk.substr(0, at))) return false;
  std::string tail = chunk.substr(at);
  switch (fault.kind) {
    case Fault::Kind::Cut:
      connection.cut();
      return false;
    case Fault::Kind::Stall: {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_; });
      return false;
    }
    case Fault::Kind::Hold: {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || releases_ > connection.releasesBefore; });
      break;
    }
    case Fault::Kind::Corrupt:
      tail[0] = static_cast<char>(~tail[0]);
      break;
    case Fault::Kind::Inject:
      tail.insert(0, fault.octets);
      break;
  }
  return deliver(connection, fault.toward, tail);
}

void FaultProxy::count(Toward toward, const std::string& chunk) {
  const std::lock_guard lock(mutex_);
  octets_[index(toward)] += chunk.size();
  std::string& seen = seen_[index(toward)];
  seen.append(chunk, 0, kSeenLimit - std::min(kSeenLimit, seen.size()));
  changed_.notify_all();
}

void FaultProxy::set(std::optional<Fault> fault) {
  const std::lock_guard lock(mutex_);
  fault_ = std::move(fault);
}

void FaultProxy::release() {
  const std::lock_guard lock(mutex_);
  ++releases_;
  changed_.notify_all();
}

void FaultProxy::cutAll() {
  const std::lock_guard lock(mutex_);
  for (const auto& connection : connections_) connection->cut();
}

std::uint64_t FaultProxy::octets(Toward toward) const {
  const std::lock_guard lock(mutex_);
  return octets_[index(toward)];
}

std::string FaultProxy::seen(Toward toward) const {
  const std::lock_guard lock(mutex_);
  return seen_[index(toward)];
}

unsigned FaultProxy::connections() const {
  const std::lock_guard lock(mutex_);
  return static_cast<unsigned>(connections_.size());
}

bool FaultProxy::waitForOctets(Toward toward, std::uint64_t count, std::chrono::seconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return octets_[index(toward)] >= count; });
}

}  // namespace mailbraid::test
