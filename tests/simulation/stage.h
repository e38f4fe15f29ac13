// What the endpoints of one run share: whose turn it is, what goes wrong, and a record of what happened.
#pragma once

#include "mailstore/types/error.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/sim_server.h"
#include "tests/simulation/turnstile.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mailbraid::simulation {

/// What may go wrong in a run, in a thousand.
struct Trouble {
  unsigned broken = 0;                   ///< the line breaks at a step
  unsigned refused = 0;                  ///< an operation is refused
  unsigned short_ = 0;                   ///< a listing falls short
  unsigned meddled = 0;                  ///< somebody else changes something between two steps
  std::optional<std::uint64_t> crashAt;  ///< the process dies at this step
};

/// Used by whoever has the turn.
class Stage {
 public:
  Stage(Random& random, Ledger& ledger) : random_(random), ledger_(ledger), turnstile_(random) {}

  void begin(const Trouble& trouble);
  /// A step at an endpoint: the process may die here, or the line break. `what` is for the record.
  void step(const SimServer& server, const std::string& what);
  /// Throws when the process is dead.
  void needsLife() const;
  /// Whether an operation shall be refused here.
  bool refuses(const std::string& what);
  bool fallsShort() { return chance(trouble_.short_); }
  bool mayMeddle() {
    const bool may = chance(trouble_.meddled);
    meddled_ = meddled_ || may;
    return may;
  }
  [[nodiscard]] bool isMeddled() const { return meddled_; }
  /// A change at an endpoint was made by mailbraid.
  void wrote(const SimServer& server, const std::string& what);
  /// mailbraid is about to expunge a message: breaks when nobody wanted that.
  void removes(const SimServer& server, const std::string& mailbox, std::size_t content);
  /// It is changed there: if the process dies before that is durable, it is not known that it was.
  void changes(std::size_t content) { changed_.push_back(content); }
  [[nodiscard]] const std::vector<std::size_t>& changed() const { return changed_; }
  /// After a run: whether something that was done at an endpoint may not be known.
  [[nodiscard]] bool isUnsure() const { return dead_ || lineBroke_; }
  /// A mailbox cannot be read: what was moved there is not found.
  void hampers() { hampered_ = true; }
  [[nodiscard]] bool isHampered() const { return hampered_; }
  void note(const std::string& line) { trace.push_back(line); }
  /// The first promise that was broken on an endpoint's thread.
  void broke(const std::string& what) {
    if (broken.empty()) broken = what;
  }

  [[nodiscard]] bool isDead() const { return dead_; }
  Turnstile& turnstile() { return turnstile_; }
  Ledger& ledger() { return ledger_; }
  std::map<const SimServer*, std::map<std::string, std::string>> storeNames;  ///< see World::storeName()
  std::uint64_t writes = 0;                                                   ///< of this run
  std::uint64_t steps = 0;
  std::vector<std::string> trace;
  std::string broken;
  std::function<void()> onDeath;             ///< keeps what is durable now
  std::function<void(SimServer&)> onMeddle;  ///< somebody else's turn

 private:
  bool chance(unsigned perThousand) { return perThousand != 0 && random_() % 1000 < perThousand; }

  Random& random_;
  Ledger& ledger_;
  Turnstile turnstile_;
  Trouble trouble_;
  bool dead_ = false;
  bool lineBroke_ = false;
  bool hampered_ = false;
  bool meddled_ = false;
  std::vector<std::size_t> changed_;
};

}  // namespace mailbraid::simulation
