#include "mailstore/database.h"
#include "mailstore/statement.h"
#include "mailstore/store.h"

namespace mailbraid::mailstore {

struct Spendings::Statements {
  explicit Statements(Database& database)
      : find(database,
             "SELECT octets_in, octets_out, messages_in, messages_out FROM spending WHERE account = ? AND day = ?"),
        add(database,
            "INSERT INTO spending VALUES(?,?,?,?,?,?) ON CONFLICT DO UPDATE SET octets_in = octets_in + "
            "excluded.octets_in, octets_out = octets_out + excluded.octets_out, messages_in = messages_in + "
            "excluded.messages_in, messages_out = messages_out + excluded.messages_out"),
        forget(database, "DELETE FROM spending WHERE account = ? AND day < ?") {}

  Statement find;
  Statement add;
  Statement forget;
};

Spendings::Spendings(Database& database) : statements_(std::make_unique<Statements>(database)) {}
Spendings::~Spendings() = default;

Spending Spendings::of(std::string_view account, std::int64_t day) {
  Query query(statements_->find, account, day);
  if (!query.next()) return {};
  const auto amount = [&](int column) { return static_cast<std::uint64_t>(query.integer(column)); };
  return {amount(0), amount(1), amount(2), amount(3)};
}

void Spendings::add(std::string_view account, std::int64_t day, const Spending& more) {
  execute(statements_->forget, account, day);
  execute(statements_->add, account, day, more.octetsIn, more.octetsOut, more.messagesIn, more.messagesOut);
}

}  // namespace mailbraid::mailstore
