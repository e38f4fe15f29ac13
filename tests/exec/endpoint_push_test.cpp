#include "sync/exec/endpoint_push.h"

#include "tests/exec/pull_fixture.h"
#include "tests/support/catch.h"

#include <algorithm>

using namespace mailbraid;
using namespace mailbraid::tests;
using mailstore::EntryId;
using mailstore::Flags;
using mailstore::RemoteKey;
using mailstore::SystemFlag;
using mailstore::Uid;

namespace {

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
      for (const auto& item : requests[i].items) {
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
    for (const std::string& name : names) remotes.push_back(remoteMailbox(name, validityOfB, 5000, 3, 0));
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
  exec::PushCounts counts;
  std::vector<std::string> notes;
  std::size_t failures = 0;
  std::vector<endpoint::RemoteMailbox> remotes;
  std::unique_ptr<HandRun> pullOfB;
};

using Asked = std::vector<std::string>;

}  // namespace

TEST_CASE("P3: what one endpoint brought is uploaded to the other once", "[exec][push][P3]") {
  PushTrial trial;
  trial.pullA(2, {"\\Seen"});
  CHECK(trial.push() == Asked{"append to INBOX", "append to INBOX"});
  CHECK(trial.counts.uploaded == 2);
  CHECK(trial.push().empty());
  CHECK(trial.waiting().empty());
}

TEST_CASE("changed flags are stored as deltas, grouped by what they change", "[exec][push]") {
  PushTrial trial;
  trial.pullA(3);
  trial.push();
  trial.change([&](mailstore::Store& store) {
    for (const EntryId entry : trial.entries()) store.entries().setFlags(entry, Flags::parse({"\\Seen"}));
  });
  CHECK(trial.push() == Asked{"flags INBOX 1000:1002 +1 -0"});
  CHECK(trial.push().empty());
  trial.change([&](mailstore::Store& store) { store.entries().setFlags(trial.entries().front(), {}); });
  CHECK(trial.push() == Asked{"flags INBOX 1000 +0 -1"});
}

TEST_CASE("flags are stored only where nobody changed them since they were read", "[exec][push]") {
  PushTrial trial;
  trial.pullA(2);
  trial.push();
  trial.change(
      [&](mailstore::Store& store) { store.entries().setFlags(trial.entries().front(), Flags::parse({"\\Seen"})); });
  trial.endpoint.changedMeanwhile = true;
  CHECK(trial.push().size() == 1);
  CHECK(trial.endpoint.guards == std::vector<std::uint64_t>{3});  // the HIGHESTMODSEQ that b listed
  CHECK(trial.counts.flags == 0);
  REQUIRE(trial.waiting().size() == 1);
  trial.endpoint.changedMeanwhile = false;
  CHECK(trial.push() == Asked{"flags INBOX 1000 +1 -0"});
  CHECK(trial.waiting().empty());
}

TEST_CASE("a move whose UIDs nobody tells waits until the message was seen there", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push({"INBOX", "Work"});
  trial.change([&](mailstore::Store& store) {
    const auto work = store.mailboxes().findByName(store.mailboxes().ensureBraid("home"), "Work");
    store.entries().move(trial.entries().front(), work->id);
  });
  trial.endpoint.tellsKeys = false;
  CHECK(trial.push({"INBOX", "Work"}) == Asked{"move INBOX 1000 to Work"});
  CHECK(trial.waiting().size() == 1);
  // It had vanished before, and the server did not say so: it is put there.
  CHECK(trial.push({"INBOX", "Work"}) == Asked{"append to Work"});
  CHECK(trial.waiting().empty());
}

TEST_CASE("what is renamed comes before what is made, those above before those below; what stays is put back",
          "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push({"INBOX", "P/C", "P", "P/Stays"});
  trial.change([&](mailstore::Store& store) {
    const auto braid = store.mailboxes().ensureBraid("home");
    store.mailboxes().rename(store.mailboxes().findByName(braid, "P")->id, "Q");
    store.mailboxes().rename(store.mailboxes().findByName(braid, "P/C")->id, "Q/C");
    store.mailboxes().ensure(braid, "Q/New", mailstore::Role::None);
  });
  CHECK(trial.push({"INBOX", "P/C", "P", "P/Stays"}) ==
        Asked{"rename to Q", "rename to Q/C", "rename to P/Stays", "create Q/New"});
}

TEST_CASE("flags of a message that this push moved are stored without a guard: it has changed since", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push({"INBOX", "Work"});
  trial.change([&](mailstore::Store& store) {
    const auto work = store.mailboxes().findByName(store.mailboxes().ensureBraid("home"), "Work");
    const EntryId entry = trial.entries().front();
    store.entries().setFlags(entry, Flags::parse({"\\Flagged"}));
    store.entries().move(entry, work->id);
  });
  CHECK(trial.push({"INBOX", "Work"}) == Asked{"move INBOX 1000 to Work", "flags Work 1001 +4 -0"});
  CHECK(trial.endpoint.guards == std::vector<std::uint64_t>{0});
}

