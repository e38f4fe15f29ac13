// A pass of the engine as commands run it, and what they print of it.
#pragma once

#include "cli/context.h"
#include "cli/text/json.h"
#include "sync/engine/engine.h"

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace mailbraid::cli {

/// What the store throws ends the run; who reads the objects learns that from the run's one, too.
sync::engine::RunReport syncOrTell(Context& context, const sync::engine::SyncRequest& request,
                                   const std::stop_token& stop);

/// What a command has to add to the report of its run.
struct Addition {
  std::vector<std::string> lines;
  std::optional<JsonObject> object;
  std::optional<ExitCode> code;  ///< what the program ends with, where that is not for the run alone to say
};

/// Problems to standard error; the plan of a dry run, the report and `addition` to standard output.
void printRun(Context& context, const sync::engine::RunReport& report, const Addition& addition);

}  // namespace mailbraid::cli
