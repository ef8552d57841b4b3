#ifndef RONDO_SERVER_RPC_CALL_CALL_H_
#define RONDO_SERVER_RPC_CALL_CALL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_set.h"
#include "base/mutex.h"
#include "server/loop/event.h"

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

  // The server is going away: take nothing new, and finish what runs. Called once at most, after the call was added to
  // its list.
  virtual void Drain() {}
  // What ran is over and durable: end. After Drain, or instead of it for a call that came later; once at most.
  virtual void Leave() {}

 private:
  CallList* const list_;
};

// The calls of one loop: those that have arrived, and how many there are with those that are waited for.
//
// Threads: the loop's own, and before it starts the one that makes it; told_left and WaitUntilNone from any other.
class CallList {
 public:
  // `call` has arrived.
  void Add(Call* call) { arrived_.insert(call); }

  // Calls `what`, Drain or Leave, of each.
  void TellAll(void (Call::*what)()) {
    told_ = arrived_;
    told_left_.store(told_.size(), std::memory_order_relaxed);
    const absl::flat_hash_set<Call*> calls = arrived_;  // a call may end, and leave the lists, as it is told
    for (Call* call : calls) {
      if (arrived_.contains(call)) (call->*what)();
    }
  }
  // Of those that the last TellAll told, how many have not ended. Any thread.
  size_t told_left() const { return told_left_.load(std::memory_order_relaxed); }

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
    if (!told_.empty() && told_.erase(call) > 0) told_left_.store(told_.size(), std::memory_order_relaxed);
    MutexLock lock(&mutex_);
    if (--count_ == 0) none_left_.SignalAll();
  }

  absl::flat_hash_set<Call*> arrived_;
  absl::flat_hash_set<Call*> told_;  // of those, by the last TellAll
  std::atomic<size_t> told_left_{0};
  Mutex mutex_;
  CondVar none_left_;
  int64_t count_ ABSL_GUARDED_BY(mutex_) = 0;
};

inline Call::Call(CallList* list) : list_(list) { list_->Made(); }
inline Call::~Call() { list_->Ended(this); }

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_CALL_H_
