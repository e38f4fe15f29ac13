#include "tests/integration/workspace.h"
#include "tests/support/catch.h"

#include <sys/stat.h>

#include <string>

using namespace mailbraid::test;

namespace {

struct Mistake {
  std::string toml;
  std::string mentions;  ///< what the complaint must name
};

const std::string kGood = "[endpoint.work]\ntype = \"imap\"\nhost = \"localhost\"\nuser = \"u\"\n";

}  // namespace

TEST_CASE("every mistake in the configuration is 78 and names file, line and key", "[integration][configuration]") {
  const auto mistake = GENERATE(values<Mistake>({
      {kGood + "hots = \"x\"\n", "host"},
      {kGood + "timeout = \"soon\"\n", "config.toml:5"},
      {kGood + "port = 70000\n", "port"},
      {kGood + "tls = \"maybe\"\n", "tls"},
      {"[endpoint.work]\ntype = \"imap\"\nuser = \"u\"\n", "host"},
      {"[endpoint.work]\nhost = \"localhost\"\nuser = \"u\"\n", "type"},
      {kGood + kGood, "work"},
      {kGood + "broken\n", "config.toml:5"},
      {kGood + "max_size = \"20MB\"\n", "config.toml:5: [endpoint.work] max_size: \"20MB\" is not a size"},
      {"[endpoint.work]\ntype = \"mbox\"\npath = \"/tmp\"\nsubfolders = \"maildir++\"\n",
       "config.toml:4: [endpoint.work] subfolders:"},
      {kGood + "[endpiont.x]\n", "endpoint"},
      {"[endpoint.work]\ntype = \"imap\"\nhost = \"imap.example.org\"\ntls = \"none\"\nuser = \"u\"\n",
       "allow_plaintext"},
  }));
  Workspace workspace;
  workspace.configuration(mistake.toml);
  const Finished checked = workspace.mailbraid({"config", "check"});
  CAPTURE(mistake.toml, checked.out, checked.err);
  CHECK(checked.status == 78);
  CHECK((checked.out + checked.err).find("config.toml") != std::string::npos);
  CHECK((checked.out + checked.err).find(mistake.mentions) != std::string::npos);
  CHECK(workspace.mailbraid({"sync"}).status == 78);
  CHECK_FALSE(std::filesystem::exists(workspace.store()));
}

TEST_CASE("a configuration that is not there is 78, a wrong command line 64", "[integration][configuration]") {
  Workspace workspace;
  workspace.configuration(kGood);
  CHECK(workspace.mailbraid({"sync", "no-such-endpoint"}).status != 0);
  CHECK(workspace.mailbraid({"snyc"}).status == 64);
  CHECK(workspace.mailbraid({"sync", "--dryrun"}).status == 64);
  CHECK(workspace.mailbraid({"show", "seven"}).status == 64);
  std::filesystem::remove(workspace.configurationFile());
  CHECK(workspace.mailbraid({"sync"}).status == 78);
}

TEST_CASE("a password file that others can read is refused", "[integration][configuration]") {
  Workspace workspace;
  writeFile(workspace.path("open"), "secret\n");
  ::chmod(workspace.path("open").c_str(), 0644);
  workspace.configuration("[store]\npath = \"" + workspace.store().string() + "\"\n" + kGood + "password_file = \"" +
                          workspace.path("open").string() + "\"\n");
  CHECK(workspace.mailbraid({"sync"}).status == 78);
}

TEST_CASE("the example configuration is one that is accepted", "[integration][configuration]") {
  Workspace workspace;
  const Finished example = workspace.mailbraid({"config", "example"});
  REQUIRE(example.status == 0);
  CHECK(example.out.find("[endpoint.") != std::string::npos);
  for (const char* const option : {"--help", "--version"}) CHECK(workspace.mailbraid({option}).status == 0);
}
