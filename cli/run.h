// The program without its main().
#pragma once

#include <string>
#include <vector>

namespace mailbraid::cli {

/// Carries out one command line (without the program's name) and returns the exit code. Nothing is thrown.
int run(const std::vector<std::string>& arguments);

}  // namespace mailbraid::cli
