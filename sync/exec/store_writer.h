// The one writer: owns the store's write transaction and commits the work of all endpoints in groups.
#pragma once

#include "mailstore/store.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <thread>

namespace mailbraid::sync::exec {

/// A thread that carries out jobs against the store, in the order they were given, inside transactions that it commits
/// by size, by age, and on flush(). Each job is a savepoint: one that throws is undone alone. Any thread may give jobs.
/// An Error of the store itself (NotWritable, StoreDamaged) ends the writer: every later call throws it.
class StoreWriter {
 public:
  enum class Mode : std::uint8_t {
    Commit,
    Rehearse,  ///< one transaction that is rolled back at the end: the dry run does what the run would do
  };
  struct Limits {
    std::size_t queuedOctets = std::size_t{8} << 20U;       ///< give() waits while more is queued
    std::size_t transactionOctets = std::size_t{4} << 20U;  ///< commit after so many
    std::chrono::milliseconds transactionAge{500};          ///< 0: each job is durable when give() or run() returns
  };
  using Job = std::function<void(mailstore::Store&)>;

  /// While it lives, what its thread gives, or has given, goes before what others have given and is not carried out
  /// yet: for one who waits for each of its jobs while others fill the queue.
  class Precedence {
   public:
    explicit Precedence(StoreWriter& writer);
    ~Precedence();
    Precedence(const Precedence&) = delete;
    Precedence& operator=(const Precedence&) = delete;

   private:
    StoreWriter& writer_;
  };

  using Opener = std::function<mailstore::Store&()>;

  StoreWriter(mailstore::Store& store, Mode mode, Limits limits)
      : StoreWriter([&store]() -> mailstore::Store& { return store; }, mode, limits) {}
  StoreWriter(mailstore::Store& store, Mode mode) : StoreWriter(store, mode, Limits{}) {}
  /// The thread opens the store itself, as the first thing it does; jobs wait meanwhile. When that fails, the writer
  /// has ended with what it threw. Until somebody waits for a job it tidies the store.
  StoreWriter(Opener open, Mode mode, Limits limits);
  ~StoreWriter();  ///< carries out what was given, commits (Commit), stops the thread
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  /// Called before each commit, from the writer's thread, inside the transaction. Set before the first job.
  void beforeCommit(Job job);

  /// Queues a job that weighs `octets`; waits while the queue is full. It must handle what concerns one message itself:
  /// it has no savepoint, because SQLite copies every page that a savepoint touches, which cost more than storing mail.
  void give(Job job, std::size_t octets);
  /// Carries the job out after all that the same thread gave before, and, but for Precedence, the others, and waits for
  /// it; undoes it and rethrows when it throws. Not yet durable: see flush().
  void run(const Job& job);
  /// As run(), for a job that touches much: it has no savepoint (see give()), so what it throws ends the writer.
  void runLarge(const Job& job);
  /// Waits until all that was given before is durable. Where nothing was, nothing is committed.
  void flush();
  /// Waits until all that was given before is carried out, or throws why the writer has ended.
  void wait();
  /// What was given is carried out from now on, though nobody waits for it yet: there is no time to tidy.
  void wake();

 private:
  using Outcome = std::function<void(std::exception_ptr)>;
  struct Task {
    Job job;  ///< null: nothing to carry out
    std::size_t octets = 0;
    enum class Failure : std::uint8_t { UndoesJob, EndsWriter } failure = Failure::EndsWriter;
    Outcome finished;  ///< null: carried out (and committed, with commitAfter)
    bool commitAfter = false;
    std::thread::id giver{};
  };

  void loop();
  void tidyWhileIdle();
  void carryOut(Task& task);
  void begin();
  void commit();
  void endWith(const std::exception_ptr& error);
  void enqueue(Task task);

  const Opener open_;
  mailstore::Store* store_ = nullptr;  // the thread's own
  const Mode mode_;
  const Limits limits_;
  Job beforeCommit_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> queue_;
  std::size_t queuedOctets_ = 0;
  std::size_t preferred_ = 0;  ///< tasks at the front of the queue that came with precedence
  std::set<std::thread::id> first_;
  bool ending_ = false;
  bool awake_ = false;
  std::exception_ptr fatal_;

  std::optional<mailstore::Store::Transaction> transaction_;  // the thread's own from here on
  std::size_t transactionOctets_ = 0;
  std::chrono::steady_clock::time_point transactionBegan_;
  std::thread thread_;
};

}  // namespace mailbraid::sync::exec
