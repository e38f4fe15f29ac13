#include "sync/net/transport.h"

#include "sync/net/channel.h"
#include "sync/net/connector.h"
#include "sync/net/failure.h"
#include "sync/net/tls_channel.h"
#include "sync/net/tls_session_cache_impl.h"
#include "sync/net/token_bucket.h"
#include "sync/net/waiter.h"

#include <Poco/Exception.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

namespace mailbraid::sync::net {
namespace {

using Poco::Net::StreamSocket;

class SocketTransport final : public Transport {
 public:
  SocketTransport(const ServerSettings& settings, const std::stop_token& stop, std::shared_ptr<TlsPolicy> policy);

  /// Connects; with TlsMode::Implicit the handshake follows.
  void open();

  void startTls(std::string_view unread) override;
  std::size_t read(std::span<char> into) override;
  void write(std::string_view octets) override;
  std::optional<std::size_t> readSome(std::span<char> into) override;
  std::size_t writeSome(std::string_view octets) override;
  Readiness wait(Interest interest) override;
  bool waitReadable(std::chrono::milliseconds atMost) override;

  [[nodiscard]] const Traffic& traffic() const override { return traffic_; }
  [[nodiscard]] std::string describe() const override { return description_; }
  [[nodiscard]] bool encrypted() const override { return tls_ != nullptr; }
  [[nodiscard]] bool resumed() const override { return resumed_; }
  [[nodiscard]] bool peerIsLoopback() const override { return loopback_; }
  [[nodiscard]] std::optional<ChannelBinding> channelBinding() const override;
  void close() noexcept override;
  ~SocketTransport() override { close(); }

 private:
  [[nodiscard]] int descriptor() const { return socket_.impl()->sockfd(); }
  [[nodiscard]] Deadline idleDeadline() const { return deadlineIn(settings_.timeout); }
  /// Runs one operation; whatever it throws closes the connection.
  template <class Operation>
  auto guarded(Operation operation);
  void demandOpen() const;
  void demandAllowed(const Addresses& addresses) const;
  void demandNothingWaiting(std::string_view unread) const;
  void shakeHands();
  /// Waits for what `step` wants; false when `until` passed.
  bool await(const Step& step, Deadline until);
  [[nodiscard]] std::string silenceText() const;
  void countIn(std::size_t octets);
  void countOut(std::size_t octets);
  void beginPace();
  /// Octets that may go now, `most` at most; 0: the rate is used up.
  [[nodiscard]] std::size_t allowed(std::size_t most) const;
  /// The same; waits until there are some.
  std::size_t awaitAllowed(std::size_t most);
  Step sendAllowed(std::string_view octets, std::size_t allowed);

