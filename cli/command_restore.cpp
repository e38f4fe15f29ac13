#include "cli/commands.h"
#include "cli/store_change.h"

namespace mailbraid::cli {

ExitCode runRestore(Context& context, const RestoreArguments& arguments) {
  StoreChange change(context, "restore");
  std::uint64_t changed = 0;
  for (const mailstore::EntryRow& row : change.select(arguments.entries, StoreChange::Which::Removed)) {
    change.record(row, "restore");
    change.store().entries().revive(row.entry.id);
    ++changed;
  }
  return change.finish("restored", "restored", changed, 0);
}

}  // namespace mailbraid::cli
