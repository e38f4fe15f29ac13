// A change that the user makes to the store, which the next sync carries to the endpoints.
#pragma once

#include "cli/context.h"
#include "mailstore/store.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailbraid::cli {

/// Which entries a command speaks of: numbers as ls prints them; `-` stands for those on standard input.
using EntryWords = std::vector<std::string>;

/// One run of the history and one transaction: it counts, as a whole, when commit() was called.
class StoreChange {
 public:
  StoreChange(Context& context, std::string_view command);

  [[nodiscard]] mailstore::Store& store() { return *store_; }
  [[nodiscard]] std::int64_t now() const { return now_; }
  [[nodiscard]] mailstore::RunId run() const { return run_; }

  enum class Which : std::uint8_t { Live, Removed };
  /// Each once, in the order given. Throws Error (Usage) for one that is not there, or not of that kind.
  std::vector<mailstore::EntryRow> select(const EntryWords& words, Which which);

  /// For the history: `kind` was done to an entry of this mailbox.
  void record(const mailstore::EntryRow& row, std::string_view kind, const std::string& detail = {});
  void note(const std::string& detail);
  /// `changed` entries under `word`, a key of what `mailbraid log` tells ("flags", "moved" ...).
  void commit(std::string_view word, std::uint64_t changed);
  void commit(const std::string& summaryJson);

  /// Prints "3 messages `done`, 1 was so already; ..." or its object. With nothing changed nothing is kept of the run.
  ExitCode finish(std::string_view word, std::string_view done, std::uint64_t changed, std::uint64_t unchanged);

 private:
  mailstore::EntryRow one(const std::string& word, Which which);

  Context& context_;
  std::string command_;
  std::unique_ptr<mailstore::Store> store_;
  std::unique_ptr<mailstore::Store::Transaction> transaction_;
  std::int64_t now_;
  mailstore::RunId run_;
  using Place = std::pair<std::string, std::pair<std::string, std::string>>;  // mailbox, kind, detail
  std::map<Place, mailstore::OperationRow> operations_;
};

/// The store for changing; throws Error (Usage) when nothing was ever synced or imported.
std::unique_ptr<mailstore::Store> storeToChange(Context& context);

}  // namespace mailbraid::cli
