// One function a command, each in its own file. They print results and return what the process exits with; what they
// cannot do they throw as Error.
#pragma once

#include "cli/context.h"

namespace mailbraid::cli {

ExitCode runCheck(Context& context, const CheckArguments& arguments);
ExitCode runSync(Context& context, const SyncArguments& arguments);
ExitCode runStatus(Context& context);
ExitCode runLog(Context& context, const LogArguments& arguments);
ExitCode runLs(Context& context, const LsArguments& arguments);
ExitCode runShow(Context& context, const ShowArguments& arguments);
ExitCode runExport(Context& context, const ExportArguments& arguments);
ExitCode runVerify(Context& context);
ExitCode runConfig(Context& context, const ConfigArguments& arguments);
ExitCode runCompletion(Context& context, const CompletionArguments& arguments);

}  // namespace mailbraid::cli
