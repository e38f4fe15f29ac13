// What most tests of the store begin with.
#pragma once

#include "mailstore/message_builder.h"
#include "mailstore/store.h"
#include "tests/mailstore/tamper.h"
#include "tests/support/scratch.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

namespace mailbraid::tests {

inline std::string fileContent(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// `octets` as a prepared message, fed in pieces of `step`.
inline mailstore::PreparedMessage prepared(std::string_view octets, std::size_t step = 65536) {
  mailstore::MessageBuilder builder({.directory = std::filesystem::temp_directory_path()});
  for (std::size_t at = 0; at < octets.size(); at += step) builder.append(octets.substr(at, step));
  return builder.finish();
}

/// An empty store with braid, INBOX, and one endpoint with one mailbox.
struct StoreFixture {
  StoreFixture() : store(mailstore::Store::open(directory(), mailstore::Access::ReadWrite)) {
    braid = store->mailboxes().ensureBraid("home");
    inbox = store->mailboxes().ensure(braid, "INBOX", mailstore::Role::Inbox);
    endpoint = store->endpoints().ensure("work", "imap", braid).id;
    remote = store->endpoints().addMailbox(endpoint, "INBOX", inbox, "").id;
  }

  [[nodiscard]] std::filesystem::path directory() const { return scratch.path() / "store"; }
  [[nodiscard]] std::filesystem::path file() const { return directory() / "store.db"; }
  void close() { store.reset(); }
  /// Closes, and brings the log in: the file is all there is.
  void closeWhole() {
    close();
    tamper(file(), "PRAGMA wal_checkpoint(TRUNCATE)");
  }
  void reopen() {
    store.reset();
    store = mailstore::Store::open(directory(), mailstore::Access::ReadWrite);
  }

  mailstore::MessageId addMessage(std::string_view octets) {
    mailstore::Store::Transaction transaction(*store);
    const auto id = store->messages().add(prepared(octets));
    transaction.commit();
    return id;
  }
  mailstore::EntryId addEntry(std::string_view octets) {
    return store->entries().add(inbox, addMessage(octets), {}, {1000, 60});
  }
  std::string read(mailstore::MessageId id) {
    std::string out;
    store->messages().read(id, [&](std::string_view piece) { out += piece; });
    return out;
  }

  Scratch scratch;
  std::unique_ptr<mailstore::Store> store;
  mailstore::BraidId braid;
  mailstore::MailboxId inbox;
  mailstore::EndpointId endpoint;
  mailstore::EndpointMailboxId remote;
};

}  // namespace mailbraid::tests
