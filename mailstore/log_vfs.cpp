#include "mailstore/log_vfs.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

namespace mailbraid::mailstore {
namespace {

constexpr const char* kName = "mailbraid-log";
// SQLite's own writing takes no more than 2^17 - 1 octets at a time.
constexpr std::size_t kMostGathered = std::size_t{120} * 1024;

/// A file that stands before SQLite's own: the real one lies behind it, in the memory that SQLite has for it.
struct Wrapped : sqlite3_file {
  template <class Self>
  explicit Wrapped(Self* self) : sqlite3_file{nullptr}, real(reinterpret_cast<sqlite3_file*>(self + 1)) {
    real->pMethods = nullptr;
  }
  sqlite3_file* real;
};

struct LogFile;

/// The database's file: all is passed on, and the end of a transaction is seen.
struct MainFile : Wrapped {
  MainFile() : Wrapped(this) {}
  LogFile* log = nullptr;
};

/// A log that is open.
struct LogFile : Wrapped {
  LogFile() : Wrapped(this) {}
  ~LogFile() {
    if (main != nullptr) main->log = nullptr;
    if (hints >= 0) ::close(hints);
  }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  MainFile* main = nullptr;
  int hints = -1;  ///< a descriptor of our own: nobody locks a log, so closing it takes no lock back
  std::unique_ptr<unsigned char[]> gathered;  // NOLINT(modernize-avoid-c-arrays): raw octets
  std::size_t size = 0;                       ///< of what is gathered
  sqlite3_int64 at = 0;                       ///< where it belongs

  /// Of the transaction: one whose pages could not be written is never committed, though SQLite may take only a
  /// statement of it back when it learns that while it reads.
  int failure = SQLITE_OK;

  int flush() {
    if (size == 0) return SQLITE_OK;
    failure = real->pMethods->xWrite(real, gathered.get(), static_cast<int>(size), at);
    // The disk begins while the next piece is gathered; without this it is idle until all is to be durable at once.
    if (failure == SQLITE_OK && size > kMostGathered / 2 && hints >= 0) {
      ::sync_file_range(hints, at, static_cast<off_t>(size), SYNC_FILE_RANGE_WRITE);
    }
    size = 0;
    return failure;
  }

  void transactionEnds() {
    size = 0;
    failure = SQLITE_OK;
  }

