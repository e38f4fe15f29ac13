#include "mailstore/store_file.h"

#include "mailstore/log_vfs.h"
#include "mailstore/poco_session.h"
#include "mailstore/sqlite_error.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <unordered_set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mailbraid::mailstore {
namespace fs = std::filesystem;
namespace {

// Measured against 4 to 64 KiB (tests/mailstore_bench): larger pages write too much for small rows, smaller ones cost
// more calls for bodies.
constexpr int kPageSize = 8192;

// How long SQLite waits for another program's lock, in milliseconds.
constexpr int kPatience = 10'000;
constexpr int kReaderPatience = 1'000;

/// SQLite's URI form of a path: `?`, `#` and `%` would mean something.
std::string uriOf(const fs::path& file, const char* mode) {
  std::string out = "file:";
  for (const char c : fs::absolute(file).string()) {
    if (c == '?' || c == '#' || c == '%') {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      const auto octet = static_cast<unsigned char>(c);
      out += {'%', kDigits[octet >> 4U], kDigits[octet & 0x0FU]};
    } else {
      out.push_back(c);
    }
  }
  return out + "?" + mode;
}

/// Before SQLite's first use. Each connection is for one thread at a time, so the locks around every call are spared;
/// nobody asks how much memory there is in use, which would be a lock around every allocation.
void configureSqlite() {
  static const bool kOnce = [] {
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    return true;
  }();
  static_cast<void>(kOnce);
}

void prepare(sqlite3* handle) {
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kPatience);
}

/// To make a store, or to bring one up to date.
PocoSession openSession(const fs::path& file) {
  configureSqlite();
  PocoSession session(uriOf(file, "mode=rw"), file.string());
  prepare(session.handle());
  return session;
}

std::uintmax_t sizeOrZero(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  return error ? 0 : size;
}

fs::path withSuffix(const fs::path& file, const std::string& suffix) {
  return file.string() + suffix;
}

void execute(sqlite3* handle, const fs::path& file, const std::string& sql) {
  if (sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throwSqliteError(handle, sqlite3_extended_errcode(handle), file);
  }
}

void migrate(sqlite3* handle, const fs::path& file, std::uint32_t version, std::span<const Migration> list) {
  for (const Migration& migration : list) {
    if (migration.version <= version) continue;
    execute(handle, file, "BEGIN IMMEDIATE");
    for (const char* statement : migration.statements) execute(handle, file, statement);
    execute(handle, file, "PRAGMA user_version = " + std::to_string(migration.version));
    execute(handle, file, "COMMIT");
  }
}

class Descriptor {
 public:
  Descriptor(const fs::path& file, int flags) : file_(file), value_(::open(file.c_str(), flags | O_CLOEXEC, 0600)) {
    if (value_ < 0) throw systemError(file, "cannot be opened", errno);
  }
  ~Descriptor() { ::close(value_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int value() const { return value_; }
  void sync() const {
    if (::fsync(value_) != 0) throw systemError(file_, "cannot be written", errno);
  }

 private:
  const fs::path& file_;
  int value_;
};

void syncDirectoryOf(const fs::path& file) {
  const fs::path directory = file.parent_path();
  Descriptor(directory, O_RDONLY | O_DIRECTORY).sync();
}

void moveInto(const fs::path& from, const fs::path& file) {
  if (::rename(from.c_str(), file.c_str()) != 0) throw systemError(file, "cannot be made", errno);
  syncDirectoryOf(file);
}

/// Writes what is committed in the database of `source` as a database of its own, page by page.
void copyDatabase(sqlite3* source, const fs::path& file, const fs::path& to) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) ::unlink(withSuffix(to, suffix).c_str());
  { const Descriptor made(to, O_RDWR | O_CREAT | O_EXCL); }
  {
    const PocoSession session = openSession(to);
    sqlite3* target = session.handle();
    // fsync comes once, below: until then the file has another name.
    execute(target, to, "PRAGMA synchronous = OFF");
    sqlite3_backup* backup = sqlite3_backup_init(target, "main", source, "main");
    if (backup == nullptr) throwSqliteError(target, sqlite3_extended_errcode(target), to);
    const int result = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    if (result != SQLITE_DONE) throwSqliteError(nullptr, result, file);
  }
  Descriptor(to, O_RDONLY).sync();
}

/// Brings the log into the file.
void checkpoint(sqlite3* handle, const fs::path& file) {
  sqlite3_busy_timeout(handle, kReaderPatience);
  sqlite3_stmt* statement = nullptr;
  int result = sqlite3_prepare_v2(handle, "PRAGMA wal_checkpoint(TRUNCATE)", -1, &statement, nullptr);
  if (result == SQLITE_OK) result = sqlite3_step(statement);
  // Whether a reader or writer was in the way stands in the row, not in the result.
  const bool busy = result == SQLITE_BUSY || (result == SQLITE_ROW && sqlite3_column_int(statement, 0) != 0);
  sqlite3_finalize(statement);
  sqlite3_busy_timeout(handle, kPatience);
  if (busy) {
    throw Error(ErrorKind::TemporaryFailure, Scope::Run, Retry::Later,
                "The store " + file.string() +
                    " is to be brought up to date, but another program is using it: wait until it is done and run "
                    "again.");
  }
  if (result != SQLITE_ROW) throwSqliteError(handle, sqlite3_extended_errcode(handle), file);
}

