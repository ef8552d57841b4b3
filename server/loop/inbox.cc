#include "server/loop/inbox.h"

namespace rondo {

bool Inbox::Post(Event* event) {
  MutexLock lock(&mutex_);
  event->next_ = nullptr;
  const bool was_empty = head_ == nullptr;
  (was_empty ? head_ : tail_->next_) = event;
  tail_ = event;
  return was_empty;
}

bool Inbox::empty() const {
  MutexLock lock(&mutex_);
  return head_ == nullptr;
}

void Inbox::RunAll() {
  Event* event;
  {
    MutexLock lock(&mutex_);
    event = head_;
    head_ = tail_ = nullptr;
  }
  while (event != nullptr) {
    Event* next = event->next_;  // read first: the event may be posted again, or be gone, once it proceeds
    event->next_ = nullptr;
    event->Proceed(true);
    event = next;
  }
}

}  // namespace rondo