  ServerSettings settings_;
  std::string where_;
  std::shared_ptr<TlsPolicy> policy_;
  Waiter waiter_;
  StreamSocket socket_;
  std::unique_ptr<Channel> channel_;  ///< null: closed
  TlsChannel* tls_ = nullptr;         ///< channel_, once it is TLS
  std::optional<TokenBucket> pace_;   ///< none: no rate is to be kept
  std::size_t offered_ = 0;           ///< octets of the last send that moved none: TLS wants no fewer in the next
  Traffic traffic_;
  bool receivedSinceSend_ = false;
  bool loopback_ = false;
  bool resumed_ = false;
  std::string description_ = "not encrypted";
};

SocketTransport::SocketTransport(const ServerSettings& settings, const std::stop_token& stop,
                                 std::shared_ptr<TlsPolicy> policy)
    : settings_(settings),
      where_(hostAndPort(printable(settings.host), settings.port)),
      policy_(std::move(policy)),
      waiter_(stop) {}

template <class Operation>
auto SocketTransport::guarded(Operation operation) {
  try {
    if (waiter_.stopRequested()) failCancelled(where_);
    return operation();
  } catch (const Poco::Exception& error) {
    close();
    failLost("the connection to " + where_ + " failed: " + error.displayText());
  } catch (...) {
    close();
    throw;
  }
}

void SocketTransport::open() {
  guarded([this] {
    const Deadline until = deadlineIn(settings_.timeout);
    const Addresses addresses = resolve(settings_.host, settings_.port, waiter_, until);
    demandAllowed(addresses);
    socket_ = connectAny(addresses, where_, waiter_, until);
    loopback_ = isLoopback(socket_.peerAddress());
    channel_ = std::make_unique<PlainChannel>(descriptor(), where_);
    if (settings_.bytesPerSecond != 0) beginPace();
    if (settings_.tls == TlsMode::Implicit) shakeHands();
  });
}

void SocketTransport::demandAllowed(const Addresses& addresses) const {
  if (settings_.tls != TlsMode::None || settings_.allowPlaintext) return;
  if (std::all_of(addresses.begin(), addresses.end(), isLoopback)) return;
  failConfiguration("tls = \"none\" would send the password and all mail to " + where_ +
                    " readable by anybody on the way; use TLS, or set allow_plaintext = true");
}

void SocketTransport::demandOpen() const {
  if (!channel_) failLost("the connection to " + where_ + " is closed");
}

void SocketTransport::demandNothingWaiting(std::string_view unread) const {
  char octet = 0;
  const ssize_t waiting = ::recv(descriptor(), &octet, 1, MSG_PEEK | MSG_DONTWAIT);
  if (!unread.empty() || waiting > 0) {
    failProtocol(where_ +
                 " sent more before the TLS handshake than the answer to STARTTLS; somebody on the way may have put "
                 "it there, so the connection was given up");
  }
  if (waiting == 0) failLost(where_ + " closed the connection instead of the TLS handshake");
}

void SocketTransport::startTls(std::string_view unread) {
  guarded([&] {
    demandOpen();
    if (tls_ != nullptr) fail(mailstore::ErrorKind::Internal, mailstore::Retry::Never, where_ + " has TLS already");
    demandNothingWaiting(unread);
    shakeHands();
  });
}

void SocketTransport::shakeHands() {
  if (!policy_) fail(mailstore::ErrorKind::Internal, mailstore::Retry::Never, "tls = \"none\" has no TLS handshake");
  auto tls = std::make_unique<TlsChannel>(policy_, descriptor(), where_);
  // One deadline for the whole of it: a peer that sends an octet now and then does not move it.
  const Deadline until = deadlineIn(settings_.timeout);
  for (Step step = tls->handshake(); step.kind != Step::Kind::Moved; step = tls->handshake()) {
    if (!await(step, until)) {
      failUnreachable(where_ + " did not finish the TLS handshake within " + seconds(settings_.timeout.count()) +
                      "; does this port speak TLS?");
    }
  }
  description_ = tls->describe();
  resumed_ = tls->resumed();
  tls_ = tls.get();
  channel_ = std::move(tls);
}

std::string SocketTransport::silenceText() const {
  const std::string text = where_ + " was silent for " + seconds(settings_.timeout.count());
  const bool mute = traffic_.octetsIn == 0 && tls_ == nullptr;
  return mute ? text + "; if this port speaks TLS from the first octet, set tls = \"implicit\"" : text;
}

bool SocketTransport::await(const Step& step, Deadline until) {
  short got = 0;
  const short events = step.kind == Step::Kind::WantsWrite ? POLLOUT : POLLIN;
  const Waiter::Outcome outcome = waiter_.wait(descriptor(), events, until, got);
  if (outcome == Waiter::Outcome::Stopped) failCancelled(where_);
  return outcome == Waiter::Outcome::Ready;
}

void SocketTransport::beginPace() {
  // Half a second's worth in one go; and what the server has sent ahead must not take long to read, or it would take
  // us for gone.
  const std::uint64_t rate = settings_.bytesPerSecond;
  pace_.emplace(rate, std::max<std::uint64_t>(rate / 2, 1), Clock::now());
  const int ahead = static_cast<int>(std::clamp<std::uint64_t>(rate, 16'384, 1'048'576));
  ::setsockopt(descriptor(), SOL_SOCKET, SO_RCVBUF, &ahead, sizeof ahead);
}

std::size_t SocketTransport::allowed(std::size_t most) const {
  return pace_ ? static_cast<std::size_t>(std::min<std::uint64_t>(most, pace_->available(Clock::now()))) : most;
}

std::size_t SocketTransport::awaitAllowed(std::size_t most) {
  std::vector<pollfd> nothing;
  while (pace_ && pace_->available(Clock::now()) == 0) {
    // Not for the first token, which would be a system call an octet.
    const Deadline until =
        Clock::now() + pace_->waitFor(std::max<std::uint64_t>(settings_.bytesPerSecond / 4, 1), Clock::now());
    if (waiter_.wait(nothing, until) == Waiter::Outcome::Stopped) failCancelled(where_);
  }
  return allowed(most);
}

Step SocketTransport::sendAllowed(std::string_view octets, std::size_t allowed) {
  const std::string_view offer = octets.substr(0, std::max(allowed, offered_));
  const Step step = channel_->send(offer);
  const bool moved = step.kind == Step::Kind::Moved;
  offered_ = moved ? 0 : offer.size();
  if (moved) countOut(step.octets);
  return step;
}

void SocketTransport::countIn(std::size_t octets) {
  if (pace_) pace_->take(octets, Clock::now());
  traffic_.octetsIn += octets;
  receivedSinceSend_ = true;
}

void SocketTransport::countOut(std::size_t octets) {
  if (pace_) pace_->take(octets, Clock::now());
  traffic_.octetsOut += octets;
  if (std::exchange(receivedSinceSend_, false)) ++traffic_.turns;
}

std::size_t SocketTransport::read(std::span<char> into) {
  return guarded([&]() -> std::size_t {
    demandOpen();
    if (into.empty()) return 0;
    for (;;) {
      const Step step = channel_->receive(into.first(awaitAllowed(into.size())));
      if (step.kind == Step::Kind::Moved) countIn(step.octets);
      if (step.kind == Step::Kind::Moved || step.kind == Step::Kind::End) return step.octets;
      if (!await(step, idleDeadline())) failUnreachable(silenceText());
    }
  });
}

std::optional<std::size_t> SocketTransport::readSome(std::span<char> into) {
  return guarded([&]() -> std::optional<std::size_t> {
    demandOpen();
    const std::size_t most = allowed(into.size());
    if (most == 0) return std::nullopt;
    const Step step = channel_->receive(into.first(most));
    if (step.kind == Step::Kind::Moved) countIn(step.octets);
    if (step.kind == Step::Kind::Moved || step.kind == Step::Kind::End) return step.octets;
    return std::nullopt;
  });
}

void SocketTransport::write(std::string_view octets) {
  guarded([&] {
    demandOpen();
    while (!octets.empty()) {
      const Step step = sendAllowed(octets, awaitAllowed(octets.size()));
      if (step.kind == Step::Kind::Moved) {
        octets.remove_prefix(step.octets);
      } else if (!await(step, idleDeadline())) {
        failUnreachable(where_ + " took nothing for " + seconds(settings_.timeout.count()));
      }
    }
  });
}

std::size_t SocketTransport::writeSome(std::string_view octets) {
  return guarded([&] {
    demandOpen();
    std::size_t sent = 0;
    while (sent < octets.size()) {
      const std::size_t most = allowed(octets.size() - sent);
      if (most == 0) break;
      const Step step = sendAllowed(octets.substr(sent), most);
      if (step.kind != Step::Kind::Moved) break;
      sent += step.octets;
    }
    return sent;
  });
}

Transport::Readiness SocketTransport::wait(Interest interest) {
  return guarded([&] {
    demandOpen();
    awaitAllowed(1);
    Readiness ready;
    ready.readable = interest != Interest::Write && channel_->holdsInput();
    if (ready.readable && interest == Interest::Read) return ready;
    short events = interest == Interest::Read ? 0 : POLLOUT;
    if (interest != Interest::Write) events = static_cast<short>(events | POLLIN);
    short got = 0;
    const Deadline until = ready.readable ? Clock::now() : idleDeadline();
    const Waiter::Outcome outcome = waiter_.wait(descriptor(), events, until, got);
    if (outcome == Waiter::Outcome::Stopped) failCancelled(where_);
    if (outcome == Waiter::Outcome::TimedOut && !ready.readable) failUnreachable(silenceText());
    // A broken connection is both: the next call says what happened.
    const bool broken = (got & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    ready.readable = ready.readable || (got & POLLIN) != 0 || (broken && interest != Interest::Write);
    ready.writable = (got & POLLOUT) != 0 || (broken && interest != Interest::Read);
    return ready;
  });
}

bool SocketTransport::waitReadable(std::chrono::milliseconds atMost) {
  return guarded([&] {
    demandOpen();
    const Deadline until = deadlineIn(atMost);
    if (channel_->holdsInput()) return true;
    for (;;) {
      short got = 0;
      const Waiter::Outcome outcome = waiter_.wait(descriptor(), POLLIN, until, got);
      if (outcome == Waiter::Outcome::Stopped) failCancelled(where_);
      if (outcome == Waiter::Outcome::TimedOut) return false;
      if (channel_->confirmsInput()) return true;
    }
  });
}

std::optional<ChannelBinding> SocketTransport::channelBinding() const {
  return tls_ != nullptr ? tls_->channelBinding() : std::nullopt;
}

void SocketTransport::close() noexcept {
  if (!channel_) return;
  channel_->goodbye();
  tls_ = nullptr;
  channel_.reset();
  try {
    socket_.close();
  } catch (const Poco::Exception&) {
    // It is gone either way.
  }
}

}  // namespace

std::unique_ptr<Transport> Transport::connect(const ServerSettings& settings, const std::stop_token& stop,
                                              const std::shared_ptr<TlsSessionCache>& cache) {
  std::shared_ptr<TlsPolicy> policy;
  // Without TLS, OpenSSL is not even set up.
  if (settings.tls != TlsMode::None) {
    policy = cache ? cache->impl().policyFor(settings) : std::make_shared<TlsPolicy>(settings);
  }
  auto transport = std::make_unique<SocketTransport>(settings, stop, std::move(policy));
  transport->open();
  return transport;
}

}  // namespace mailbraid::sync::net
