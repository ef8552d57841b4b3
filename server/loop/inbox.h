#ifndef RONDO_SERVER_LOOP_INBOX_H_
#define RONDO_SERVER_LOOP_INBOX_H_

#include "base/mutex.h"
#include "server/loop/event.h"

namespace rondo {

// Events for the next turn of a loop. It allocates nothing: events are linked through themselves.
//
// Ownership: borrows the events until they proceed.
// Threads:   Post from any thread; RunAll from the loop's own.
class Inbox {
 public:
  // True: the inbox was empty, so its loop may be asleep.
  // REQUIRES: `event` is not in an inbox.
  bool Post(Event* event);

  // Lets every event that is there proceed, in the order of posting. Events posted meanwhile wait for the next call.
  void RunAll();

  bool empty() const;

 private:
  mutable Mutex mutex_;
  Event* head_ ABSL_GUARDED_BY(mutex_) = nullptr;
  Event* tail_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace rondo

#endif  // RONDO_SERVER_LOOP_INBOX_H_
