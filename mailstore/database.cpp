#include "mailstore/database.h"

#include "mailstore/migrations.h"
#include "mailstore/page_memory.h"
#include "mailstore/sqlite_error.h"
#include "mailstore/statement.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include <unistd.h>

namespace mailbraid::mailstore {
namespace {

// What SQLite may hold of the file in memory, in KiB: enough for the inner pages of the indexes of some 100,000
// messages. Beyond it, pages of a large transaction go to the log early, so that memory does not grow with the
// transaction. Changes that fall all over a large mailbox touch about a tenth of its store without the bodies; when
// they do not fit, pages are logged, read back and logged again. A first pull begins with a small file, and writes at
// its end only.
constexpr std::uintmax_t kLeastCache = 8192;
constexpr std::uintmax_t kMostCache = 20480;
// In pages. A small log is read faster and stays in the page cache; each checkpoint costs an fsync of the file.
constexpr const char* kCheckpoint = "PRAGMA wal_autocheckpoint = 3000";
constexpr const char* kLogLimit = "PRAGMA journal_size_limit = 25165824";

// Bringing the log into the file when the store is closed costs more than a run that has little to do: three fsyncs,
// and every page that changed is written a second time. A small log is left where it is, and so is that of a run that
// changed some hundreds of pages: the next runs' changes fall on the same pages. It is brought in while a run waits for
// its servers (tidy()), else at the end of the first run that has less to do.
constexpr std::uintmax_t kSmallLog = std::uintmax_t{1} << 20U;
constexpr std::uintmax_t kLargeLog = std::uintmax_t{24} << 20U;
constexpr int kSomePages = 128;
constexpr int kManyPages = 4096;

// Of SQLite's counters.
constexpr int kCountOn = 0;
constexpr int kCountAnew = 1;

}  // namespace

Database::Database(const std::filesystem::path& directory)
    : directory_(directory), file_(directory / "store.db"), writer_(false) {
  openFile();
}

Database::Database(Store::Claim&& claim)
    : directory_(claim.directory_), file_(directory_ / "store.db"), lock_(std::move(claim.lock_)), writer_(true) {
  openFile();
}

void Database::openFile() {
  const std::uint32_t newest = migrations().back().version;
  const Access access = writer_ ? Access::ReadWrite : Access::ReadOnly;
  std::error_code error;
  if (!std::filesystem::exists(file_, error)) {
    if (!writer_) {
      throw Error(ErrorKind::NotWritable, Scope::Run, Retry::Never,
                  "There is no store in " + directory_.string() + " yet: run `mailbraid sync` first.");
    }
    if (std::filesystem::exists(file_.string() + "-wal", error)) {
      throw damagedStore(file_, "is missing, but its log store.db-wal is there. Nothing is changed; restore a backup");
    }
    createStoreFile(file_);
  }
  Inspection inspection = inspectStoreFile(file_, newest, access);
  if (inspection.version < newest) {
    if (!writer_) {
      throw Error(
          ErrorKind::TemporaryFailure, Scope::Run, Retry::Later,
          "The store " + file_.string() + " is of an older version: run `mailbraid sync` once to bring it up to date.");
    }
    inspection.connection.reset();
    upgradeStoreFile(file_, inspection.version);
  }
  connection_ = inspection.connection ? std::move(inspection.connection) : openConnection(file_, access);
  connect();
}

Database::~Database() {
  if (writer_ && !isLogWorthKeeping()) sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

std::uintmax_t Database::logSize() const {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file_.string() + "-wal", error);
  return error ? 0 : size;
}

int Database::spilled(int counting) const {
  int count = 0;
  int highest = 0;
  sqlite3_db_status(handle(), SQLITE_DBSTATUS_CACHE_SPILL, &count, &highest, counting);
  return count;
}

bool Database::hasSpilled() const {
  return spilled(kCountOn) > 0;
}

void Database::tidy() {
  // What it could not bring in stays in the log, which is as good.
  if (logSize() > kSmallLog) sqlite3_wal_checkpoint_v2(handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

bool Database::isLogWorthKeeping() const {
  const std::uintmax_t log = logSize();
  if (log <= kSmallLog) return true;
  int written = 0;
  int highest = 0;
  sqlite3_db_status(handle(), SQLITE_DBSTATUS_CACHE_WRITE, &written, &highest, 0);
  return log <= kLargeLog && written >= kSomePages && written <= kManyPages;
}

void Database::connect() {
  // Until it is known to be sound, closing must not write the log into the file; later see isLogWorthKeeping().
  sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  run("PRAGMA synchronous = FULL");
  run("PRAGMA foreign_keys = ON");
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file_, error);
  const std::uintmax_t cache = error ? kLeastCache : std::clamp(size / 8192, kLeastCache, kMostCache);
  run(("PRAGMA cache_size = -" + std::to_string(cache)).c_str());
  if (writer_) expectPages(cache * 1024);
  run(kCheckpoint);
  run(kLogLimit);
  // What SQLite keeps to undo a savepoint: a few pages, not worth a file.
  run("PRAGMA temp_store = MEMORY");
  {
    if (sqlite3_table_column_metadata(handle(), "main", "change", "last", nullptr, nullptr, nullptr, nullptr,
                                      nullptr) == SQLITE_ERROR) {
      throw damagedStore(file_, "is damaged: a table is missing. It is left as it is");
    }
    Statement statement(*this, "SELECT last FROM change");
    Query query(statement);
    if (!query.next()) throw damagedStore(file_, "is damaged: it has no change number. It is left as it is");
    lastChange_ = writtenChange_ = query.named<ChangeNumber>(0);
  }
}

void Database::run(const char* sql) {
  if (sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(sqlite3_extended_errcode(handle()));
}

void Database::fail(int resultCode) const {
  throwSqliteError(handle(), resultCode, file_);
}

void Database::begin() {
  requireTransaction();  // a savepoint outside of one would be a transaction of its own
  run(depth_ == 0 ? "BEGIN IMMEDIATE" : "SAVEPOINT inner_transaction");
  if (depth_ == 0) {
    spilled(kCountAnew);
    mayBeLost_ = false;
  }
  ++depth_;
}

void Database::commit() {
  requireTransaction();
  if (depth_ == 1) {
    // What SQLite commits after it has gone back to a savepoint, in a transaction whose pages are in the log already, a
    // crash may lose, together with all that is committed after it (seen with 3.40.1).
    if (mayBeLost_) {
      throw Error(ErrorKind::TemporaryFailure, Scope::Run, Retry::Later,
                  "A part of a large batch could not be carried out, and the batch was taken back from the store " +
                      file_.string() + ": run again.");
    }
    writeChange();
    run("COMMIT");
  } else {
    run("RELEASE inner_transaction");
  }
  --depth_;
}

void Database::rollback() noexcept {
  --depth_;
  // The row on disk is what it was; the numbers given out since are simply never used.
  writtenChange_ = ChangeNumber{};
  // A full disk makes SQLite roll back by itself; then there is nothing left to do.
  if (sqlite3_get_autocommit(handle()) != 0) return;
  if (depth_ == 0) {
    sqlite3_exec(handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  } else {
    mayBeLost_ = mayBeLost_ || hasSpilled();
    sqlite3_exec(handle(), "ROLLBACK TO inner_transaction; RELEASE inner_transaction", nullptr, nullptr, nullptr);
  }
}

void Database::requireTransaction() const {
  if (depth_ == 0 || sqlite3_get_autocommit(handle()) == 0) return;
  throw Error(ErrorKind::NotWritable, Scope::Run, Retry::Later,
              "The store " + file_.string() + " could not be written, and the batch was taken back: run again.");
}

ChangeNumber Database::nextChange() {
  lastChange_ = ChangeNumber{lastChange_.value() + 1};
  if (depth_ == 0) writeChange();
  return lastChange_;
}

ChangeNumber Database::lastChange() {
  if (writer_) return lastChange_;
  Statement statement(*this, "SELECT last FROM change");
  Query query(statement);
  query.next();
  return query.named<ChangeNumber>(0);
}

void Database::writeChange() {
  if (writtenChange_ == lastChange_) return;
  Statement statement(*this, "UPDATE change SET last = ?");
  execute(statement, lastChange_);
  writtenChange_ = lastChange_;
}

}  // namespace mailbraid::mailstore
