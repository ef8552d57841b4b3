#ifndef RONDO_SERVER_LOOP_INBOX_H_
#define RONDO_SERVER_LOOP_INBOX_H_

#include "base/intrusive_fifo.h"
#include "base/mutex.h"
#include "server/loop/event.h"

namespace rondo {

// Holds the events for the next turn of a loop. It allocates nothing: events are linked through themselves.
//
// Ownership: borrows the events until they proceed.
// Threads:   Post from any thread; RunAll from the loop's own.
class Inbox {
 public:
  // Returns true if the inbox was empty, so that its loop may be asleep.
  // REQUIRES: `event` is not in an inbox.
  bool Post(Event* event);

  // Lets every event that is there proceed, in the order of posting. Events posted meanwhile wait for the next call.
  void RunAll();

  bool empty() const;

 private:
  mutable Mutex mutex_;
  IntrusiveFifo<Event> events_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rondo

#endif  // RONDO_SERVER_LOOP_INBOX_H_
