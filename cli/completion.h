// Completion scripts, made from the table of commands.
#pragma once

#include <string>
#include <string_view>

namespace mailbraid::cli {

/// For "bash", "zsh" or "fish"; empty for others.
std::string completionScript(std::string_view shell);

}  // namespace mailbraid::cli
