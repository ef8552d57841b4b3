#ifndef RONDO_SERVER_SESSION_SESSION_QUEUE_H_
#define RONDO_SERVER_SESSION_SESSION_QUEUE_H_

#include <cstddef>

#include "absl/status/status.h"
#include "server/session/lease_waiter.h"
#include "server/session/live_session.h"

namespace rondo {

// Judges a request of `order` that comes while the session is busy: may it wait in the session's queue? Remembers in
// the session that it was refused, as far as those who come later are to be refused then too.
// FAILED_PRECONDITION: its turn among the requests without a position is lost, or not known. RESOURCE_EXHAUSTED: `most`
// requests wait already. REQUIRES: the lock of the session's shard.
absl::Status CheckMayWait(const RequestOrder& order, size_t most, LiveSession* session);

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_QUEUE_H_
