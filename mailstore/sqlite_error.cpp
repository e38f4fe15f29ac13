#include "mailstore/sqlite_error.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>

namespace mailbraid::mailstore {
namespace {

struct Meaning {
  int code;  // an extended code, or a primary one that stands for all of its kind that are not named before it
  ErrorKind kind;
  Retry retry;
  std::string_view sentence;  // follows "The store FILE "
};

constexpr std::array kMeanings{
    Meaning{SQLITE_FULL, ErrorKind::NotWritable, Retry::Later,
            "cannot grow: the disk is full. Make room and run again; nothing that was stored is lost"},
    Meaning{SQLITE_IOERR_SHORT_READ, ErrorKind::StoreDamaged, Retry::Never, "is damaged: it ends too early"},
    Meaning{SQLITE_IOERR_READ, ErrorKind::StoreDamaged, Retry::Never, "cannot be read: the disk reports an error"},
    Meaning{SQLITE_IOERR_CORRUPTFS, ErrorKind::StoreDamaged, Retry::Never,
            "cannot be read: the file system is damaged"},
    Meaning{SQLITE_IOERR_NOMEM, ErrorKind::Internal, Retry::Later, "cannot be used: there is no memory left"},
    Meaning{SQLITE_IOERR, ErrorKind::NotWritable, Retry::Later,
            "cannot be written. Check the disk and run again; nothing that was stored is lost"},
    Meaning{SQLITE_READONLY, ErrorKind::NotWritable, Retry::Never,
            "cannot be written: check its permissions and those of its directory"},
    Meaning{SQLITE_CANTOPEN, ErrorKind::NotWritable, Retry::Never,
            "cannot be opened: check its permissions and those of its directory"},
    Meaning{SQLITE_PERM, ErrorKind::NotWritable, Retry::Never, "cannot be opened: check its permissions"},
    Meaning{SQLITE_AUTH, ErrorKind::NotWritable, Retry::Never, "cannot be opened: check its permissions"},
    Meaning{
        SQLITE_CORRUPT, ErrorKind::StoreDamaged, Retry::Never,
        "is damaged. It is left as it is; restore a backup (and remove store.db-wal, which belongs to the file that "
        "was there before), or begin a new store: messages that the servers still have are fetched again"},
    Meaning{SQLITE_NOTADB, ErrorKind::StoreDamaged, Retry::Never,
            "is no mailbraid store, or it is damaged. It is left as it is"},
    Meaning{SQLITE_BUSY, ErrorKind::TemporaryFailure, Retry::Later, "is in use by another program: run again later"},
    Meaning{SQLITE_LOCKED, ErrorKind::TemporaryFailure, Retry::Later, "is in use by another program: run again later"},
    Meaning{SQLITE_NOMEM, ErrorKind::Internal, Retry::Later, "cannot be used: there is no memory left"},
};

}  // namespace

void throwSqliteError(sqlite3* handle, int resultCode, const std::filesystem::path& file) {
  const int primary = resultCode & 0xFF;
  const auto* const found = std::find_if(kMeanings.begin(), kMeanings.end(), [&](const Meaning& meaning) {
    return meaning.code == resultCode || meaning.code == primary;
  });
  const std::string store = "The store " + file.string() + " ";
  const std::string detail = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(resultCode);
  const std::string why = " (SQLite " + std::to_string(resultCode) + ": " + detail + ")";
  if (found == kMeanings.end()) {
    throw Error(ErrorKind::Internal, Scope::Run, Retry::Never, store + "refused a statement" + why + ".");
  }
  throw Error(found->kind, Scope::Run, found->retry, store + std::string(found->sentence) + why + ".");
}

Error systemError(const std::filesystem::path& file, const char* doing, int errorNumber) {
  const std::string why = std::generic_category().message(errorNumber);
  return {ErrorKind::NotWritable, Scope::Run, Retry::Never, file.string() + " " + doing + ": " + why + "."};
}

Error damagedStore(const std::filesystem::path& file, const std::string& what) {
  return {ErrorKind::StoreDamaged, Scope::Run, Retry::Never, "The store " + file.string() + " " + what + "."};
}

}  // namespace mailbraid::mailstore
