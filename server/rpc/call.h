#ifndef RONDO_SERVER_RPC_CALL_H_
#define RONDO_SERVER_RPC_CALL_H_

#include <cstdint>

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

class CallList;

// One RPC: waited for, then arrived. It deletes itself once all its operations are back. On its loop's thread.
class Call {
 public:
  explicit Call(CallList* list);
  virtual ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // The server is going away: finish what runs, then end. Called once at most, after the call was added to its list.
  virtual void Drain() {}

 private:
  CallList* const list_;
};

// The calls of one loop: those that have arrived, and how many there are with those that are waited for.
//
// Threads: the loop's own, and before it starts the one that makes it; WaitUntilNone from any other.
class CallList {
 public:
  // `call` has arrived.
  void Add(Call* call) { arrived_.insert(call); }

  void DrainAll() {
    const absl::flat_hash_set<Call*> calls = arrived_;  // a call may end, and leave the list, as it drains
    for (Call* call : calls) {
      if (arrived_.contains(call)) call->Drain();
    }
  }

  // Until no call is left, not even one that is waited for. REQUIRES: the gRPC server has been shut down.
  void WaitUntilNone() {
    MutexLock lock(&mutex_);
    while (count_ > 0) none_left_.Wait(&mutex_);
  }

 private:
  friend class Call;

  void Made() {
    MutexLock lock(&mutex_);
    ++count_;
  }
  void Ended(Call* call) {
    arrived_.erase(call);
    MutexLock lock(&mutex_);
    if (--count_ == 0) none_left_.SignalAll();
  }

  absl::flat_hash_set<Call*> arrived_;
  Mutex mutex_;
  CondVar none_left_;
  int64_t count_ ABSL_GUARDED_BY(mutex_) = 0;
};

inline Call::Call(CallList* list) : list_(list) { list_->Made(); }
inline Call::~Call() { list_->Ended(this); }

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_H_
