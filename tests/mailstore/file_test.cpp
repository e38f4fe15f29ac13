// The store as a file: damage, versions, locks, full disks, crashes.
#include "mailstore/migrations.h"
#include "mailstore/store_file.h"
#include "mailstore/types/error.h"
#include "tests/mailstore/file_support.h"
#include "tests/mailstore/store_fixture.h"
#include "tests/support/catch.h"

#include <array>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <functional>
#include <optional>
#include <string>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace mailbraid::mailstore;
using mailbraid::tests::errorOf;
using mailbraid::tests::fileContent;
using mailbraid::tests::inChild;
using mailbraid::tests::modeOf;
using mailbraid::tests::prepared;
using mailbraid::tests::runIntoLog;
using mailbraid::tests::Scratch;
using mailbraid::tests::StoreFixture;
namespace fs = std::filesystem;

namespace {

/// Opening the store must fail in this way for readers and writers and leave the file octet for octet as it is.
void requireRefused(const fs::path& directory, const std::string& word) {
  const std::string before = fileContent(directory / "store.db");
  for (const Access access : {Access::ReadOnly, Access::ReadWrite}) {
    const auto error = errorOf([&] { Store::open(directory, access); });
    REQUIRE(error.has_value());
    CAPTURE(error->what());
    CHECK(error->kind() == ErrorKind::StoreDamaged);
    CHECK(std::string(error->what()).find(word) != std::string::npos);
    CHECK((fileContent(directory / "store.db") == before));
  }
}

void overwrite(const fs::path& file, std::size_t at, std::string_view octets) {
  std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
  out.seekp(static_cast<std::streamoff>(at));
  out.write(octets.data(), static_cast<std::streamsize>(octets.size()));
}

/// Runs `action` in a child process that may read the fixture's store but not write to its directory.
int onFrozenMedium(const StoreFixture& fixture, const std::function<int()>& action) {
  const fs::path directory = fixture.directory();
  constexpr uid_t kNobody = 65534;
  if (::getuid() == 0) {
    fs::permissions(fixture.scratch.path(), fs::perms(0755));
    REQUIRE(::chown(directory.c_str(), kNobody, kNobody) == 0);
    for (const auto& file : fs::directory_iterator(directory)) {
      REQUIRE(::chown(file.path().c_str(), kNobody, kNobody) == 0);
    }
  }
  fs::permissions(directory, fs::perms(0500));
  const int status = inChild([&] { return ::getuid() == 0 && ::setuid(kNobody) != 0 ? 99 : action(); });
  fs::permissions(directory, fs::perms(0700));
  return status;
}

std::string letters(std::size_t size) {
  std::string out;
  std::uint64_t state = 7;
  while (out.size() < size) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    out.push_back(static_cast<char>(state >> 56U));
  }
  return out;
}

}  // namespace

// The thread sanitizer would end a child of a process with threads, although this one only opens a store and dies.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() {
  return "die_after_fork=0";
}

TEST_CASE("the store's directory and file are for its owner only", "[store]") {
  StoreFixture fixture;
  CHECK(modeOf(fixture.directory()) == 0700);
  CHECK(modeOf(fixture.file()) == 0600);
  CHECK(modeOf(fixture.directory() / "store.db-wal") == 0600);
  CHECK(modeOf(fixture.directory() / "store.lock") == 0600);
}

TEST_CASE("a store directory that others can write to is refused, with the command that mends it", "[store]") {
  StoreFixture fixture;
  fixture.close();
  for (const mode_t mode : {0720U, 0702U, 0777U, 01777U}) {
    CAPTURE(mode);
    REQUIRE(::chmod(fixture.directory().c_str(), mode) == 0);
    const auto error = errorOf([&] { Store::open(fixture.directory(), Access::ReadWrite); });
    REQUIRE(error.has_value());
    CHECK(error->kind() == ErrorKind::NotWritable);
    CHECK(std::string(error->what()).find("chmod 700 '" + fixture.directory().string() + "'") != std::string::npos);
  }
  for (const mode_t mode : {0755U, 0700U}) {
    REQUIRE(::chmod(fixture.directory().c_str(), mode) == 0);
    CHECK_NOTHROW(fixture.reopen());
    fixture.close();
  }
}