TEST_CASE("P3: a flag that the server silently drops is not sent again and again", "[exec][push][P3]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push();
  trial.endpoint.dropped = Flags::parse({"work"});
  trial.change([&](mailstore::Store& store) {
    store.entries().setFlags(trial.entries().front(), Flags::parse({"\\Seen", "work"}));
  });
  CHECK(trial.push().size() == 1);
  CHECK(trial.push().empty());
  CHECK(trial.store->entries().find(trial.entries().front())->flags.hasKeyword("work"));
}

TEST_CASE("a move in the store is a move at the endpoint, into a mailbox that is made for it", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push();
  trial.change([&](mailstore::Store& store) {
    const auto braid = store.mailboxes().ensureBraid("home");
    store.entries().move(trial.entries().front(), store.mailboxes().ensure(braid, "Work", mailstore::Role::None));
  });
  CHECK(trial.push() == Asked{"create Work", "move INBOX 1000 to Work"});
  CHECK(trial.counts.moved == 1);
  CHECK(trial.push({"INBOX", "Work"}).empty());
}

TEST_CASE("a message that the endpoint has elsewhere is copied there by its server", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push();
  trial.change([&](mailstore::Store& store) {
    const auto braid = store.mailboxes().ensureBraid("home");
    const auto entry = store.entries().find(trial.entries().front());
    store.entries().add(store.mailboxes().ensure(braid, "Copies", mailstore::Role::None), entry->message, entry->flags,
                        entry->internalDate);
  });
  CHECK(trial.push() == Asked{"create Copies", "copy INBOX 1000 to Copies"});
  CHECK(trial.push({"INBOX", "Copies"}).empty());
}

TEST_CASE("a removal is carried out by the endpoint's style", "[exec][push]") {
  PushTrial trial;
  trial.pullA(2);
  trial.push({"INBOX", "Trash"});
  trial.change([&](mailstore::Store& store) { store.entries().remove(trial.entries().front(), 1); });
  SECTION("expunge") {
    CHECK(trial.push({"INBOX", "Trash"}) == Asked{"expunge INBOX 1000"});
  }
  SECTION("mark, once") {
    trial.settings.removals = endpoint::RemovalStyle::Mark;
    CHECK(trial.push({"INBOX", "Trash"}) == Asked{"mark INBOX 1000"});
  }
  SECTION("expunge where the server could take others along: it is only marked, once") {
    trial.endpoint.expunges = false;
    CHECK(trial.push({"INBOX", "Trash"}) == Asked{"mark INBOX 1000"});
  }
  SECTION("never: it waits, and is carried out when that changes") {
    trial.settings.removals = endpoint::RemovalStyle::Never;
    CHECK(trial.push({"INBOX", "Trash"}).empty());
    CHECK(trial.waiting().size() == 1);
    trial.settings.removals = endpoint::RemovalStyle::Expunge;
    CHECK(trial.push({"INBOX", "Trash"}) == Asked{"expunge INBOX 1000"});
    CHECK(trial.waiting().empty());
  }
  CHECK(trial.counts.removed == 1);
  CHECK(trial.push({"INBOX", "Trash"}).empty());
}

TEST_CASE("P7: more than 20 removals and a quarter of a mailbox wait for the user, the rest is done",
          "[exec][push][P7]") {
  PushTrial trial;
  trial.pullA(60);
  trial.push();
  trial.change([&](mailstore::Store& store) {
    const std::vector<EntryId> all = trial.entries();
    for (std::size_t i = 0; i < 30; ++i) store.entries().remove(all[i], 1);
    store.entries().setFlags(all[40], Flags::parse({"\\Flagged"}));
  });
  CHECK(trial.push() == Asked{"flags INBOX 1040 +4 -0"});
  CHECK(trial.counts.held == 30);
  CHECK(trial.notes.size() == 1);
  CHECK(trial.push().empty());
  CHECK(trial.counts.held == 30);
  trial.allowed = true;
  CHECK(trial.push() == Asked{"expunge INBOX 1000:1029"});
  CHECK(trial.push().empty());
}

TEST_CASE("P7: what the user has allowed when it was pulled is not held again", "[exec][push][P7]") {
  PushTrial trial;
  trial.pullA(60);
  trial.push();
  trial.change([&](mailstore::Store& store) {
    for (const EntryId entry : trial.entries()) {
      store.entries().remove(entry, 1);
      trial.settings.allowedEntries.insert(entry);
    }
  });
  CHECK(trial.push() == Asked{"expunge INBOX 1000:1059"});
}

TEST_CASE("what the configuration does not carry is neither undone nor forgotten", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.settings.policy.fresh = false;
  CHECK(trial.push().empty());
  CHECK(trial.push().empty());
  trial.settings.policy.fresh = true;
  CHECK(trial.push() == Asked{"append to INBOX"});
}

TEST_CASE("without create_mailboxes mail of a mailbox that is not there waits, and that is told", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push();
  trial.settings.createMailboxes = false;
  trial.change([&](mailstore::Store& store) {
    const auto braid = store.mailboxes().ensureBraid("home");
    store.entries().move(trial.entries().front(), store.mailboxes().ensure(braid, "Work", mailstore::Role::None));
  });
  CHECK(trial.push().empty());
  CHECK(trial.failures == 1);
  trial.settings.createMailboxes = true;
  CHECK(trial.push() == Asked{"create Work", "move INBOX 1000 to Work"});
}

