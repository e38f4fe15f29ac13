// What a run did, for people and for scripts. Pure.
#pragma once

#include "cli/exit_code.h"
#include "cli/text/json.h"
#include "sync/engine/engine.h"

#include <string>
#include <vector>

namespace mailbraid::cli {

/// What one endpoint, and the run, ends with: the gravest of its problems; quarantined, held, complete.
ExitCode exitCodeOf(const sync::engine::EndpointReport& report);
ExitCode exitCodeOf(const sync::engine::RunReport& report);

/// A line an endpoint, the totals when there is more than one, then a sentence for every decision worth telling. For
/// standard output.
std::vector<std::string> reportLines(const sync::engine::RunReport& report);
/// A sentence for everything that could not be done. For standard error.
std::vector<std::string> problemLines(const sync::engine::RunReport& report);

/// The objects of `sync --json`.
JsonObject endpointJson(const sync::engine::EndpointReport& report);
/// `code`: what the program ends with.
JsonObject runJson(const sync::engine::RunReport& report, ExitCode code);
/// The run's object when the store ended the run: nothing is counted, `error` is the sentence.
JsonObject failedRunJson(const mailstore::Error& error);

/// The command that lets held removals go: "mailbraid sync --allow-removals 'work:Sent Items'". `mailbox` may be empty.
std::string allowCommand(const std::string& endpoint, const std::string& mailbox);
/// As a shell reads it back as one word.
std::string shellQuoted(const std::string& word);

std::string_view kindName(mailstore::ErrorKind kind);
std::string_view retryName(mailstore::Retry retry);

}  // namespace mailbraid::cli
