#include "tests/support/dovecot.h"

#include <sstream>
#include <stdexcept>

namespace mailbraid::test {

Dovecot::Dovecot(std::vector<std::string> knobs) {
  start(knobs);
}

void Dovecot::start(const std::vector<std::string>& knobs) {
  std::vector<std::string> command{"python3", MAILBRAID_TEST_SUPPORT "/dovecot.py", (directory_ / "server").string()};
  command.insert(command.end(), knobs.begin(), knobs.end());
  process_ = std::make_unique<Process>(command);
  if (!process_->waitForOutput("READY\n")) {
    process_->closeInput();
    throw std::runtime_error("no Dovecot: " + process_->wait().err + log());
  }
  std::istringstream lines(process_->output());
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos) values_[line.substr(0, equals)] = line.substr(equals + 1);
  }
}

void Dovecot::restart(std::vector<std::string> knobs) {
  stop();
  start(knobs);
}

void Dovecot::stop() {
  if (!process_) return;
  process_->closeInput();
  process_->wait();
  process_.reset();
}

std::uint16_t Dovecot::port(const std::string& name) const {
  return static_cast<std::uint16_t>(std::stoul(values_.at(name)));
}

std::string Dovecot::log() const {
  const std::filesystem::path path = directory_ / "server/log";
  return std::filesystem::exists(path) ? readFile(path) : std::string{};
}

}  // namespace mailbraid::test
