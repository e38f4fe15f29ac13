// Gathers what a run does to a mailbox and writes it to the history with the commit that makes it true.
#pragma once

#include "mailstore/store.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace mailbraid::sync::exec {

/// Used on the writer's thread only. One row an endpoint, mailbox, kind and detail for each commit.
class OpLog {
 public:
  void setRun(mailstore::RunId run) { run_ = run; }
  [[nodiscard]] mailstore::RunId run() const { return run_; }
  void add(std::string_view endpoint, std::string_view mailbox, std::string_view kind, const mailstore::RemoteKey& key,
           std::string_view detail = {});
  void note(std::string_view endpoint, std::string_view mailbox, std::string_view kind, std::string_view detail);
  /// Writes the rows. Part of the transaction that holds what they tell.
  void flush(mailstore::Store& store);
  /// The rows as lines of a plan, in the order of endpoint, mailbox, kind: for a dry run. Clears them.
  std::vector<std::string> takeLines();

 private:
  struct Row {
    std::uint64_t count = 0;
    mailstore::UidSet uids;
    std::string uidls;
  };
  using Place = std::tuple<std::string, std::string, std::string, std::string>;  // endpoint, mailbox, kind, detail
  static std::string keysOf(const Row& row);

  mailstore::RunId run_;
  std::map<Place, Row> rows_;
};

}  // namespace mailbraid::sync::exec
