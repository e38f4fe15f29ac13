#include "cli/run.h"

#include "cli/commands.h"

#include <signal.h>

#include <exception>
#include <type_traits>

namespace mailbraid::cli {
namespace {

LogOptions logOptions(const Invocation& invocation) {
  return {invocation.options.quiet ? -1 : invocation.options.verbose, invocation.options.logFile,
          !invocation.options.quiet};
}

ExitCode dispatch(Context& context, const CommandArguments& command) {
  return std::visit(
      [&](const auto& arguments) {
        using Arguments = std::decay_t<decltype(arguments)>;
        if constexpr (std::is_same_v<Arguments, CheckArguments>) return runCheck(context, arguments);
        if constexpr (std::is_same_v<Arguments, SyncArguments>) return runSync(context, arguments);
        if constexpr (std::is_same_v<Arguments, MigrateArguments>) return runMigrate(context, arguments);
        if constexpr (std::is_same_v<Arguments, StatusArguments>) return runStatus(context);
        if constexpr (std::is_same_v<Arguments, LogArguments>) return runLog(context, arguments);
        if constexpr (std::is_same_v<Arguments, LsArguments>) return runLs(context, arguments);
        if constexpr (std::is_same_v<Arguments, ShowArguments>) return runShow(context, arguments);
        if constexpr (std::is_same_v<Arguments, ExportArguments>) return runExport(context, arguments);
        if constexpr (std::is_same_v<Arguments, FlagArguments>) return runFlag(context, arguments);
        if constexpr (std::is_same_v<Arguments, MoveArguments>) return runMove(context, arguments);
        if constexpr (std::is_same_v<Arguments, RemoveArguments>) return runRemove(context, arguments);
        if constexpr (std::is_same_v<Arguments, RestoreArguments>) return runRestore(context, arguments);
        if constexpr (std::is_same_v<Arguments, UndoArguments>) return runUndo(context, arguments);
        if constexpr (std::is_same_v<Arguments, ImportArguments>) return runImport(context, arguments);
        if constexpr (std::is_same_v<Arguments, GcArguments>) return runGc(context, arguments);
        if constexpr (std::is_same_v<Arguments, VerifyArguments>) return runVerify(context, arguments);
        if constexpr (std::is_same_v<Arguments, ConfigArguments>) return runConfig(context, arguments);
        if constexpr (std::is_same_v<Arguments, CompletionArguments>) return runCompletion(context, arguments);
        if constexpr (std::is_same_v<Arguments, TextArguments>) {
          context.out().octets(arguments.text);
          return ExitCode::Complete;
        }
      },
      command);
}

/// Until the command line is read, complaints go to a log of default options.
ExitCode runParsed(const Invocation& invocation) {
  Log log(logOptions(invocation));
  Output output;
  Context context(invocation.options, config::Environment::ofProcess(), output, log);
  try {
    const ExitCode code = dispatch(context, invocation.command);
    output.flush();
    return code;
  } catch (const mailstore::Error& error) {
    log.clearProgress();
    log.error(error.what());
    if (error.kind() == mailstore::ErrorKind::Cancelled) log.error("stopped; nothing is lost, run it again to go on");
    return exitCodeOf(error.kind());
  }
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
  // A reader of our output or a server that goes away is an error of a write, not the end of the process.
  signal(SIGPIPE, SIG_IGN);
  try {
    return number(runParsed(parseArguments(arguments)));
  } catch (const mailstore::Error& error) {
    Log(LogOptions{}).error(error.what());
    return number(exitCodeOf(error.kind()));
  } catch (const std::exception& error) {
    Log(LogOptions{}).error(std::string("a mistake in mailbraid itself: ") + error.what() + "; please report it");
    return number(ExitCode::Internal);
  }
}

}  // namespace mailbraid::cli
