#ifndef RONDO_SERVER_RPC_CALL_H_
#define RONDO_SERVER_RPC_CALL_H_

#include "absl/container/flat_hash_set.h"
#include "server/loop/event.h"
#include "server/mutex.h"

namespace rondo {

// An event that is a method of its owner: one call has several operations under way, each with its own tag.
template <typename Owner>
class MethodEvent : public Event {
 public:
  using Method = void (Owner::*)(bool ok);
  MethodEvent(Owner* owner, Method method) : owner_(owner), method_(method) {}
  void Proceed(bool ok) override { (owner_->*method_)(ok); }

 private:
  Owner* const owner_;
  const Method method_;
};

// One RPC that has arrived. It deletes itself once all its operations are back. On its loop's thread.
class Call {
 public:
  virtual ~Call() = default;
  // The server is going away: finish what runs, then end. Called once at most.
  virtual void Drain() {}
};

// The calls that live on one loop.
//
// Threads: the loop's own; WaitUntilEmpty from any other.
class CallList {
 public:
  void Add(Call* call) {
    calls_.insert(call);
    SetEmpty(false);
  }
  void Remove(Call* call) {
    calls_.erase(call);
    if (calls_.empty()) SetEmpty(true);
  }
  void DrainAll() {
    const absl::flat_hash_set<Call*> calls = calls_;  // a call may end, and leave the list, as it drains
    for (Call* call : calls) {
      if (calls_.contains(call)) call->Drain();
    }
  }
  // REQUIRES: no new call arrives.
  void WaitUntilEmpty() {
    MutexLock lock(&mutex_);
    while (!empty_) emptied_.Wait(&mutex_);
  }

 private:
  void SetEmpty(bool empty) {
    MutexLock lock(&mutex_);
    empty_ = empty;
    if (empty) emptied_.SignalAll();
  }

  absl::flat_hash_set<Call*> calls_;
  Mutex mutex_;
  CondVar emptied_;
  bool empty_ ABSL_GUARDED_BY(mutex_) = true;
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_H_
