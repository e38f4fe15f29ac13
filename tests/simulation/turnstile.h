// One thread of an engine's phase at a time, in an order that a seed decides.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <random>
#include <span>
#include <vector>

namespace mailbraid::simulation {

using Random = std::mt19937_64;

/// Carries out tasks on threads of which only one runs; it changes at pass(). A task must not hold, when it passes,
/// anything that another one waits for.
class Turnstile {
 public:
  explicit Turnstile(Random& random) : random_(random) {}

  void carryOut(std::span<const std::function<void()>> tasks);
  /// On a task's thread: lets another one go on, or the same.
  void pass();

 private:
  void chooseNext();  ///< under the lock
  void await(std::unique_lock<std::mutex>& lock, std::size_t task);

  Random& random_;  ///< used by whoever has the turn
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> done_;
  std::size_t current_ = 0;
};

}  // namespace mailbraid::simulation
