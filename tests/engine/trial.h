// A store in a temporary directory, fake servers, and runs of the engine between them.
#pragma once

#include "mailstore/store.h"
#include "sync/engine/engine.h"
#include "tests/support/fake_imap.h"
#include "tests/support/scratch.h"

#include <algorithm>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace mailbraid::tests {

using sync::endpoint::EndpointSettings;
using sync::engine::EndpointReport;
using sync::engine::RunReport;

class SilentObserver final : public sync::engine::Observer {
 public:
  void onProgress(const sync::engine::Progress&) override {}
  void onLog(int, const std::string&) override {}
};

inline EndpointSettings endpointAt(const FakeImap& server, const std::string& name, const std::string& braid = "") {
  EndpointSettings settings;
  settings.name = name;
  settings.braid = braid.empty() ? name : braid;
  settings.server.host = "127.0.0.1";
  settings.server.port = server.port();
  settings.server.tls = sync::net::TlsMode::None;
  settings.server.timeout = std::chrono::seconds(20);
  settings.user = "me";
  settings.password = [] { return sync::sasl::Secret("secret"); };
  return settings;
}

class Trial {
 public:
  mailstore::Store& store() { return *store_; }

  RunReport run(std::vector<EndpointSettings> endpoints, std::stop_token stop = {}) {
    sync::engine::SyncRequest request;
    request.endpoints = std::move(endpoints);
    request.allowRemovals = allowRemovals;
    if (now != 0) request.clock = [this] { return now; };
    SilentObserver observer;
    return sync::engine::sync(*store_, request, observer, std::move(stop));
  }
  std::vector<sync::engine::AllowedRemovals> allowRemovals;
  std::int64_t now = 0;  ///< seconds since 1970; 0: what the clock says

  /// The subjects of the live entries of a store mailbox, sorted.
  std::vector<std::string> subjects(const std::string& braid, const std::string& mailbox) {
    std::vector<std::string> all;
    const auto found = store_->mailboxes().findByName(store_->mailboxes().ensureBraid(braid), mailbox);
    if (!found) return all;
    store_->entries().list(found->id,
                           [&](const mailstore::EntryRow& row) { all.push_back(row.message.header.subject); });
    std::sort(all.begin(), all.end());
    return all;
  }
  std::size_t count(const std::string& braid, const std::string& mailbox) { return subjects(braid, mailbox).size(); }

  /// The mailboxes of a braid that hold something, "NAME: COUNT", sorted.
  std::vector<std::string> filled(const std::string& braid) {
    std::vector<std::string> all;
    for (const mailstore::MailboxSummary& one : store_->mailboxes().list()) {
      if (one.mailbox.braidName == braid && one.messages > 0)
        all.push_back(one.mailbox.name + ": " + std::to_string(one.messages));
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  /// What is in quarantine, "ENDPOINT MAILBOX UID", sorted.
  std::vector<std::string> quarantined() {
    std::vector<std::string> all;
    for (const mailstore::EndpointStatus& status : store_->endpoints().statuses()) {
      for (const mailstore::EndpointMailbox& mailbox : store_->endpoints().mailboxes(status.endpoint.id)) {
        for (const mailstore::QuarantineRow& row : store_->quarantine().of(mailbox.id)) {
          all.push_back(status.endpoint.name + " " + mailbox.name + " " +
                        std::to_string(std::get<mailstore::Uid>(row.key).value()));
        }
      }
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  /// The flags of a message, as the store has them, e.g. "\\Seen".
  mailstore::Flags flagsOf(const std::string& braid, const std::string& mailbox, const std::string& subject) {
    mailstore::Flags flags;
    const auto found = store_->mailboxes().findByName(store_->mailboxes().ensureBraid(braid), mailbox);
    if (!found) return flags;
    store_->entries().list(found->id, [&](const mailstore::EntryRow& row) {
      if (row.message.header.subject == subject) flags = row.entry.flags;
    });
    return flags;
  }

  bool sound() { return store_->checkStructure().empty(); }

 private:
  Scratch scratch_;
  std::unique_ptr<mailstore::Store> store_ =
      mailstore::Store::open(scratch_.path() / "store", mailstore::Access::ReadWrite);
};

/// "m1" ... "mN".
inline std::vector<std::string> numbered(int first, int last) {
  std::vector<std::string> all;
  for (int i = first; i <= last; ++i) all.push_back("m" + std::to_string(i));
  std::sort(all.begin(), all.end());
  return all;
}

inline void fill(FakeMailbox& mailbox, int first, int last) {
  for (int i = first; i <= last; ++i) mailbox.add(fakeMail("m" + std::to_string(i)));
}

/// Everything that went wrong, for a failing test's message.
inline std::string problemsOf(const RunReport& report) {
  std::string text;
  for (const EndpointReport& one : report.endpoints) {
    for (const sync::engine::Problem& problem : one.problems) text += problem.sentence + "; ";
    for (const std::string& note : one.notes) text += "(" + note + ") ";
  }
  return text;
}

}  // namespace mailbraid::tests
