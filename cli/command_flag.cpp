#include "cli/commands.h"
#include "cli/store_change.h"

namespace mailbraid::cli {
namespace {

std::string namesOf(const mailstore::Flags& add, const mailstore::Flags& remove) {
  std::string out;
  for (const std::string& name : add.names()) out += (out.empty() ? "+" : " +") + name;
  for (const std::string& name : remove.names()) out += (out.empty() ? "-" : " -") + name;
  return out;
}

}  // namespace

ExitCode runFlag(Context& context, const FlagArguments& arguments) {
  StoreChange change(context, "flag");
  std::uint64_t changed = 0;
  std::uint64_t unchanged = 0;
  for (const mailstore::EntryRow& row : change.select(arguments.entries, StoreChange::Which::Live)) {
    const mailstore::Flags wanted = row.entry.flags.without(arguments.remove).unitedWith(arguments.add);
    if (wanted == row.entry.flags) {
      ++unchanged;
      continue;
    }
    change.store().entries().setFlags(row.entry.id, wanted);
    change.record(row, "flags", namesOf(arguments.add, arguments.remove));
    ++changed;
  }
  return change.finish("flags", "flagged", changed, unchanged);
}

}  // namespace mailbraid::cli
