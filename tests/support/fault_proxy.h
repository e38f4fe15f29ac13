// Stands between a client and a real server and does what bad networks and bad servers do. Driven by octet counts,
// never by time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace mailbraid::test {

enum class Toward : std::uint8_t { Client, Server };

/// What happens when the octet number `after` (the first is 0) is about to go in one direction of one connection.
struct Fault {
  enum class Kind : std::uint8_t {
    Cut,      ///< both ends are closed
    Stall,    ///< nothing more goes in this direction; the connection stays open
    Corrupt,  ///< that octet is inverted
    Inject,   ///< `octets` are put before it
    Hold,     ///< like Stall, until release()
  };
  Kind kind = Kind::Cut;
  Toward toward = Toward::Client;
  std::uint64_t after = 0;
  std::string octets;                ///< Inject
  unsigned connections = 1'000'000;  ///< how many connections suffer it; those after it are left alone
};

/// Listens on a free loopback port and passes everything to `serverPort`. One fault at a time. All calls are safe from
/// any thread.
class FaultProxy {
 public:
  explicit FaultProxy(std::uint16_t serverPort);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// For connections that are made from now on; nullopt: none.
  void set(std::optional<Fault> fault);
  /// Lets every connection made so far go on, also one that has yet to come to its Hold.
  void release();
  /// Closes every connection now. New ones are welcome.
  void cutAll();
  /// Octets that went in this direction, over all connections, since the start.
  [[nodiscard]] std::uint64_t octets(Toward toward) const;
  /// The first MiB of them.
  [[nodiscard]] std::string seen(Toward toward) const;
  [[nodiscard]] unsigned connections() const;
  /// Waits until that many octets went in this direction; false when `limit` passed without.
  bool waitForOctets(Toward toward, std::uint64_t count, std::chrono::seconds limit = std::chrono::seconds(60));

 private:
  struct Connection;
  void accept();
  void pass(Connection& connection, Toward toward);
  bool forward(Connection& connection, Toward toward, const std::string& chunk);
  bool deliver(Connection& connection, Toward toward, const std::string& chunk);
  bool strike(Connection& connection, const std::string& chunk, std::size_t at);
  void count(Toward toward, const std::string& chunk);

  std::uint16_t serverPort_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Fault> fault_;
  std::uint64_t releases_ = 0;
  bool stopping_ = false;
  std::uint64_t octets_[2] = {0, 0};
  std::string seen_[2];
  std::list<std::unique_ptr<Connection>> connections_;
  std::thread acceptor_;  ///< last: it uses all the others
};

}  // namespace mailbraid::test
