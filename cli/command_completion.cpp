#include "cli/commands.h"
#include "cli/completion.h"

namespace mailbraid::cli {

ExitCode runCompletion(Context& context, const CompletionArguments& arguments) {
  context.out().octets(completionScript(arguments.shell));
  return ExitCode::Complete;
}

}  // namespace mailbraid::cli
