// Endpoints, the store between them, and runs of the engine, all of it decided by a seed.
#pragma once

#include "mailstore/store.h"
#include "sync/engine/engine.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/sim_server.h"
#include "tests/simulation/stage.h"
#include "tests/support/scratch.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mailbraid::simulation {

/// An endpoint and how it takes part.
struct Member {
  SimServer server;
  sync::endpoint::EndpointSettings settings;
  std::optional<SimServer::Snapshot> snapshot;
  bool resting = false;  ///< nobody touches it until all agree again
  /// It takes and gives everything, and can carry out all of it.
  [[nodiscard]] bool isFull() const;
  /// Everything that is done to its mail is taken.
  [[nodiscard]] bool tellsAll() const { return settings.pull.fresh && settings.pull.flags && settings.pull.removals; }
  /// What it puts into its trash shows up there as a message that nobody knows: without UIDPLUS, or when the line
  /// breaks before that is told.
  [[nodiscard]] bool trashesBlindly() const {
    return server.abilities().isImap() && settings.removals == sync::endpoint::RemovalStyle::Trash;
  }
  [[nodiscard]] bool isReadOnly() const {
    return !settings.push.fresh && !settings.push.flags && !settings.push.removals;
  }
};

class World {
 public:
  explicit World(std::uint64_t seed);

  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  bool chance(unsigned percent) { return below(100) < percent; }

  struct Outcome {
    bool crashed = false;
    bool complete = false;  ///< without a problem, and nothing held back
    bool held = false;
    bool changedEntries = false;
    std::uint64_t writes = 0;
    std::uint64_t steps = 0;
  };
  /// One run with these endpoints (by number). Throws Broken.
  Outcome run(const Trouble& trouble, const std::vector<std::size_t>& present, bool allowRemovals);
  [[nodiscard]] std::vector<std::size_t> everybody() const;

  /// What the store calls the mailbox that this one syncs with: after renames not always the same.
  /// While a run is on: as it was before it.
  [[nodiscard]] std::string storeName(const Member& member, const std::string& mailbox);
  [[nodiscard]] bool trashesBlindly(const std::string& braid) const;

  /// Some member does not tell the UIDs of what it is given.
  [[nodiscard]] bool hidesKeys() const;
  [[nodiscard]] bool hidesKeysOfTrash() const;

  /// The last run ended well, with everybody.
  [[nodiscard]] bool wasWhole() const { return wasWhole_; }
  [[nodiscard]] bool hasLostState() const;  ///< since all agreed last

  void loseStore();
  mailstore::Store& store() { return *store_; }
  std::vector<Member>& members() { return members_; }
  Ledger& ledger() { return ledger_; }
  Stage& stage() { return stage_; }
  void note(const std::string& line) { stage_.note(line); }
  /// Days pass: what waits for another day is due.
  void waitDays(int days) { now_ += days * std::int64_t{86'400}; }
  [[nodiscard]] std::int64_t now() const { return now_; }
  [[nodiscard]] std::string describe() const;

 private:
  void addMember(const std::string& name, const std::string& braid);
  void openStore();
  /// The files as a process that is killed now would leave them.
  void keepFiles();
  void takeFilesBack();

  tests::Scratch scratch_;
  Random random_;
  Ledger ledger_;
  Stage stage_{random_, ledger_};
  std::vector<Member> members_;
  std::unique_ptr<mailstore::Store> store_;
  bool runs_ = false;
  bool wasWhole_ = false;
  std::int64_t now_ = 1'750'000'000;
};

/// Fails with Broken when the world is not as it has to be.
class Inspector {
 public:
  explicit Inspector(World& world) : world_(world) {}
  /// After every run.
  void checkRun();
  /// When all agree; then what is there is what is expected from now on.
  void checkSettled();

 private:
  using Placements = std::map<std::size_t, Placement>;
  [[nodiscard]] Placements inStore(const std::string& braid);
  [[nodiscard]] Placements at(const Member& member);
  [[nodiscard]] bool isPlain(const std::string& braid);  ///< all of its members are full ones
  void checkStoreKeeps();
  void checkContent(std::size_t content, const Placement& found);
  void checkMember(const Member& member, const Placements& here, const Placements& store);
  void settle(const std::map<const Member*, Placements>& members, std::map<std::string, Placements>& stores);
  [[noreturn]] static void fail(const std::string& what) { throw Broken(what); }

  World& world_;
};

}  // namespace mailbraid::simulation
