// Adds up what the endpoints' threads tell and passes it on, one call at a time.
#pragma once

#include "sync/engine/engine.h"

#include <mutex>
#include <string>

namespace mailbraid::sync::engine {

/// Thread-safe.
class ProgressHub {
 public:
  explicit ProgressHub(Observer& observer) : observer_(observer) {}

  void expect(std::uint64_t mailboxes, std::uint64_t messages) {
    const std::lock_guard lock(mutex_);
    progress_.mailboxesTotal += mailboxes;
    progress_.messagesTotal += messages;
  }
  void mailboxDone() {
    const std::lock_guard lock(mutex_);
    ++progress_.mailboxesDone;
    observer_.onProgress(progress_);
  }
  void messages(std::uint64_t count, std::uint64_t octets, const std::string& current) {
    const std::lock_guard lock(mutex_);
    progress_.messagesDone += count;
    progress_.bytesDone += octets;
    if (!current.empty() && progress_.current != current) progress_.current = current;
    observer_.onProgress(progress_);
  }
  void log(int level, const std::string& line) {
    const std::lock_guard lock(mutex_);
    observer_.onLog(level, line);
  }

 private:
  std::mutex mutex_;
  Observer& observer_;
  Progress progress_;
};

}  // namespace mailbraid::sync::engine
