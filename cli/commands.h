// One function a command, each in its own file. They print results and return what the process exits with; what they
// cannot do they throw as Error.
#pragma once

#include "cli/context.h"

namespace mailbraid::cli {

ExitCode runCheck(Context& context, const CheckArguments& arguments);
ExitCode runSync(Context& context, const SyncArguments& arguments);
ExitCode runMigrate(Context& context, const MigrateArguments& arguments);
ExitCode runStatus(Context& context);
ExitCode runLog(Context& context, const LogArguments& arguments);
ExitCode runLs(Context& context, const LsArguments& arguments);
ExitCode runShow(Context& context, const ShowArguments& arguments);
ExitCode runExport(Context& context, const ExportArguments& arguments);
ExitCode runFlag(Context& context, const FlagArguments& arguments);
ExitCode runMove(Context& context, const MoveArguments& arguments);
ExitCode runRemove(Context& context, const RemoveArguments& arguments);
ExitCode runRestore(Context& context, const RestoreArguments& arguments);
ExitCode runUndo(Context& context, const UndoArguments& arguments);
ExitCode runImport(Context& context, const ImportArguments& arguments);
ExitCode runGc(Context& context, const GcArguments& arguments);
ExitCode runVerify(Context& context, const VerifyArguments& arguments);
ExitCode runConfig(Context& context, const ConfigArguments& arguments);
ExitCode runCompletion(Context& context, const CompletionArguments& arguments);

}  // namespace mailbraid::cli
