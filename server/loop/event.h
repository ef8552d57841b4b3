#ifndef RONDO_SERVER_LOOP_EVENT_H_
#define RONDO_SERVER_LOOP_EVENT_H_

namespace rondo {

// Something that happened and is dealt with on a loop's thread: a tag of its completion queue, or a post to its inbox.
class Event {
 public:
  virtual ~Event() = default;
  // `ok` as gRPC's completion queue gives it for the operation; always true from an inbox.
  virtual void Proceed(bool ok) = 0;

 private:
  friend class Inbox;
  Event* next_ = nullptr;  // in an inbox; an event is in one at most
};

}  // namespace rondo

#endif  // RONDO_SERVER_LOOP_EVENT_H_
