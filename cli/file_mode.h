// Whether files that hold secrets, or say which commands are run, are this user's alone.
#pragma once

#include <filesystem>
#include <string>

namespace mailbraid::cli {

/// Empty when nobody but its owner can read or write `file`; else "what is wrong; the chmod to run".
std::string whyNotPrivate(const std::filesystem::path& file);
/// Empty when nobody but its owner can write `file`.
std::string whyOthersCouldWrite(const std::filesystem::path& file);

}  // namespace mailbraid::cli
