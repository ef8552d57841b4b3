#ifndef RONDO_SERVER_SESSION_SESSION_SHARD_H_
#define RONDO_SERVER_SESSION_SESSION_SHARD_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "server/session/expiry_wheel.h"
#include "server/session/lease_waiter.h"
#include "server/session/live_session.h"

namespace rondo {

// An id and its hash, which is computed once a request: for the shard and for the look-up in it.
struct SessionKey {
  explicit SessionKey(absl::string_view id);
  absl::string_view id;
  size_t hash;
};

// What a change under a shard's lock leaves to be done once no lock is held: it is made before the lock is taken, and
// its end, which comes after that of the lock, does it.
struct Aftermath {
  ~Aftermath() {
    if (!heard.empty()) heard.TellAll();
  }
  WaitQueue heard;                                 // those who have an outcome to hear
  std::vector<std::unique_ptr<LiveSession>> left;  // sessions that have left their shard, to be freed
};

// A part of the sessions under a lock of its own.
struct alignas(64) SessionShard {
  Mutex mutex;

  // Null: no session here has this id.
  LiveSession* Find(const SessionKey& key) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // REQUIRES: no session here has its id.
  void Insert(std::unique_ptr<LiveSession> session, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  std::unique_ptr<LiveSession> Remove(LiveSession* session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  // About when the next session may end by itself, in nanoseconds; see ExpiryWheel::SoonestDeadline.
  int64_t SoonestExpiry() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { return wheel_.SoonestDeadline(); }
  // Adds to `idle` the sessions that have been idle for their timeout, and those that have lived for as long as they
  // may, leased or not, looking at no more than `max_looks` sessions. The wheel has let go of them: they are to be
  // removed. True: there are more to look at.
  bool FindIdle(absl::Time now, size_t max_looks, std::vector<LiveSession*>* idle) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // Has the wheel look at the session by its present timeout and last use.
  void WatchIdle(LiveSession* session, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  // Every session at a place that never changes, so that List can go on where it stopped whatever came and went. Null:
  // a free place.
  std::vector<std::unique_ptr<LiveSession>> roster ABSL_GUARDED_BY(mutex);

  uint32_t eviction_hand ABSL_GUARDED_BY(mutex) = 0;  // the place that is looked at next for a session that may go

  // Only DurableSessions uses these.
  uint64_t changes ABSL_GUARDED_BY(mutex) = 0;               // to the sessions here, so far
  std::vector<uint32_t> dirty ABSL_GUARDED_BY(mutex);        // places of sessions with a change to save; some are stale
  std::vector<uint32_t> spare_dirty ABSL_GUARDED_BY(mutex);  // empty: its memory becomes dirty's at the next tick

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(const LiveSession* session) const { return session->hash; }
    size_t operator()(const SessionKey& key) const { return key.hash; }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const LiveSession* a, const LiveSession* b) const { return a == b; }
    bool operator()(const LiveSession* a, const SessionKey& b) const { return a->hash == b.hash && a->id == b.id; }
    bool operator()(const SessionKey& a, const LiveSession* b) const { return (*this)(b, a); }
  };

  // A request does not move its session in the wheel: the session is looked at too early then, and put back.
  ExpiryWheel wheel_ ABSL_GUARDED_BY(mutex);
  absl::flat_hash_set<LiveSession*, Hash, Equal> by_id_ ABSL_GUARDED_BY(mutex);
  std::vector<uint32_t> free_places_ ABSL_GUARDED_BY(mutex);
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_SHARD_H_
