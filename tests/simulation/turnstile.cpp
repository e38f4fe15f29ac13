#include "tests/simulation/turnstile.h"

#include <thread>

namespace mailbraid::simulation {

void Turnstile::chooseNext() {
  std::vector<std::size_t> waiting;
  for (std::size_t i = 0; i < done_.size(); ++i) {
    if (!done_[i]) waiting.push_back(i);
  }
  if (!waiting.empty()) current_ = waiting[random_() % waiting.size()];
  changed_.notify_all();
}

void Turnstile::await(std::unique_lock<std::mutex>& lock, std::size_t task) {
  changed_.wait(lock, [&] { return current_ == task; });
}

void Turnstile::carryOut(std::span<const std::function<void()>> tasks) {
  done_.assign(tasks.size(), false);
  current_ = tasks.size();
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    threads.emplace_back([&, i] {
      {
        std::unique_lock lock(mutex_);
        await(lock, i);
      }
      tasks[i]();
      const std::lock_guard lock(mutex_);
      done_[i] = true;
      chooseNext();
    });
  }
  const std::lock_guard lock(mutex_);
  chooseNext();
}

void Turnstile::pass() {
  std::unique_lock lock(mutex_);
  const std::size_t self = current_;
  chooseNext();
  await(lock, self);
}

}  // namespace mailbraid::simulation
