// What a migration has brought, counted from the store and from what its run was told.
#pragma once

#include "cli/migration_report.h"
#include "mailstore/store.h"
#include "sync/engine/migration.h"

#include <vector>

namespace mailbraid::cli {

/// The sources that the store knows, with their counts.
std::vector<Migration::Source> balancesOf(mailstore::Store& store, const sync::engine::MigrationPlan& plan,
                                          const sync::engine::RunReport& report);
/// After a dry run: the sources with the mailboxes that would not be taken; nothing is counted.
std::vector<Migration::Source> sourcesOf(const sync::engine::MigrationPlan& plan,
                                         const sync::engine::RunReport& report);

}  // namespace mailbraid::cli