/// The head of the file: as many octets as there are. Through SQLite's own descriptor: closing another one would take
/// back the locks that any connection of this process has on the file (POSIX), and then another program that closes it
/// would believe that it was the last, and remove the log.
std::size_t readHead(sqlite3_file* source, const fs::path& file, std::span<unsigned char, 100> head) {
  sqlite3_int64 size = 0;
  int result = source->pMethods->xFileSize(source, &size);
  const auto octets = std::min<std::size_t>(static_cast<std::size_t>(size), head.size());
  if (result == SQLITE_OK && octets > 0) {
    result = source->pMethods->xRead(source, head.data(), static_cast<int>(octets), 0);
  }
  if (result != SQLITE_OK) throw systemError(file, "cannot be read", EIO);
  return octets;
}

std::uint32_t versionByLog(sqlite3* handle, const fs::path& file) {
  std::uint32_t out = 0;
  sqlite3_stmt* statement = nullptr;
  int result = sqlite3_prepare_v2(handle, "PRAGMA user_version", -1, &statement, nullptr);
  if (result == SQLITE_OK) result = sqlite3_step(statement);
  if (result == SQLITE_ROW) out = static_cast<std::uint32_t>(sqlite3_column_int(statement, 0));
  sqlite3_finalize(statement);
  if (result != SQLITE_ROW) throwSqliteError(handle, sqlite3_extended_errcode(handle), file);
  return out;
}

/// Big-endian, as the file format has it.
std::uint32_t number(std::span<const unsigned char, 100> head, std::size_t at, std::size_t octets) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < octets; ++i) out = (out << 8U) | head[at + i];
  return out;
}

/// The pages that a log holds, by the salts of its last beginning.
std::unordered_set<std::uint32_t> pagesInLog(const fs::path& log) {
  constexpr std::size_t kHead = 32;
  constexpr std::size_t kFrameHead = 24;
  const Descriptor source(log, O_RDONLY);
  std::array<unsigned char, 100> head{};
  std::unordered_set<std::uint32_t> out;
  if (::pread(source.value(), head.data(), kHead, 0) != static_cast<ssize_t>(kHead)) return out;
  const std::size_t step = kFrameHead + number(head, 8, 4);
  std::array<unsigned char, 100> frame{};
  for (std::size_t at = kHead;; at += step) {
    const ssize_t size = ::pread(source.value(), frame.data(), kFrameHead, static_cast<off_t>(at));
    const bool ours = size == static_cast<ssize_t>(kFrameHead) && std::equal(&frame[8], &frame[16], &head[16]);
    if (!ours) return out;
    out.insert(number(frame, 0, 4));
  }
}

/// Whether the pages that the file should have, but is too short for, stand in its log: a crash while the log was
/// brought into the file leaves that behind.
bool isCompletedByLog(const fs::path& file, std::uint64_t has, std::uint64_t expected) {
  const std::unordered_set<std::uint32_t> logged = pagesInLog(withSuffix(file, "-wal"));
  if (expected - has > logged.size()) return false;
  for (std::uint64_t page = has + 1; page <= expected; ++page) {
    if (!logged.contains(static_cast<std::uint32_t>(page))) return false;
  }
  return true;
}

/// With the levels above it; each is durable in the one above.
void makeDirectory(const fs::path& directory) {
  std::error_code error;
  if (fs::is_directory(directory, error)) return;
  if (directory.has_relative_path()) makeDirectory(directory.parent_path());
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) throw systemError(directory, "cannot be made", errno);
  if (!fs::is_directory(directory, error)) throw systemError(directory, "cannot be made", ENOTDIR);
  syncDirectoryOf(directory);
}

}  // namespace

void CloseSqlite::operator()(sqlite3* handle) const {
  sqlite3_close_v2(handle);
}

