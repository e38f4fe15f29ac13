// Waiting for descriptors with a deadline and a stop request. Internal to sync/net.
#pragma once

#include <poll.h>

#include <chrono>
#include <optional>
#include <stop_token>
#include <vector>

namespace mailbraid::sync::net {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

/// Never overflows, whatever a configuration says.
Deadline deadlineIn(std::chrono::milliseconds time);

/// A descriptor that a thread can make readable to wake another one's poll().
class WakeUp {
 public:
  WakeUp();
  ~WakeUp();
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;
  void signal() noexcept;
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// Waits on the monotonic clock. poll() is called here and not through POCO, whose receive timeout fires at twice its
/// value and takes a signal (EINTR) for a time-out. A stop request wakes a wait at once: its callback signals a
/// descriptor that is part of every poll().
class Waiter {
 public:
  enum class Outcome { Ready, TimedOut, Stopped };

  explicit Waiter(const std::stop_token& stop);

  [[nodiscard]] bool stopRequested() const { return stop_.stop_requested(); }
  /// Ready when any of `set` is; their `revents` are filled in.
  Outcome wait(std::vector<pollfd>& set, Deadline until);
  /// The same for one descriptor; `got` receives its `revents`.
  Outcome wait(int descriptor, short events, Deadline until, short& got);

 private:
  struct Signal {
    WakeUp* wakeUp;
    void operator()() const noexcept { wakeUp->signal(); }
  };
  std::stop_token stop_;
  WakeUp wakeUp_;
  std::stop_callback<Signal> callback_;
};

}  // namespace mailbraid::sync::net
