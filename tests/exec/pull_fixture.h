// A store in a temporary directory and an endpoint's answers written by hand.
#pragma once

#include "mailstore/store.h"
#include "sync/exec/endpoint_pull.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace mailbraid::tests {

namespace endpoint = sync::endpoint;
namespace exec = sync::exec;
namespace plan = sync::plan;

/// A store that is gone with the object.
class TemporaryStore {
 public:
  TemporaryStore() {
    std::string name = (std::filesystem::temp_directory_path() / "mailbraid-test-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    store_ = mailstore::Store::open(directory_, mailstore::Access::ReadWrite);
  }
  ~TemporaryStore() {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;

  mailstore::Store& operator*() { return *store_; }
  mailstore::Store* operator->() { return store_.get(); }

 private:
  std::filesystem::path directory_;
  std::unique_ptr<mailstore::Store> store_;
};

inline std::string mailText(const std::string& id, const std::string& route = "mx1") {
  return "Received: from " + route +
         " by here; Mon, 1 Jan 2024 10:00:00 +0000\r\nFrom: a@example.org\r\nMessage-ID: <" + id +
         "@example.org>\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\nSubject: " + id + "\r\n\r\nBody of " + id + "\r\n";
}

inline mailstore::PreparedMessage prepared(mailstore::Store& store, const std::string& text) {
  mailstore::MessageBuilder builder(store.spoolOptions());
  builder.append(text);
  return builder.finish();
}

/// One mailbox as an endpoint lists it.
inline endpoint::RemoteMailbox remoteMailbox(const std::string& name, std::uint32_t validity, std::uint32_t uidNext,
                                             std::uint64_t modSeq, std::uint32_t messages) {
  endpoint::RemoteMailbox mailbox;
  mailbox.name = name;
  mailbox.status = endpoint::RemoteStatus{mailstore::UidValidity{validity}, mailstore::Uid{uidNext},
                                          mailstore::ModSeq{modSeq}, messages};
  return mailbox;
}

/// One run of one endpoint against the store, told by hand: what a server would say.
class HandRun {
 public:
  HandRun(mailstore::Store& store, std::string endpointName, std::string braid,
          std::vector<endpoint::RemoteMailbox> listed, const std::string& type = "imap")
      : store_(store), listed_(std::move(listed)) {
    exec::PullSettings settings;
    settings.endpointName = std::move(endpointName);
    settings.endpointType = type;
    settings.braidName = std::move(braid);
    settings.keysAreUids = type == "imap";
    settings.removalsTold = type != "pop3";
    settings.now = 1'700'000'000;
    settings.removalsAllowed = [this](const std::string&) { return allowed; };
    pull = std::make_unique<exec::EndpointPull>(std::move(settings), log);
    std::vector<plan::MappedMailbox> mapped;
    for (const endpoint::RemoteMailbox& mailbox : listed_) {
      plan::MappedMailbox one;
      one.storeName = mailbox.name;
      one.role = mailbox.name == "INBOX" ? mailstore::Role::Inbox : mailstore::Role::None;
      mapped.push_back(std::move(one));
    }
    within([&] { pull->open(store_, listed_, mapped); });
    read.assign(pull->works().size(), std::nullopt);
  }

  template <class Action>
  void within(Action action) {
    mailstore::Store::Transaction transaction(store_);
    action();
    transaction.commit();
  }
  void begin(std::size_t work) {
    within([&] {
      pull->lookWhetherBraidIsEmpty(store_);
      pull->begin(store_, work, *listed_[work].status);
    });
    read[work] = listed_[work].status;
  }
  void deliver(std::size_t work, const mailstore::RemoteKey& key, const std::string& text,
               const std::vector<std::string>& flags = {}) {
    std::vector<exec::ArrivedMessage> arrived;
    endpoint::RemoteMessage message;
    message.key = key;
    message.flags = mailstore::Flags::parse(flags);
    message.size = text.size();
    arrived.push_back({std::move(message), prepared(store_, text)});
    within([&] { pull->messages(store_, work, arrived); });
  }
  /// Tells size and header only; true when the body is not needed.
  bool recognised(std::size_t work, const mailstore::RemoteKey& key, const std::string& text,
                  const std::vector<std::string>& flags = {}) {
    endpoint::RemoteMessage message;
    message.key = key;
    message.flags = mailstore::Flags::parse(flags);
    message.size = text.size();
    mailstore::HeaderDigester digester;
    digester.append(text);
    message.header = digester.finish();
    message.hasMessageId = digester.hadMessageId();
    bool needed = false;
    within([&] { needed = !endpoint::isEmpty(pull->identities(store_, work, {message})); });
    return !needed;
  }
  void tell(std::size_t work, const endpoint::Delta& delta) {
    within([&] { pull->applyDelta(store_, work, delta); });
    read[work] = listed_[work].status;
  }
  void finish(exec::EndpointPull::Unread unread = exec::EndpointPull::Unread::None) {
    within([&] { pull->finish(store_, read, unread); });
  }

  exec::OpLog log;
  std::unique_ptr<exec::EndpointPull> pull;
  std::vector<std::optional<endpoint::RemoteStatus>> read;
  bool allowed = false;

 private:
  mailstore::Store& store_;
  std::vector<endpoint::RemoteMailbox> listed_;
};

}  // namespace mailbraid::tests
