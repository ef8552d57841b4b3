#ifndef RONDO_SERVER_SESSION_LEASE_END_H_
#define RONDO_SERVER_SESSION_LEASE_END_H_

#include <cstdint>
#include <optional>
#include <variant>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/metrics/served_model.h"
#include "server/session/state_pool.h"
#include "server/store/session_record.h"

namespace rondo {

struct LiveSession;

// What a finished sequence leaves in its session.
struct CommittedSequence {
  int64_t timesteps = 0;
  uint64_t fingerprint = 0;          // of all that decides the reply: values, times, last_only
  absl::Span<const float> reply;     // kept for replay; its last output_size floats are the newest output
  std::optional<int64_t> last_time;  // unix seconds of the last timestep, if the request had times
  bool end_session = false;
};

// The session stays with its model.
struct SameModel {};
// The session becomes one of `model` at position 0. `state` is a zero state, or what the steps since have made of it.
struct FreshStart {
  ServedModelPtr model;
  StateSlot state;
};
// The session becomes one of `model`; its state, position and last reply stay.
struct Adoption {
  ServedModelPtr model;
};
using ModelChange = std::variant<SameModel, FreshStart, Adoption>;

// How a lease ends with a commit. (A lease that ends without one is released, which takes no more than a time.)
struct Committed {
  const CommittedSequence* sequence = nullptr;  // never null
  ModelChange change;
  StateSlot next_state;  // where the last step wrote, if that is neither the session's state nor the fresh start's
  absl::Time now;
};

// A commit takes effect in two parts. The first writes what belongs to the holder: the last reply and the state. The
// second moves the session on, counts that, and is under the lock of the session's shard. What the session leaves is in
// `commit` afterwards, to be freed without a lock.
void WriteReplyAndState(Committed* commit, LiveSession* session);
void MoveOn(Committed* commit, LiveSession* session);

// Shows `session` as both parts would leave it. REQUIRES: the lock of the session's shard, and the lease; the view is
// used no longer than both are held.
SessionView ViewAfter(const LiveSession& session, const Committed& commit);

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_LEASE_END_H_
