// SIGINT and SIGTERM become a stop request; a second one ends the process at once.
#pragma once

#include <stop_token>
#include <thread>

namespace mailbraid::cli {

/// While it lives, the signals are taken by a thread of its own. Make it before any other thread is started: they
/// inherit that the signals are blocked.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  void watch();
  std::stop_source source_;
  int signals_ = -1;
  int end_ = -1;
  std::thread thread_;
};

}  // namespace mailbraid::cli
