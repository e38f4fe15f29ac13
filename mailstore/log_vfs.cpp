#include "mailstore/log_vfs.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace mailbraid::mailstore {
namespace {

constexpr const char* kName = "mailbraid-log";
// SQLite's own writing takes no more than 2^17 - 1 octets at a time.
constexpr std::size_t kMostGathered = std::size_t{120} * 1024;

/// A log that is open: SQLite's memory for the file holds this, and the real file behind it.
struct LogFile : sqlite3_file {
  explicit LogFile(sqlite3_file* file) : sqlite3_file{nullptr}, real(file) { real->pMethods = nullptr; }
  ~LogFile() {
    if (hints >= 0) ::close(hints);
  }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  sqlite3_file* real;
  int hints = -1;  ///< a descriptor of our own: nobody locks a log, so closing it takes no lock back
  std::unique_ptr<unsigned char[]> gathered;  // NOLINT(modernize-avoid-c-arrays): raw octets
  std::size_t size = 0;                       ///< of what is gathered
  sqlite3_int64 at = 0;                       ///< where it belongs

  int flush() {
    // What could not be written is given up: SQLite takes the transaction back, and writes to the same place again.
    const std::size_t octets = std::exchange(size, 0);
    if (octets == 0) return SQLITE_OK;
    const int result = real->pMethods->xWrite(real, gathered.get(), static_cast<int>(octets), at);
    // The disk begins while the next piece is gathered; without this it is idle until all is to be durable at once.
    if (result == SQLITE_OK && octets > kMostGathered / 2 && hints >= 0) {
      ::sync_file_range(hints, at, static_cast<off_t>(octets), SYNC_FILE_RANGE_WRITE);
    }
    return result;
  }

  bool gathers() {
    if (!gathered) gathered.reset(new (std::nothrow) unsigned char[kMostGathered]);
    return gathered != nullptr;
  }
};

LogFile& log(sqlite3_file* file) {
  return *static_cast<LogFile*>(file);
}

/// What is gathered first, then the same of the real file.
template <auto Method, class... Parameters>
int flushed(sqlite3_file* file, Parameters... parameters) {
  LogFile& self = log(file);
  const int result = self.flush();
  return result == SQLITE_OK ? (self.real->pMethods->*Method)(self.real, parameters...) : result;
}

template <auto Method, class... Parameters>
int passed(sqlite3_file* file, Parameters... parameters) {
  sqlite3_file* real = log(file).real;
  return (real->pMethods->*Method)(real, parameters...);
}

int writeLog(sqlite3_file* file, const void* octets, int count, sqlite3_int64 at) {
  LogFile& self = log(file);
  const auto size = static_cast<std::size_t>(count);
  const bool follows = self.size > 0 && self.at + static_cast<sqlite3_int64>(self.size) == at;
  if (!follows || self.size + size > kMostGathered) {
    if (const int result = self.flush(); result != SQLITE_OK) return result;
  }
  if (size > kMostGathered || !self.gathers()) return self.real->pMethods->xWrite(self.real, octets, count, at);
  if (self.size == 0) self.at = at;
  std::memcpy(self.gathered.get() + self.size, octets, size);
  self.size += size;
  return SQLITE_OK;
}

int closeLog(sqlite3_file* file) {
  LogFile& self = log(file);
  const int written = self.flush();
  const int closed = self.real->pMethods->xClose(self.real);
  self.~LogFile();
  return written == SQLITE_OK ? closed : written;
}

constexpr sqlite3_io_methods kMethods{
    .iVersion = 1,
    .xClose = closeLog,
    .xRead = flushed<&sqlite3_io_methods::xRead, void*, int, sqlite3_int64>,
    .xWrite = writeLog,
    .xTruncate = flushed<&sqlite3_io_methods::xTruncate, sqlite3_int64>,
    .xSync = flushed<&sqlite3_io_methods::xSync, int>,
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

sqlite3_vfs* real() {
  static sqlite3_vfs* const kReal = sqlite3_vfs_find(nullptr);
  return kReal;
}

int openFile(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* given) {
  if ((flags & SQLITE_OPEN_WAL) == 0) return real()->xOpen(real(), name, file, flags, given);
  auto* self =
      new (file) LogFile(reinterpret_cast<sqlite3_file*>(reinterpret_cast<unsigned char*>(file) + sizeof(LogFile)));
  const int result = real()->xOpen(real(), name, self->real, flags, given);
  if (self->real->pMethods == nullptr) {
    self->~LogFile();
    return result;
  }
  self->pMethods = &kMethods;
  if (result == SQLITE_OK && (flags & SQLITE_OPEN_READWRITE) != 0) self->hints = ::open(name, O_WRONLY | O_CLOEXEC);
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
    copy.szOsFile += static_cast<int>(sizeof(LogFile));
    return copy;
  }();
  static const bool kRegistered = sqlite3_vfs_register(&vfs, 0) == SQLITE_OK;
  return kRegistered ? kName : nullptr;
}

}  // namespace mailbraid::mailstore
