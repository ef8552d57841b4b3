#ifndef RONDO_SERVER_SESSION_LEASE_WAITER_H_
#define RONDO_SERVER_SESSION_LEASE_WAITER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "base/intrusive_fifo.h"
#include "server/metrics/served_model.h"
#include "server/session/session_lease.h"

namespace rondo {

// Says which turn a request that has no position wants among the requests for its session.
struct RequestOrder {
  bool by_arrival = false;  // to run in the order in which requests came, or not at all
  uint16_t loop = 0;        // that read it
  uint32_t connection = 0;  // that brought it as one of several calls; 0: not so, as a message of a stream
};

// Gets a lease that was not free at once. A waiter waits for one lease at a time, and lives until it has heard or
// CancelWait returned true.
class LeaseWaiter : public FifoLink<LeaseWaiter> {
 public:
  LeaseWaiter() = default;
  virtual ~LeaseWaiter() = default;
  LeaseWaiter(const LeaseWaiter&) = delete;
  LeaseWaiter& operator=(const LeaseWaiter&) = delete;

  // Called exactly once unless CancelWait returned true: the lease, or why the session ended meanwhile. Runs on the
  // thread that gave the lease up, with no lock held; must be quick and must not wait for another waiter. It may end
  // the lease and call the table: whoever is to hear of that hears when this call has returned, so waiters never nest.
  virtual void OnLease(absl::StatusOr<SessionLease> lease) = 0;

 protected:
  // Sets the order of what is acquired next.
  void SetOrder(const RequestOrder& order) { order_ = order; }

 private:
  friend class SessionTable;
  friend class WaitQueue;
  RequestOrder order_;
  ServedModelPtr create_as_;              // see SessionTable::Acquire
  absl::StatusOr<SessionLease> outcome_;  // what it is about to hear
};

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

#endif  // RONDO_SERVER_SESSION_LEASE_WAITER_H_
