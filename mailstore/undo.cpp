#include "mailstore/undo.h"

#include <unordered_map>
#include <vector>

namespace mailbraid::mailstore {
namespace {

/// An entry's changeable side.
struct State {
  MailboxId mailbox;
  Flags flags;
  bool removed = false;
};

State stateOf(const JournalRow& row) {
  return {row.mailbox, row.flags, row.removedAt != 0};
}
State stateOf(const Entry& entry) {
  return {entry.mailbox, entry.flags, entry.removedAt != 0};
}

class Undo {
 public:
  Undo(Store& store, std::int64_t now) : store_(store), now_(now) {}

  void takeBack(EntryId id, const State& before, const State& after, const State& current) {
    bool overtaken = takeBackFlags(id, before, after, current);
    overtaken |= takeBackPlace(id, before, after, current);
    if (overtaken) ++report_.overtaken;
  }
  void gone() { ++report_.gone; }
  enum class Since : std::uint8_t { Untouched, Changed };
  void made(EntryId id, bool imported, Since since) {
    if (!imported) {
      ++report_.kept;
      return;
    }
    if (since == Since::Changed) {
      ++report_.overtaken;
      return;
    }
    store_.entries().remove(id, now_);
    ++report_.removed;
  }
  [[nodiscard]] const UndoReport& report() const { return report_; }

 private:
  /// True when some of it was changed again since.
  bool takeBackFlags(EntryId id, const State& before, const State& after, const State& current) {
    const Flags given = after.flags.without(before.flags);
    const Flags taken = before.flags.without(after.flags);
    const Flags wanted = current.flags.without(given).unitedWith(taken);
    const bool overtaken =
        !given.without(current.flags).empty() || taken.without(current.flags).names().size() != taken.names().size();
    if (wanted == current.flags) return overtaken;
    store_.entries().setFlags(id, wanted);
    ++report_.flags;
    return overtaken;
  }

  bool takeBackPlace(EntryId id, const State& before, const State& after, const State& current) {
    const bool moved = before.mailbox != after.mailbox;
    if (before.removed == after.removed && !moved) return false;
    if (current.removed != after.removed || current.mailbox != after.mailbox) return true;
    if (before.removed) {
      if (moved) store_.entries().move(id, before.mailbox);
      store_.entries().remove(id, now_);
      ++report_.removed;
    } else {
      store_.entries().putBack(id, before.mailbox);
      ++(after.removed ? report_.restored : report_.moved);
    }
    return false;
  }

  Store& store_;
  std::int64_t now_;
  UndoReport report_;
};

}  // namespace

std::optional<std::string> whyNotUndone(Store& store, RunId run) {
  const std::optional<RunRow> row = store.runs().find(run);
  const std::string number = std::to_string(run.value());
  if (!row) return "there is no run " + number + "; `mailbraid log` lists them";
  if (!row->firstChange)
    return "what run " + number + " changed is not on record any more: it is older than `retention`";
  return std::nullopt;
}

UndoReport undoRun(Store& store, RunId run, std::int64_t now) {
  const RunRow row = *store.runs().find(run);
  const std::optional<RunRow> next = store.runs().after(run);
  const ChangeNumber end = next && next->firstChange ? *next->firstChange : store.entries().lastChange();
  std::unordered_map<EntryId, State> changedLater;
  for (const JournalRow& later : store.journal().firstAfter(run)) changedLater.emplace(later.entry, stateOf(later));
  Undo undo(store, now);
  for (const JournalRow& changed : store.journal().of(run)) {
    const std::optional<Entry> entry = store.entries().find(changed.entry);
    if (!entry) {
      undo.gone();
      continue;
    }
    const State current = stateOf(*entry);
    const auto later = changedLater.find(changed.entry);
    undo.takeBack(changed.entry, stateOf(changed), later == changedLater.end() ? current : later->second, current);
  }
  for (const EntryId id : store.entries().madeBetween(*row.firstChange, end))
    undo.made(id, row.command == "import", changedLater.contains(id) ? Undo::Since::Changed : Undo::Since::Untouched);
  return undo.report();
}

}  // namespace mailbraid::mailstore
