// Octets on their way to the server. Internal to sync/imap.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace mailbraid::sync::imap {

/// Keeps encoded commands in order, stops behind a synchronising literal's announcement until the server said "+", and
/// wipes what held a secret once it is written.
class OutputQueue {
 public:
  ~OutputQueue();

  /// `redacted` not empty: `text` is secret, and this stands for it in a trace.
  void add(std::string text, std::string redacted);
  /// Like add(), and nothing behind it is given out before proceed().
  void addAndWait(std::string text, std::string redacted);

  [[nodiscard]] std::string_view pending() const;
  [[nodiscard]] std::string redactedPending() const;
  void consume(std::size_t count);

  /// A place that supply() fills: what is added later comes behind it.
  void addOwed(std::uint64_t octets);
  /// Octets that supply() may be given now: of the first place that is not filled, unless "+" has to come before.
  [[nodiscard]] std::uint64_t owed() const;
  [[nodiscard]] bool hasOwed() const { return owedInQueue_ != 0; }
  void supply(std::string_view octets);

  /// True when a literal's announcement is written and the server has not answered it.
  [[nodiscard]] bool waits() const;
  /// True when there is a literal's announcement that is not answered, written or not.
  [[nodiscard]] bool hasWait() const { return waitsInQueue_ != 0; }
  void proceed();
  /// The server refused the literal: what was to follow is dropped.
  void dropRest();

  /// How many octets were ever added, and how many of them were written.
  [[nodiscard]] std::uint64_t added() const { return added_; }
  [[nodiscard]] std::uint64_t written() const { return written_; }

 private:
  enum class After : std::uint8_t { GoOn, Wait };
  struct Segment {
    std::string text;
    std::string redacted;
    After after = After::GoOn;
    std::uint64_t owed = 0;  ///< not 0: no text, but a place for so many octets
  };

  void push(Segment segment);

  std::deque<Segment> segments_;
  std::size_t sent_ = 0;  // of the first segment
  std::size_t waitsInQueue_ = 0;
  std::size_t owedInQueue_ = 0;
  std::uint64_t added_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace mailbraid::sync::imap
