#ifndef RONDO_SERVER_SESSION_RESIDENT_SESSIONS_H_
#define RONDO_SERVER_SESSION_RESIDENT_SESSIONS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/session/ended_sessions.h"
#include "server/session/lease_end.h"
#include "server/session/lease_waiter.h"
#include "server/session/live_session.h"
#include "server/session/session_info.h"
#include "server/session/session_keeper.h"
#include "server/session/session_lease.h"
#include "server/session/session_options.h"
#include "server/session/session_shard.h"
#include "server/session/state_pool.h"
#include "server/session/wait_queue.h"

namespace rondo {

// The sessions in memory, in shards by the hash of their id: who has the lease on each, who waits for it, when it ends.
// Knows no store; a SessionKeeper may.
//
// Locks are taken in the order shard, then EndedSessions, StatePool or what the keeper locks; no thread holds two
// shards. What a change has to tell or to free is collected under the lock (in a WaitQueue, in LeftSessions) and done
// after it.
//
// Threads: every method may be called from any thread.
class ResidentSessions {
 public:
  explicit ResidentSessions(const SessionOptions& options);
  ~ResidentSessions();

  // From here on `keeper` keeps the sessions. Comes before any session; `keeper` lives until none is touched any more.
  void KeepWith(SessionKeeper* keeper) { keeper_ = keeper; }

  // As in SessionTable.
  absl::StatusOr<SessionInfo> Create(absl::string_view id, const ServedModelPtr& model,
                                     std::optional<absl::Duration> idle_timeout, absl::Time now);
  absl::StatusOr<SessionInfo> Import(const SessionRecord& record, const ServedModelPtr& model, absl::Time now);
  absl::StatusOr<std::optional<SessionLease>> Acquire(absl::string_view id, const ServedModelPtr* create_as,
                                                      LeaseWaiter* waiter, absl::Time now);
  bool CancelWait(absl::string_view id, LeaseWaiter* waiter);
  SessionLease AcquireStateless(const ServedModelPtr& model) { return SessionLease(this, model); }
  absl::StatusOr<SessionInfo> Get(absl::string_view id, absl::Time now);
  absl::Status Delete(absl::string_view id);
  size_t ExpireIdle(absl::Time now);
  size_t size() const { return live_.load(std::memory_order_relaxed); }

  // For SessionLease. Each needs the lease on `session`, and the first two end it.
  //
  // OK, or ABORTED: another server has the session. `is_saved`: the change is in the store already. Afterwards *commit
  // holds what the session no longer needs.
  absl::Status Commit(LiveSession* session, Committed* commit, bool is_saved);
  // `now` may be InfinitePast: then the session's idle time does not start anew.
  void Release(LiveSession* session, absl::Time now);
  SessionRecord Export(const LiveSession& session);
  FreshStart FreshStartOf(const ServedModelPtr& model);
  StatePool& states() { return states_; }
  const StatePool& states() const { return states_; }
  SessionKeeper* keeper() { return keeper_; }  // null: there is none
  bool commits_wait() const { return keeper_ != nullptr && keeper_->commits_wait(); }

  // For a keeper.
  //
  // By the hash's top bits: the hash set in the shard uses the others.
  SessionShard& ShardOf(size_t hash) { return shards_[static_cast<uint64_t>(hash) >> 58]; }
  absl::Span<SessionShard> shards() { return absl::MakeSpan(shards_); }
  // Makes a session without a model and a state, with the default idle timeout.
  std::unique_ptr<LiveSession> NewSession(const SessionKey& key, absl::Time now) const;
  // Puts the session into the table. RESOURCE_EXHAUSTED: max_sessions; the session stays the caller's.
  absl::Status Enter(SessionShard& shard, std::unique_ptr<LiveSession>&& session, absl::Time now, LeftSessions* left)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Gives the lease, or a place in the session's queue.
  absl::StatusOr<std::optional<SessionLease>> Join(SessionShard& shard, LiveSession* session,
                                                   const ServedModelPtr* create_as, LeaseWaiter* waiter, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Puts `waiter` into the session's queue.
  void Wait(SessionShard& shard, LiveSession* session, const ServedModelPtr* create_as, LeaseWaiter* waiter)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Gives the lease to the next in the queue, if there is one.
  void PassOn(SessionShard& shard, LiveSession* session, WaitQueue* heard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // The first commit did not come: gives a new session to the first in the queue that would create it, or takes the
  // session out of the table and returns it. Those before it hear `missing`.
  std::unique_ptr<LiveSession> StartAnew(SessionShard& shard, LiveSession* session, const absl::Status& missing,
                                         WaitQueue* heard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Takes the session out of the table and returns it, or null if it is leased: then it belongs to its lease, and has
  // `standing`. Its queue hears `why`.
  std::unique_ptr<LiveSession> Detach(SessionShard& shard, LiveSession* session, LiveSession::Standing standing,
                                      const absl::Status& why, WaitQueue* heard)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Takes the session out of the table. REQUIRES: nobody waits for it.
  std::unique_ptr<LiveSession> Remove(SessionShard& shard, LiveSession* session)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

 private:
  static constexpr size_t kShards = 64;  // 2^6, see ShardOf

  absl::Status Missing(absl::string_view id) const;
  // Enters a session that is committed from the start: Create and Import. Errors as they have.
  absl::StatusOr<SessionInfo> EnterCommitted(const SessionKey& key, std::unique_ptr<LiveSession> made, absl::Time now);
  void StartFromZero(const ServedModelPtr& model, LiveSession* session);
  // Detaches the session for good, and remembers why. `is_saved`: the store knows the end already.
  std::unique_ptr<LiveSession> End(SessionShard& shard, LiveSession* session, const SessionEnd& end, bool is_saved,
                                   WaitQueue* heard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  bool ExpireSome(SessionShard& shard, absl::Time now, size_t* expired);

  const SessionOptions options_;
  SessionKeeper* keeper_ = nullptr;
  StatePool states_;  // before the sessions, who give their slots back
  EndedSessions ended_;
  std::atomic<size_t> live_{0};
  std::array<SessionShard, kShards> shards_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_RESIDENT_SESSIONS_H_
