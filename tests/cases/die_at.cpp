// Preloaded into mailbraid by crash.py: counts the calls by which the process changes anything that outlives it (octets
// on a socket, files made, renamed, linked, removed, made durable) and kills it before or after the one that is asked
// for.
//
// MAILBRAID_DIE_AT=NUMBER or -NUMBER (before or after that call, from 1); MAILBRAID_COUNT_TO=FILE gets the count at
// exit.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

std::atomic<long> effects{0};

long dieAt() {
  static const long number = [] {
    const char* text = std::getenv("MAILBRAID_DIE_AT");
    return text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  }();
  return number;
}

void die() {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

bool isSocket(int descriptor) {
  const int before = errno;
  struct stat status {};
  const bool out = ::fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
  errno = before;
  return out;
}

/// One effect around `call`.
template <class Call>
auto counted(const Call& call) {
  const long number = ++effects;
  if (dieAt() == number) die();
  const auto result = call();
  if (dieAt() == -number) die();
  return result;
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

struct Counter {
  ~Counter() {
    const char* path = std::getenv("MAILBRAID_COUNT_TO");
    if (path == nullptr) return;
    if (std::FILE* file = std::fopen(path, "w")) {
      std::fprintf(file, "%ld\n", effects.load());
      std::fclose(file);
    }
  }
} counter;

}  // namespace

#define COUNTED(result, name, parameters, arguments)            \
  result name parameters {                                      \
    static const auto real = next<result(*) parameters>(#name); \
    return counted([&]() -> result { return real arguments; }); \
  }
#define COUNTED_ON_SOCKETS(name, parameters, arguments)          \
  ssize_t name parameters {                                      \
    static const auto real = next<ssize_t(*) parameters>(#name); \
    if (!isSocket(descriptor)) return real arguments;            \
    return counted([&]() -> ssize_t { return real arguments; }); \
  }
#define COUNTED_WHERE_IT_MAKES(name)                                       \
  int name(const char* path, int flags, ...) {                             \
    static const auto real = next<int (*)(const char*, int, ...)>(#name);  \
    va_list rest;                                                          \
    va_start(rest, flags);                                                 \
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                          \
    if ((flags & O_CREAT) == 0) return real(path, flags, mode);            \
    return counted([&] { return real(path, flags, mode); });               \
  }

extern "C" {
COUNTED_ON_SOCKETS(write, (int descriptor, const void* octets, size_t count), (descriptor, octets, count))
COUNTED_ON_SOCKETS(send, (int descriptor, const void* octets, size_t count, int flags),
                   (descriptor, octets, count, flags))
COUNTED(int, fsync, (int descriptor), (descriptor))
COUNTED(int, fdatasync, (int descriptor), (descriptor))
COUNTED(int, rename, (const char* from, const char* to) noexcept, (from, to))
COUNTED(int, link, (const char* from, const char* to) noexcept, (from, to))
COUNTED(int, unlink, (const char* path) noexcept, (path))
COUNTED(int, mkdir, (const char* path, mode_t mode) noexcept, (path, mode))
COUNTED(int, rmdir, (const char* path) noexcept, (path))
COUNTED_WHERE_IT_MAKES(open)
COUNTED_WHERE_IT_MAKES(open64)
}
