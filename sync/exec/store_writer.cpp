#include "sync/exec/store_writer.h"

#include "mailstore/types/error.h"

#include <algorithm>
#include <future>
#include <utility>

namespace mailbraid::sync::exec {

using mailstore::Error;
using mailstore::Store;

namespace {

/// The store itself is beyond use: no later job can succeed.
bool isFatal(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    return e.scope() == mailstore::Scope::Run;
  } catch (...) {
    return false;
  }
}

/// What ends a task that somebody waits for.
auto settle(std::promise<void>& promise) {
  return [&promise](const std::exception_ptr& error) {
    if (error) {
      promise.set_exception(error);
    } else {
      promise.set_value();
    }
  };
}

}  // namespace

StoreWriter::StoreWriter(Opener open, Mode mode, Limits limits)
    : open_(std::move(open)), mode_(mode), limits_(limits), thread_([this] { loop(); }) {}

StoreWriter::~StoreWriter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

StoreWriter::Precedence::Precedence(StoreWriter& writer) : writer_(writer) {
  const std::lock_guard lock(writer_.mutex_);
  const std::thread::id self = std::this_thread::get_id();
  writer_.first_.insert(self);
  // What it gave before must not be overtaken by what it gives now.
  const auto rest = writer_.queue_.begin() + static_cast<std::ptrdiff_t>(writer_.preferred_);
  const auto others =
      std::stable_partition(rest, writer_.queue_.end(), [self](const Task& task) { return task.giver == self; });
  writer_.preferred_ += static_cast<std::size_t>(others - rest);
}

StoreWriter::Precedence::~Precedence() {
  const std::lock_guard lock(writer_.mutex_);
  writer_.first_.erase(std::this_thread::get_id());
}

void StoreWriter::beforeCommit(Job job) {
  const std::lock_guard lock(mutex_);
  beforeCommit_ = std::move(job);
}

void StoreWriter::enqueue(Task task) {
  std::unique_lock lock(mutex_);
  // A task that is larger than the limit by itself is let in when the queue is empty.
  changed_.wait(lock, [&] { return fatal_ || queue_.empty() || queuedOctets_ + task.octets <= limits_.queuedOctets; });
  if (fatal_) std::rethrow_exception(fatal_);
  queuedOctets_ += task.octets;
  task.giver = std::this_thread::get_id();
  if (first_.contains(task.giver)) {
    queue_.insert(queue_.begin() + static_cast<std::ptrdiff_t>(preferred_++), std::move(task));
  } else {
    queue_.push_back(std::move(task));
  }
  lock.unlock();
  changed_.notify_all();
}

void StoreWriter::give(Job job, std::size_t octets) {
  if (limits_.transactionAge.count() == 0) {
    runLarge(job);
    return;
  }
  enqueue({std::move(job), octets, Task::Failure::EndsWriter, {}, false});
}

void StoreWriter::run(const Job& job) {
  std::promise<void> done;
  enqueue({job, 0, Task::Failure::UndoesJob, settle(done), false});
  done.get_future().get();
}

void StoreWriter::runLarge(const Job& job) {
  std::promise<void> done;
  enqueue({job, 0, Task::Failure::EndsWriter, settle(done), false});
  done.get_future().get();
}

void StoreWriter::flush() {
  std::promise<void> done;
  enqueue({{}, 0, Task::Failure::EndsWriter, settle(done), true});
  done.get_future().get();
}

void StoreWriter::wait() {
  std::promise<void> done;
  enqueue({{}, 0, Task::Failure::EndsWriter, settle(done), false});
  done.get_future().get();
}

void StoreWriter::wake() {
  {
    const std::lock_guard lock(mutex_);
    awake_ = true;
  }
  changed_.notify_all();
}

void StoreWriter::begin() {
  if (transaction_) return;
  transaction_.emplace(*store_);
  transactionOctets_ = 0;
  transactionBegan_ = std::chrono::steady_clock::now();
}

void StoreWriter::commit() {
  if (!transaction_ || mode_ == Mode::Rehearse) return;
  if (beforeCommit_) beforeCommit_(*store_);
  transaction_->commit();
  transaction_.reset();
}

void StoreWriter::carryOut(Task& task) {
  if (task.job) {
    // A job that is undone alone shall not take others along.
    const bool mayBeUndone = task.failure == Task::Failure::UndoesJob;
    if (mayBeUndone && transaction_ && mode_ == Mode::Commit && store_->hasSpilled()) commit();
    begin();
    if (mayBeUndone) {
      Store::Transaction savepoint(*store_);
      task.job(*store_);
      savepoint.commit();
    } else {
      task.job(*store_);
    }
    transactionOctets_ += task.octets;
  }
  if (!transaction_) return;
  const bool old = std::chrono::steady_clock::now() - transactionBegan_ >= limits_.transactionAge;
  if (task.commitAfter || old || transactionOctets_ >= limits_.transactionOctets) commit();
}

void StoreWriter::endWith(const std::exception_ptr& error) {
  transaction_.reset();
  const std::lock_guard lock(mutex_);
  fatal_ = error;
  for (Task& task : queue_) {
    if (task.finished) task.finished(error);
  }
  queue_.clear();
  preferred_ = 0;
  queuedOctets_ = 0;
}

void StoreWriter::tidyWhileIdle() {
  // A server that is near answers sooner than tidying pays; one that is far leaves time for it.
  constexpr std::chrono::milliseconds kNear{20};
  const auto isAwaited = [](const Task& task) { return task.finished || task.octets > 0; };
  if (mode_ == Mode::Rehearse) return;
  {
    std::unique_lock lock(mutex_);
    const auto wanted = [&] { return ending_ || awake_ || std::any_of(queue_.begin(), queue_.end(), isAwaited); };
    if (changed_.wait_for(lock, kNear, wanted)) return;
  }
  store_->tidy();
}

void StoreWriter::loop() {
  try {
    store_ = &open_();
    tidyWhileIdle();
  } catch (...) {
    endWith(std::current_exception());
    changed_.notify_all();
    return;
  }
  while (true) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      const auto ready = [&] { return ending_ || !queue_.empty(); };
      if (transaction_ && mode_ == Mode::Commit) {
        // Nobody gave work for a while: what is done shall be durable.
        if (!changed_.wait_for(lock, limits_.transactionAge, ready)) task.commitAfter = true;
      } else {
        changed_.wait(lock, ready);
      }
      if (!queue_.empty()) {
        task = std::move(queue_.front());
        queue_.pop_front();
        if (preferred_ > 0) --preferred_;
      } else if (ending_) {
        break;
      }
    }
    std::exception_ptr error;
    try {
      carryOut(task);
    } catch (...) {
      error = std::current_exception();
    }
    const bool fatal = error && (task.failure == Task::Failure::EndsWriter || isFatal(error));
    if (task.finished) task.finished(error);
    if (fatal) {
      endWith(error);
      changed_.notify_all();
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      queuedOctets_ -= task.octets;
    }
    changed_.notify_all();
  }
  try {
    commit();
  } catch (...) {
    endWith(std::current_exception());
  }
  transaction_.reset();
}

}  // namespace mailbraid::sync::exec
