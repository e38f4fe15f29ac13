#include "mailstore/store.h"

#include "mailstore/database.h"
#include "mailstore/statement.h"
#include "mailstore/store_file.h"
#include "mailstore/types/error.h"

namespace mailbraid::mailstore {

struct Store::Tables {
  explicit Tables(Database& database)
      : messages(database),
        mailboxes(database),
        entries(database),
        endpoints(database),
        pairs(database),
        backlog(database),
        quarantine(database),
        runs(database),
        journal(database),
        retention(database),
        spendings(database) {}

  Messages messages;
  Mailboxes mailboxes;
  Entries entries;
  Endpoints endpoints;
  Pairs pairs;
  Backlog backlog;
  Quarantine quarantine;
  Runs runs;
  Journal journal;
  Retention retention;
  Spendings spendings;
};

std::unique_ptr<Store> Store::open(const std::filesystem::path& directory, Access access) {
  if (access == Access::ReadWrite) return open(Claim(directory));
  return std::unique_ptr<Store>(new Store(std::make_unique<Database>(directory)));
}

Store::Claim::Claim(const std::filesystem::path& directory) : directory_(directory) {
  makeStoreDirectory(directory_);
  lock_ = std::make_unique<LockFile>(directory_ / "store.lock");
}

Store::Claim::~Claim() = default;
Store::Claim::Claim(Claim&&) noexcept = default;
Store::Claim& Store::Claim::operator=(Claim&&) noexcept = default;

std::unique_ptr<Store> Store::open(Claim&& claim) {
  return std::unique_ptr<Store>(new Store(std::make_unique<Database>(std::move(claim))));
}

Store::Store(std::unique_ptr<Database> database)
    : database_(std::move(database)), tables_(std::make_unique<Tables>(*database_)) {}

Store::~Store() = default;

Messages& Store::messages() {
  return tables_->messages;
}
Mailboxes& Store::mailboxes() {
  return tables_->mailboxes;
}
Entries& Store::entries() {
  return tables_->entries;
}
Endpoints& Store::endpoints() {
  return tables_->endpoints;
}
Pairs& Store::pairs() {
  return tables_->pairs;
}
Backlog& Store::backlog() {
  return tables_->backlog;
}
Quarantine& Store::quarantine() {
  return tables_->quarantine;
}
Runs& Store::runs() {
  return tables_->runs;
}

Journal& Store::journal() {
  return tables_->journal;
}
Retention& Store::retention() {
  return tables_->retention;
}

Spendings& Store::spendings() {
  return tables_->spendings;
}

const std::filesystem::path& Store::directory() const {
  return database_->directory();
}

SpoolOptions Store::spoolOptions() const {
  return spoolOptionsFor(directory());
}

SpoolOptions Store::spoolOptionsFor(const std::filesystem::path& directory) {
  SpoolOptions out;
  out.directory = directory;
  return out;
}

Store::Transaction::Transaction(Store& store) : store_(store) {
  store_.database_->begin();
}

Store::Transaction::~Transaction() {
  if (open_) store_.database_->rollback();
}

void Store::Transaction::commit() {
  store_.database_->commit();
  open_ = false;
}

bool Store::hasSpilled() const {
  return database_->hasSpilled();
}

void Store::tidy() {
  database_->tidy();
}

std::vector<std::string> Store::checkStructure() {
  std::vector<std::string> out;
  try {
    Statement quick(*database_, "PRAGMA quick_check(20)");
    Query check(quick);
    while (check.next()) {
      if (check.text(0) != "ok") out.emplace_back("The database is damaged: " + std::string(check.text(0)) + ".");
    }
    Statement keys(*database_, "PRAGMA foreign_key_check");
    Query broken(keys);
    while (broken.next() && out.size() < 40) {
      out.emplace_back("Row " + std::string(broken.text(1)) + " of table " + std::string(broken.text(0)) +
                       " refers to a row of " + std::string(broken.text(2)) + " that is not there.");
    }
  } catch (const Error& error) {
    // So damaged that SQLite cannot go on looking.
    if (error.kind() != ErrorKind::StoreDamaged) throw;
    out.emplace_back(error.what());
  }
  return out;
}

}  // namespace mailbraid::mailstore
