// A store whose endpoint "b" is pushed to, and an endpoint that does what it is asked for.
#pragma once

#include "sync/exec/endpoint_push.h"
#include "tests/exec/pull_fixture.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mailbraid::tests {

using mailstore::EntryId;
using mailstore::Flags;
using mailstore::RemoteKey;
using mailstore::SystemFlag;
using mailstore::Uid;

/// Does everything at once, and keeps what it was asked for.
class WillingEndpoint final : public endpoint::Endpoint {
 public:
  void open() override {}
  void reconnect() override {}
  const std::vector<endpoint::RemoteMailbox>& list() override { return none_; }
  void refresh() override {}
  std::vector<endpoint::Delta> changes(std::span<const endpoint::DeltaRequest>, endpoint::PullSink&) override {
    return {};
  }
  endpoint::Outcomes identify(std::span<const endpoint::KeyRequest>, const endpoint::IdentitySink&) override {
    return {};
  }
  endpoint::Outcomes fetch(std::span<const endpoint::KeyRequest>, endpoint::PullSink&) override { return {}; }
  bool isGone(const std::string&) override { return false; }
  void close() noexcept override {}
  [[nodiscard]] endpoint::WireTotals wireTotals() const override { return {}; }
  [[nodiscard]] endpoint::EndpointFacts facts() const override { return {}; }
  [[nodiscard]] std::optional<endpoint::MessagePlace> inProgress() const override { return {}; }

  std::vector<endpoint::MailboxOutcome> changeMailboxes(std::span<const endpoint::MailboxChange> changes) override {
    std::vector<endpoint::MailboxOutcome> out;
    for (const auto& change : changes) {
      asked.push_back((change.kind == endpoint::MailboxChange::Kind::Create ? "create " : "rename to ") + change.name);
      made_.push_back(std::make_unique<endpoint::RemoteMailbox>(remoteMailbox(change.name, 5, 1, 0, 0)));
      out.push_back({made_.back().get(), {}});
    }
    return out;
  }
  endpoint::Outcomes storeFlags(std::span<const endpoint::FlagRequest> requests, endpoint::PushSink& sink) override {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      for (const auto& change : requests[i].changes) {
        asked.push_back("flags " + text(requests[i].mailbox->name, change.keys) + " +" +
                        std::to_string(change.add.bits()) + " -" + std::to_string(change.remove.bits()));
        guards.push_back(change.unchangedSince.value());
        for (const Uid uid : each(change.keys)) {
          if (changedMeanwhile && change.unchangedSince.value() != 0) {
            sink.onChangedMeanwhile(i, uid);
          } else {
            sink.onFlags(i, uid, change.add.without(dropped));
          }
        }
      }
    }
    return Outcomes(requests.size());
  }
  endpoint::Outcomes transfer(std::span<const endpoint::TransferRequest> requests, endpoint::PushSink& sink) override {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto& request = requests[i];
      asked.push_back((request.kind == endpoint::TransferRequest::Kind::Move ? "move " : "copy ") +
                      text(request.from->name, request.keys) + " to " + request.to->name);
      for (const Uid uid : each(request.keys)) {
        if (tellsKeys) {
          sink.onTransferred(i, uid, RemoteKey{Uid{next_++}});
        } else {
          sink.onTransferred(i, uid, std::nullopt);
        }
      }
    }
    return Outcomes(requests.size());
  }
  endpoint::Outcomes append(std::span<const endpoint::AppendRequest> requests, const endpoint::OctetSource&,
                            endpoint::PushSink& sink) override {
    Outcomes out(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      sink.onAppending(i, {}, Uid{next_});
      std::vector<endpoint::AppendItem> items = requests[i].items;
      for (std::size_t done = 0; done < items.size() || addMore(items, requests[i]); ++done) {
        const endpoint::AppendItem item = items[done];
        asked.push_back("append to " + requests[i].mailbox->name);
        if (refusal) {
          sink.onAppendRefused(i, item.token, *refusal);
        } else {
          sink.onAppended(i, item.token, RemoteKey{Uid{next_++}}, item.flags);
        }
      }
    }
    return out;
  }
  endpoint::Outcomes remove(std::span<const endpoint::RemoveRequest> requests, endpoint::PushSink& sink) override {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const bool marks = requests[i].kind == endpoint::RemoveRequest::Kind::Mark || !expunges;
      asked.push_back((marks ? "mark " : "expunge ") + text(requests[i].mailbox->name, requests[i].keys));
      for (const Uid uid : each(requests[i].keys)) {
        marks ? sink.onMarked(i, uid) : sink.onRemoved(i, uid);
      }
    }
    return Outcomes(requests.size());
  }

  std::vector<std::string> asked;
  std::vector<std::uint64_t> guards;  ///< UNCHANGEDSINCE of each change of flags
  bool changedMeanwhile = false;      ///< another program changed every message after it was read
  Flags dropped;                      ///< flags that it silently does not keep
  bool tellsKeys = true;
  bool expunges = true;
  std::optional<mailstore::Error> refusal;

 private:
  using Outcomes = endpoint::Outcomes;
  static bool addMore(std::vector<endpoint::AppendItem>& items, const endpoint::AppendRequest& request) {
    if (!request.more) return false;
    const std::vector<endpoint::AppendItem> more = request.more();
    items.insert(items.end(), more.begin(), more.end());
    return !more.empty();
  }
  static std::string text(const std::string& mailbox, const endpoint::KeySet& keys) {
    return mailbox + " " + std::get<mailstore::UidSet>(keys).text();
  }
  static std::vector<Uid> each(const endpoint::KeySet& keys) {
    std::vector<Uid> out;
    for (const auto& range : std::get<mailstore::UidSet>(keys).ranges()) {
      for (std::uint32_t uid = range.first.value(); uid <= range.last.value(); ++uid) out.emplace_back(uid);
    }
    return out;
  }
  std::vector<endpoint::RemoteMailbox> none_;
  std::vector<std::unique_ptr<endpoint::RemoteMailbox>> made_;
  std::uint32_t next_ = 1000;
};

