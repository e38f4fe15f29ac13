// One endpoint of a braid at a time looks for what is new, so that the next one finds it in the store already.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>

namespace mailbraid::sync::engine {

/// Turns by braid name. Thread-safe.
class BraidTurns {
 public:
  /// Held while alive.
  class Turn {
   public:
    Turn(BraidTurns& turns, std::string braid, std::stop_token stop) : turns_(turns), braid_(std::move(braid)) {
      std::unique_lock lock(turns_.mutex_);
      turns_.changed_.wait(lock, std::move(stop), [&] { return !turns_.taken_.contains(braid_); });
      turns_.taken_.insert(braid_);
    }
    ~Turn() {
      {
        const std::lock_guard lock(turns_.mutex_);
        turns_.taken_.erase(turns_.taken_.find(braid_));
      }
      turns_.changed_.notify_all();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    BraidTurns& turns_;
    const std::string braid_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::multiset<std::string> taken_;  // after a stop request, waiters are let through: they will see the request
};

}  // namespace mailbraid::sync::engine
