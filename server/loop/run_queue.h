#ifndef RONDO_SERVER_LOOP_RUN_QUEUE_H_
#define RONDO_SERVER_LOOP_RUN_QUEUE_H_

#include <cstddef>

#include "server/loop/sequence_run.h"

namespace rondo {

// A first-in first-out queue through SequenceRun::next: it never allocates. One thread.
class RunQueue {
 public:
  bool empty() const { return head_ == nullptr; }
  size_t size() const { return size_; }

  void Push(SequenceRun* run) {
    run->next = nullptr;
    (head_ == nullptr ? head_ : tail_->next) = run;
    tail_ = run;
    ++size_;
  }

  // REQUIRES: !empty().
  SequenceRun* Pop() {
    SequenceRun* run = head_;
    head_ = run->next;
    run->next = nullptr;
    --size_;
    return run;
  }

 private:
  SequenceRun* head_ = nullptr;
  SequenceRun* tail_ = nullptr;
  size_t size_ = 0;
};

}  // namespace rondo

#endif  // RONDO_SERVER_LOOP_RUN_QUEUE_H_
