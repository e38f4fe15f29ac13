#include "cli/store_change.h"

#include "cli/text/json.h"
#include "cli/text/units.h"
#include "cli/text/utf8.h"

#include <charconv>
#include <ctime>
#include <iostream>
#include <set>

namespace mailbraid::cli {

using mailstore::EntryRow;

namespace {

EntryWords withStandardInput(const EntryWords& words) {
  EntryWords out;
  for (const std::string& word : words) {
    if (word != "-") {
      out.push_back(word);
      continue;
    }
    for (std::string read; std::cin >> read;) out.push_back(read);
  }
  return out;
}

}  // namespace

std::unique_ptr<mailstore::Store> storeToChange(Context& context) {
  if (!context.storeToRead()) failUsage("the store is empty; run mailbraid sync or mailbraid import first");
  return context.storeToWrite();
}

StoreChange::StoreChange(Context& context, std::string_view command)
    : context_(context),
      command_(command),
      store_(storeToChange(context)),
      transaction_(std::make_unique<mailstore::Store::Transaction>(*store_)),
      now_(static_cast<std::int64_t>(std::time(nullptr))),
      run_(store_->runs().begin(command, now_)) {}

EntryRow StoreChange::one(const std::string& word, Which which) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const std::string_view list = which == Which::Live ? "ls MAILBOX" : "ls MAILBOX --removed";
  if (error != std::errc{} || end != word.data() + word.size() || number < 1) {
    failUsage("\"" + harmlessLine(word) + "\" is not the number of an entry; `mailbraid " + std::string(list) +
              "` lists them");
  }
  const std::optional<EntryRow> row = store_->entries().anyRow(mailstore::EntryId{number});
  if (!row) failUsage("there is no entry " + word + " in the store; `mailbraid " + std::string(list) + "` lists them");
  const bool isRemoved = row->entry.removedAt != 0;
  if (isRemoved && which == Which::Live) {
    failUsage("entry " + word + " is removed; `mailbraid restore " + word + "` brings it back");
  }
  if (!isRemoved && which == Which::Removed)
    failUsage("entry " + word + " is not removed: there is nothing to restore");
  return *row;
}

std::vector<EntryRow> StoreChange::select(const EntryWords& words, Which which) {
  std::vector<EntryRow> out;
  std::set<mailstore::EntryId> seen;
  for (const std::string& word : withStandardInput(words)) {
    EntryRow row = one(word, which);
    if (seen.insert(row.entry.id).second) out.push_back(std::move(row));
  }
  return out;
}

void StoreChange::record(const EntryRow& row, std::string_view kind, const std::string& detail) {
  const auto mailbox = store_->mailboxes().find(row.entry.mailbox);
  const std::string name = mailbox ? fullName(*mailbox) : std::string();
  mailstore::OperationRow& operation = operations_[{name, {std::string(kind), detail}}];
  ++operation.count;
  operation.keys += (operation.keys.empty() ? "" : " ") + std::to_string(row.entry.id.value());
}

void StoreChange::note(const std::string& detail) {
  operations_[{std::string(), {"note", detail}}].count = 1;
}

void StoreChange::commit(std::string_view word, std::uint64_t changed) {
  commit(JsonObject().add(word, changed).text());
}

void StoreChange::commit(const std::string& summaryJson) {
  for (auto& [place, operation] : operations_) {
    operation.run = run_;
    operation.mailbox = place.first;
    std::tie(operation.kind, operation.detail) = place.second;
    store_->runs().add(operation);
  }
  store_->runs().finish(run_, now_, number(ExitCode::Complete), summaryJson);
  transaction_->commit();
}

ExitCode StoreChange::finish(std::string_view word, std::string_view done, std::uint64_t changed,
                             std::uint64_t unchanged) {
  if (changed > 0) commit(word, changed);
  if (context_.json()) {
    JsonObject object;
    changed > 0 ? object.add("run", run_.value()) : object.addNull("run");
    context_.out().line(object.add("command", command_).add("changed", changed).add("unchanged", unchanged).text());
    return ExitCode::Complete;
  }
  if (context_.options().quiet) return ExitCode::Complete;
  std::string line = changed > 0 ? counted(changed, "message") + " " + std::string(done) : "nothing to do";
  if (unchanged > 0) line += ", " + grouped(unchanged) + (unchanged == 1 ? " was so already" : " were so already");
  if (changed > 0) {
    line += "; the next sync carries it out, `mailbraid undo " + std::to_string(run_.value()) + "` takes it back";
  }
  context_.out().line(line);
  return ExitCode::Complete;
}

}  // namespace mailbraid::cli
