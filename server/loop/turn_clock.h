#ifndef RONDO_SERVER_LOOP_TURN_CLOCK_H_
#define RONDO_SERVER_LOOP_TURN_CLOCK_H_

#include "absl/time/time.h"
#include "server/metrics/probes.h"

namespace rondo {

// Keeps the time of a loop: how long it is busy, and since when it has not looked whether messages have come. It is
// pure policy: whoever uses it reads the clock.
//
// Ownership: borrows the probes. Threads: one.
class TurnClock {
 public:
  TurnClock(ServingLoopProbe* loop, LoopsProbe* loops, absl::Time now)
      : loop_(loop), loops_(loops), counted_until_(now), unread_since_(now) {}

  // The loop has read all that had come.
  void ReadAll(absl::Time now) {
    EndTurn(now);
    unread_since_ = now;
  }
  // The loop computes now, though more may have come.
  void EndTurn(absl::Time now) {
    loop_->busy.AddNanoseconds(Nanoseconds(now - counted_until_));
    loops_->turn.Observe(Nanoseconds(now - counted_until_));
    counted_until_ = now;
  }
  // The loop has waited since ReadAll until `now`, when the first of what it waited for came.
  void Wake(absl::Time now) { counted_until_ = unread_since_ = now; }

  // A message that the loop reads now has not come before this time, so it has waited no longer.
  absl::Time unread_since() const { return unread_since_; }

 private:
  ServingLoopProbe* const loop_;
  LoopsProbe* const loops_;
  absl::Time counted_until_;
  absl::Time unread_since_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_LOOP_TURN_CLOCK_H_
