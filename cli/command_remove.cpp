#include "cli/commands.h"
#include "cli/store_change.h"
#include "cli/text/units.h"

namespace mailbraid::cli {

ExitCode runRemove(Context& context, const RemoveArguments& arguments) {
  StoreChange change(context, "remove");
  std::uint64_t changed = 0;
  for (const mailstore::EntryRow& row : change.select(arguments.entries, StoreChange::Which::Live)) {
    change.record(row, "remove");
    change.store().entries().remove(row.entry.id, change.now());
    ++changed;
  }
  const std::string retention = durationText(context.configuration().store.retention);
  return change.finish("removed", "removed, kept in the store for " + retention, changed, 0);
}

}  // namespace mailbraid::cli
