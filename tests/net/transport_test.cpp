// Connecting, moving octets, deadlines and stopping.
#include "sync/net/certificate.h"
#include "sync/net/connector.h"
#include "tests/net/net_fixture.h"

#include <Poco/Net/StreamSocketImpl.h>
#include <fcntl.h>

#include <csignal>
#include <future>
#include <numeric>
#include <vector>

namespace mailbraid::tests {
namespace {

using namespace std::chrono_literals;

ServerSettings plain(std::uint16_t port, const std::string& host = "127.0.0.1") {
  ServerSettings settings;
  settings.host = host;
  settings.port = port;
  settings.tls = TlsMode::None;
  return settings;
}

/// A listener whose queue is full: the kernel answers no further SYN, connecting to it hangs.
class FullListener {
 public:
  FullListener() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    descriptors_.push_back(::socket(AF_INET, SOCK_STREAM, 0));
    ::bind(descriptors_[0], reinterpret_cast<sockaddr*>(&at), size);
    ::listen(descriptors_[0], 0);
    ::getsockname(descriptors_[0], reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    for (int i = 0; i < 8; ++i) {
      descriptors_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      ::connect(descriptors_.back(), reinterpret_cast<sockaddr*>(&at), size);
    }
  }
  ~FullListener() {
    for (const int descriptor : descriptors_) ::close(descriptor);
  }
  FullListener(const FullListener&) = delete;
  FullListener& operator=(const FullListener&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  std::vector<int> descriptors_;
  std::uint16_t port_ = 0;
};

std::uint16_t closedPort() {
  TestServer server([](ServerConnection&) {}, 0);
  return server.port();
}

sync::net::LookUp addressesOf(std::initializer_list<const char*> hosts, std::uint16_t port) {
  sync::net::LookUp out;
  for (const char* host : hosts) out.addresses.emplace_back(host, port);
  return out;
}

}  // namespace

TEST_CASE("octets travel both ways and are counted, with the turns", "[net]") {
  TestServer server([](ServerConnection& connection) {
    connection.send("* OK\r\n");
    connection.send(connection.receiveLine());
    connection.send(connection.receiveLine());
  });
  const auto transport = Transport::connect(plain(server.port(), GENERATE("127.0.0.1", "localhost")), {});
  CHECK(transport->peerIsLoopback());
  CHECK_FALSE(transport->encrypted());
  CHECK(transport->describe() == "not encrypted");
  CHECK_FALSE(transport->channelBinding());
  CHECK(readLine(*transport) == "* OK\r\n");
  transport->write("one ");
  transport->write("line\r\n");
  CHECK(readLine(*transport) == "one line\r\n");
  transport->write("two\r\n");
  CHECK(readAll(*transport) == "two\r\n");
  CHECK(transport->traffic().octetsIn == 21);
  CHECK(transport->traffic().octetsOut == 15);
  CHECK(transport->traffic().turns == 2);
}

TEST_CASE("P9: plaintext is allowed on loopback and where the configuration says so, and nowhere else", "[net]") {
  TestServer server([](ServerConnection& connection) { connection.send("hello"); });
  // 0.0.0.0 is no loopback address, though connecting to it ends at this very host.
  ServerSettings settings = plain(server.port(), "0.0.0.0");
  const Outcome refused = outcomeOf([&] { Transport::connect(settings, {}); });
  CHECK(refused.error == ErrorKind::Configuration);
  CHECK(refused.tells("allow_plaintext"));
  settings.allowPlaintext = true;
  CHECK(readAll(*Transport::connect(settings, {})) == "hello");
}

TEST_CASE("STARTTLS is asked for in the clear, on any host, and before it nothing is encrypted", "[net]") {
  const Trust trust;
  TestServer server([](ServerConnection& connection) { connection.send("hello"); });
  const auto transport = Transport::connect(trust.settings(server, TlsMode::StartTls), {});
  CHECK_FALSE(transport->encrypted());
  CHECK(readAll(*transport) == "hello");
}

TEST_CASE("loopback is recognised in all its spellings", "[net]") {
  using Poco::Net::SocketAddress;
  for (const char* host : {"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"}) {
    CAPTURE(host);
    CHECK(sync::net::isLoopback(SocketAddress(host, 1)));
  }
  for (const char* host : {"128.0.0.1", "192.0.2.1", "::2", "::ffff:192.0.2.1", "2001:db8::1", "0.0.0.0"}) {
    CAPTURE(host);
    CHECK_FALSE(sync::net::isLoopback(SocketAddress(host, 1)));
  }
}

TEST_CASE("a refused connection and an unknown name say so", "[net]") {
  const Outcome refused = outcomeOf([] { Transport::connect(plain(closedPort()), {}); });
  CHECK(refused.error == ErrorKind::Unreachable);
  CHECK(refused.tells("connection refused (127.0.0.1)"));
  sync::net::Waiter waiter{std::stop_token{}};
  const auto unknown = [](const std::string&, std::uint16_t) { return sync::net::LookUp{{}, "no such host"}; };
  const Outcome noName =
      outcomeOf([&] { sync::net::resolve("mail.invalid", 1, waiter, sync::net::deadlineIn(20s), unknown); });
  CHECK(noName.error == ErrorKind::Unreachable);
  CHECK(noName.tells("cannot find mail.invalid: no such host"));
}

TEST_CASE("all addresses of a name are tried, and one that does not answer does not hold up the next", "[net]") {
  TestServer server([](ServerConnection& connection) { connection.send("hello"); });
  const FullListener full;
  sync::net::Waiter waiter{std::stop_token{}};
  using Poco::Net::SocketAddress;
  const sync::net::Addresses addresses = {SocketAddress("127.0.0.1", closedPort()),
                                          SocketAddress("127.0.0.1", full.port()),
                                          SocketAddress("127.0.0.1", server.port())};
  Poco::Net::StreamSocket socket = connectAny(addresses, "test", waiter, sync::net::deadlineIn(20s));
  CHECK(socket.peerAddress().port() == server.port());
  // A password command that runs meanwhile does not inherit it.
  CHECK((::fcntl(socket.impl()->sockfd(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("families alternate and keep the system's order", "[net]") {
  sync::net::Waiter waiter{std::stop_token{}};
  const auto lookUp = [](const std::string&, std::uint16_t port) {
    return addressesOf({"2001:db8::1", "2001:db8::2", "192.0.2.1"}, port);
  };
  const sync::net::Addresses got = sync::net::resolve("mail.example", 1, waiter, sync::net::deadlineIn(20s), lookUp);
  REQUIRE(got.size() == 3);
  CHECK(got[0].host().toString() == "2001:db8::1");
  CHECK(got[1].host().toString() == "192.0.2.1");
  CHECK(got[2].host().toString() == "2001:db8::2");
}

TEST_CASE("a host that does not answer ends in a time-out", "[net][deadline]") {
  const FullListener full;
  ServerSettings settings = plain(full.port());
  settings.timeout = 100ms;
  const Outcome outcome = outcomeOf([&] { Transport::connect(settings, {}); });
  CHECK(outcome.error == ErrorKind::Unreachable);
  CHECK(outcome.tells("no answer in time"));
}

TEST_CASE("a silent server ends in a time-out that says so", "[net][deadline]") {
  const Trust trust;
  const ServerTls tls(trust.issue());
  const bool encrypted = GENERATE(false, true);
  TestServer server([&](ServerConnection& connection) {
    if (encrypted) connection.handshake(tls);
    connection.receiveAll();
  });
  ServerSettings settings = encrypted ? trust.settings(server) : plain(server.port());
  settings.timeout = 500ms;
  const Outcome outcome = outcomeOf([&] { readLine(*Transport::connect(settings, {})); });
  CHECK(outcome.error == ErrorKind::Unreachable);
  CHECK(outcome.tells("was silent for 0.5 s"));
  CHECK(outcome.tells("implicit") == !encrypted);
}

TEST_CASE("a server that takes nothing ends in a time-out", "[net][deadline]") {
  std::promise<void> done;
  TestServer server([&](ServerConnection&) { done.get_future().wait(); });
  ServerSettings settings = plain(server.port());
  settings.timeout = 200ms;
  const auto transport = Transport::connect(settings, {});
  const Outcome outcome = outcomeOf([&] { transport->write(std::string(64U << 20U, 'x')); });
  done.set_value();
  CHECK(outcome.error == ErrorKind::Unreachable);
  CHECK(outcome.tells("took nothing"));
}

TEST_CASE("a stop request ends connecting", "[net][stop]") {
  const FullListener full;
  std::stop_source stop;
  std::promise<void> started;
  std::jthread stopper([&] {
    started.get_future().wait();
    stop.request_stop();
  });
  started.set_value();
  CHECK(outcomeOf([&] { Transport::connect(plain(full.port()), stop.get_token()); }).error == ErrorKind::Cancelled);
}

TEST_CASE("a stop request ends the look-up of a name whose server hangs", "[net][stop]") {
  std::stop_source stop;
  sync::net::Waiter waiter(stop.get_token());
  std::promise<void> release;
  std::promise<void> left;
  const auto hang = [&, released = release.get_future().share()](const std::string&, std::uint16_t) {
    stop.request_stop();
    released.wait();
    left.set_value();
    return sync::net::LookUp{{}, "too late"};
  };
  const Outcome outcome =
      outcomeOf([&] { sync::net::resolve("mail.example", 1, waiter, sync::net::deadlineIn(1h), hang); });
  CHECK(outcome.error == ErrorKind::Cancelled);
  release.set_value();
  left.get_future().wait();
}

TEST_CASE("a stop request ends a handshake, a read and a write that wait", "[net][stop]") {
  const Trust trust;
  const ServerTls tls(trust.issue());
  std::stop_source stop;
  SECTION("handshake") {
    TestServer server([&](ServerConnection& connection) {
      connection.receive();
      stop.request_stop();
      connection.receiveAll();
    });
    const Outcome outcome = outcomeOf([&] { Transport::connect(trust.settings(server), stop.get_token()); });
    CHECK(outcome.error == ErrorKind::Cancelled);
  }
  SECTION("read") {
    const bool encrypted = GENERATE(false, true);
    TestServer server([&](ServerConnection& connection) {
      if (encrypted) connection.handshake(tls);
      connection.receiveLine();
      stop.request_stop();
      connection.receiveAll();
    });
    const ServerSettings settings = encrypted ? trust.settings(server) : plain(server.port());
    const Outcome outcome = outcomeOf([&] {
      const auto transport = Transport::connect(settings, stop.get_token());
      transport->write("a NOOP\r\n");
      readLine(*transport);
    });
    CHECK(outcome.error == ErrorKind::Cancelled);
  }
  SECTION("write") {
    std::promise<void> done;
    TestServer server([&](ServerConnection& connection) {
      connection.receiveLine();
      stop.request_stop();
      done.get_future().wait();
    });
    const auto transport = Transport::connect(plain(server.port()), stop.get_token());
    transport->write("a APPEND\r\n");
    CHECK(outcomeOf([&] { transport->write(std::string(64U << 20U, 'x')); }).error == ErrorKind::Cancelled);
    done.set_value();
  }
  SECTION("a read of a server that never pauses") {
    TestServer server([&](ServerConnection& connection) {
      connection.receiveLine();
      const std::string much(65536, 'x');
      for (int i = 0; i < 16; ++i) connection.send(much);
      stop.request_stop();
      for (int i = 0; i < 4096; ++i) connection.send(much);
    });
    const Outcome outcome = outcomeOf([&] {
      const auto transport = Transport::connect(plain(server.port()), stop.get_token());
      transport->write("a FETCH\r\n");
      std::array<char, 4096> buffer{};
      while (transport->read(buffer) != 0) continue;
    });
    CHECK(outcome.error == ErrorKind::Cancelled);
  }
  SECTION("a wait for the rate") {
    TestServer server([&](ServerConnection& connection) {
      connection.receiveLine();
      connection.send(std::string(100'000, 'x'));
      stop.request_stop();
      connection.receiveAll();
    });
    ServerSettings settings = plain(server.port());
    settings.bytesPerSecond = 100;
    const Outcome outcome = outcomeOf([&] {
      const auto transport = Transport::connect(settings, stop.get_token());
      transport->write("a\n");
      readAll(*transport);
    });
    CHECK(outcome.error == ErrorKind::Cancelled);
  }
  SECTION("asked before anything") {
    stop.request_stop();
    CHECK(outcomeOf([&] { Transport::connect(plain(9), stop.get_token()); }).error == ErrorKind::Cancelled);
  }
}

TEST_CASE("what arrives in many records comes out whole, and pending octets count as readable", "[net]") {
  const Trust trust;
  const ServerTls tls(trust.issue());
  const bool encrypted = GENERATE(false, true);
  std::string sent(3'000'000, '\0');
  std::iota(sent.begin(), sent.end(), '\0');
  TestServer server([&](ServerConnection& connection) {
    if (encrypted) connection.handshake(tls);
    connection.send(sent);
    connection.receiveLine();
    connection.sayGoodbye();
  });
  const auto transport = Transport::connect(encrypted ? trust.settings(server) : plain(server.port()), {});
  std::string got;
  std::vector<char> buffer(1000);
  while (got.size() < sent.size()) {
    REQUIRE(transport->waitReadable(20s));
    const std::optional<std::size_t> more = transport->readSome(buffer);
    REQUIRE(more);
    REQUIRE(*more > 0);
    got.append(buffer.data(), *more);
  }
  CHECK(got == sent);
  CHECK_FALSE(transport->waitReadable(0ms));
  CHECK_FALSE(transport->readSome(buffer));
  transport->write("bye\r\n");
  CHECK(transport->waitReadable(20s));
  CHECK(transport->read(buffer) == 0);
}

TEST_CASE("much goes up while as much comes down", "[net][duplex]") {
  const Trust trust;
  const ServerTls tls(trust.issue());
  const bool encrypted = GENERATE(false, true);
  const std::uint64_t rate = GENERATE(std::uint64_t{0}, std::uint64_t{12'000'000});
  // An echo server that reads only after each of its writes was taken: a client that only wrote would never end.
  TestServer server([&](ServerConnection& connection) {
    if (encrypted) connection.handshake(tls);
    for (std::string more = connection.receive(); !more.empty(); more = connection.receive()) connection.send(more);
  });
  ServerSettings settings = encrypted ? trust.settings(server) : plain(server.port());
  settings.bytesPerSecond = rate;
  const auto transport = Transport::connect(settings, {});
  std::string up(rate == 0 ? 8'000'000 : 4'000'000, '\0');
  std::iota(up.begin(), up.end(), '\0');
  std::string down;
  std::vector<char> buffer(65536);
  std::size_t sent = 0;
  while (down.size() < up.size()) {
    const auto interest = sent < up.size() ? Transport::Interest::ReadOrWrite : Transport::Interest::Read;
    const Transport::Readiness ready = transport->wait(interest);
    if (ready.writable) sent += transport->writeSome(std::string_view(up).substr(sent));
    if (ready.readable) {
      if (const auto got = transport->readSome(buffer)) down.append(buffer.data(), *got);
    }
  }
  CHECK(down == up);
}

TEST_CASE("a peer that has gone is an error and not a signal", "[net]") {
  const Trust trust;
  const ServerTls tls(trust.issue());
  const bool encrypted = GENERATE(false, true);
  TestServer server([&](ServerConnection& connection) {
    if (encrypted) connection.handshake(tls);
  });
  const auto transport = Transport::connect(encrypted ? trust.settings(server) : plain(server.port()), {});
  server.finish();
  const Outcome outcome = outcomeOf([&] {
    for (int i = 0; i < 1000; ++i) transport->write(std::string(65536, 'x'));
  });
  CHECK(outcome.error == ErrorKind::Unreachable);
}

TEST_CASE("signals that interrupt a wait neither end it nor count as a time-out", "[net][deadline]") {
  struct sigaction ignoring {};
  struct sigaction before {};
  ignoring.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &ignoring, &before);
  const pthread_t reader = ::pthread_self();
  TestServer server([&](ServerConnection& connection) {
    connection.receiveLine();
    for (int i = 0; i < 100; ++i) ::pthread_kill(reader, SIGUSR1);
    connection.send("answer\r\n");
  });
  const auto transport = Transport::connect(plain(server.port()), {});
  transport->write("question\r\n");
  CHECK(readLine(*transport) == "answer\r\n");
  server.finish();
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE("what a connection was is told after its end too", "[net][tls]") {
  const Trust trust;
  const ServerTls tls(trust.issue());
  TestServer server([&](ServerConnection& connection) { connection.handshake(tls); });
  const auto transport = Transport::connect(trust.settings(server), {});
  const std::string description = transport->describe();
  CHECK(description.rfind("TLSv1.3, TLS_", 0) == 0);
  transport->close();
  transport->close();
  CHECK(transport->describe() == description);
  CHECK_FALSE(transport->encrypted());
}

TEST_CASE("a session is resumed within one cache, and only under the same demands", "[net][tls]") {
  const Trust trust;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const Identity identity = trust.issue();
  const ServerTls tls = ServerTls(identity).only(version);
  TestServer server(
      [&](ServerConnection& connection) {
        if (!connection.handshake(tls)) return;
        connection.send("* OK\r\n");
        connection.receiveLine();
        connection.sayGoodbye();
      },
      5);
  const auto cache = std::make_shared<TlsSessionCache>();
  const auto resumed = [&](const std::shared_ptr<TlsSessionCache>& with, const std::vector<std::string>& pins = {}) {
    ServerSettings settings = trust.settings(server);
    settings.pins = pins;
    const auto transport = Transport::connect(settings, {}, with);
    readLine(*transport);
    CHECK(transport->encrypted());
    CHECK(transport->describe().find("certificate of localhost, 127.0.0.1, ::1 valid until ") != std::string::npos);
    transport->write("bye\r\n");
    readAll(*transport);
    return transport->resumed();
  };
  CHECK_FALSE(resumed(cache));
  CHECK(resumed(cache));
  CHECK(resumed(cache));
  CHECK_FALSE(resumed(nullptr));
  CHECK_FALSE(resumed(cache, {sync::net::pinText(sync::net::pinOf(identity.certificate.get()))}));
}

TEST_CASE("both sides of a connection see the same channel binding", "[net][tls]") {
  const Trust trust;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const ServerTls tls = ServerTls(trust.issue()).only(version);
  std::string theirs(version == TLS1_3_VERSION ? 32 : 12, '\0');
  TestServer server([&](ServerConnection& connection) {
    if (!connection.handshake(tls)) return;
    auto* out = reinterpret_cast<unsigned char*>(theirs.data());
    if (version == TLS1_3_VERSION) {
      SSL_export_keying_material(connection.ssl(), out, 32, "EXPORTER-Channel-Binding", 24, nullptr, 0, 1);
    } else {
      SSL_get_peer_finished(connection.ssl(), out, theirs.size());
    }
  });
  const auto transport = Transport::connect(trust.settings(server), {});
  server.finish();
  const auto binding = transport->channelBinding();
  REQUIRE(binding);
  CHECK(binding->type == (version == TLS1_3_VERSION ? "tls-exporter" : "tls-unique"));
  CHECK(binding->data == theirs);
}

}  // namespace mailbraid::tests
