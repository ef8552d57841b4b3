#ifndef RONDO_SERVER_SESSION_WAIT_QUEUE_H_
#define RONDO_SERVER_SESSION_WAIT_QUEUE_H_

#include <cstddef>
#include <cstdint>

#include "server/session/session_table.h"

namespace rondo {

// Waiters in the order they came. Linked through the waiters themselves: waiting allocates nothing.
//
// Threads: one at a time.
class WaitQueue {
 public:
  bool empty() const { return head_ == nullptr; }
  size_t size() const { return size_; }

  void Push(LeaseWaiter* waiter);
  LeaseWaiter* Pop();  // null: empty
  bool Remove(LeaseWaiter* waiter);
  // Calls each one's OnLease with the outcome it was given, and empties the queue. REQUIRES: no lock is held.
  //
  // Whoever is to hear because of what an OnLease does is told by the same loop, after it, not from inside it: the
  // stack stays as deep as it is however long the chain of waiters that end their lease at once.
  void TellAll();

 private:
  // Moves all of `other` behind what is here.
  void Append(WaitQueue* other);

  LeaseWaiter* head_ = nullptr;
  LeaseWaiter* tail_ = nullptr;
  size_t size_ = 0;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_WAIT_QUEUE_H_
