// Taking a run's effect on the store back.
#pragma once

#include "mailstore/store.h"

#include <cstdint>
#include <optional>
#include <string>

namespace mailbraid::mailstore {

/// What undoRun() did, in entries.
struct UndoReport {
  std::uint64_t flags = 0;      ///< have the flags again that the run took, and no longer those it gave
  std::uint64_t moved = 0;      ///< are again in the mailbox that the run took them from
  std::uint64_t restored = 0;   ///< live again
  std::uint64_t removed = 0;    ///< are tombstones again, or are the run's own import
  std::uint64_t kept = 0;       ///< came from an endpoint in that run: mail that arrived is not taken away
  std::uint64_t overtaken = 0;  ///< a later run changed the same thing of the entry: that stays
  std::uint64_t gone = 0;       ///< forgotten since (retention)
};

/// Why run `run` cannot be taken back: a sentence for people; none when it can.
std::optional<std::string> whyNotUndone(Store& store, RunId run);

/// Three-way, an entry at a time: what the run changed and nothing changed since becomes what it was before. Endpoints
/// are told by the next sync, like any other change. Entries that a run of command "import" made are removed, those
/// that came from an endpoint stay. `now`: seconds since 1970. Inside a Transaction, and between Runs::begin() and
/// finish(), so that it can be taken back itself.
UndoReport undoRun(Store& store, RunId run, std::int64_t now);

}  // namespace mailbraid::mailstore
