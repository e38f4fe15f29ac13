// The half of `verify` that compares endpoints.
#pragma once

#include "cli/context.h"

namespace mailbraid::cli {

ExitCode runVerifyEndpoints(Context& context, const VerifyArguments& arguments);

}  // namespace mailbraid::cli
