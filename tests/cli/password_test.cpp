#include "tests/support/catch.h"

#include "cli/password/password.h"
#include "tests/cli/scratch.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fcntl.h>
#include <fstream>
#include <thread>

using namespace mailbraid::cli;
using mailbraid::cli::config::CommandLine;
using mailbraid::cli::tests::Scratch;
using mailbraid::mailstore::Error;
using mailbraid::mailstore::ErrorKind;

namespace {

std::string passwordOf(const CommandLine& command) {
  return std::string(passwordFromCommand(command, "password_command of [endpoint.work]", {}).reveal());
}
CommandLine shell(const std::string& line) {
  return {{line}, true};
}

template <class Ask>
std::string complaint(ErrorKind kind, Ask ask) {
  try {
    ask();
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    return error.what();
  }
  return "(none)";
}
std::string complaint(const CommandLine& command) {
  return complaint(ErrorKind::Configuration, [&] { passwordOf(command); });
}

}  // namespace

TEST_CASE("the password is the first line that the command prints", "[cli][password]") {
  CHECK(passwordOf({{"printf", "hunter2\\n"}, false}) == "hunter2");
  CHECK(passwordOf({{"printf", "hunter2\\r\\nuser: me\\n"}, false}) == "hunter2");
  CHECK(passwordOf({{"printf", "hunter2"}, false}) == "hunter2");
  CHECK(passwordOf({{"printf", " a b \\n"}, false}) == " a b ");
}

TEST_CASE("an array is not given to a shell, a string is", "[cli][password]") {
  CHECK(passwordOf({{"echo", "$HOME;", "`id`"}, false}) == "$HOME; `id`");
  CHECK(passwordOf(shell("echo a | tr a b")) == "b");
}

TEST_CASE("a command that fails is one sentence with its status", "[cli][password]") {
  CHECK(complaint(shell("exit 3")) ==
        "password_command of [endpoint.work] ended with status 3; run it by hand to see why");
  CHECK(complaint(shell("kill -9 $$")) ==
        "password_command of [endpoint.work] was ended by signal 9; run it by hand to see why");
  CHECK(complaint({{"true"}, false}) ==
        "password_command of [endpoint.work] printed no password on its first line; run it by hand to see why");
  CHECK(complaint(shell("echo; echo second")).find("printed no password") != std::string::npos);
  const std::string missing = complaint({{"/nonexistent/pass"}, false});
  CHECK(missing.starts_with("password_command of [endpoint.work] cannot be run (/nonexistent/pass: "));
}

TEST_CASE("a complaint about a command never holds what it printed", "[cli][password]") {
  CHECK(complaint(shell("echo hunter2; exit 1")).find("hunter2") == std::string::npos);
}

TEST_CASE("a command that prints without end is stopped", "[cli][password]") {
  CHECK(complaint(shell("yes hunter2")).find("more than 64 KiB") != std::string::npos);
}

TEST_CASE("a command has no standard input and none of our files", "[cli][password]") {
  const int kept = open("/dev/null", O_RDONLY);
  REQUIRE(kept >= 0);
  CHECK(passwordOf(shell("cat; test -e /proc/self/fd/" + std::to_string(kept) + " && echo open || echo closed")) ==
        "closed");
  close(kept);
}

TEST_CASE("a process that the command leaves behind with its output open keeps nobody waiting", "[cli][password]") {
  Scratch scratch;
  const std::string left = (scratch.path() / "left").string();
  CHECK(passwordOf(shell("sleep 600 & echo $! > " + left + "; echo hunter2")) == "hunter2");
  CHECK(passwordOf(shell("sleep 600 & echo $! >> " + left + "; printf hunter2")) == "hunter2");
  std::ifstream pids(left);
  for (pid_t pid = 0; pids >> pid;) kill(pid, SIGKILL);
}

TEST_CASE("a stop request ends the wait for a command", "[cli][password]") {
  std::stop_source source;
  source.request_stop();
  const std::string sentence = complaint(ErrorKind::Cancelled, [&] {
    passwordFromCommand({{"sleep", "600"}, false}, "keyring", source.get_token());
  });
  CHECK(sentence == "stopped while waiting for keyring");
}

TEST_CASE("a password file gives its first line and must be private", "[cli][password]") {
  Scratch scratch;
  const auto file = scratch.write("secret", "hunter2\nsecond\n", 0600);
  CHECK(passwordFromFile(file, "password_file").reveal() == "hunter2");
  chmod(file.c_str(), 0604);
  CHECK(complaint(ErrorKind::Configuration, [&] { passwordFromFile(file, "password_file of [endpoint.a]"); }) ==
        "password_file of [endpoint.a]: other users could read the password in " + file.string() +
            " (mode 0604); run: chmod 600 " + file.string());
  CHECK(complaint(ErrorKind::Configuration, [&] {
          passwordFromFile(scratch.write("empty", "\n", 0600), "f");
        }).find("is empty") != std::string::npos);
  CHECK(complaint(ErrorKind::Configuration, [&] {
          passwordFromFile(scratch.path() / "none", "f");
        }).find("cannot be read") != std::string::npos);
}

TEST_CASE("without a terminal the question is a sentence that says what to write", "[cli][password]") {
  Prompter prompter("/nonexistent/tty");
  CHECK(complaint(ErrorKind::Configuration, [&] { prompter.ask("Password: ", "[endpoint.work]", {}); }) ==
        "[endpoint.work] has no password and there is no terminal to ask on; write password_command or password_file "
        "there");
}

TEST_CASE("a password is asked for without echo, once, and the terminal is as it was", "[cli][password]") {
  const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(master >= 0);
  REQUIRE(grantpt(master) == 0);
  REQUIRE(unlockpt(master) == 0);
  const std::string terminal = ptsname(master);
  // Kept open, so that the terminal lives on between questions.
  const int slave = open(terminal.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);

  Prompter prompter(terminal);
  config::EndpointConfig endpoint;
  endpoint.settings.name = "work";
  endpoint.settings.user = "me";
  endpoint.settings.server.host = "imap.example.org";
  int paused = 0;
  const auto giver = passwordGiver(endpoint, prompter, {}, [&](bool) { ++paused; });

  std::string shown;
  std::thread person([&] {
    char octet = 0;
    // The question comes after the echo is off, so what is typed then is not shown.
    while (!shown.ends_with("(work): ") && read(master, &octet, 1) == 1) shown += octet;
    const std::string typed = "hunter2\n";
    if (write(master, typed.data(), typed.size()) < 0) return;
    while (!shown.ends_with("\n") && read(master, &octet, 1) == 1) shown += octet;
  });
  CHECK(giver().reveal() == "hunter2");
  person.join();
  CHECK(giver().reveal() == "hunter2");
  CHECK(paused == 2);
  CHECK(shown == "Password of me at imap.example.org (work): \r\n");
  close(slave);
  close(master);
}
