// The connection to the store's file: opening, transactions, change numbers (mailstore's own).
#pragma once

#include "mailstore/lock_file.h"
#include "mailstore/store.h"
#include "mailstore/store_file.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

struct sqlite3;

namespace mailbraid::mailstore {

/// One connection, for one thread at a time. See Store::open() for what opening does and throws.
class Database {
 public:
  explicit Database(const std::filesystem::path& directory);  ///< to read
  explicit Database(Store::Claim&& claim);                    ///< to write
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] sqlite3* handle() const { return connection_.get(); }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

  /// BEGIN IMMEDIATE, or a savepoint inside another transaction. Each begin() has one commit() or rollback().
  void begin();
  void commit();
  void rollback() noexcept;

  /// The next change number, never given out before. Written with the transaction that it is used in.
  ChangeNumber nextChange();
  ChangeNumber lastChange();

  /// The run that changes belong to until the next call; id 0: none.
  void setRun(RunId run) {
    run_ = run;
    runBegan_ = lastChange_;
  }
  [[nodiscard]] RunId currentRun() const { return run_; }
  /// The last change number before the run.
  [[nodiscard]] ChangeNumber runBegan() const { return runBegan_; }

  /// See Store::tidy().
  void tidy();
  /// See Store::hasSpilled().
  [[nodiscard]] bool hasSpilled() const;

  /// Throws when SQLite has rolled the transaction back by itself (full disk): what followed would be committed one by
  /// one.
  void requireTransaction() const;

  /// Runs one statement that gives no rows and is not worth keeping.
  void run(const char* sql);
  /// Throws the Error for `resultCode`.
  [[noreturn]] void fail(int resultCode) const;

 private:
  void openFile();
  void connect();
  [[nodiscard]] std::uintmax_t logSize() const;
  [[nodiscard]] bool isLogWorthKeeping() const;
  void writeChange();
  /// Pages that went to the log before their transaction was over.
  int spilled(int counting) const;

  std::filesystem::path directory_;
  std::filesystem::path file_;
  std::unique_ptr<LockFile> lock_;
  SqliteConnection connection_;
  int depth_ = 0;
  bool mayBeLost_ = false;  ///< the transaction must not be committed
  // The writer alone gives out numbers, so that it need not ask the store for each.
  ChangeNumber lastChange_;
  ChangeNumber writtenChange_;
  RunId run_;
  ChangeNumber runBegan_;
  bool writer_;
};

}  // namespace mailbraid::mailstore
