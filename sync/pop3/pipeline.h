// How many commands may be in flight (PIPELINING, RFC 2449 section 6.6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace mailbraid::sync::pop3 {

enum class Pipelining : std::uint8_t { OneAtATime, Announced };

struct WindowLimits {
  std::uint64_t octets = 8ULL << 20U;  ///< of expected replies in flight: what is lost when the connection breaks
  std::size_t commands = 512;  ///< 512 RETR are under 8 KB: they fit the socket's buffer, so that writing never blocks
};

/// A pure rule. One command may always go; with PIPELINING more may, until their replies reach a limit. Then nothing
/// goes before the flight is down to half: refilling in big steps makes few packets of many small commands.
class PipelineWindow {
 public:
  PipelineWindow(Pipelining pipelining, WindowLimits limits = {}) : pipelining_(pipelining), limits_(limits) {}

  [[nodiscard]] bool maySend() const {
    if (flight_.empty()) return true;
    if (pipelining_ == Pipelining::OneAtATime) return false;
    return filling_ && octets_ < limits_.octets && flight_.size() < limits_.commands;
  }
  /// `octets`: the size of the expected reply, 0 for a line.
  void sent(std::uint64_t octets) {
    flight_.push_back(octets);
    octets_ += octets;
    if (octets_ >= limits_.octets || flight_.size() >= limits_.commands) filling_ = false;
  }
  /// The oldest command has its whole reply.
  void answered() {
    if (flight_.empty()) return;
    octets_ -= flight_.front();
    flight_.pop_front();
    if (octets_ <= limits_.octets / 2 && flight_.size() <= limits_.commands / 2) filling_ = true;
  }
  [[nodiscard]] std::size_t inFlight() const { return flight_.size(); }
  void pipeline(Pipelining pipelining) { pipelining_ = pipelining; }

 private:
  Pipelining pipelining_;
  WindowLimits limits_;
  std::deque<std::uint64_t> flight_;
  std::uint64_t octets_ = 0;
  bool filling_ = true;
};

}  // namespace mailbraid::sync::pop3
