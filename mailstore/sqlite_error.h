// The seam where SQLite's result codes become the project's Error.
#pragma once

#include "mailstore/types/error.h"

#include <filesystem>

struct sqlite3;

namespace mailbraid::mailstore {

/// Throws the Error that `resultCode` (extended) means for the store in `file`:
/// full, read-only, cannot be opened, cannot be written -> NotWritable; damaged, not a database -> StoreDamaged;
/// busy, locked -> TemporaryFailure; out of memory, misuse, a broken constraint -> Internal.
[[noreturn]] void throwSqliteError(sqlite3* handle, int resultCode, const std::filesystem::path& file);

/// The Error for a file of the store that the system refuses: `errorNumber` is errno, `doing` "cannot be made", say.
Error systemError(const std::filesystem::path& file, const char* doing, int errorNumber);

/// StoreDamaged for the whole store: "The store FILE WHAT".
Error damagedStore(const std::filesystem::path& file, const std::string& what);

}  // namespace mailbraid::mailstore
