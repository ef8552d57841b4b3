#include "server/store/store_thread.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "base/steady_time.h"
#include "base/thread_name.h"

namespace rondo {
namespace {

// Tells whether the store failed to do what it was asked. That another store has taken an id over is an answer.
bool IsError(const absl::Status& status) { return !status.ok() && !absl::IsAborted(status); }

template <typename Operation>
size_t CountErrors(const std::vector<Operation>& operations) {
  size_t errors = 0;
  for (const Operation& operation : operations) errors += IsError(operation.status) ? 1 : 0;
  return errors;
}

}  // namespace

StoreThread::StoreThread(std::unique_ptr<SessionStore> store, StoreProbe* probe, Options options)
    : store_(std::move(store)),
      probe_(probe),
      options_(std::move(options)),
      next_tick_(Clock::now() + absl::ToChronoNanoseconds(options_.tick_interval)),
      next_drop_(Clock::now() + absl::ToChronoNanoseconds(options_.drop_interval)),
      thread_([this] { Run(); }) {
  probe_->damaged_bytes.Add(store_->damaged_bytes());
}

void StoreThread::Stop() {
  if (!thread_.joinable()) return;
  {
    const MutexLock lock(&mutex_);
    stopping_ = true;
    work_available_.Signal();
  }
  thread_.join();
}

void StoreThread::Ask(std::variant<StoreLoad, StoreSave> operation) {
  const MutexLock lock(&mutex_);
  asked_.push_back(std::move(operation));
  work_available_.Signal();
}

void StoreThread::Load(std::string id, std::function<void(Loaded)> done) {
  Ask(StoreLoad{std::move(id), std::move(done)});
}

void StoreThread::Enqueue(Save save) { Ask(std::move(save)); }

void StoreThread::Wake() {
  const MutexLock lock(&mutex_);
  wake_ = true;
  work_available_.Signal();
}

bool StoreThread::Flush(absl::Time deadline) {
  const MutexLock lock(&mutex_);
  const uint64_t number = ++flushes_asked_;
  work_available_.Signal();
  while (flushes_done_ < number) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    flush_done_.WaitFor(&mutex_, left);
  }
  return true;
}

void StoreThread::Run() {
  NameThisThread("rondo-store");
  while (true) {
    const Work work = TakeWork();
    if (work.stop) return;
    if (work.tick && options_.tick != nullptr) options_.tick(absl::Now());
    do {
      RunLoads();
      RunSaves();
    } while (work.flush != 0 && !queue_.empty());
    if (work.drop_expired) DropExpired();
    if (work.flush == 0) continue;
    const MutexLock lock(&mutex_);
    flushes_done_ = work.flush;
    flush_done_.SignalAll();
  }
}

StoreThread::Work StoreThread::TakeWork() {
  const Work work = AwaitWork();
  // Without the lock: the thousands of saves of one tick take milliseconds, and a serving loop that asks for a load
  // would wait for them.
  for (auto& operation : taken_) {
    std::visit([this](auto& one) { queue_.Add(std::move(one)); }, operation);
  }
  taken_.clear();
  return work;
}

StoreThread::Work StoreThread::AwaitWork() {
  Work work;
  const MutexLock lock(&mutex_);
  Clock::time_point now = Clock::now();
  while (queue_.empty() && asked_.empty() && flushes_asked_ == flushes_done_ && !stopping_ && !wake_ &&
         now < std::min(next_tick_, next_drop_)) {
    work_available_.WaitFor(&mutex_, absl::FromChrono(std::min(next_tick_, next_drop_) - now));
    now = Clock::now();
  }
  work.stop = stopping_ && queue_.empty() && asked_.empty();
  work.drop_expired = now >= next_drop_ && !stopping_;
  work.tick = (now >= next_tick_ || wake_) && !stopping_;
  if (flushes_asked_ > flushes_done_) work.flush = flushes_asked_;
  if (now >= next_tick_) next_tick_ = now + absl::ToChronoNanoseconds(options_.tick_interval);
  wake_ = false;
  taken_.swap(asked_);
  return work;
}

void StoreThread::RunLoads() {
  std::vector<StoreQueue::Loads> waiting = queue_.TakeLoads(kMaxBatch);
  if (waiting.empty()) return;
  std::vector<SessionStore::LoadOp> operations(waiting.size());
  for (size_t i = 0; i < waiting.size(); ++i) operations[i].id = waiting[i].id;
  const Clock::time_point start = Clock::now();
  store_->Load(absl::MakeSpan(operations));
  probe_->Observe(StoreOperation::kLoad, absl::FromChrono(Clock::now() - start), CountErrors(operations));
  for (size_t i = 0; i < waiting.size(); ++i) {
    Loaded& loaded = operations[i];
    for (size_t j = 0; j + 1 < waiting[i].done.size(); ++j) waiting[i].done[j](loaded);
    waiting[i].done.back()(std::move(loaded));
  }
}

void StoreThread::RunSaves() {
  const std::vector<StoreQueue::Saves> waiting = queue_.TakeSaves(kMaxBatch);
  if (waiting.empty()) return;
  std::vector<SessionStore::SaveOp> operations(waiting.size());
  for (size_t i = 0; i < waiting.size(); ++i) {
    const Save& save = waiting[i].newest;
    operations[i].id = save.id;
    operations[i].value = save.value;
    operations[i].expires_at = save.expires_at;
    operations[i].epoch = save.epoch;
  }
  const Clock::time_point start = Clock::now();
  store_->Save(absl::MakeSpan(operations));
  const Clock::time_point end = Clock::now();
  const size_t errors = CountErrors(operations);
  probe_->Observe(StoreOperation::kSave, absl::FromChrono(end - start), errors);
  if (errors > 0) next_tick_ = std::min(next_tick_, end + absl::ToChronoNanoseconds(options_.retry_interval));
  for (size_t i = 0; i < waiting.size(); ++i) {
    for (const auto& done : waiting[i].superseded) done(operations[i].status);
    waiting[i].newest.done(operations[i].status);
  }
}

void StoreThread::DropExpired() {
  const bool found_many = store_->DropExpired(std::min(absl::Now(), SteadyNow()));
  next_drop_ = Clock::now();
  if (!found_many) next_drop_ += absl::ToChronoNanoseconds(options_.drop_interval);
}

}  // namespace rondo
