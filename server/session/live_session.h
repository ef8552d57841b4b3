#ifndef RONDO_SERVER_SESSION_LIVE_SESSION_H_
#define RONDO_SERVER_SESSION_LIVE_SESSION_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/metrics/served_model.h"
#include "server/session/expiry_wheel.h"
#include "server/session/state_pool.h"
#include "server/session/wait_queue.h"
#include "server/store/session_store.h"

namespace rondo {

// One live series. Times are in nanoseconds since the Unix epoch, to keep a million of these small.
//
// Threads: "the lock" is the mutex of the shard that the session's hash names. "The holder" is whoever has the lease.
struct LiveSession : ExpiryWheel::Entry {
  static constexpr int64_t kForever = std::numeric_limits<int64_t>::max();
  static constexpr int64_t kNotDurable = -1;

  // Constant. Three exceptions, under the lock: a session before its first commit may start anew for another model
  // while it changes hands, a restart is committed, and a commit leaves the session to a model that adopts it.
  size_t hash = 0;  // of the id
  std::string id;
  int64_t idle_timeout_ns = kForever;
  ServedModelPtr model;
  StateSlot state;  // the content belongs to the holder

  // Written by the holder under the lock: the holder reads it without, all others with it.
  int64_t position = 0;
  // As of the last save; kNotDurable: none yet, or there is no store.
  std::atomic<int64_t> durable_position{kNotDurable};

  // The holder's: the last request, as in CommittedSequence.
  int64_t last_timesteps = 0;
  uint64_t last_fingerprint = 0;
  std::vector<float> last_reply;
  std::optional<int64_t> last_time;

  // Guarded by the lock.
  int64_t last_used_ns = 0;
  WaitQueue queue;
  uint32_t place = 0;        // in its shard's roster
  bool leased = false;       // always true while the queue is not empty
  bool provisional = false;  // made by Acquire, no commit yet
  bool detached = false;     // in no shard any more: it belongs to its lease, which frees it
  // With a store only.
  bool loading = false;                      // provisional, and what holds it is the load
  bool dirty = false;                        // in its shard's list, or save_when_free
  bool save_when_free = false;               // its save was due while it was leased
  bool recently_used = false;                // since eviction last looked
  bool moved = false;                        // detached because another server has it now
  uint64_t epoch = SessionStore::kOwnEpoch;  // to save with
  uint64_t change = 0;                       // number of the last change, see SessionShard::changes
  uint64_t saved_change = 0;                 // number of the last change in the store; older ones are another session's
  int64_t noted_used_ns = 0;                 // last_used_ns as of the last change

  void Touch(absl::Time now) { last_used_ns = std::max(last_used_ns, absl::ToUnixNanos(now)); }
  // kForever: never.
  int64_t expires_at_ns() const {
    return last_used_ns > kForever - idle_timeout_ns ? kForever : last_used_ns + idle_timeout_ns;
  }
  absl::Duration IdleFor(absl::Time now) const {
    return leased ? absl::ZeroDuration() : std::max(absl::ZeroDuration(), now - absl::FromUnixNanos(last_used_ns));
  }
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_LIVE_SESSION_H_
