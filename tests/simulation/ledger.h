// What is known of every message that was ever delivered: where it must be, and whether it may be gone.
#pragma once

#include "mailstore/types/flags.h"
#include "mailstore/types/ids.h"

#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace mailbraid::simulation {

/// A broken promise, in words.
class Broken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Mailbox and flags of each copy of a message.
using Placement = std::multiset<std::pair<std::string, std::string>>;
std::string textOf(const mailstore::Flags& flags);
mailstore::Flags flagsOf(const std::string& text);
std::string textOf(const Placement& placement);
/// How many copies lie in this mailbox.
std::size_t copiesIn(const Placement& placement, const std::string& mailbox);
/// Without the flags.
std::multiset<std::string> mailboxesOf(const Placement& placement);

struct Content {
  std::string braid;
  std::string octets;
  mailstore::InternalDate date;
  mailstore::Digest digest;
  bool removed = false;    ///< by a user, somewhere; or it may be because of what users did
  bool moved = false;      ///< likewise
  bool reachable = false;  ///< it came to an endpoint whose new mail is taken
  bool stored = false;     ///< it was seen in this store
  unsigned created = 0;    ///< copies that users, or programs that deliver, have made
  /// Since the last time when all agreed: no more was done to it than one thing, and nothing else that could blur it.
  bool exact = true;
  unsigned actions = 0;
  unsigned breaks = 0;  ///< how often the line broke at it: at the second time it is set aside
  /// mailbraid changed it somewhere, or put it there, and does not know that it did. When somebody changes it there
  /// before that was found out, that looks like a change of something else.
  bool unsure = false;
  bool lingers = false;  ///< some endpoint has it, or lacks it, otherwise than the store
  Placement expected;    ///< in the store, when all agree
};

/// Contents by number. A value type.
class Ledger {
 public:
  /// A message that no other is like.
  std::size_t make(const std::string& braid, Placement expected, bool odd);
  Content& at(std::size_t content) { return contents_.at(content); }
  [[nodiscard]] const Content& at(std::size_t content) const { return contents_.at(content); }
  [[nodiscard]] std::size_t size() const { return contents_.size(); }
  /// Throws Broken when no such octets were ever delivered.
  [[nodiscard]] std::size_t find(const std::string& octets) const;
  [[nodiscard]] std::size_t find(const mailstore::Digest& digest) const;
  /// Something is done to it: true when what comes of it is certain.
  bool touch(std::size_t content);
  /// What becomes of all mail of a braid that was touched is no longer certain; and what is touched later neither.
  void blur(const std::string& braid);
  [[nodiscard]] bool isBlurred(const std::string& braid) const { return blurred_.contains(braid); }
  /// A mailbox got a name that another one has elsewhere: from then on, names have numbers ("Work (2)").
  void numberNames(const std::string& braid) { numbered_.insert(braid); }
  [[nodiscard]] bool hasNumbers(const std::string& braid) const { return numbered_.contains(braid); }
  /// A mailbox could not be read, while others of its endpoint were.
  void hamper() { hampered_ = true; }
  [[nodiscard]] bool isHampered() const { return hampered_; }
  /// All agree: from here on everything is certain again.
  void settle();

 private:
  std::vector<Content> contents_;
  std::set<std::string> blurred_;
  std::set<std::string> numbered_;
  bool hampered_ = false;
};

}  // namespace mailbraid::simulation
