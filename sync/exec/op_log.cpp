#include "sync/exec/op_log.h"

#include <utility>

namespace mailbraid::sync::exec {

using mailstore::RemoteKey;
using mailstore::Uid;
using mailstore::Uidl;

namespace {
constexpr std::size_t kLongestKeys = std::size_t{64} * 1024;
}

void OpLog::add(std::string_view endpoint, std::string_view mailbox, std::string_view kind, const RemoteKey& key,
                std::string_view detail) {
  Row& row = rows_[Place{endpoint, mailbox, kind, detail}];
  ++row.count;
  if (const Uid* uid = std::get_if<Uid>(&key)) {
    row.uids.add(*uid);
    return;
  }
  const std::string& uidl = std::get<Uidl>(key).value();
  if (row.uidls.size() + uidl.size() >= kLongestKeys) return;
  if (!row.uidls.empty()) row.uidls += ' ';
  row.uidls += uidl;
}

void OpLog::note(std::string_view endpoint, std::string_view mailbox, std::string_view kind, std::string_view detail) {
  ++rows_[Place{endpoint, mailbox, kind, detail}].count;
}

std::string OpLog::keysOf(const Row& row) {
  return row.uids.empty() ? row.uidls : row.uids.text();
}

void OpLog::flush(mailstore::Store& store) {
  if (run_.value() == 0) return;
  for (auto& [place, row] : rows_) {
    mailstore::OperationRow operation;
    operation.run = run_;
    std::tie(operation.endpoint, operation.mailbox, operation.kind, operation.detail) = place;
    operation.count = row.count;
    operation.keys = keysOf(row).substr(0, kLongestKeys);
    store.runs().add(operation);
  }
  rows_.clear();
}

std::vector<std::string> OpLog::takeLines() {
  std::vector<std::string> lines;
  for (const auto& [place, row] : rows_) {
    const auto& [endpoint, mailbox, kind, detail] = place;
    std::string line = endpoint + (mailbox.empty() ? std::string() : " " + mailbox) + ": " + kind;
    const std::string keys = keysOf(row);
    if (!keys.empty())
      line += " " + std::to_string(row.count) + (keys.size() <= 200 ? " (" + keys + ")" : std::string());
    if (!detail.empty()) line += " " + detail;
    lines.push_back(std::move(line));
  }
  rows_.clear();
  return lines;
}

}  // namespace mailbraid::sync::exec