TEST_CASE("a store's directory is made with the levels above it, however its path is written", "[store]") {
  const Scratch scratch;
  for (const char* path : {"a/b/store", "a/c/store/", "a/./d/../e"}) {
    CAPTURE(path);
    Store::open(scratch.path() / path, Access::ReadWrite);
    CHECK(fs::exists(scratch.path() / path / "store.db"));
    CHECK(modeOf(scratch.path() / path) == 0700);
  }
}

TEST_CASE("a truncated store is refused and left as it is", "[store]") {
  StoreFixture fixture;
  fixture.addMessage(letters(100'000));
  fixture.closeWhole();
  const auto size = fs::file_size(fixture.file());
  for (const std::uintmax_t left : {size - 1, size - 8192, size / 2, std::uintmax_t{8192}}) {
    CAPTURE(left);
    fs::resize_file(fixture.file(), left);
    requireRefused(fixture.directory(), "truncated");
  }
  for (const std::uintmax_t left : {std::uintmax_t{99}, std::uintmax_t{1}, std::uintmax_t{0}}) {
    CAPTURE(left);
    fs::resize_file(fixture.file(), left);
    requireRefused(fixture.directory(), "truncated");
  }
}

TEST_CASE("a store that is cut short is refused when it has a log, too", "[store][P1]") {
  StoreFixture fixture;
  fixture.addMessage("mail " + letters(200'000));
  fixture.closeWhole();
  fixture.reopen();
  fixture.addMessage("a little more");
  fixture.close();
  REQUIRE(fs::file_size(fixture.directory() / "store.db-wal") > 0);
  fs::resize_file(fixture.file(), fs::file_size(fixture.file()) - 8192);
  requireRefused(fixture.directory(), "truncated");
}

TEST_CASE("a crash while the log is brought into the file does no harm", "[store][P4]") {
  StoreFixture fixture;
  fixture.closeWhole();
  const std::uintmax_t before = fs::file_size(fixture.file());
  fixture.reopen();
  const MessageId id = fixture.addMessage("mail " + letters(200'000));
  fixture.close();
  const fs::path log = fixture.directory() / "store.db-wal";
  const std::string logged = fileContent(log);
  REQUIRE(logged.size() > 200'000);
  fixture.closeWhole();
  // The head of the file is written already, its new pages are not.
  fs::resize_file(fixture.file(), before);
  std::ofstream(log, std::ios::binary) << logged;
  fixture.reopen();
  CHECK(fixture.store->messages().info(id).size == 200'005);
  CHECK(fixture.store->checkStructure().empty());
}

TEST_CASE("tidying brings a large log into the file", "[store]") {
  StoreFixture fixture;
  const MessageId id = fixture.addMessage("mail " + letters(3'000'000));
  fixture.store->tidy();
  fixture.close();
  fs::remove(fixture.directory() / "store.db-wal");
  fixture.reopen();
  CHECK(fixture.read(id) == "mail " + letters(3'000'000));
  CHECK(fixture.store->checkStructure().empty());
}

TEST_CASE("the log of a run that changed little stays small over many runs", "[store][P8]") {
  StoreFixture fixture;
  fixture.addMessage("mail " + letters(3'000'000));
  for (int run = 0; run < 100; ++run) {
    fixture.reopen();
    fixture.store->runs().begin("sync", run);
  }
  fixture.close();
  const fs::path log = fixture.directory() / "store.db-wal";
  CHECK((!fs::exists(log) || fs::file_size(log) <= 1U << 20U));
}

TEST_CASE("a store of a newer schema is refused and left as it is", "[store]") {
  StoreFixture fixture;
  fixture.closeWhole();
  overwrite(fixture.file(), 60, std::string_view("\0\0\0\x63", 4));
  requireRefused(fixture.directory(), "newer mailbraid (schema 99");
}

TEST_CASE("a store of a newer schema whose last changes stand in the log only is refused", "[store][P1]") {
  StoreFixture fixture;
  fixture.close();
  runIntoLog(fixture.file(), "PRAGMA user_version = 99");
  const std::string log = fileContent(fixture.directory() / "store.db-wal");
  requireRefused(fixture.directory(), "newer mailbraid (schema 99");
  CHECK((fileContent(fixture.directory() / "store.db-wal") == log));
}

TEST_CASE("a file that is no store is refused and left as it is", "[store]") {
  StoreFixture fixture;
  fixture.closeWhole();
  SECTION("another program's database") {
    overwrite(fixture.file(), 68, "abcd");
    requireRefused(fixture.directory(), "another program");
  }
  SECTION("no database") {
    overwrite(fixture.file(), 0, "not a database");
    requireRefused(fixture.directory(), "damaged");
  }
  SECTION("garbage where the tables are") {
    overwrite(fixture.file(), 100, letters(8000));
    requireRefused(fixture.directory(), "damaged");
  }
}

TEST_CASE("a store that lacks a table is refused", "[store]") {
  const Scratch scratch;
  constexpr std::array<const char*, 1> kNothing{"CREATE TABLE thing(id INTEGER PRIMARY KEY) STRICT"};
  const std::array<Migration, 1> list{Migration{migrations().back().version, kNothing}};
  createStoreFile(scratch.path() / "store.db", list);
  requireRefused(scratch.path(), "a table is missing");
}

TEST_CASE("a log without its store is not thrown away", "[store][P1]") {
  StoreFixture fixture;
  fixture.close();
  fs::rename(fixture.file(), fixture.directory() / "store.db-wal");
  const auto error = errorOf([&] { Store::open(fixture.directory(), Access::ReadWrite); });
  REQUIRE(error.has_value());
  CHECK(error->kind() == ErrorKind::StoreDamaged);
  CHECK(fs::file_size(fixture.directory() / "store.db-wal") > 0);
}

TEST_CASE("damage inside the file is found by the structural check", "[store]") {
  StoreFixture fixture;
  for (int i = 0; i < 50; ++i) fixture.addEntry("mail " + std::to_string(i) + letters(2000));
  CHECK(fixture.store->checkStructure().empty());
  fixture.closeWhole();
  overwrite(fixture.file(), fs::file_size(fixture.file()) / 8192 / 2 * 8192, letters(8192));
  fixture.reopen();
  CHECK_FALSE(fixture.store->checkStructure().empty());
}

TEST_CASE("a second writer is told which process has the store", "[store]") {
  StoreFixture fixture;
  const auto error = errorOf([&] { Store::open(fixture.directory(), Access::ReadWrite); });
  REQUIRE(error.has_value());
  CHECK(error->kind() == ErrorKind::TemporaryFailure);
  CHECK(std::string(error->what()).find("process " + std::to_string(::getpid())) != std::string::npos);
}

TEST_CASE("the lock ends with its process, however that dies", "[store][P4]") {
  StoreFixture fixture;
  fixture.close();
  const int status = inChild([&] {
    const auto store = Store::open(fixture.directory(), Access::ReadWrite);
    return ::kill(::getpid(), SIGKILL);
  });
  CHECK(status == 128 + SIGKILL);
  CHECK_NOTHROW(fixture.reopen());
}

TEST_CASE("P4: what was committed before a kill is there, what was not is not", "[store][P4]") {
  StoreFixture fixture;
  fixture.close();
  const int status = inChild([&] {
    const auto store = Store::open(fixture.directory(), Access::ReadWrite);
    {
      Store::Transaction transaction(*store);
      store->messages().add(prepared("committed"));
      transaction.commit();
    }
    Store::Transaction transaction(*store);
    store->messages().add(prepared("lost" + letters(3'000'000)));
    return ::kill(::getpid(), SIGKILL);
  });
  CHECK(status == 128 + SIGKILL);
  fixture.reopen();
  CHECK(fixture.store->messages().findByDigest(prepared("committed").digest).has_value());
  int count = 0;
  fixture.store->messages().forEach([&](MessageId) { ++count; });
  CHECK(count == 1);
  CHECK(fixture.store->checkStructure().empty());
}

TEST_CASE("a reader works beside a writer and does not change the file", "[store]") {
  StoreFixture fixture;
  const MessageId id = fixture.addMessage("mail");
  const std::string before = fileContent(fixture.file());
  {
    const auto reader = Store::open(fixture.directory(), Access::ReadOnly);
    CHECK(reader->messages().info(id).size == 4);
    Store::Transaction writing(*fixture.store);
    fixture.store->messages().add(prepared("second"));
    CHECK_FALSE(reader->messages().findByDigest(prepared("second").digest).has_value());
    writing.commit();
    CHECK(reader->messages().findByDigest(prepared("second").digest).has_value());
    CHECK(errorOf([&] {
            Store::Transaction refused(*reader);
            reader->runs().begin("x", 1);
          })->kind() == ErrorKind::NotWritable);
  }
  CHECK((fileContent(fixture.file()) == before));
}

// Without that lock another program that closes the store believes that it was the last, and removes the log.
TEST_CASE("a store in use is locked against other programs, whoever else of this one has read it", "[store][P1]") {
  const auto isLocked = [](const fs::path& file) {
    return inChild([&] {
             constexpr off_t kSharedFirst = 0x40000002;  // of SQLite's file format
             struct flock lock {};
             lock.l_type = F_WRLCK;
             lock.l_whence = SEEK_SET;
             lock.l_start = kSharedFirst;
             lock.l_len = 510;
             const int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
             return ::fcntl(descriptor, F_GETLK, &lock) == 0 && lock.l_type == F_RDLCK ? 1 : 0;
           }) == 1;
  };
  StoreFixture fixture;
  fixture.addMessage("stands in the log");
  CHECK(isLocked(fixture.file()));
  fixture.reopen();
  fixture.addMessage("beside what stands in the log");
  CHECK(isLocked(fixture.file()));
  const auto reader = Store::open(fixture.directory(), Access::ReadOnly);
  CHECK(isLocked(fixture.file()));
}

TEST_CASE("a reader of a store that nobody writes leaves the file as it is", "[store]") {
  StoreFixture fixture;
  const MessageId id = fixture.addMessage("mail");
  fixture.close();
  const std::string before = fileContent(fixture.file());
  CHECK(Store::open(fixture.directory(), Access::ReadOnly)->messages().info(id).size == 4);
  CHECK((fileContent(fixture.file()) == before));
  CHECK_NOTHROW(fixture.reopen());
}

TEST_CASE("a reader on a medium that it cannot write to reads a closed store", "[store]") {
  StoreFixture fixture;
  const MessageId id = fixture.addMessage("mail");
  fixture.closeWhole();
  const int status = onFrozenMedium(fixture, [&] {
    return Store::open(fixture.directory(), Access::ReadOnly)->messages().info(id).size == 4 ? 0 : 1;
  });
  CHECK(status == 0);
}

TEST_CASE("a reader on a medium that it cannot write to reads a closed store that has a log", "[store]") {
  StoreFixture fixture;
  const MessageId id = fixture.addMessage("mail");
  fixture.close();
  REQUIRE(fs::file_size(fixture.directory() / "store.db-wal") > 0);
  const int status = onFrozenMedium(fixture, [&] {
    return Store::open(fixture.directory(), Access::ReadOnly)->messages().info(id).size == 4 ? 0 : 1;
  });
  CHECK(status == 0);
}

TEST_CASE("a log that cannot be read on a frozen medium is told, never left out", "[store][P1]") {
  StoreFixture fixture;
  fixture.close();
  inChild([&] {
    const auto store = Store::open(fixture.directory(), Access::ReadWrite);
    store->mailboxes().ensureBraid("only in the log");
    return ::kill(::getpid(), SIGKILL);
  });
  fs::remove(fixture.directory() / "store.db-shm");
  REQUIRE(fs::file_size(fixture.directory() / "store.db-wal") > 0);
  const int status = onFrozenMedium(fixture, [&] {
    const auto error = errorOf([&] { Store::open(fixture.directory(), Access::ReadOnly); });
    if (!error) return 1;
    if (error->kind() != ErrorKind::NotWritable) return 2;
    const std::string sentence = error->what();
    return sentence.find("not closed properly") == std::string::npos ||
                   sentence.find("copy the directory to a writable place") == std::string::npos
               ? 3
               : 0;
  });
  CHECK(status == 0);
  fixture.reopen();
}

TEST_CASE("a reader says that there is no store yet", "[store]") {
  const Scratch scratch;
  const auto error = errorOf([&] { Store::open(scratch.path() / "none", Access::ReadOnly); });
  REQUIRE(error.has_value());
  CHECK(std::string(error->what()).find("no store") != std::string::npos);
  CHECK_FALSE(fs::exists(scratch.path() / "none"));
}

TEST_CASE("a store whose making was interrupted is made again", "[store][P4]") {
  const Scratch scratch;
  std::ofstream(scratch.path() / "store.db.new") << "half a store";
  std::ofstream(scratch.path() / "store.db.new-wal") << "and its log";
  CHECK_NOTHROW(Store::open(scratch.path(), Access::ReadWrite));
}

TEST_CASE("a directory that cannot be made is told", "[store]") {
  const Scratch scratch;
  std::ofstream(scratch.path() / "file") << "x";
  const auto error = errorOf([&] { Store::open(scratch.path() / "file", Access::ReadWrite); });
  REQUIRE(error.has_value());
  CHECK(error->kind() == ErrorKind::NotWritable);
}

TEST_CASE("a path with odd characters is only a path", "[store]") {
  const Scratch scratch;
  const fs::path odd = scratch.path() / "a?mode=memory&b#c%20 'd'";
  Store::open(odd, Access::ReadWrite);
  CHECK(fs::file_size(odd / "store.db") > 0);
}

TEST_CASE("P1: a full disk is told, and nothing that was stored is lost", "[store][P1]") {
  StoreFixture fixture;
  const MessageId kept = fixture.addMessage("kept");
  fixture.close();
  // A limit on the size of files stands in for the disk: the same errors, without a mount.
  const int status = inChild([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const auto store = Store::open(fixture.directory(), Access::ReadWrite);
    const rlimit limit{1'000'000, 1'000'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto error = errorOf([&] {
      for (int i = 0; i < 100; ++i) {
        Store::Transaction transaction(*store);
        store->messages().add(prepared(std::to_string(i) + letters(300'000)));
        transaction.commit();
      }
    });
    if (!error) return 1;
    if (error->kind() != ErrorKind::NotWritable) return 2;
    return std::string(error->what()).find("nothing that was stored is lost") == std::string::npos ? 3 : 0;
  });
  CHECK(status == 0);
  fixture.reopen();
  CHECK(fixture.store->checkStructure().empty());
  CHECK(fixture.read(kept) == "kept");
}

TEST_CASE("after a full disk inside a transaction nothing more of it is written", "[store][P1]") {
  StoreFixture fixture;
  fixture.close();
  const int status = inChild([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const auto store = Store::open(fixture.directory(), Access::ReadWrite);
    // Prepared before the limit, which a spool file would meet before the store does.
    PreparedMessage large = prepared(letters(30'000'000));
    const rlimit limit{1'000'000, 1'000'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    Store::Transaction outer(*store);
    const auto inner = errorOf([&] {
      Store::Transaction transaction(*store);
      store->messages().add(std::move(large));
      transaction.commit();
    });
    if (!inner || inner->kind() != ErrorKind::NotWritable) return 1;
    if (std::string(inner->what()).find("nothing that was stored is lost") == std::string::npos) return 2;
    // SQLite took the whole transaction back: outside of it, the rest would be committed piece by piece.
    const auto second = errorOf([&] { store->messages().add(prepared("one of the same batch")); });
    if (!second || second->kind() != ErrorKind::NotWritable) return 3;
    const auto nested = errorOf([&] {
      Store::Transaction transaction(*store);
      store->messages().add(prepared("a later one of the batch"));
      transaction.commit();
    });
    if (!nested || nested->kind() != ErrorKind::NotWritable) return 4;
    const auto commit = errorOf([&] { outer.commit(); });
    return commit && commit->kind() == ErrorKind::NotWritable ? 0 : 5;
  });
  CHECK(status == 0);
  fixture.reopen();
  CHECK_FALSE(fixture.store->messages().findByDigest(prepared("one of the same batch").digest).has_value());
  int count = 0;
  fixture.store->messages().forEach([&](MessageId) { ++count; });
  CHECK(count == 0);
  CHECK(fixture.store->checkStructure().empty());
}
