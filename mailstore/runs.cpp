#include "mailstore/database.h"
#include "mailstore/statement.h"
#include "mailstore/store.h"

#include <algorithm>
#include <limits>

namespace mailbraid::mailstore {
namespace {

constexpr std::size_t kMaxKeys = 64UL * 1024UL;

RunRow runFrom(const Query& query) {
  RunRow out;
  out.id = query.named<RunId>(0);
  out.started = query.integer(1);
  out.finished = query.integer(2);
  out.command = query.text(3);
  out.exitCode = static_cast<int>(query.integer(4));
  out.summary = query.text(5);
  if (query.integer(6) >= 0) out.firstChange = query.named<ChangeNumber>(6);
  return out;
}

/// Cut after a whole key: half a number would name another message.
std::string_view cutKeys(std::string_view keys) {
  if (keys.size() <= kMaxKeys) return keys;
  const std::size_t end = keys.substr(0, kMaxKeys + 1).find_last_of(", ");
  return keys.substr(0, end == std::string_view::npos ? 0 : end);
}

}  // namespace

#define MAILBRAID_RUNS "SELECT id, started, finished, command, exit_code, summary, first_change FROM run"

struct Runs::Statements {
  explicit Statements(Database& owner) : database(owner) {}

  Database& database;
  Statement begin{database, "INSERT INTO run(command, started, first_change) VALUES(?,?,?) RETURNING id"};
  Statement finish{database, "UPDATE run SET finished = ?, exit_code = ?, summary = ? WHERE id = ?"};
  Statement add{database,
                "INSERT INTO operation(run, endpoint, mailbox, kind, count, keys, detail) VALUES(?,?,?,?,?,?,?)"};
  Statement list{database, MAILBRAID_RUNS " ORDER BY id DESC LIMIT ?"};
  Statement byId{database, MAILBRAID_RUNS " WHERE id = ?"};
  Statement after{database, MAILBRAID_RUNS " WHERE id > ? ORDER BY id LIMIT 1"};
  Statement operations{
      database, "SELECT run, endpoint, mailbox, kind, count, keys, detail FROM operation WHERE run = ? ORDER BY id"};
};

Runs::Runs(Database& database) : statements_(std::make_unique<Statements>(database)) {}
Runs::~Runs() = default;

RunId Runs::begin(std::string_view command, std::int64_t now) {
  Query query(statements_->begin, command, now, statements_->database.lastChange());
  query.next();
  const auto id = query.named<RunId>(0);
  query.next();
  statements_->database.setRun(id);
  return id;
}

void Runs::finish(RunId run, std::int64_t now, int exitCode, std::string_view summaryJson) {
  execute(statements_->finish, now, exitCode, summaryJson, run);
  statements_->database.setRun({});
}

void Runs::add(const OperationRow& operation) {
  execute(statements_->add, operation.run, operation.endpoint, operation.mailbox, operation.kind, operation.count,
          cutKeys(operation.keys), operation.detail);
}

std::vector<RunRow> Runs::list(std::size_t limit) {
  std::vector<RunRow> out;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  Query query(statements_->list, std::min<std::uint64_t>(limit, kMost));
  while (query.next()) out.push_back(runFrom(query));
  return out;
}

std::optional<RunRow> Runs::find(RunId run) {
  Query query(statements_->byId, run);
  if (!query.next()) return std::nullopt;
  return runFrom(query);
}

std::optional<RunRow> Runs::after(RunId run) {
  Query query(statements_->after, run);
  if (!query.next()) return std::nullopt;
  return runFrom(query);
}

std::vector<OperationRow> Runs::operations(RunId run) {
  std::vector<OperationRow> out;
  Query query(statements_->operations, run);
  while (query.next()) {
    out.push_back({query.named<RunId>(0), std::string(query.text(1)), std::string(query.text(2)),
                   std::string(query.text(3)), static_cast<std::uint64_t>(query.integer(4)), std::string(query.text(5)),
                   std::string(query.text(6))});
  }
  return out;
}

}  // namespace mailbraid::mailstore
