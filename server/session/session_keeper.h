#ifndef RONDO_SERVER_SESSION_SESSION_KEEPER_H_
#define RONDO_SERVER_SESSION_SESSION_KEEPER_H_

#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/metrics/served_model.h"
#include "server/session/lease_end.h"
#include "server/session/lease_waiter.h"
#include "server/session/session_errors.h"
#include "server/session/session_lease.h"
#include "server/session/session_shard.h"

namespace rondo {

// Keeps the sessions of a ResidentSessions beyond memory. The table tells its keeper what happens to them, and asks it
// for sessions that are not in memory.
//
// Threads: every method may be called from any thread. Those that take a shard run under its lock: they take no other
// shard's, and neither wait for, tell nor free anything.
class SessionKeeper {
 public:
  explicit SessionKeeper(bool commits_wait) : commits_wait_(commits_wait) {}
  virtual ~SessionKeeper() = default;

  // `session` is about to enter the shard. Sessions that leave memory to make room go to `left`.
  virtual void OnEnter(SessionShard& shard, LiveSession* session, LeftSessions* left)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex) = 0;
  // `session` has changed. `is_saved`: the change is in the store already.
  virtual void OnChange(SessionShard& shard, LiveSession* session, bool is_saved)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex) = 0;
  // A request has used `session`, which nobody has now, and has not changed it.
  virtual void OnUse(SessionShard& shard, LiveSession* session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex) = 0;
  // `session`, which has been committed at least once, ends.
  virtual void OnEnd(SessionShard& shard, const LiveSession& session, const SessionEnd& end)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex) = 0;

  // Looks for a session that is not in memory. As SessionTable::Acquire.
  virtual absl::StatusOr<std::optional<SessionLease>> LookFor(const SessionKey& key, const ServedModelPtr* create_as,
                                                              LeaseWaiter* waiter, absl::Time now) = 0;

  // Commits once the change is in the store, then tells `waiter`. REQUIRES: commits_wait(), and the lease on `session`.
  virtual void CommitOnceSaved(LiveSession* session, Committed commit, CommitWaiter* waiter) = 0;
  // See SessionLease::Discard. True: `session` is no more. REQUIRES: the lease on `session`.
  virtual bool Discard(LiveSession* session) = 0;

  // Commits take effect with CommitOnceSaved, not at once.
  bool commits_wait() const { return commits_wait_; }

 private:
  const bool commits_wait_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_KEEPER_H_
