// Damage to a store that is closed.
#pragma once

#include "tests/support/catch.h"

#include <cstdint>
#include <filesystem>
#include <string>

#include <sqlite3.h>

namespace mailbraid::tests {

/// Runs `sql` on the store's file behind the store's back.
inline void tamper(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &handle) == SQLITE_OK);
  REQUIRE(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(handle);
}

/// Flips one bit of a row of the body table.
inline void flipBit(const std::filesystem::path& file, std::int64_t row, int octet, int bit) {
  sqlite3* handle = nullptr;
  sqlite3_blob* blob = nullptr;
  char value = 0;
  REQUIRE(sqlite3_open(file.c_str(), &handle) == SQLITE_OK);
  REQUIRE(sqlite3_blob_open(handle, "main", "body", "octets", row, 1, &blob) == SQLITE_OK);
  REQUIRE(sqlite3_blob_read(blob, &value, 1, octet) == SQLITE_OK);
  value = static_cast<char>(value ^ (1 << bit));
  REQUIRE(sqlite3_blob_write(blob, &value, 1, octet) == SQLITE_OK);
  sqlite3_blob_close(blob);
  sqlite3_close(handle);
}

}  // namespace mailbraid::tests
