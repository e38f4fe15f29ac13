#include "sync/net/waiter.h"

#include "sync/net/failure.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace mailbraid::sync::net {
namespace {

int pollTimeout(Deadline until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 3'600'000));
}

Waiter::Outcome pollUntil(pollfd* set, nfds_t count, const pollfd& wakeUp, Deadline until) {
  for (;;) {
    const int ready = ::poll(set, count, pollTimeout(until));
    if (ready < 0 && errno != EINTR && errno != EAGAIN) {
      fail(mailstore::ErrorKind::Internal, mailstore::Retry::Later, "poll failed: " + errnoText(errno));
    }
    if (ready > 0) return wakeUp.revents != 0 ? Waiter::Outcome::Stopped : Waiter::Outcome::Ready;
    if (Clock::now() >= until) return Waiter::Outcome::TimedOut;
  }
}

}  // namespace

Deadline deadlineIn(std::chrono::milliseconds time) {
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 365);
  return Clock::now() + std::clamp(time, std::chrono::milliseconds(0), kLongest);
}

WakeUp::WakeUp() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) {
    fail(mailstore::ErrorKind::Internal, mailstore::Retry::Later, "cannot create an eventfd: " + errnoText(errno));
  }
}

WakeUp::~WakeUp() {
  ::close(descriptor_);
}

void WakeUp::signal() noexcept {
  const std::uint64_t one = 1;
  // The only failure is a counter at its maximum, which is readable already.
  [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
}

Waiter::Waiter(const std::stop_token& stop) : stop_(stop), callback_(stop, Signal{&wakeUp_}) {}

Waiter::Outcome Waiter::wait(std::vector<pollfd>& set, Deadline until) {
  set.push_back({wakeUp_.descriptor(), POLLIN, 0});
  const Outcome outcome = pollUntil(set.data(), set.size(), set.back(), until);
  set.pop_back();
  return outcome;
}

Waiter::Outcome Waiter::wait(int descriptor, short events, Deadline until, short& got) {
  pollfd set[] = {{descriptor, events, 0}, {wakeUp_.descriptor(), POLLIN, 0}};
  const Outcome outcome = pollUntil(set, 2, set[1], until);
  got = set[0].revents;
  return outcome;
}

}  // namespace mailbraid::sync::net