/// A store of the braid "home" with endpoint "a", whose messages have been pulled, and endpoint "b", which is pushed
/// to.
class PushTrial {
 public:
  PushTrial() {
    settings.endpointName = "b";
    settings.endpointType = "imap";
    settings.braidName = "home";
    settings.removalsAllowed = [this](const std::string&) { return allowed; };
    settings.now = 1'700'000'000;
  }

  void pullA(std::uint32_t count, const std::vector<std::string>& flags = {}) {
    HandRun run(*store, "a", "home", {remoteMailbox("INBOX", 1, count + 1, 10, count)});
    run.begin(0);
    for (std::uint32_t i = 1; i <= count; ++i) run.deliver(0, Uid{i}, mailText("m" + std::to_string(i)), flags);
    run.finish();
  }

  /// The mailboxes that "b" lists, pulled while they are empty.
  std::vector<exec::PushPlace> placesOfB(const std::vector<std::string>& names) {
    remotes.clear();
    for (const std::string& name : names) {
      remotes.push_back(remoteMailbox(name, validityOfB, 5000, 3, 0));
      remotes.back().appendLimit = appendLimit;
    }
    pullOfB = std::make_unique<HandRun>(*store, "b", "home", remotes);
    for (std::size_t i = 0; i < names.size(); ++i) pullOfB->begin(i);
    pullOfB->finish();
    std::vector<exec::PushPlace> places;
    for (const exec::MailboxWork& work : pullOfB->pull->works()) {
      const auto remote =
          std::find_if(remotes.begin(), remotes.end(), [&](const auto& r) { return r.name == work.record.name; });
      if (remote != remotes.end()) {
        places.push_back({work.record, &*remote, {}, true, remote->status->highestModSeq});
      }
    }
    return places;
  }

  /// Plans, does, records; returns what the endpoint was asked for.
  std::vector<std::string> push(const std::vector<std::string>& names = {"INBOX"}) {
    endpoint.asked.clear();
    log.setRun(mailstore::RunId{});
    std::vector<exec::PushPlace> places = placesOfB(names);
    exec::EndpointPush push(settings, log);
    {
      exec::StoreWriter writer(*store, exec::StoreWriter::Mode::Commit);
      writer.run([&](mailstore::Store& s) { push.plan(s, std::move(places)); });
      if (!push.isIdle()) push.carryOut(endpoint, writer, [](const auto&, const auto&) {});
      writer.run([&](mailstore::Store& s) { push.finish(s); });
    }
    counts = push.counts();
    notes = push.notes();
    failures = push.failures().size();
    return endpoint.asked;
  }

  /// Uploads ahead what was made after `since`, and what `isDue` makes meanwhile; returns up to where it has looked.
  mailstore::ChangeNumber uploadAhead(const std::vector<std::string>& names, mailstore::ChangeNumber since,
                                      const std::function<bool(exec::StoreWriter&)>& isDue) {
    endpoint.asked.clear();
    std::vector<exec::PushPlace> places = placesOfB(names);
    exec::EndpointPush push(settings, log);
    exec::StoreWriter writer(*store, exec::StoreWriter::Mode::Commit);
    writer.run([&](mailstore::Store& s) { push.planAhead(s, std::move(places), since); });
    push.goOnAhead([&] { return isDue(writer); });
    push.carryOut(endpoint, writer, [](const auto&, const auto&) {});
    return push.plannedUpTo();
  }

  template <class Action>
  void change(Action action) {
    mailstore::Store::Transaction transaction(*store);
    action(*store);
    transaction.commit();
  }
  std::vector<EntryId> entries(const std::string& mailbox = "INBOX") {
    std::vector<EntryId> out;
    const auto found = store->mailboxes().findByName(store->mailboxes().ensureBraid("home"), mailbox);
    store->entries().list(found->id, [&](const mailstore::EntryRow& row) { out.push_back(row.entry.id); });
    return out;
  }
  std::vector<mailstore::WaitingRow> waiting() {
    const auto record = store->endpoints().ensure("b", "imap", store->mailboxes().ensureBraid("home"));
    return store->backlog().waiting(record.id);
  }

  TemporaryStore store;
  WillingEndpoint endpoint;
  exec::PushSettings settings;
  exec::OpLog log;
  bool allowed = false;
  std::uint32_t validityOfB = 5;
  std::optional<std::uint64_t> appendLimit;
  exec::PushCounts counts;
  std::vector<std::string> notes;
  std::size_t failures = 0;
  std::vector<endpoint::RemoteMailbox> remotes;
  std::unique_ptr<HandRun> pullOfB;
};

using Asked = std::vector<std::string>;

}  // namespace mailbraid::tests
