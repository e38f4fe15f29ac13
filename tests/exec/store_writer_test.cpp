#include "sync/exec/store_writer.h"

#include "tests/exec/pull_fixture.h"
#include "tests/support/catch.h"

#include <atomic>
#include <future>
#include <string>
#include <thread>

using namespace mailbraid;
using namespace mailbraid::tests;
using sync::exec::StoreWriter;

namespace {

mailstore::Error messageError() {
  return {mailstore::ErrorKind::Internal, mailstore::Scope::Message, mailstore::Retry::Later, "this job failed"};
}

}  // namespace

TEST_CASE("a job that fails is undone alone and tells its giver", "[exec][writer]") {
  TemporaryStore store;
  {
    StoreWriter writer(*store, StoreWriter::Mode::Commit);
    writer.run([](mailstore::Store& s) { s.mailboxes().ensureBraid("kept"); });
    CHECK_THROWS_AS(writer.run([](mailstore::Store& s) {
      s.mailboxes().ensure(s.mailboxes().ensureBraid("kept"), "undone", mailstore::Role::None);
      throw messageError();
    }),
                    mailstore::Error);
    writer.run([](mailstore::Store& s) {
      s.mailboxes().ensure(s.mailboxes().ensureBraid("kept"), "after", mailstore::Role::None);
    });
  }
  REQUIRE(store->mailboxes().list().size() == 1);
  CHECK(store->mailboxes().list()[0].mailbox.name == "after");
}

TEST_CASE("without a commit age each job is durable when it was given", "[exec][writer]") {
  TemporaryStore store;
  StoreWriter::Limits limits;
  limits.transactionAge = std::chrono::milliseconds(0);
  StoreWriter writer(*store, StoreWriter::Mode::Commit, limits);
  writer.give(
      [](mailstore::Store& s) { s.mailboxes().ensure(s.mailboxes().ensureBraid("x"), "y", mailstore::Role::None); }, 1);
  CHECK(mailstore::Store::open(store->directory(), mailstore::Access::ReadOnly)->mailboxes().list().size() == 1);
}

TEST_CASE("a rehearsal leaves nothing behind", "[exec][writer]") {
  TemporaryStore store;
  {
    StoreWriter writer(*store, StoreWriter::Mode::Rehearse);
    writer.run(
        [](mailstore::Store& s) { s.mailboxes().ensure(s.mailboxes().ensureBraid("x"), "y", mailstore::Role::None); });
    writer.flush();
    std::size_t seen = 0;
    writer.run([&](mailstore::Store& s) { seen = s.mailboxes().list().size(); });
    CHECK(seen == 1);
  }
  CHECK(store->mailboxes().list().empty());
}

TEST_CASE("after an error of the store itself every later call is refused and nothing hangs", "[exec][writer]") {
  TemporaryStore store;
  StoreWriter writer(*store, StoreWriter::Mode::Commit);
  const mailstore::Error full(mailstore::ErrorKind::NotWritable, mailstore::Scope::Run, mailstore::Retry::Later,
                              "disk full");
  CHECK_THROWS_AS(writer.run([&](mailstore::Store&) { throw full; }), mailstore::Error);
  CHECK_THROWS_WITH(writer.run([](mailstore::Store&) {}), "disk full");
  CHECK_THROWS_WITH(writer.flush(), "disk full");
  CHECK_THROWS_WITH(writer.wait(), "disk full");
}

TEST_CASE("P10: a job that is undone does not take along what was written before, however much",
          "[exec][writer][P10]") {
  TemporaryStore store;
  StoreWriter::Limits limits;
  limits.transactionOctets = std::size_t{1} << 30U;
  limits.transactionAge = std::chrono::hours(1);
  std::string octets(std::size_t{1} << 20U, ' ');
  std::uint64_t state = 1;
  {
    StoreWriter writer(*store, StoreWriter::Mode::Commit, limits);
    for (int i = 0; i < 24; ++i) {
      for (char& octet : octets) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        octet = static_cast<char>(state >> 56U);
      }
      writer.runLarge([&](mailstore::Store& s) { s.messages().add(prepared(s, octets)); });
    }
    CHECK_THROWS_AS(writer.run([](mailstore::Store&) { throw messageError(); }), mailstore::Error);
    writer.flush();
  }
  int messages = 0;
  store->messages().forEach([&](mailstore::MessageId) { ++messages; });
  CHECK(messages == 24);
}

