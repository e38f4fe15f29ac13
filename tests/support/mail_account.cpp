#include "tests/support/mail_account.h"

#include "tests/support/process.h"

#include <sstream>
#include <stdexcept>
#include <utility>

namespace mailbraid::test {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

}  // namespace

MailAccount::MailAccount(std::uint16_t port, std::string user, std::string password)
    : port_(port), user_(std::move(user)), password_(std::move(password)) {}

std::string MailAccount::call(std::vector<std::string> words, std::string_view input) const {
  std::vector<std::string> command{"python3", MAILBRAID_TEST_SUPPORT "/mailctl.py", std::to_string(port_), user_,
                                   password_};
  command.insert(command.end(), words.begin(), words.end());
  const Finished finished = run(command, {}, input);
  if (finished.status != 0) throw std::runtime_error(finished.err);
  return finished.out;
}

std::vector<std::uint32_t> MailAccount::append(const std::string& mailbox, const std::vector<std::string>& messages,
                                               const std::string& flags, const std::string& date) const {
  std::string framed;
  for (const std::string& message : messages) framed += std::to_string(message.size()) + "\n" + message;
  std::vector<std::uint32_t> uids;
  for (const std::string& line :
       split(call({"append", mailbox, "--flags=" + flags, "--date=" + date, "-"}, framed), '\n')) {
    uids.push_back(static_cast<std::uint32_t>(std::stoul(line)));
  }
  return uids;
}

void MailAccount::store(const std::string& mailbox, const std::string& uids, const std::string& how,
                        const std::vector<std::string>& flags) const {
  std::vector<std::string> words{"store", mailbox, uids, how};
  words.insert(words.end(), flags.begin(), flags.end());
  call(words);
}

void MailAccount::expunge(const std::string& mailbox, const std::string& uids) const {
  call({"expunge", mailbox, uids});
}

void MailAccount::move(const std::string& mailbox, const std::string& uids, const std::string& target) const {
  call({"move", mailbox, uids, target});
}

void MailAccount::create(const std::string& mailbox) const {
  call({"create", mailbox});
}

void MailAccount::rename(const std::string& from, const std::string& to) const {
  call({"rename", from, to});
}

void MailAccount::remove(const std::string& mailbox) const {
  call({"delete", mailbox});
}

void MailAccount::renew(const std::string& mailbox) const {
  call({"renew", mailbox});
}

std::vector<ServerMessage> MailAccount::dump(const std::string& mailbox) const {
  std::vector<std::string> words{"dump"};
  if (!mailbox.empty()) words.push_back(mailbox);
  std::vector<ServerMessage> messages;
  for (const std::string& line : split(call(words), '\n')) {
    const std::vector<std::string> fields = split(line, '\t');
    messages.push_back({fields.at(0), static_cast<std::uint32_t>(std::stoul(fields.at(1))), split(fields.at(2), ' '),
                        fields.at(3), std::stoull(fields.at(4)), fields.at(5)});
  }
  return messages;
}

std::vector<Pop3Message> MailAccount::dumpPop3() const {
  std::vector<Pop3Message> messages;
  for (const std::string& line : split(call({"pop3-dump"}), '\n')) {
    const std::vector<std::string> fields = split(line, '\t');
    messages.push_back(
        {static_cast<std::uint32_t>(std::stoul(fields.at(0))), fields.at(1), std::stoull(fields.at(2)), fields.at(3)});
  }
  return messages;
}

}  // namespace mailbraid::test
