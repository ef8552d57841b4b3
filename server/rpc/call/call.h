#ifndef RONDO_SERVER_RPC_CALL_CALL_H_
#define RONDO_SERVER_RPC_CALL_CALL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "base/mutex.h"
#include "server/loop/event.h"

namespace rondo {

class CallList;

// An event of a call that is one of the call's methods: a call has several operations under way, each with an event of
// its own. For example: CallEvent<&StreamCall::OnRead> read_{this};
template <auto kMethod>
class CallEvent;
template <typename Owner, void (Owner::*kMethod)(bool ok)>
class CallEvent<kMethod> : public Event {
 public:
  explicit CallEvent(Owner* owner) : owner_(owner) {}
  void Proceed(bool ok) override;

 private:
  Owner* const owner_;
};

// The life of one RPC, without gRPC: a call is awaited, arrives, finishes, and is over once every operation that it
// began has come back. Each operation is begun with its event, which proceeds exactly once.
//
// Ownership: its CallList owns the call, and deletes it after the event that was its last.
// Threads:   its loop's own.
class Call {
 public:
  Call() = default;
  virtual ~Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Says that the server is going away: the call takes nothing new, and finishes what runs. Called at most once, of a
  // call that has arrived.
  virtual void Drain() {}
  // Says that what ran is over and durable: the call ends. Called at most once, after Drain, or instead of it for a
  // call that came later.
  virtual void Leave() {}
  // Says that other models may be live, or that the server may be about to leave. Called of a call that has arrived.
  virtual void HealthMayHaveChanged() {}

 protected:
  // The call has arrived: await the next one of its kind, and begin.
  virtual void OnArrived() = 0;
  // The client has cancelled, its deadline has passed, or its connection is gone. The call may be finishing already.
  virtual void OnCancelled() {}
  // REQUIRES: the event of BeginDone has come.
  virtual bool IsCancelled() const = 0;

  // Counts an operation, whose event comes back through a completion queue or an inbox. Returns `event`, its tag.
  Event* Begin(Event* event) {
    ++under_way_;
    return event;
  }
  // An operation that was begun has been called off: its event will not come.
  void CallOff() { --under_way_; }
  // The operations that every call has: one that waits for its arrival, and one that sends its status, begun once.
  Event* BeginArrival() { return Begin(&arrived_event_); }
  Event* BeginFinish() {
    phase_ = Phase::kFinishing;
    return Begin(&finished_event_);
  }
  // The event that says that the call is done. It is counted once the call arrives.
  Event* done_event() { return &done_event_; }

  bool arrived() const { return phase_ == Phase::kArrived || phase_ == Phase::kFinishing; }
  bool finishing() const { return phase_ == Phase::kFinishing; }

 private:
  template <auto kMethod>
  friend class CallEvent;
  friend class CallList;

  enum class Phase { kAwaited, kArrived, kFinishing, kNeverCame };

  void Arrive(bool ok) {
    if (!ok) {  // The server shuts down. gRPC sends no done event for a call that never came.
      phase_ = Phase::kNeverCame;
      return;
    }
    phase_ = Phase::kArrived;
    Begin(&done_event_);
    OnArrived();
  }
  void Done(bool) {
    if (IsCancelled()) OnCancelled();
  }
  void Finished(bool) {}

  bool over() const { return under_way_ == 0 && (phase_ == Phase::kFinishing || phase_ == Phase::kNeverCame); }

  CallList* list_ = nullptr;
  bool told_ = false;  // by its list
  Phase phase_ = Phase::kAwaited;
  int under_way_ = 0;
  CallEvent<&Call::Arrive> arrived_event_{this};
  CallEvent<&Call::Done> done_event_{this};
  CallEvent<&Call::Finished> finished_event_{this};
};

// The calls of one loop: those that are awaited and those that have arrived.
//
// Ownership: owns the calls.
// Threads:   the loop's own, and before it starts the one that makes it; told_left and WaitUntilNone from any other.
class CallList {
 public:
  void Add(std::unique_ptr<Call> call) {
    call->list_ = this;
    calls_.insert(std::move(call));
    MutexLock lock(&mutex_);
    ++count_;
  }

  // Calls `what`, e.g. Drain, of each call that has arrived. A call only begins operations then, so none ends here.
  void TellAll(void (Call::*what)()) {
    size_t told = 0;
    for (const std::unique_ptr<Call>& call : calls_) {
      if (!call->arrived()) continue;
      call->told_ = true;
      ++told;
      (*call.*what)();
    }
    told_left_.store(told, std::memory_order_relaxed);
  }
  // The number of calls that the last TellAll told and that have not ended. Any thread.
  size_t told_left() const { return told_left_.load(std::memory_order_relaxed); }

  // Waits until no call is left, not even an awaited one. REQUIRES: the gRPC server has been shut down.
  void WaitUntilNone() {
    MutexLock lock(&mutex_);
    while (count_ > 0) none_left_.Wait(&mutex_);
  }

 private:
  template <auto kMethod>
  friend class CallEvent;

  void DeleteIfOver(Call* call) {
    if (!call->over()) return;
    const bool was_told = call->told_;
    calls_.erase(call);
    if (was_told) told_left_.fetch_sub(1, std::memory_order_relaxed);
    MutexLock lock(&mutex_);
    if (--count_ == 0) none_left_.SignalAll();
  }

  absl::flat_hash_set<std::unique_ptr<Call>> calls_;
  std::atomic<size_t> told_left_{0};
  Mutex mutex_;
  CondVar none_left_;
  int64_t count_ ABSL_GUARDED_BY(mutex_) = 0;
};

template <typename Owner, void (Owner::*kMethod)(bool ok)>
void CallEvent<kMethod>::Proceed(bool ok) {
  Call* const call = owner_;
  --call->under_way_;
  (owner_->*kMethod)(ok);
  call->list_->DeleteIfOver(call);
}

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_CALL_H_
