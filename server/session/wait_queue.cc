#include "server/session/wait_queue.h"

#include <utility>

namespace rondo {

void WaitQueue::Push(LeaseWaiter* waiter) {
  waiter->next_ = nullptr;
  (head_ == nullptr ? head_ : tail_->next_) = waiter;
  tail_ = waiter;
  ++size_;
}

LeaseWaiter* WaitQueue::Pop() {
  if (head_ == nullptr) return nullptr;
  --size_;
  return std::exchange(head_, head_->next_);
}

bool WaitQueue::Remove(LeaseWaiter* waiter) {
  LeaseWaiter* before = nullptr;
  for (LeaseWaiter* at = head_; at != nullptr; before = std::exchange(at, at->next_)) {
    if (at != waiter) continue;
    (before == nullptr ? head_ : before->next_) = at->next_;
    if (tail_ == at) tail_ = before;
    --size_;
    return true;
  }
  return false;
}

void WaitQueue::Append(WaitQueue* other) {
  if (other->empty()) return;
  (head_ == nullptr ? head_ : tail_->next_) = other->head_;
  tail_ = other->tail_;
  size_ += other->size_;
  *other = WaitQueue();
}

void WaitQueue::TellAll() {
  thread_local WaitQueue* telling = nullptr;
  if (telling != nullptr) return telling->Append(this);
  telling = this;
  while (LeaseWaiter* waiter = Pop()) {
    waiter->create_as_ = nullptr;
    // OnLease may be the end of the waiter.
    absl::StatusOr<SessionLease> outcome = std::move(waiter->outcome_);
    waiter->OnLease(std::move(outcome));
  }
  telling = nullptr;
}

}  // namespace rondo
