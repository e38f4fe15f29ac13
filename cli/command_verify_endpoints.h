// The half of `verify` that compares endpoints.
#pragma once

#include "cli/context.h"
#include "cli/verification_report.h"

namespace mailbraid::cli {

ExitCode runVerifyEndpoints(Context& context, const VerifyArguments& arguments);
/// Results to standard output, as text or as JSON; what could not be compared to standard error.
void printVerification(Context& context, const VerificationReport& report);

}  // namespace mailbraid::cli
