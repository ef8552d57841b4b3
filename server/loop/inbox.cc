#include "server/loop/inbox.h"

namespace rondo {

bool Inbox::Post(Event* event) {
  MutexLock lock(&mutex_);
  events_.Push(event);
  return events_.size() == 1;
}

bool Inbox::empty() const {
  MutexLock lock(&mutex_);
  return events_.empty();
}

void Inbox::RunAll() {
  IntrusiveFifo<Event> turn;
  {
    MutexLock lock(&mutex_);
    turn.Append(&events_);
  }
  // An event may be posted again, or be gone, once it proceeds.
  while (Event* const event = turn.Pop()) event->Proceed(true);
}

}  // namespace rondo