  bool gathers() {
    if (!gathered) gathered.reset(new (std::nothrow) unsigned char[kMostGathered]);
    return gathered != nullptr;
  }
};

LogFile& log(sqlite3_file* file) {
  return *static_cast<LogFile*>(file);
}

template <auto Method, class... Parameters>
auto passed(sqlite3_file* file, Parameters... parameters) {
  sqlite3_file* real = static_cast<Wrapped*>(file)->real;
  return (real->pMethods->*Method)(real, parameters...);
}

/// What is gathered first, then the same of the real file.
template <auto Method, class... Parameters>
int flushed(sqlite3_file* file, Parameters... parameters) {
  const int result = log(file).flush();
  return result == SQLITE_OK ? passed<Method>(file, parameters...) : result;
}

int writeLog(sqlite3_file* file, const void* octets, int count, sqlite3_int64 at) {
  LogFile& self = log(file);
  const auto size = static_cast<std::size_t>(count);
  const bool follows = self.size > 0 && self.at + static_cast<sqlite3_int64>(self.size) == at;
  if (!follows || self.size + size > kMostGathered) self.flush();
  if (self.failure != SQLITE_OK) return self.failure;
  if (size > kMostGathered || !self.gathers()) return self.real->pMethods->xWrite(self.real, octets, count, at);
  if (self.size == 0) self.at = at;
  std::memcpy(self.gathered.get() + self.size, octets, size);
  self.size += size;
  return SQLITE_OK;
}

int syncLog(sqlite3_file* file, int flags) {
  LogFile& self = log(file);
  self.flush();
  return self.failure == SQLITE_OK ? passed<&sqlite3_io_methods::xSync>(file, flags) : self.failure;
}

int closeLog(sqlite3_file* file) {
  LogFile& self = log(file);
  const int result = self.real->pMethods->xClose(self.real);
  self.~LogFile();
  return result;
}

/// What was committed has been written when the log was synced, so what is still gathered when the writer gives its
/// lock back was taken back. Written later, it could fall on what another program has committed meanwhile.
int lockShared(sqlite3_file* file, int offset, int count, int flags) {
  constexpr int kWriteLock = 0;
  constexpr int kGivesBack = SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE;
  LogFile* log = static_cast<MainFile*>(file)->log;
  if (log != nullptr && offset == kWriteLock && (flags & kGivesBack) == kGivesBack) log->transactionEnds();
  return passed<&sqlite3_io_methods::xShmLock>(file, offset, count, flags);
}

constexpr sqlite3_io_methods kLogMethods{
    .iVersion = 1,
    .xClose = closeLog,
    .xRead = flushed<&sqlite3_io_methods::xRead, void*, int, sqlite3_int64>,
    .xWrite = writeLog,
    .xTruncate = flushed<&sqlite3_io_methods::xTruncate, sqlite3_int64>,
    .xSync = syncLog,
    .xFileSize = flushed<&sqlite3_io_methods::xFileSize, sqlite3_int64*>,
    .xLock = passed<&sqlite3_io_methods::xLock, int>,
    .xUnlock = passed<&sqlite3_io_methods::xUnlock, int>,
    .xCheckReservedLock = passed<&sqlite3_io_methods::xCheckReservedLock, int*>,
    .xFileControl = flushed<&sqlite3_io_methods::xFileControl, int, void*>,
    .xSectorSize = passed<&sqlite3_io_methods::xSectorSize>,
    .xDeviceCharacteristics = passed<&sqlite3_io_methods::xDeviceCharacteristics>,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

constexpr sqlite3_io_methods kMainMethods{
    .iVersion = 2,  // no memory map, which nobody asks for
    .xClose = passed<&sqlite3_io_methods::xClose>,
    .xRead = passed<&sqlite3_io_methods::xRead, void*, int, sqlite3_int64>,
    .xWrite = passed<&sqlite3_io_methods::xWrite, const void*, int, sqlite3_int64>,
    .xTruncate = passed<&sqlite3_io_methods::xTruncate, sqlite3_int64>,
    .xSync = passed<&sqlite3_io_methods::xSync, int>,
    .xFileSize = passed<&sqlite3_io_methods::xFileSize, sqlite3_int64*>,
    .xLock = passed<&sqlite3_io_methods::xLock, int>,
    .xUnlock = passed<&sqlite3_io_methods::xUnlock, int>,
    .xCheckReservedLock = passed<&sqlite3_io_methods::xCheckReservedLock, int*>,
    .xFileControl = passed<&sqlite3_io_methods::xFileControl, int, void*>,
    .xSectorSize = passed<&sqlite3_io_methods::xSectorSize>,
    .xDeviceCharacteristics = passed<&sqlite3_io_methods::xDeviceCharacteristics>,
    .xShmMap = passed<&sqlite3_io_methods::xShmMap, int, int, int, void volatile**>,
    .xShmLock = lockShared,
    .xShmBarrier = passed<&sqlite3_io_methods::xShmBarrier>,
    .xShmUnmap = passed<&sqlite3_io_methods::xShmUnmap, int>,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

sqlite3_vfs* real() {
  static sqlite3_vfs* const kReal = sqlite3_vfs_find(nullptr);
  return kReal;
}

/// Opens the real file; false: it is not open, whatever `result` is.
bool openReal(Wrapped& file, const char* name, int flags, int* given, int& result) {
  result = real()->xOpen(real(), name, file.real, flags, given);
  return file.real->pMethods != nullptr;
}

int openLog(const char* name, sqlite3_file* file, int flags, int* given) {
  auto* self = new (file) LogFile;
  int result = SQLITE_OK;
  if (!openReal(*self, name, flags, given, result)) {
    self->~LogFile();
    return result;
  }
  self->pMethods = &kLogMethods;
  if (result == SQLITE_OK && (flags & SQLITE_OPEN_READWRITE) != 0) self->hints = ::open(name, O_WRONLY | O_CLOEXEC);
  self->main = static_cast<MainFile*>(sqlite3_database_file_object(name));
  self->main->log = self;
  return result;
}

int openFile(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* given) {
  if ((flags & SQLITE_OPEN_WAL) != 0) return openLog(name, file, flags, given);
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return real()->xOpen(real(), name, file, flags, given);
  auto* self = new (file) MainFile;
  int result = SQLITE_OK;
  if (openReal(*self, name, flags, given, result)) self->pMethods = &kMainMethods;
  return result;
}

}  // namespace

const char* logVfs() {
  // All but openFile() is the real one's, which finds what it needs in the copy.
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs copy = *real();
    copy.zName = kName;
    copy.pNext = nullptr;
    copy.xOpen = openFile;
    copy.szOsFile += static_cast<int>(std::max(sizeof(LogFile), sizeof(MainFile)));
    return copy;
  }();
  static const bool kRegistered = sqlite3_vfs_register(&vfs, 0) == SQLITE_OK;
  return kRegistered ? kName : nullptr;
}

}  // namespace mailbraid::mailstore