SqliteConnection openConnection(const fs::path& file, Access access) {
  std::error_code error;
  if (fs::is_directory(file, error)) throw systemError(file, "cannot be opened", EISDIR);
  // Where a log is, a reader needs its index. On a medium that nobody can write to there is no writer.
  const bool frozen = ::access(file.parent_path().c_str(), W_OK) != 0;
  const bool hasLog = sizeOrZero(withSuffix(file, "-wal")) > 0;
  if (frozen && access == Access::ReadOnly && hasLog && sizeOrZero(withSuffix(file, "-shm")) == 0) {
    throw Error(ErrorKind::NotWritable, Scope::Run, Retry::Never,
                "The store " + file.string() +
                    " was not closed properly, or is in use, and its log cannot be read where nothing can be written: "
                    "copy the directory to a writable place and use the copy.");
  }
  const char* mode = access == Access::ReadWrite ? "mode=rw" : frozen && !hasLog ? "mode=ro&immutable=1" : "mode=ro";
  configureSqlite();
  sqlite3* handle = nullptr;
  const int result =
      sqlite3_open_v2(uriOf(file, mode).c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, logVfs());
  SqliteConnection out(handle);
  if (result != SQLITE_OK) throwSqliteError(handle, result, file);
  prepare(handle);
  return out;
}

void makeStoreDirectory(const fs::path& directory) {
  fs::path whole = fs::absolute(directory);
  if (!whole.has_filename()) whole = whole.parent_path();
  makeDirectory(whole);
  struct stat status {};
  if (::stat(whole.c_str(), &status) != 0) throw systemError(whole, "cannot be read", errno);
  // Who can write there can put another file in the place of the store, or of its log.
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    throw Error(ErrorKind::NotWritable, Scope::Run, Retry::Never,
                "The store's directory " + whole.string() + " can be written to by other users: run chmod 700 '" +
                    whole.string() + "'.");
  }
}

void createStoreFile(const fs::path& file, std::span<const Migration> list) {
  // Made beside and moved into place: a store.db that is empty or has half a schema is then always damage.
  const fs::path fresh = withSuffix(file, ".new");
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) ::unlink(withSuffix(fresh, suffix).c_str());
  { const Descriptor made(fresh, O_RDWR | O_CREAT | O_EXCL); }
  {
    const PocoSession session = openSession(fresh);
    sqlite3* handle = session.handle();
    // fsync comes once, below: until then the file has another name.
    execute(handle, fresh, "PRAGMA synchronous = OFF");
    execute(handle, fresh, "PRAGMA page_size = " + std::to_string(kPageSize));
    execute(handle, fresh, "PRAGMA application_id = " + std::to_string(kApplicationId));
    migrate(handle, fresh, 0, list);
    execute(handle, fresh, "PRAGMA journal_mode = WAL");
  }
  Descriptor(fresh, O_RDONLY).sync();
  moveInto(fresh, file);
}

Inspection inspectStoreFile(const fs::path& file, std::uint32_t newest, Access access) {
  Inspection out;
  // With a write-ahead log, pages may stand there that the file does not have yet.
  const bool hasLog = sizeOrZero(withSuffix(file, "-wal")) > 0;
  out.connection = openConnection(file, access);
  sqlite3* handle = out.connection.get();
  // Whatever the version turns out to be, closing must not write the log into the file.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_file* source = nullptr;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &source);
  std::array<unsigned char, 100> head{};
  const std::size_t size = readHead(source, file, head);
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  if (size < head.size() || std::string_view(reinterpret_cast<const char*>(head.data()), kMagic.size()) != kMagic) {
    throw damagedStore(file, "is damaged: it is truncated, or no store at all. It is left as it is");
  }
  if (number(head, 68, 4) != kApplicationId) {
    throw damagedStore(file, "is a database of another program. It is left as it is");
  }
  out.version = hasLog ? versionByLog(handle, file) : number(head, 60, 4);
  if (out.version > newest) {
    throw damagedStore(file, "was written by a newer mailbraid (schema " + std::to_string(out.version) +
                                 ", this one knows " + std::to_string(newest) +
                                 "). It is left as it is; install the newer version");
  }
  const std::uint32_t pageCode = number(head, 16, 2);
  const std::uint64_t pageSize = pageCode == 1 ? 65536 : pageCode;
  const std::uint64_t pages = number(head, 28, 4);
  const std::uint64_t octets = sizeOrZero(file);
  const bool isShort = octets < pageSize * pages;
  if (isShort && !(hasLog && isCompletedByLog(file, octets / pageSize, pages))) {
    throw damagedStore(file, "is truncated: it has " + std::to_string(octets) + " octets of " +
                                 std::to_string(pageSize * pages) + ". It is left as it is; restore a backup");
  }
  return out;
}

void upgradeStoreFile(const fs::path& file, std::uint32_t version, std::span<const Migration> list) {
  const PocoSession session = openSession(file);
  sqlite3* handle = session.handle();
  checkpoint(handle, file);
  const fs::path backup = withSuffix(file, ".v" + std::to_string(version) + ".backup");
  const fs::path copy = withSuffix(backup, ".new");
  copyDatabase(handle, file, copy);
  moveInto(copy, backup);
  execute(handle, file, "PRAGMA synchronous = FULL");
  migrate(handle, file, version, list);
}

}  // namespace mailbraid::mailstore
