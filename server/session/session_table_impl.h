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
#include "absl/types/span.h"
#include "server/session/ended_sessions.h"
#include "server/session/live_session.h"
#include "server/session/session_backing.h"
#include "server/session/session_shard.h"
#include "server/session/session_table.h"
#include "server/session/state_pool.h"
#include "server/session/wait_queue.h"

namespace rondo {

// How a lease ends.
struct LeaseEnd {
  const CommittedSequence* committed = nullptr;  // null: without a commit
  absl::Time now = absl::InfinitePast();         // InfinitePast: the idle time does not start anew
  FreshStart fresh;                              // with a model: what the session restarts as
  ServedModelPtr adopter;                        // if any: goes on with the session
  StateSlot next_state;                          // if any: becomes the state
  bool durable = false;                          // the change is in the store
};

// The sessions, in shards by the hash of their id. Locks are taken in the order shard, then EndedSessions, StatePool or
// SessionBacking; no thread holds two shards. Saves and ends of one id are asked for under its shard's lock, so that
// they reach the store in the order in which they happened. What a change has to tell or to free is collected under the
// lock and done after it.
class SessionTable::Impl {
 public:
  Impl(const Options& options, SessionPersistence persistence, SessionTable* table);
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
  absl::StatusOr<bool> Restore(absl::string_view id, LeaseWaiter* waiter, absl::Time now);
  bool Sync(absl::string_view id, CommitWaiter* waiter);
  bool Flush(absl::Time deadline);

  // OK, or ABORTED: another server has the session. Afterwards *end holds what the session no longer needs.
  absl::Status EndLease(LiveSession* session, LeaseEnd* end);
  // EndLease once its change is in the store; then tells `waiter`. REQUIRES: commits_wait(); end->committed is set.
  void SaveThenEndLease(LiveSession* session, LeaseEnd end, CommitWaiter* waiter);
  bool commits_wait() const { return backing_ != nullptr && backing_->durability() == Durability::kEveryReply; }
  // See SessionLease. True: `session` is no more.
  bool Discard(LiveSession* session);
  bool has_store() const { return backing_ != nullptr; }

  // REQUIRES: the caller has the lease on `session`.
  SessionRecord Export(const LiveSession& session);

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
  std::unique_ptr<LiveSession> NewSession(const SessionKey& key, const ServedModelPtr& model,
                                          absl::Duration idle_timeout, absl::Time now);
  // Puts the session into the table. RESOURCE_EXHAUSTED: max_sessions; the session stays the caller's.
  absl::Status Enter(SessionShard& shard, std::unique_ptr<LiveSession>&& session, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // The lease, or a place in the queue.
  absl::StatusOr<std::optional<SessionLease>> Join(SessionShard& shard, LiveSession* session,
                                                   const ServedModelPtr* create_as, LeaseWaiter* waiter, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  // Gives the lease to the next in the queue, if there is one.
  void PassOn(SessionShard& shard, LiveSession* session, WaitQueue* heard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // The first commit did not come: gives a new session to the first in the queue that would create it, or takes the
  // session out of the table and returns it. Those before it hear `missing`.
  std::unique_ptr<LiveSession> StartAnew(SessionShard& shard, LiveSession* session, const absl::Status& missing,
                                         WaitQueue* heard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Takes the session out of the table and returns it, or null if it is leased: then it belongs to its lease.
  // Its queue hears `why`.
  std::unique_ptr<LiveSession> Detach(SessionShard& shard, LiveSession* session, const absl::Status& why,
                                      WaitQueue* heard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Detach for good, and remember why.
  std::unique_ptr<LiveSession> DetachEnded(SessionShard& shard, LiveSession* session, const SessionEnd& end,
                                           WaitQueue* heard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // DetachEnded, and the store is told.
  std::unique_ptr<LiveSession> Retire(SessionShard& shard, LiveSession* session, const SessionEnd& end,
                                      WaitQueue* heard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  bool ExpireSome(SessionShard& shard, absl::Time now, size_t* expired);

  // With a store; session_loading.cc.
  absl::StatusOr<std::optional<SessionLease>> StartLoad(const SessionKey& key, const ServedModelPtr* create_as,
                                                        LeaseWaiter* waiter, absl::Time now);
  void OnLoaded(LiveSession* session, const SessionBacking::Found& found);
  // What eviction aims at: fewer than max_resident.
  size_t wanted_resident() const;
  // Before a session enters: evicts if there are as many as should be.
  void MakeRoom(SessionShard& shard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Lets go of cold, saved sessions while there are too many, looking at no more than `looks` places.
  void EvictSome(SessionShard& shard, size_t looks) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void EvictCold();
  std::unique_ptr<LiveSession> Evict(SessionShard& shard, LiveSession* session)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  // With a store; session_saving.cc.
  void Tick();
  void SaveDirty();  // all, or a few while the store is away
  bool AllSaved();   // no session in memory is ahead of the store
  // What an answer says of the store itself. One that is back is asked at once to save what waits for it.
  void NoteStore(const absl::Status& saved);
  void WakeForTick();
  void SaveSome(SessionShard& shard, absl::Span<const uint32_t> places);
  // The session has changed: the change is in the store already, or will be soon. No effect without a store.
  void NoteChange(SessionShard& shard, LiveSession* session, bool durable) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // A request that does not move the session prolongs its life too: the store hears of it now and then, or to it the
  // session would end.
  void NoteUse(SessionShard& shard, LiveSession* session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void MarkDirty(SessionShard& shard, LiveSession* session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // REQUIRES: not leased.
  void SaveNow(SessionShard& shard, LiveSession* session, CommitWaiter* waiter)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void OnSaved(const std::string& id, uint64_t change, int64_t position, const absl::Status& status);
  // Another server has the session now. If it is leased, it stays its lease's.
  std::unique_ptr<LiveSession> Lose(SessionShard& shard, LiveSession* session, WaitQueue* heard)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  absl::Status FinishCommit(LiveSession* session, LeaseEnd* end, const absl::Status& saved);

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
  Metrics* const store_metrics_;
  std::atomic<bool> store_is_away_{false};  // by its last answer
  std::atomic<bool> woken_{false};          // a tick is on its way
  std::atomic<size_t> live_{0};
  std::array<SessionShard, kShards> shards_;
  std::unique_ptr<SessionBacking> backing_;  // null: memory only. Last: its thread uses all above
};

// `session` as a value, where it lies. REQUIRES: its shard's lock, and the lease or that nobody has it; both as long as
// the view is used.
SessionView ViewOf(const LiveSession& session);
// Where `record` stands, but for its id, model and times. REQUIRES: the session is nobody else's yet, or its shard's
// lock; its state has the record's size.
void GoOnFrom(const SessionRecord& record, LiveSession* session);

absl::Status MovedError(absl::string_view id);

// What the store is told of it. REQUIRES: the session's shard's lock.
SessionBacking::End EndOf(const LiveSession& session, const SessionEnd& end);

// What is known of `session` from outside. REQUIRES: its shard's lock.
SessionInfo InfoOf(const LiveSession& session, absl::Time now);

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_TABLE_IMPL_H_
