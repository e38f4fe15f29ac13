#include "cli/output.h"

#include "mailstore/types/error.h"

#include <signal.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace mailbraid::cli {

void Output::line(std::string_view text) {
  octets(text);
  octets("\n");
}

void Output::octets(std::string_view octets) {
  if (std::fwrite(octets.data(), 1, octets.size(), stdout) != octets.size()) fail();
}

void Output::flush() {
  if (std::fflush(stdout) != 0) fail();
}

void Output::fail() {
  const int error = errno;
  if (error == EPIPE) {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    signal(SIGPIPE, SIG_DFL);
    // Who started us may have it blocked.
    pthread_sigmask(SIG_UNBLOCK, &pipe, nullptr);
    raise(SIGPIPE);
  }
  throw mailstore::Error(mailstore::ErrorKind::NotWritable, mailstore::Scope::Run, mailstore::Retry::Later,
                         std::string("standard output cannot be written (") + std::strerror(error) + ")");
}

}  // namespace mailbraid::cli
