// Thin RAII statements over SQLite's handle, for the hot paths (mailstore's own).
#pragma once

#include "mailstore/types/ids.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3_stmt;

namespace mailbraid::mailstore {

class Database;

/// A statement that is prepared at its first use and then kept: opening a store prepares nothing. Owned by a table
/// class; must die before its Database. `sql` must live as long (a literal).
class Statement {
 public:
  Statement(Database& database, const char* sql) : database_(database), sql_(sql) {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

 private:
  friend class Query;
  sqlite3_stmt* prepared();

  Database& database_;
  const char* sql_;
  sqlite3_stmt* statement_ = nullptr;
};

/// Octets to bind that outlive the Query: not copied.
struct BlobView {
  std::string_view octets;
};

/// One use of a Statement: binds the arguments, gives the rows, and resets the statement at its end. A Statement has at
/// most one Query at a time. Errors become Error (sqlite_error.h).
class Query {
 public:
  template <class... Arguments>
  explicit Query(Statement& statement, const Arguments&... arguments)
      : database_(statement.database_), statement_(statement.prepared()) {
    (bind(arguments), ...);
  }
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// Goes to the next row; false after the last.
  bool next();

  /// Columns of the row, from 0 on. Views live until next() or the end.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::string_view blob(int column) const;
  [[nodiscard]] bool isNull(int column) const;
  template <class Id>
  [[nodiscard]] Id named(int column) const {
    return Id{static_cast<typename Id::Value>(integer(column))};
  }
  template <class Tag>
  void digest(int column, Sha256Value<Tag>& out) const {
    blob(column).copy(reinterpret_cast<char*>(out.bytes.data()), out.bytes.size());
  }

 private:
  void bind(std::int64_t value);
  void bind(int value) { bind(static_cast<std::int64_t>(value)); }
  void bind(std::uint32_t value) { bind(static_cast<std::int64_t>(value)); }
  void bind(std::uint64_t value) { bind(static_cast<std::int64_t>(value)); }
  void bind(bool value) { bind(static_cast<std::int64_t>(value)); }
  void bind(std::string_view text);
  void bind(const std::string& text) { bind(std::string_view(text)); }
  void bind(BlobView blob);
  void bind(std::nullopt_t null);
  template <class Tag, class Rep>
  void bind(const Named<Tag, Rep>& id) {
    bind(id.value());
  }
  template <class Tag>
  void bind(const Sha256Value<Tag>& value) {
    bindCopied(value.bytes.data(), value.bytes.size());
  }
  template <class Value>
  void bind(const std::optional<Value>& value) {
    value ? bind(*value) : bind(std::nullopt);
  }
  void bindCopied(const void* octets, std::size_t size);
  void check(int resultCode) const;

  Database& database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

/// Runs a statement that gives no rows.
template <class... Arguments>
void execute(Statement& statement, const Arguments&... arguments) {
  Query query(statement, arguments...);
  query.next();
}

}  // namespace mailbraid::mailstore
