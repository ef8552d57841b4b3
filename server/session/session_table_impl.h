#ifndef RONDO_SERVER_SESSION_SESSION_TABLE_IMPL_H_
#define RONDO_SERVER_SESSION_SESSION_TABLE_IMPL_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/session/ended_sessions.h"
#include "server/session/session.h"
#include "server/session/session_shard.h"
#include "server/session/session_table.h"
#include "server/session/state_pool.h"
#include "server/session/wait_queue.h"

namespace rondo {

// The sessions, in shards by the hash of their id. Locks are taken in the order shard, then EndedSessions or StatePool;
// no thread holds two shards. What a change has to tell or to free is collected under the lock and done after it.
class SessionTable::Impl {
 public:
  Impl(const Options& options, SessionTable* table);
  ~Impl();

  // As in SessionTable.
  absl::StatusOr<SessionInfo> Create(absl::string_view id, const ServedModelPtr& model,
                                     std::optional<absl::Duration> idle_timeout, absl::Time now);
  absl::StatusOr<SessionInfo> Import(const SessionRecord& record, const ServedModelPtr& model, absl::Time now);
  absl::StatusOr<std::optional<SessionLease>> Acquire(absl::string_view id, const ServedModelPtr* create_as,
                                                      LeaseWaiter* waiter, absl::Time now);
  bool CancelWait(absl::string_view id, LeaseWaiter* waiter);
  absl::StatusOr<SessionInfo> Get(absl::string_view id, absl::Time now);
  absl::Status Delete(absl::string_view id);
  absl::StatusOr<std::vector<SessionInfo>> List(absl::string_view model, size_t page_size, absl::Time now,
                                                std::string* page_token);
  size_t ExpireIdle(absl::Time now);

  // Ends the lease on `session`; committed null: without a commit. InfinitePast: the idle time does not start anew.
  // *fresh, if it has a model, is what the session restarts as with a commit; then it holds what the session had.
  void EndLease(Session* session, const CommittedSequence* committed, FreshStart* fresh, absl::Time now);

  // REQUIRES: the caller has the lease on `session`.
  SessionRecord Export(const Session& session);

  FreshStart FreshStartOf(const ServedModelPtr& model) {
    return {model, states_.TakeZeroed(static_cast<size_t>(model->spec().state_size()))};
  }

  size_t size() const { return live_.load(std::memory_order_relaxed); }
  StatePool& states() { return states_; }

 private:
  static constexpr size_t kShards = 64;  // 2^6, see ShardOf

  // Where List goes on.
  struct Place {
    uint32_t shard = 0;
    uint32_t place = 0;
  };

  // By the hash's top bits: the hash set in the shard uses the others.
  SessionShard& ShardOf(size_t hash) { return shards_[static_cast<uint64_t>(hash) >> 58]; }
  absl::Status Missing(absl::string_view id) const;
  std::unique_ptr<Session> NewSession(const SessionKey& key, const ServedModelPtr& model, absl::Duration idle_timeout,
                                      absl::Time now);
  // Puts the session into the table. RESOURCE_EXHAUSTED: max_sessions; the session stays the caller's.
  absl::Status Enter(SessionShard& shard, std::unique_ptr<Session>&& session, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // The lease, or a place in the queue.
  absl::StatusOr<std::optional<SessionLease>> Join(SessionShard& shard, Session* session,
                                                   const ServedModelPtr* create_as, LeaseWaiter* waiter, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  // Gives the lease to the next in the queue, if there is one.
  void PassOn(SessionShard& shard, Session* session, WaitQueue* heard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // The first commit did not come: gives a new session to the first in the queue that would create it, or takes the
  // session out of the table and returns it.
  std::unique_ptr<Session> StartAnew(SessionShard& shard, Session* session, WaitQueue* heard)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Takes the session out of the table and returns it, or null if it is leased: then it belongs to its lease.
  std::unique_ptr<Session> Retire(SessionShard& shard, Session* session, const SessionEnd& end, WaitQueue* heard)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  bool ExpireSome(SessionShard& shard, absl::Time now, size_t* expired);

  std::string TokenOf(Place place) const;
  absl::StatusOr<Place> PlaceOf(absl::string_view token) const;
  // Adds sessions of `shard` to `page` from *place on, and moves it. False: the page is full or the shard at its end.
  bool ListSome(SessionShard& shard, absl::string_view model, size_t page_size, absl::Time now, uint32_t* place,
                std::vector<SessionInfo>* page);

  const Options options_;
  SessionTable* const table_;
  const uint64_t token_salt_;
  StatePool states_;  // before the sessions, who give their slots back
  EndedSessions ended_;
  std::atomic<size_t> live_{0};
  std::array<SessionShard, kShards> shards_;
};

// `session` as a value. REQUIRES: its shard's lock, and the lease or that nobody has it.
SessionRecord RecordOf(const Session& session);

// What is known of `session` from outside. REQUIRES: its shard's lock.
SessionInfo InfoOf(const Session& session, absl::Time now);

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_TABLE_IMPL_H_
