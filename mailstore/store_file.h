// The store's file as a file: made, looked at before SQLite touches it, backed up, migrated (mailstore's own).
#pragma once

#include "mailstore/migrations.h"
#include "mailstore/store.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

struct sqlite3;

namespace mailbraid::mailstore {

struct CloseSqlite {
  void operator()(sqlite3* handle) const;
};
/// For one thread at a time.
using SqliteConnection = std::unique_ptr<sqlite3, CloseSqlite>;

/// Opens `file`, which must exist. SQLite's errors become Error.
SqliteConnection openConnection(const std::filesystem::path& file, Access access);

/// Makes the directory, and the levels above it, when they are missing (0700, durable). Throws NotWritable when group
/// or others can write to it.
void makeStoreDirectory(const std::filesystem::path& directory);

/// Makes an empty store with the newest schema as `file` (0600), whole or not at all.
void createStoreFile(const std::filesystem::path& file, std::span<const Migration> list = migrations());

/// What a look at a store's file tells.
struct Inspection {
  std::uint32_t version = 0;  ///< of the schema
  /// Closing it leaves the log as it is, until SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE is taken back.
  SqliteConnection connection;
};

/// Reads the head of the file, and its log when it has one, and changes neither. Throws StoreDamaged when the file is
/// no store, is shorter than it says, or is newer than `newest`; NotWritable when there is a log on a medium that
/// cannot be written to, where SQLite cannot read it without its index.
Inspection inspectStoreFile(const std::filesystem::path& file, std::uint32_t newest, Access access);

/// Brings a store of `version` to the end of `list`, after a backup of everything that is committed as
/// `FILE.v<version>.backup`. Throws TemporaryFailure, with nothing done, while another program reads the store.
void upgradeStoreFile(const std::filesystem::path& file, std::uint32_t version,
                      std::span<const Migration> list = migrations());

}  // namespace mailbraid::mailstore
