#include "tests/support/catch.h"

#include "cli/commands_table.h"
#include "cli/completion.h"
#include "cli/config/keys.h"
#include "cli/exit_code.h"

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

using namespace mailbraid::cli;
using mailbraid::mailstore::ErrorKind;

namespace {

std::string manPage() {
  std::ifstream in(MAILBRAID_MAN_PAGE, std::ios::binary);
  REQUIRE(in.good());
  std::string page((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  // What roff reads back: "\-" is a minus, "\e" a backslash.
  for (std::size_t at = 0; (at = page.find("\\-", at)) != std::string::npos;) page.replace(at, 2, "-");
  return page;
}

/// The rows ".TP / .B HEAD / TEXT" of one section.
std::vector<std::pair<std::string, std::string>> termsOf(const std::string& page, const std::string& section) {
  const std::size_t begin = page.find(section + "\n");
  REQUIRE(begin != std::string::npos);
  const std::size_t end = std::min(page.find("\n.S", begin + 1), page.size());
  const std::string body = page.substr(begin, end - begin);
  std::vector<std::pair<std::string, std::string>> out;
  for (std::size_t at = 0; (at = body.find(".TP\n.B ", at)) != std::string::npos;) {
    at += 7;
    const std::size_t headEnd = body.find('\n', at);
    const std::size_t textEnd = std::min(body.find('\n', headEnd + 1), body.size());
    out.emplace_back(body.substr(at, headEnd - at), body.substr(headEnd + 1, textEnd - headEnd - 1));
  }
  return out;
}

}  // namespace

TEST_CASE("the exit codes are those that scripts were promised", "[cli][exit]") {
  const std::vector<std::pair<ExitCode, int>> promised{
      {ExitCode::Complete, 0},      {ExitCode::Held, 10},     {ExitCode::Quarantined, 11},
      {ExitCode::Different, 12},    {ExitCode::Usage, 64},    {ExitCode::StoreDamaged, 65},
      {ExitCode::Unreachable, 69},  {ExitCode::Internal, 70}, {ExitCode::NotWritable, 73},
      {ExitCode::Partial, 75},      {ExitCode::Protocol, 76}, {ExitCode::Refused, 77},
      {ExitCode::Configuration, 78}};
  CHECK(promised.size() == kExitCodes.size());
  for (const auto& [code, value] : promised) CHECK(number(code) == value);
}

TEST_CASE("every exit code stands in the table once", "[cli][exit]") {
  std::set<int> seen;
  for (const ExitCodeRow& row : kExitCodes) {
    CHECK(seen.insert(number(row.code)).second);
    CHECK_FALSE(row.meaning.empty());
  }
}

TEST_CASE("of several outcomes the gravest counts", "[cli][exit]") {
  CHECK(graver(ExitCode::Complete, ExitCode::Held) == ExitCode::Held);
  CHECK(graver(ExitCode::Quarantined, ExitCode::Held) == ExitCode::Quarantined);
  CHECK(graver(ExitCode::Partial, ExitCode::Quarantined) == ExitCode::Partial);
  CHECK(graver(ExitCode::Unreachable, ExitCode::Refused) == ExitCode::Refused);
  CHECK(graver(ExitCode::StoreDamaged, ExitCode::Configuration) == ExitCode::StoreDamaged);
  for (const ExitCodeRow& row : kExitCodes) CHECK(graver(row.code, ExitCode::Complete) == row.code);
}

TEST_CASE("each kind of error has its exit code", "[cli][exit]") {
  CHECK(exitCodeOf(ErrorKind::Usage) == ExitCode::Usage);
  CHECK(exitCodeOf(ErrorKind::StoreDamaged) == ExitCode::StoreDamaged);
  CHECK(exitCodeOf(ErrorKind::Unreachable) == ExitCode::Unreachable);
  CHECK(exitCodeOf(ErrorKind::Internal) == ExitCode::Internal);
  CHECK(exitCodeOf(ErrorKind::NotWritable) == ExitCode::NotWritable);
  CHECK(exitCodeOf(ErrorKind::TemporaryFailure) == ExitCode::Partial);
  CHECK(exitCodeOf(ErrorKind::Protocol) == ExitCode::Protocol);
  CHECK(exitCodeOf(ErrorKind::Refused) == ExitCode::Refused);
  CHECK(exitCodeOf(ErrorKind::Configuration) == ExitCode::Configuration);
  CHECK(exitCodeOf(ErrorKind::Cancelled) == ExitCode::Partial);
}

TEST_CASE("the man page has exactly the table of exit codes, in its order", "[cli][man]") {
  const auto terms = termsOf(manPage(), ".SH EXIT STATUS");
  REQUIRE(terms.size() == kExitCodes.size());
  for (std::size_t at = 0; at < terms.size(); ++at) {
    CHECK(terms[at].first == std::to_string(number(kExitCodes[at].code)));
    CHECK(terms[at].second == std::string(kExitCodes[at].meaning) + ".");
  }
}

TEST_CASE("the man page documents every key of the configuration", "[cli][man]") {
  const std::string page = manPage();
  const auto documented = [](const auto& terms, const config::KeyInfo& key) {
    for (const auto& [head, text] : terms) {
      if (head.starts_with(std::string(key.name) + " ")) return !text.empty();
    }
    return false;
  };
  const auto endpointTerms = termsOf(page, ".SS [endpoint.NAME]");
  CHECK(endpointTerms.size() == config::kEndpointKeys.size());
  for (const auto& key : config::kEndpointKeys) {
    CAPTURE(key.info.name);
    CHECK(documented(endpointTerms, key.info));
  }
  const auto storeTerms = termsOf(page, ".SS [store]");
  CHECK(storeTerms.size() == config::kStoreKeys.size());
  for (const auto& key : config::kStoreKeys) CHECK(documented(storeTerms, key.info));
}

TEST_CASE("the man page has every command and leaves no placeholder", "[cli][man]") {
  const std::string page = manPage();
  const auto terms = termsOf(page, ".SH COMMANDS");
  REQUIRE(terms.size() == kCommands.size());
  for (std::size_t at = 0; at < terms.size(); ++at) CHECK(terms[at].first.starts_with(kCommands[at].name));
  for (const char* placeholder :
       {"@COMMANDS@", "@EXIT_CODES@", "@ENDPOINT_KEYS@", "@STORE_KEYS@", "@EXAMPLES@", "@VERSION@"}) {
    CHECK(page.find(placeholder) == std::string::npos);
  }
}

TEST_CASE("the completions offer every command and option", "[cli][completion]") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = completionScript(shell);
    CAPTURE(shell);
    CHECK(script.find('@' + std::string("COMMANDS@")) == std::string::npos);
    for (const CommandRow& command : kCommands) CHECK(script.find(command.name) != std::string::npos);
    CHECK(script.find("allow-removals") != std::string::npos);
  }
  CHECK(completionScript("tcsh").empty());
}