TEST_CASE("who waits for the writer waits for what was given; where nothing was, nothing is committed",
          "[exec][writer]") {
  TemporaryStore store;
  int commits = 0;
  int carriedOut = 0;
  StoreWriter writer(*store, StoreWriter::Mode::Commit);
  writer.beforeCommit([&](mailstore::Store&) { ++commits; });
  writer.wait();
  writer.flush();
  CHECK(commits == 0);
  for (int i = 0; i < 3; ++i) writer.give([&](mailstore::Store&) { ++carriedOut; }, 0);
  writer.wake();
  writer.wait();
  CHECK(carriedOut == 3);
  writer.flush();
  CHECK(commits == 1);
}

TEST_CASE("an error of a job that nobody waits for ends the writer, and what was committed stays", "[exec][writer]") {
  TemporaryStore store;
  {
    StoreWriter writer(*store, StoreWriter::Mode::Commit);
    writer.give([](mailstore::Store& s) { s.mailboxes().ensureBraid("committed"); }, 0);
    writer.flush();
    writer.give(
        [](mailstore::Store& s) {
          s.mailboxes().ensure(s.mailboxes().ensureBraid("x"), "undone", mailstore::Role::None);
        },
        0);
    writer.give([](mailstore::Store&) { throw messageError(); }, 0);
    CHECK_THROWS_WITH(writer.flush(), "this job failed");
    CHECK_THROWS_WITH(writer.run([](mailstore::Store&) {}), "this job failed");
  }
  CHECK(store->mailboxes().list().empty());
}

TEST_CASE("jobs of many threads are all carried out, each thread's in order, within the queue's bound",
          "[exec][writer]") {
  TemporaryStore store;
  std::atomic<int> done{0};
  std::array<int, 4> last{};
  bool ordered = true;
  {
    StoreWriter::Limits limits;
    limits.queuedOctets = 1000;
    StoreWriter writer(*store, StoreWriter::Mode::Commit, limits);
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 1; i <= 200; ++i) {
          writer.give(
              [&, t, i](mailstore::Store&) {
                ordered = ordered && last[t] == i - 1;
                last[t] = i;
                ++done;
              },
              400);
        }
      });
    }
  }
  CHECK(done == 800);
  CHECK(ordered);
}

TEST_CASE("what is written before a commit is part of it", "[exec][writer]") {
  TemporaryStore store;
  int calls = 0;
  {
    StoreWriter writer(*store, StoreWriter::Mode::Commit);
    writer.beforeCommit([&](mailstore::Store& s) {
      ++calls;
      s.mailboxes().ensureBraid("noted");
    });
    writer.run([](mailstore::Store&) {});
    writer.flush();
  }
  CHECK(calls >= 1);
}

TEST_CASE("what is given with precedence goes before what others have queued, in its own order", "[exec][writer]") {
  TemporaryStore store;
  std::promise<void> gate;
  std::shared_future<void> opened = gate.get_future().share();
  std::string order;
  StoreWriter writer(*store, StoreWriter::Mode::Commit);
  const auto notes = [&order](char name) { return [&order, name](mailstore::Store&) { order += name; }; };
  writer.give([opened](mailstore::Store&) { opened.wait(); }, 0);
  std::thread([&] { writer.give(notes('a'), 0); }).join();
  writer.give(notes('x'), 0);  // its own
  {
    const StoreWriter::Precedence precedence(writer);
    writer.give(notes('b'), 0);
    writer.give(notes('c'), 0);
  }
  writer.give(notes('d'), 0);
  gate.set_value();
  writer.flush();
  CHECK(order == "xbcad");
}
