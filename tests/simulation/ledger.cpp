#include "tests/simulation/ledger.h"

#include "mailstore/message_builder.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <sstream>

namespace mailbraid::simulation {

std::string textOf(const mailstore::Flags& flags) {
  std::string text;
  for (const std::string& name : flags.names()) text += (text.empty() ? "" : " ") + name;
  return text;
}

mailstore::Flags flagsOf(const std::string& text) {
  std::istringstream in(text);
  return mailstore::Flags::parse({std::istream_iterator<std::string>(in), std::istream_iterator<std::string>()});
}

std::string textOf(const Placement& placement) {
  std::string text;
  for (const auto& [mailbox, flags] : placement) text += (text.empty() ? "" : ", ") + mailbox + " (" + flags + ")";
  return "[" + text + "]";
}

std::size_t copiesIn(const Placement& placement, const std::string& mailbox) {
  return static_cast<std::size_t>(
      std::count_if(placement.begin(), placement.end(), [&](const auto& copy) { return copy.first == mailbox; }));
}

std::multiset<std::string> mailboxesOf(const Placement& placement) {
  std::multiset<std::string> out;
  for (const auto& [mailbox, flags] : placement) out.insert(mailbox);
  return out;
}

std::size_t Ledger::make(const std::string& braid, Placement expected, bool odd) {
  const std::string number = std::to_string(contents_.size());
  Content content;
  content.braid = braid;
  content.date = {1'600'000'000 + static_cast<std::int64_t>(contents_.size()) * 60, 0};
  content.octets = "From: a@example.org\r\nSubject: mail " + number + "\r\n";
  content.octets += "Date: Mon, 1 Jan 2024 10:00:00 +0000\r\n";
  // Without a Message-ID a message is recognised by its octets only, and bodies are bodies whatever is in them.
  content.octets += odd ? "\r\nodd \xff\n\rbody " + number : "Message-ID: <" + number + "@example.org>\r\n\r\nBody\r\n";
  content.expected = std::move(expected);
  mailstore::SpoolOptions spool;
  spool.directory = std::filesystem::temp_directory_path();
  mailstore::MessageBuilder builder(spool);
  builder.append(content.octets);
  content.digest = builder.finish().digest;
  contents_.push_back(std::move(content));
  return contents_.size() - 1;
}

std::size_t Ledger::find(const std::string& octets) const {
  for (std::size_t i = 0; i < contents_.size(); ++i) {
    if (contents_[i].octets == octets) return i;
  }
  throw Broken("P2: octets that were never delivered: " + octets);
}

std::size_t Ledger::find(const mailstore::Digest& digest) const {
  for (std::size_t i = 0; i < contents_.size(); ++i) {
    if (contents_[i].digest == digest) return i;
  }
  throw Broken("P2: the store has a message that was never delivered, " + digest.hex());
}

bool Ledger::touch(std::size_t content) {
  Content& one = contents_.at(content);
  ++one.actions;
  if (one.actions > 1 || one.unsure || blurred_.contains(one.braid)) one.exact = false;
  if (one.unsure) ++one.created;
  return one.exact;
}

void Ledger::blur(const std::string& braid) {
  blurred_.insert(braid);
  for (Content& one : contents_) {
    if (one.braid == braid && (one.actions > 0 || one.lingers || one.expected.size() > 1)) one.exact = false;
  }
}

void Ledger::settle() {
  blurred_.clear();
  hampered_ = false;
  for (Content& one : contents_) {
    one.exact = true;
    one.actions = 0;
    one.unsure = false;
    one.breaks = 0;
  }
}

}  // namespace mailbraid::simulation
