#ifndef RONDO_SERVER_SESSION_WAIT_QUEUE_H_
#define RONDO_SERVER_SESSION_WAIT_QUEUE_H_

#include "base/intrusive_fifo.h"
#include "server/session/lease_waiter.h"

namespace rondo {

// Holds waiters in the order they came. Waiting allocates nothing: waiters are linked through themselves.
//
// Threads: one at a time.
class WaitQueue : public IntrusiveFifo<LeaseWaiter> {
 public:
  // Calls each one's OnLease with the outcome it was given, and empties the queue. REQUIRES: no lock is held.
  //
  // An OnLease may end a lease, so that more waiters are to hear. The loop that is running tells those too, after that
  // OnLease, so that the stack stays as deep as it is however long a chain of such waiters is.
  void TellAll();
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_WAIT_QUEUE_H_
