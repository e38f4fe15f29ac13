// One line that says how far a run is. A pure function; Log decides when it is drawn.
#pragma once

#include "sync/engine/engine.h"

#include <cstddef>
#include <string>

namespace mailbraid::cli {

/// At most `columns` wide: "2/5 mailboxes, 120/4,000 messages, 1.2 MB, 300 kB/s, 13 s left, work INBOX". What does not
/// fit is left out from the end; what is not known is not mentioned. `seconds` since the run began.
std::string progressLine(const sync::engine::Progress& progress, double seconds, std::size_t columns);

}  // namespace mailbraid::cli
