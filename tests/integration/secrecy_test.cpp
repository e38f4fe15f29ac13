#include "tests/integration/workspace.h"
#include "tests/support/catch.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/mail_account.h"

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace mailbraid::test;

namespace {

std::string base64(const std::string& octets) {
  std::string text(octets.size() / 3 * 4 + 5, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(octets.data()), static_cast<int>(octets.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

/// What base64 of any text with `secret` in it holds: three octets are four characters, so there are three alignments.
/// The characters that depend on the neighbours are left out.
std::vector<std::string> base64Forms(const std::string& secret) {
  constexpr std::array<std::size_t, 3> kOfNeighbourBefore{0, 2, 3};
  constexpr std::array<std::size_t, 3> kOfNeighbourBehind{0, 3, 2};
  std::vector<std::string> forms;
  for (std::size_t shift = 0; shift < 3; ++shift) {
    std::string text = base64(std::string(shift, 'x') + secret);
    text.resize(text.size() - kOfNeighbourBehind[(shift + secret.size()) % 3]);
    forms.push_back(text.substr(kOfNeighbourBefore[shift]));
  }
  return forms;
}

/// Every spelling in which a secret could leak: as it is, as an IMAP quoted string, within base64.
std::vector<std::string> spellings(const std::string& secret) {
  std::vector<std::string> all = base64Forms(secret);
  std::string quoted;
  for (const char c : secret) quoted += (c == '"' || c == '\\') ? std::string("\\") + c : std::string(1, c);
  all.push_back(secret);
  all.push_back(quoted);
  return all;
}

void checkNowhere(const std::vector<std::string>& secrets, const std::vector<std::string>& texts) {
  for (const std::string& secret : secrets) {
    for (const std::string& spelling : spellings(secret)) {
      for (std::size_t at = 0; at < texts.size(); ++at) {
        CAPTURE(secret, spelling, at);
        CHECK(texts[at].find(spelling) == std::string::npos);
      }
    }
  }
}

/// Everything that a run with -vvv leaves behind: output, log file, and the files of the store.
std::vector<std::string> leftBy(const Workspace& workspace, const std::string& command, int status) {
  const std::string log = workspace.path("log").string();
  const Finished finished = workspace.mailbraid({command, "-vvv", "--log-file", log});
  CAPTURE(finished.out, finished.err);
  CHECK(finished.status == status);
  std::vector<std::string> texts{finished.out, finished.err, readFile(log)};
  // Only then does it say something that no secret was found.
  CHECK(texts[1].find("CAPABILITY") != std::string::npos);
  CHECK(texts[2].find("CAPABILITY") != std::string::npos);
  if (!std::filesystem::exists(workspace.store())) return texts;
  for (const auto& file : std::filesystem::directory_iterator(workspace.store()))
    texts.push_back(readFile(file.path()));
  return texts;
}

}  // namespace

TEST_CASE("the search for a secret finds it in what SASL PLAIN sends", "[integration][connect]") {
  for (const std::string secret : {"wonder land", "p\"a\\ss{5}%", "hunter22"}) {
    const std::string sent = base64(std::string(1, '\0') + "alice" + std::string(1, '\0') + secret);
    bool found = false;
    for (const std::string& form : base64Forms(secret)) found = found || sent.find(form) != std::string::npos;
    CHECK(found);
  }
}

TEST_CASE("P9: an odd password shows in no output, log file or store, not even encoded", "[integration][connect]") {
  const Dovecot server;
  const std::string user = GENERATE("alice", "bob", "carol", "dave");
  // Dovecot stumbles when several sessions meet in an account that was never used.
  MailAccount(server.imap(), user, server.password(user)).append("INBOX", {"Subject: here\r\n\r\nHello\r\n"});
  Workspace workspace;
  for (const std::string mechanism : {"SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"}) {
    const std::string only = "auth = [\"" + mechanism + "\"]\n";
    workspace.endpoint("imap-" + mechanism, imapEndpoint(workspace, server, user, Way::Tls, only));
    workspace.endpoint("pop-" + mechanism, pop3Endpoint(workspace, server, user, Way::StartTls, only));
  }
  for (const std::string mechanism : {"APOP", "USER"}) {
    workspace.endpoint("pop-" + mechanism,
                       pop3Endpoint(workspace, server, user, Way::Tls, "auth = [\"" + mechanism + "\"]\n"));
  }
  checkNowhere({server.password(user)}, leftBy(workspace, "sync", 0));
}

TEST_CASE("P9: a password that is refused shows nowhere", "[integration][connect]") {
  const Dovecot server;
  const std::string mechanism = GENERATE("PLAIN", "LOGIN");
  const std::string only = "auth = [\"" + mechanism + "\"]\n";
  Workspace workspace;
  workspace.endpoint("imap", imapEndpoint(workspace, server, "user1", Way::Tls, only));
  workspace.endpoint("pop", pop3Endpoint(workspace, server, "user1", Way::Tls, only));
  writeFile(workspace.path("password-user1"), "wrong-and-never-shown\n");
  checkNowhere({"wrong-and-never-shown"}, leftBy(workspace, "sync", 77));
}

TEST_CASE("P9: a token shows nowhere, neither a good nor an expired one", "[integration][connect]") {
  const Dovecot server;
  const std::string mechanism = GENERATE("OAUTHBEARER", "XOAUTH2");
  const bool expired = GENERATE(false, true);
  const std::string token = expired ? server.expiredToken("user1") : server.token("user1");
  MailAccount(server.imap(), "user1", server.password("user1")).append("INBOX", {"Subject: here\r\n\r\nHello\r\n"});
  Workspace workspace;
  for (const auto& [type, port] : {std::pair{"imap", server.imaps()}, std::pair{"pop3", server.pop3s()}}) {
    workspace.endpoint(type, "type = \"" + std::string(type) +
                                 "\"\nhost = \"localhost\"\nport = " + std::to_string(port) +
                                 "\nuser = \"user1\"\nca_file = \"" + server.caFile() + "\"\nauth = [\"" + mechanism +
                                 "\"]\npassword_command = [\"echo\", \"" + token + "\"]\n");
  }
  // The signature alone would do for a thief who knows the rest.
  checkNowhere({token, token.substr(token.rfind('.') + 1)}, leftBy(workspace, "sync", expired ? 77 : 0));
}

TEST_CASE("P9: a password never goes over a plaintext connection to another machine", "[integration][connect]") {
  // No server and no name is asked for: the refusal comes with the configuration.
  const std::string host = GENERATE("imap.example.org", "127.example.org", "192.0.2.1");
  Workspace workspace;
  workspace.endpoint("it", "type = \"imap\"\nhost = \"" + host +
                               "\"\nuser = \"u\"\ntls = \"none\"\npassword_command = [\"touch\", \"" +
                               workspace.path("asked").string() + "\"]\n");
  const Finished finished = workspace.mailbraid({"sync"});
  CAPTURE(host, finished.out, finished.err);
  CHECK(finished.status == 78);
  CHECK(finished.err.find("allow_plaintext") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(workspace.path("asked")));
}
