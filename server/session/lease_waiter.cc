#include "server/session/lease_waiter.h"

#include <utility>

namespace rondo {

void WaitQueue::TellAll() {
  thread_local WaitQueue* telling = nullptr;
  if (telling != nullptr) return telling->Append(this);
  telling = this;
  while (LeaseWaiter* waiter = Pop()) {
    waiter->create_as_ = nullptr;
    // OnLease may be the end of the waiter.
    absl::StatusOr<SessionLease> outcome = std::move(waiter->outcome_);
    waiter->OnLease(std::move(outcome));
  }
  telling = nullptr;
}

}  // namespace rondo
