#ifndef RONDO_SERVER_SESSION_LIVE_SESSION_H_
#define RONDO_SERVER_SESSION_LIVE_SESSION_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/metrics/served_model.h"
#include "server/session/expiry_wheel.h"
#include "server/session/lease_waiter.h"
#include "server/session/state_pool.h"
#include "server/store/session_record.h"
#include "server/store/session_store.h"

namespace rondo {

// What is known of a session's copy in the store. Only DurableSessions writes here.
//
// Threads: as "the lock" of the session, but for the atomics, which the holder reads without it.
struct StoredCopy {
  static constexpr int64_t kNotDurable = -1;

  std::atomic<int64_t> durable_position{kNotDurable};  // the position in the copy; kNotDurable: there is no copy yet
  uint64_t epoch = SessionStore::kOwnEpoch;            // to save with
  uint64_t change = 0;                                 // number of the session's last change: SessionShard::changes
  uint64_t saved_change = 0;           // number of the last change in the copy; lower numbers were another session's
  int64_t noted_used_ns = 0;           // LiveSession::last_used_ns as of the last change
  bool dirty = false;                  // the session is in its shard's list of those to save, or save_when_free
  bool save_when_free = false;         // the save was due while the session was leased
  bool wanted = false;                 // another server wants the session: it goes when it is free
  std::atomic<bool> went_back{false};  // the session may be older than what was answered, and no client has heard that
  uint64_t term = 0;                   // of the store's ownership, as of when the session entered memory

  bool is_current() const { return change == saved_change; }
};

// Returns a number for LiveSession::serial. Any thread may call it.
inline uint32_t NextSerial() {
  static std::atomic<uint32_t> last{0};
  const uint32_t next = 1 + last.fetch_add(1, std::memory_order_relaxed);
  return next == 0 ? NextSerial() : next;
}

// One live series. Times are by SteadyNow(), in nanoseconds since the Unix epoch, to keep a million of these small.
//
// Threads: "the lock" is the mutex of the shard that the session's hash names. "The holder" is whoever has the lease.
struct LiveSession : ExpiryWheel::Entry, SessionProgress {
  static constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

  enum class Standing : uint8_t {
    kInTable,
    kEnded,  // the session ended while it was leased: it belongs to its lease, which frees it
    kMoved,  // as kEnded, but it goes on at another server, so its lease cannot commit
  };

  // Constant, with four exceptions, which are written under the lock: a session before its first commit may start anew
  // for another model while it changes hands; a restart is committed; a commit leaves the session to another model; a
  // session is found in the store.
  size_t hash = 0;  // of the id
  std::string id;
  int64_t idle_timeout_ns = kForever;
  int64_t ends_at_ns = kForever;  // at the latest, used or not
  ServedModelPtr model;
  StateSlot state;  // slot and content belong to the holder

  // The holder writes its SessionProgress under the lock and reads it without; all others read it under the lock.

  std::vector<float> last_reply;  // belongs to the holder

  // Guarded by the lock.
  int64_t last_used_ns = 0;
  WaitQueue queue;
  uint32_t place = 0;       // in its shard's roster
  uint32_t serial = 0;      // constant as the id is; none of the 2^32 sessions before had it; 0: from the store
  RequestOrder last_order;  // of the last request that got the lease or stands in line
  bool lost_one = false;    // a request that wanted its order was refused since the session was free
  Standing standing = Standing::kInTable;
  bool leased = false;         // always true while the queue is not empty
  bool provisional = false;    // made by Acquire, no commit yet
  bool loading = false;        // leased by its load, or by its way to another server
  bool recently_used = false;  // since eviction last looked
  StoredCopy stored;

  bool in_table() const { return standing == Standing::kInTable; }
  void Touch(absl::Time now) { last_used_ns = std::max(last_used_ns, absl::ToUnixNanos(now)); }
  // kForever: never.
  int64_t expires_at_ns() const {
    return std::min(ends_at_ns, last_used_ns > kForever - idle_timeout_ns ? kForever : last_used_ns + idle_timeout_ns);
  }
  bool HasLivedOut(absl::Time now) const { return ends_at_ns != kForever && ends_at_ns <= absl::ToUnixNanos(now); }
  absl::Duration IdleFor(absl::Time now) const {
    return leased ? absl::ZeroDuration() : std::max(absl::ZeroDuration(), now - absl::FromUnixNanos(last_used_ns));
  }
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_LIVE_SESSION_H_
