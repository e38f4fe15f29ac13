#include "mailstore/statement.h"

#include "mailstore/database.h"

#include <sqlite3.h>

namespace mailbraid::mailstore {

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

sqlite3_stmt* Statement::prepared() {
  database_.requireTransaction();
  if (statement_ == nullptr) {
    const int result =
        sqlite3_prepare_v3(database_.handle(), sql_, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
    if (result != SQLITE_OK) database_.fail(result);
  }
  return statement_;
}

Query::~Query() {
  sqlite3_reset(statement_);
  if (bound_ > 0) sqlite3_clear_bindings(statement_);
}

bool Query::next() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  database_.fail(sqlite3_extended_errcode(database_.handle()));
}

std::int64_t Query::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view Query::text(int column) const {
  const auto* octets = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return {octets, octets == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Query::blob(int column) const {
  const auto* octets = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return {octets, octets == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Query::isNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

void Query::bind(std::int64_t value) {
  check(sqlite3_bind_int64(statement_, ++bound_, value));
}

void Query::bind(std::string_view text) {
  // A view of nothing has no address, which SQLite would take for NULL.
  const char* octets = text.data() == nullptr ? "" : text.data();
  check(sqlite3_bind_text64(statement_, ++bound_, octets, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Query::bind(BlobView blob) {
  const char* octets = blob.octets.data() == nullptr ? "" : blob.octets.data();
  check(sqlite3_bind_blob64(statement_, ++bound_, octets, blob.octets.size(), SQLITE_STATIC));
}

void Query::bind(std::nullopt_t /*null*/) {
  check(sqlite3_bind_null(statement_, ++bound_));
}

void Query::bindCopied(const void* octets, std::size_t size) {
  check(sqlite3_bind_blob64(statement_, ++bound_, octets, size, SQLITE_TRANSIENT));
}

void Query::check(int resultCode) const {
  if (resultCode != SQLITE_OK) database_.fail(resultCode);
}

}  // namespace mailbraid::mailstore