TEST_CASE("P10: what the server refuses for good is set aside and tried again a day later", "[exec][push][P10]") {
  PushTrial trial;
  trial.pullA(1);
  trial.endpoint.refusal =
      mailstore::Error(mailstore::ErrorKind::Protocol, mailstore::Scope::Message, mailstore::Retry::Never, "too big");
  CHECK(trial.push().size() == 1);
  CHECK(trial.counts.refused == 1);
  REQUIRE(trial.waiting().size() == 1);
  CHECK(trial.waiting().front().reason == "too big");
  CHECK(trial.push().empty());
  trial.settings.now += 25 * 3600;
  trial.endpoint.refusal.reset();
  CHECK(trial.push() == Asked{"append to INBOX"});
  CHECK(trial.waiting().empty());
}

TEST_CASE("P10: what fails for now is tried again in the next run", "[exec][push][P10]") {
  PushTrial trial;
  trial.pullA(1);
  trial.endpoint.refusal = mailstore::Error(mailstore::ErrorKind::TemporaryFailure, mailstore::Scope::Message,
                                            mailstore::Retry::Later, "try later");
  trial.push();
  REQUIRE(trial.waiting().size() == 1);
  trial.endpoint.refusal.reset();
  CHECK(trial.push() == Asked{"append to INBOX"});
}

TEST_CASE("P6: a mailbox that could not be read is not pushed to, and its changes wait", "[exec][push][P6]") {
  PushTrial trial;
  trial.pullA(1);
  std::vector<exec::PushPlace> places = trial.placesOfB({"INBOX"});
  places.front().known = false;
  exec::EndpointPush push(trial.settings, trial.log);
  trial.change([&](mailstore::Store& store) { push.plan(store, std::move(places)); });
  CHECK(push.isIdle());
  trial.change([&](mailstore::Store& store) { push.finish(store); });
  CHECK(trial.waiting().size() == 1);
  CHECK(trial.push() == Asked{"append to INBOX"});
}

TEST_CASE("mail outside of the endpoint's window is left out of uploads, and is no removal", "[exec][push]") {
  PushTrial trial;
  trial.pullA(5);
  trial.settings.window.maxMessages = 2;
  CHECK(trial.push().size() == 2);
  CHECK(trial.push().empty());
  CHECK(trial.entries().size() == 5);
  trial.settings.window.maxMessages.reset();
  CHECK(trial.push().size() == 3);
}

TEST_CASE("a mailbox renamed in the store is renamed at the endpoint", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push({"INBOX", "Old"});
  trial.change([&](mailstore::Store& store) {
    const auto old = store.mailboxes().findByName(store.mailboxes().ensureBraid("home"), "Old");
    store.mailboxes().rename(old->id, "New");
  });
  CHECK(trial.push({"INBOX", "Old"}) == Asked{"rename to New"});
}

TEST_CASE("P5: after a changed UIDVALIDITY what the mailbox lacks is uploaded again", "[exec][push][P5]") {
  PushTrial trial;
  trial.pullA(2);
  trial.push();
  trial.validityOfB = 6;  // made anew, and empty
  CHECK(trial.push() == Asked{"append to INBOX", "append to INBOX"});
  CHECK(trial.entries().size() == 2);
  CHECK(trial.push().empty());
}

TEST_CASE("P4: the old copy of a move that was cut short is removed", "[exec][push][P4]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push({"INBOX", "Work"});
  trial.change([&](mailstore::Store& store) {
    const EntryId entry = trial.entries().front();
    store.entries().move(entry, store.mailboxes().ensure(store.mailboxes().ensureBraid("home"), "Work", {}));
    for (const auto& work : trial.pullOfB->pull->works()) {
      if (work.record.name == "Work") store.pairs().add(work.record.id, Uid{7}, entry, {}, {});
    }
  });
  CHECK(trial.push({"INBOX", "Work"}) == Asked{"expunge INBOX 1000"});
  CHECK(trial.push({"INBOX", "Work"}).empty());
}

TEST_CASE("a mailbox to be made gets a name of its own where another mailbox has it", "[exec][push]") {
  PushTrial trial;
  trial.pullA(1);
  trial.push({"INBOX", "Play"});
  trial.change([&](mailstore::Store& store) {  // as after a rename at "b" while others have both names
    const auto braid = store.mailboxes().ensureBraid("home");
    store.mailboxes().rename(store.mailboxes().findByName(braid, "Play")->id, "Old");
    for (const auto& work : trial.pullOfB->pull->works()) store.endpoints().setStoreName(work.record.id, "");
    store.entries().move(trial.entries().front(), store.mailboxes().ensure(braid, "Play", mailstore::Role::None));
  });
  CHECK(trial.push({"INBOX", "Play"}) == Asked{"create Play (2)", "move INBOX 1000 to Play (2)"});
}
