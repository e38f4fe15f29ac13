// What a migration says of mailboxes that it does not take. Pure.
#pragma once

#include "cli/migration_report.h"

#include <string>
#include <vector>

namespace mailbraid::cli {

/// What is archived may be nowhere else (Gmail).
bool isViewOfAll(const sync::engine::LeftOutMailbox& mailbox);

/// A sentence for each mailbox of `source` that is not taken: how many messages it has, why, and how to take them.
std::vector<std::string> leftOutLines(const Migration::Source& source);
std::vector<JsonObject> leftOutJson(const Migration::Source& source);

}  // namespace mailbraid::cli
