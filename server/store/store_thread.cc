#include "server/store/store_thread.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
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

// Tells whether the store is there: it has done something, or says of one session why it cannot.
template <typename Operation>
bool AnswersAny(const std::vector<Operation>& operations) {
  return absl::c_any_of(operations, [](const Operation& operation) {
    return operation.status.ok() || absl::IsAborted(operation.status) || absl::IsDataLoss(operation.status);
  });
}

SessionStore::Loaded HeldElsewhere() { return {absl::UnavailableError("another server has the session"), "", 1}; }

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

void StoreThread::Ask(Asked asked) {
  const MutexLock lock(&mutex_);
  asked_.push_back(std::move(asked));
  work_available_.Signal();
}

void StoreThread::Enqueue(Save save) { Ask(std::move(save)); }

void StoreThread::Hear(StoreNotice notice) {
  if (notice.kind == StoreNotice::Kind::kFreed) return Ask(std::move(notice));
  if (options_.on_wanted != nullptr) options_.on_wanted(notice.id);
}

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
  store_->Listen([this](StoreNotice notice) { Hear(std::move(notice)); });
  listening_ = true;
  while (true) {
    const Work work = TakeWork();
    if (work.stop && IsOver()) return;
    if (work.tick && options_.tick != nullptr) options_.tick(absl::Now());
    do {
      RunLoads();
      RunSaves();
      RunScan();
    } while (work.flush != 0 && !(queue_.empty() && scans_.empty()));
    if (work.drop_expired) {
      DropExpired();
      LoadAllAgain();  // an owner may be passed over now, or its word was lost
    }
    if (work.flush == 0) continue;
    const MutexLock lock(&mutex_);
    flushes_done_ = work.flush;
    flush_done_.SignalAll();
  }
}

StoreThread::Work StoreThread::TakeWork() {
  const Work work = AwaitWork();
  // The lock is not held: the thousands of saves of one tick take milliseconds, and a serving loop that asks for a load
  // would wait for them.
  for (Asked& asked : taken_) {
    if (auto* const load = std::get_if<StoreLoad>(&asked)) queue_.Add(std::move(*load));
    if (auto* const save = std::get_if<StoreSave>(&asked)) queue_.Add(std::move(*save));
    if (auto* const scan = std::get_if<StoreScan>(&asked)) scans_.push_back(std::move(*scan));
    if (auto* const notice = std::get_if<StoreNotice>(&asked)) LoadAgain(notice->id);
  }
  taken_.clear();
  return work;
}

StoreThread::Work StoreThread::AwaitWork() {
  Work work;
  const MutexLock lock(&mutex_);
  Clock::time_point now = Clock::now();
  while (queue_.empty() && scans_.empty() && asked_.empty() && flushes_asked_ == flushes_done_ && !stopping_ &&
         !wake_ && now < std::min(next_tick_, next_drop_)) {
    work_available_.WaitFor(&mutex_, absl::FromChrono(std::min(next_tick_, next_drop_) - now));
    now = Clock::now();
  }
  work.stop = stopping_ && queue_.empty() && scans_.empty() && asked_.empty();
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
  for (size_t i = 0; i < waiting.size(); ++i) {
    operations[i].id = waiting[i].id;
    for (const StoreLoad& load : waiting[i].loads) operations[i].claim = std::max(operations[i].claim, load.claim);
  }
  const Clock::time_point start = Clock::now();
  store_->Load(absl::MakeSpan(operations));
  probe_->Observe(StoreOperation::kLoad, absl::FromChrono(Clock::now() - start), CountErrors(operations),
                  AnswersAny(operations));
  for (size_t i = 0; i < waiting.size(); ++i) {
    Loaded& loaded = operations[i];
    if (loaded.held) {
      Hold(&waiting[i]);
      continue;
    }
    for (size_t j = 0; j + 1 < waiting[i].loads.size(); ++j) waiting[i].loads[j].done(loaded);
    waiting[i].loads.back().done(std::move(loaded));
  }
}

void StoreThread::Hold(StoreQueue::Loads* loads) {
  const Clock::time_point now = Clock::now();
  for (StoreLoad& load : loads->loads) {
    if (load.waits_until <= now) {
      load.done(HeldElsewhere());
    } else {
      held_[loads->id].push_back(std::move(load));
    }
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
    operations[i].after = save.after;
  }
  const Clock::time_point start = Clock::now();
  store_->Save(absl::MakeSpan(operations));
  const Clock::time_point end = Clock::now();
  const size_t errors = CountErrors(operations);
  probe_->Observe(StoreOperation::kSave, absl::FromChrono(end - start), errors, AnswersAny(operations));
  if (errors > 0) next_tick_ = std::min(next_tick_, end + absl::ToChronoNanoseconds(options_.retry_interval));
  for (size_t i = 0; i < waiting.size(); ++i) {
    for (const auto& done : waiting[i].superseded) done(operations[i].status);
    waiting[i].newest.done(operations[i].status);
  }
}

void StoreThread::RunScan() {
  if (scans_.empty()) return;
  StoreScan scan = std::move(scans_.front());
  scans_.pop_front();
  SessionStore::ScanOp operation;
  operation.prefix = std::move(scan.prefix);
  operation.from = std::move(scan.from);
  const Clock::time_point start = Clock::now();
  store_->Scan(&operation);
  const bool failed = IsError(operation.status) && !absl::IsInvalidArgument(operation.status);
  probe_->Observe(StoreOperation::kScan, absl::FromChrono(Clock::now() - start), failed ? 1 : 0, !failed);
  scan.done(std::move(operation));
}

void StoreThread::LoadAgain(const std::string& id) {
  const auto found = held_.find(id);
  if (found == held_.end()) return;
  for (StoreLoad& load : found->second) queue_.Add(std::move(load));
  held_.erase(found);
}

void StoreThread::LoadAllAgain() {
  while (!held_.empty()) LoadAgain(std::string(held_.begin()->first));
}

bool StoreThread::IsOver() {
  if (std::exchange(listening_, false)) {  // what was heard last is done too
    store_->StopListening();
    return false;
  }
  const bool none_held = held_.empty();
  for (auto& [id, waiting] : std::exchange(held_, {})) {
    for (const StoreLoad& load : waiting) load.done(HeldElsewhere());
  }
  return none_held;
}

void StoreThread::DropExpired() {
  const bool found_many = store_->DropExpired(std::min(absl::Now(), SteadyNow()));
  next_drop_ = Clock::now();
  if (!found_many) next_drop_ += absl::ToChronoNanoseconds(options_.drop_interval);
}

}  // namespace rondo
