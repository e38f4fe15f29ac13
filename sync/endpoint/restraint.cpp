#include "sync/endpoint/restraint.h"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

namespace mailbraid::sync::endpoint {

using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;
using Clock = std::chrono::steady_clock;

namespace {

std::uint64_t seedOf(const std::string& name) {
  return std::hash<std::string>{}(name) ^ static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
}

std::string whenToGoOn(const ServerLimit& limit) {
  if (limit.wait) {
    const auto minutes = std::chrono::ceil<std::chrono::minutes>(*limit.wait).count();
    return "run it again in " + std::to_string(minutes) + " min";
  }
  if (limit.kind == ServerLimit::Kind::Bandwidth) return "run it again in some hours; such limits last up to a day";
  return "run it again in some minutes";
}

}  // namespace

Restraint::Restraint(const EndpointSettings& settings, const Environment& environment)
    : settings_(settings), environment_(environment), patience_(settings.limits.patience, seedOf(settings.name)) {
  const std::uint64_t rate = settings_.limits.messagesPerSecond;
  if (rate != 0) messages_.emplace(rate, rate, Clock::now());
}

std::uint64_t Restraint::mostMessages() const {
  return messages_ ? settings_.limits.messagesPerSecond : std::numeric_limits<std::uint64_t>::max();
}

void Restraint::awaitMessages(std::uint64_t count) {
  if (!messages_) return;
  while (messages_->available(Clock::now()) < std::min(count, mostMessages())) {
    pause(messages_->waitFor(count, Clock::now()));
  }
  messages_->take(count, Clock::now());
}

void Restraint::pause(std::chrono::nanoseconds time) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, environment_.stop, time, [] { return false; });
  if (environment_.stop.stop_requested()) {
    throw Error(ErrorKind::Cancelled, Scope::Run, Retry::Later, "stopped while waiting for " + settings_.server.host);
  }
}

void Restraint::giveWay(const ServerLimit& limit, const std::string& what) {
  const std::string sentence = settings_.server.host + ":" + std::to_string(settings_.server.port) + ": " + what;
  if (const auto wait = patience_.next(limit)) {
    wait_ = *wait;
    throw Error(ErrorKind::TemporaryFailure, Scope::Connection, Retry::Now, sentence);
  }
  throw Error(ErrorKind::TemporaryFailure, Scope::Endpoint, Retry::Later, sentence + "; " + whenToGoOn(limit));
}

void Restraint::beforeConnecting() {
  if (!hasToWait()) return;
  const std::chrono::milliseconds wait = std::exchange(wait_, std::chrono::milliseconds(0));
  if (environment_.log) {
    environment_.log(0, "endpoint=" + settings_.name + " result=waits milliseconds=" + std::to_string(wait.count()) +
                            " reason=\"the server asks for patience\"");
  }
  pause(wait);
}

}  // namespace mailbraid::sync::endpoint
