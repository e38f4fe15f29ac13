// Who of a braid is still being pulled, and what they have brought: so that what is new can be uploaded meanwhile.
#pragma once

#include "mailstore/types/ids.h"
#include "sync/endpoint/settings.h"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <utility>

namespace mailbraid::sync::engine {

/// Thread-safe.
class PullBoard {
 public:
  /// `pass`: called instead of waiting, again and again, until what is waited for has happened; empty: it waits.
  PullBoard(std::span<const endpoint::EndpointSettings> endpoints, std::function<void()> pass)
      : pass_(std::move(pass)) {
    for (const endpoint::EndpointSettings& one : endpoints) {
      pulling_.insert(one.name);
      ++braids_[one.braid].pulling;
    }
  }

  /// The endpoint was pulled, or could not be.
  void done(const endpoint::EndpointSettings& one) {
    {
      const std::lock_guard lock(mutex_);
      pulling_.erase(one.name);
      --braids_[one.braid].pulling;
    }
    changed_.notify_all();
  }
  /// So many messages were given to the writer.
  void brought(const std::string& braid, std::uint64_t messages) {
    {
      const std::lock_guard lock(mutex_);
      braids_[braid].messages += messages;
    }
    changed_.notify_all();
  }
  /// True when the braid was brought `more` messages beyond `seen`, which becomes what it was brought by now; false
  /// when none of its endpoints is pulled any more, or at `stop`.
  bool awaitMessages(const std::string& braid, std::uint64_t& seen, std::uint64_t more, const std::stop_token& stop) {
    bool enough = false;
    await(stop, [&] {
      const Braid& now = braids_[braid];
      enough = now.messages >= seen + more;
      if (enough) seen = now.messages;
      return enough || now.pulling == 0;
    });
    return enough && !stop.stop_requested();
  }
  /// The same without waiting; once nobody is pulled any more, whatever was brought is enough.
  bool hasMessages(const std::string& braid, std::uint64_t& seen, std::uint64_t more) {
    const std::lock_guard lock(mutex_);
    const Braid& now = braids_[braid];
    const bool enough = now.messages >= seen + more || (now.pulling == 0 && now.messages > seen);
    if (enough) seen = now.messages;
    return enough;
  }
  using Mailboxes = std::unordered_set<mailstore::EndpointMailboxId>;
  struct Reading {
    bool isComplete = false;  ///< all that the endpoint has was read
    bool isSound = false;     ///< and nothing else went wrong there
    bool leavesOut = false;   ///< it holds, or may hold, mail that the configuration does not have read
    Mailboxes known;          ///< those that were read, or have not changed
  };
  void setReading(const std::string& endpoint, Reading reading) {
    const std::lock_guard lock(mutex_);
    read_.insert_or_assign(endpoint, std::move(reading));
  }
  Reading reading(const std::string& endpoint) {
    const std::lock_guard lock(mutex_);
    const auto found = read_.find(endpoint);
    return found == read_.end() ? Reading() : found->second;
  }
  void awaitPulled(const std::string& endpoint, const std::stop_token& stop) {
    await(stop, [&] { return !pulling_.contains(endpoint); });
  }

 private:
  struct Braid {
    unsigned pulling = 0;  ///< endpoints
    std::uint64_t messages = 0;
  };

  template <class Happened>
  void await(const std::stop_token& stop, const Happened& happened) {
    std::unique_lock lock(mutex_);
    if (!pass_) {
      changed_.wait(lock, stop, happened);
      return;
    }
    while (!happened() && !stop.stop_requested()) {
      lock.unlock();
      pass_();
      lock.lock();
    }
  }

  const std::function<void()> pass_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<std::string> pulling_;
  std::map<std::string, Reading> read_;  ///< by endpoint
  std::map<std::string, Braid> braids_;
};

}  // namespace mailbraid::sync::engine
