#ifndef RONDO_SERVER_LOOP_EVENT_H_
#define RONDO_SERVER_LOOP_EVENT_H_

#include "base/intrusive_fifo.h"

namespace rondo {

// Something that happened and is dealt with on a loop's thread: a tag of its completion queue, or a post to its inbox.
class Event : public FifoLink<Event> {
 public:
  virtual ~Event() = default;
  // `ok` as gRPC's completion queue gives it for the operation; always true from an inbox.
  virtual void Proceed(bool ok) = 0;
};

// Takes events to a loop from anywhere.
//
// Threads: Post from any thread.
class Poster {
 public:
  virtual ~Poster() = default;
  // Lets `event` proceed on the loop's thread, soon.
  virtual void Post(Event* event) = 0;
};

}  // namespace rondo

#endif  // RONDO_SERVER_LOOP_EVENT_H_
