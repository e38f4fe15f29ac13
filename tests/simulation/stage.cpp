#include "tests/simulation/stage.h"

#include <algorithm>

namespace mailbraid::simulation {

using mailstore::Error;
using mailstore::ErrorKind;
using mailstore::Retry;
using mailstore::Scope;

void Stage::begin(const Trouble& trouble) {
  trouble_ = trouble;
  dead_ = false;
  lineBroke_ = false;
  hampered_ = false;
  meddled_ = false;
  changed_.clear();
  writes = 0;
  steps = 0;
}

void Stage::needsLife() const {
  if (dead_) throw Error(ErrorKind::Cancelled, Scope::Endpoint, Retry::Later, "the process is dead");
}

void Stage::step(const SimServer& server, const std::string& what) {
  needsLife();
  ++steps;
  if (trouble_.crashAt && *trouble_.crashAt == steps) {
    note("    the process dies: " + server.name() + " " + what);
    onDeath();
    dead_ = true;
    needsLife();
  }
  if (!chance(trouble_.broken)) return;
  note("    the line breaks: " + server.name() + " " + what);
  lineBroke_ = true;
  const bool wire = !server.abilities().isMaildir();
  throw Error(ErrorKind::Unreachable, wire ? Scope::Connection : Scope::Endpoint, wire ? Retry::Now : Retry::Later,
              "the line broke");
}

bool Stage::refuses(const std::string& what) {
  if (!chance(trouble_.refused)) return false;
  note("    refused: " + what);
  return true;
}

void Stage::wrote(const SimServer& server, const std::string& what) {
  ++writes;
  note("    " + server.name() + " " + what);
}

void Stage::removes(const SimServer& server, const std::string& mailbox, std::size_t number) {
  const Content& content = ledger_.at(number);
  const std::string what =
      "mail " + std::to_string(number) + " is expunged from " + server.name() + " " + mailbox + ", and ";
  if (!content.removed && !content.moved) broke("P1: " + what + "nobody has removed or moved it");
  const SimMailbox& there = server.mailboxes.at(mailbox);
  const auto copies =
      static_cast<std::size_t>(std::count_if(there.messages.begin(), there.messages.end(),
                                             [&](const SimMessage& message) { return message.content == number; }));
  const auto& names = storeNames.at(&server);
  const auto name = names.find(mailbox);
  if (content.exact && copiesIn(content.expected, name == names.end() ? mailbox : name->second) >= copies) {
    broke("P1: " + what + "it belongs there: " + textOf(content.expected));
  }
}

}  // namespace mailbraid::simulation
