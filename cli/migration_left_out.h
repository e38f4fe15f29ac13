// What a migration says of mailboxes that it does not take. Pure.
#pragma once

#include "cli/migration_report.h"

#include <string>
#include <vector>

namespace mailbraid::cli {

/// Messages that a view of all mail has and no mailbox that is taken: 0 where there is no such view, or the user has
/// left it out; none where its number does not tell: it says none, or one below `taken`, so that it leaves some mailbox
/// out, in place of which it may have as many others. `taken`: messages of the mailboxes that are taken, each once,
/// without what is in the trash or is junk, which such a view need not show (RFC 6154 section 2).
std::optional<std::uint64_t> onlyInView(const std::vector<sync::engine::LeftOutMailbox>& leftOut, std::uint64_t taken);
/// Whether a view of all mail has no more than all mailboxes together, counted as often as they hold a message: one
/// that shows copies once for each mailbox, or the junk, has nothing else then. `copies`: of all mailboxes that are
/// taken.
bool mayRepeat(const std::vector<sync::engine::LeftOutMailbox>& leftOut, std::uint64_t copies);
bool isViewOfAll(const sync::engine::LeftOutMailbox& mailbox);

/// A sentence for each mailbox of `source` that is not taken: how many messages it has, why, and how to take them.
std::vector<std::string> leftOutLines(const Migration::Source& source);
std::vector<JsonObject> leftOutJson(const Migration::Source& source);

}  // namespace mailbraid::cli
