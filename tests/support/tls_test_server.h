// A server on loopback for one test: a free port, one thread, a script that speaks for it; TLS done by OpenSSL itself.
#pragma once

#include "tests/support/test_certificates.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace mailbraid::tests {

/// How the server does TLS. Shared by its connections, so that sessions can be resumed.
class ServerTls {
 public:
  explicit ServerTls(const Identity& identity) : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    SSL_CTX_use_certificate(get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(get(), identity.key.get());
    SSL_CTX_set_session_id_context(get(), reinterpret_cast<const unsigned char*>("test"), 4);
  }
  /// TLS1_1_VERSION ...; below 1.2 the security level goes down with it.
  ServerTls& only(int version) {
    if (version < TLS1_2_VERSION) SSL_CTX_set_security_level(get(), 0);
    SSL_CTX_set_min_proto_version(get(), version);
    SSL_CTX_set_max_proto_version(get(), version);
    return *this;
  }
  ServerTls& demandClientOf(const Identity& authority) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(get()), authority.certificate.get());
    SSL_CTX_set_verify(get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return *this;
  }
  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }

 private:
  std::shared_ptr<SSL_CTX> context_;
};

/// The server's side of one connection. Calls block, 20 s at most, so that a failing test ends.
class ServerConnection {
 public:
  explicit ServerConnection(int descriptor) : descriptor_(descriptor) {
    const timeval limit{20, 0};
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  ~ServerConnection() { ::close(descriptor_); }
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  void send(std::string_view octets) {
    while (!octets.empty()) {
      const int sent = ssl_ ? SSL_write(ssl_.get(), octets.data(), static_cast<int>(octets.size()))
                            : static_cast<int>(::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL));
      if (sent <= 0) return;
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// What comes next; empty at the end.
  std::string receive() {
    std::array<char, 65536> buffer{};
    const int got = ssl_ ? SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()))
                         : static_cast<int>(::recv(descriptor_, buffer.data(), buffer.size(), 0));
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string();
  }
  /// All until the client closes.
  std::string receiveAll() {
    std::string all;
    for (std::string more = receive(); !more.empty(); more = receive()) all += more;
    return all;
  }
  /// Up to and including the next LF.
  std::string receiveLine() {
    std::string line;
    while (line.empty() || line.back() != '\n') {
      char octet = 0;
      const int got = ssl_ ? SSL_read(ssl_.get(), &octet, 1) : static_cast<int>(::recv(descriptor_, &octet, 1, 0));
      if (got <= 0) return line;
      line += octet;
    }
    return line;
  }

  bool handshake(const ServerTls& tls) {
    ssl_.reset(SSL_new(tls.get()), SSL_free);
    SSL_set_fd(ssl_.get(), descriptor_);
    const bool done = SSL_accept(ssl_.get()) == 1;
    if (!done) ssl_.reset();
    ERR_clear_error();
    return done;
  }
  /// close_notify, without which the end is a truncation.
  void sayGoodbye() {
    if (ssl_) SSL_shutdown(ssl_.get());
  }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }

  /// The first flight that `tls` would answer to what the client has sent, not sent: for stalling in the middle of it.
  std::string firstFlight(const ServerTls& tls, std::string& received) {
    const std::shared_ptr<SSL> ssl(SSL_new(tls.get()), SSL_free);
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl.get(), in, out);
    SSL_set_accept_state(ssl.get());
    while (BIO_ctrl_pending(out) == 0) {
      const std::string more = receive();
      if (more.empty()) return {};
      received += more;
      BIO_write(in, more.data(), static_cast<int>(more.size()));
      SSL_do_handshake(ssl.get());
      ERR_clear_error();
    }
    std::string flight(BIO_ctrl_pending(out), '\0');
    BIO_read(out, flight.data(), static_cast<int>(flight.size()));
    return flight;
  }

 private:
  int descriptor_;
  std::shared_ptr<SSL> ssl_;
};

/// Listens on a free port from the constructor on; serves `connections` connections, one after another, by `script`.
class TestServer {
 public:
  using Script = std::function<void(ServerConnection&)>;

  explicit TestServer(Script script, int connections = 1, const std::string& address = "127.0.0.1")
      : listener_(listenOn(address)), thread_([this, script = std::move(script), connections] {
          for (int i = 0; i < connections; ++i) serveOne(script);
        }) {}
  ~TestServer() {
    // Wakes an accept() that nobody came to.
    ::shutdown(listener_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    ::close(listener_);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Waits until all connections are served: what the script wrote down may be read then.
  void finish() { thread_.join(); }

 private:
  void serveOne(const Script& script) {
    const int descriptor = ::accept(listener_, nullptr, nullptr);
    if (descriptor < 0) return;
    ServerConnection connection(descriptor);
    script(connection);
  }

  int listenOn(const std::string& address) {
    const bool six = address.find(':') != std::string::npos;
    sockaddr_in6 at6{};
    sockaddr_in at4{};
    at6.sin6_family = AF_INET6;
    at4.sin_family = AF_INET;
    ::inet_pton(six ? AF_INET6 : AF_INET, address.c_str(),
                six ? static_cast<void*>(&at6.sin6_addr) : static_cast<void*>(&at4.sin_addr));
    auto* at = six ? reinterpret_cast<sockaddr*>(&at6) : reinterpret_cast<sockaddr*>(&at4);
    socklen_t size = six ? sizeof at6 : sizeof at4;
    const int descriptor = ::socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(descriptor, at, size) != 0 || ::listen(descriptor, 16) != 0) {
      ::close(descriptor);
      throw std::runtime_error("cannot listen on " + address);
    }
    ::getsockname(descriptor, at, &size);
    port_ = ntohs(six ? at6.sin6_port : at4.sin_port);
    return descriptor;
  }

  std::uint16_t port_ = 0;
  int listener_;
  std::thread thread_;
};

}  // namespace mailbraid::tests
