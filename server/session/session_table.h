#ifndef RONDO_SERVER_SESSION_SESSION_TABLE_H_
#define RONDO_SERVER_SESSION_SESSION_TABLE_H_

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
#include "server/session/session_info.h"
#include "server/session/session_lease.h"
#include "server/session/session_options.h"
#include "server/session/session_places.h"
#include "server/session/session_shard.h"
#include "server/session/state_pool.h"
#include "server/store/session_record.h"

namespace rondo {

class DurableSessions;

// Some of a tenant's sessions: those whose ids begin with `prefix`, and that are of `model` unless it is empty.
struct SessionFilter {
  absl::string_view tenant;
  absl::string_view prefix;
  absl::string_view model;
};

// What a client deletes together of what is in the store, a part with each call.
struct StoredDeletion {
  std::string tenant;  // these three as SessionFilter has them
  std::string prefix;
  std::string model;
  std::string from;    // where the next part begins, in the store's words; empty: at the start, and after the last part
  size_t deleted = 0;  // by all calls so far
  std::string client;  // who calls, so that no one is in the way of all others
};

// Every live session: its state, its position, who may touch it and in which order. The sessions in memory are in
// shards by the hash of their id. What a store is told and asked is the matter of DurableSessions.
//
// A session is touched by one lease at a time. Those who come meanwhile queue in the session's own FIFO, whatever
// thread they are on; a session with a lease or a queue never expires.
//
// With a store, a session that is not in memory is loaded by the request that names it, who waits for it as for a busy
// one, and the coldest sessions leave memory once they are saved. List knows those in memory.
//
// A session is of one model until a commit of its lease says otherwise. Which models may go on with a session is the
// caller's to know.
//
// Ownership: owns the sessions and their states; a SessionLease borrows one. The table outlives every lease.
// Threads:   every method may be called from any thread. Locks are taken in the order shard, then EndedSessions,
//            StatePool or those of DurableSessions; no thread holds two shards. What a change has to tell or to free is
//            collected under the lock, see Aftermath.
// Time:      an argument, by SteadyNow(). `now` may jump ahead; it never goes back by more than jitter.
// Errors:    returned, each with its reason (server/refusal); on error nothing has changed.
//
// An `id` here is the session's name, which has its tenant: see SessionName.
class SessionTable {
 public:
  using Options = SessionOptions;

  // With a store in `persistence`, memory holds the sessions in use and the store holds all sessions.
  explicit SessionTable(const Options& options, SessionPersistence persistence = {});
  ~SessionTable();

  // Makes a session at position 0 that begins with `state`, [state_size]; empty: where its model begins. With an empty
  // `id` it gets a random one of 32 hex digits. INVALID_ARGUMENT: id, or a timeout that is not above 0 and at most
  // max_idle_timeout. ALREADY_EXISTS. RESOURCE_EXHAUSTED: max_sessions. INTERNAL: no random bytes.
  absl::StatusOr<SessionInfo> Create(absl::string_view id, const ServedModelPtr& model,
                                     std::optional<absl::Duration> idle_timeout, absl::Time now,
                                     absl::Span<const float> state = {});

  // Makes a session of `model` that goes on where `record` stands, under the record's id; its idle time starts anew,
  // and its idle timeout is at most what Create would allow. INVALID_ARGUMENT: the id. FAILED_PRECONDITION: the
  // record's sizes are not the model's. ALREADY_EXISTS, RESOURCE_EXHAUSTED: as Create.
  absl::StatusOr<SessionInfo> Import(const SessionRecord& record, const ServedModelPtr& model, absl::Time now);

  // Takes the session for one request.
  //   a lease:    the session is yours now.
  //   no lease:   `waiter` is in the session's queue and will hear.
  //   error:      NOT_FOUND: unknown id, or why it ended; with `create_as` an unknown id is created instead, and is
  //               gone again if the lease ends without a commit. INVALID_ARGUMENT: id. RESOURCE_EXHAUSTED:
  //               max_sessions, or the session's queue is full.
  // Until its first commit, a session that Acquire created counts to size() but is not seen by Get and List. If that
  // commit does not come, its queue goes on in order: a waiter with `create_as` gets the lease on a new one, one
  // without hears NOT_FOUND.
  absl::StatusOr<std::optional<SessionLease>> Acquire(absl::string_view id, const ServedModelPtr* create_as,
                                                      LeaseWaiter* waiter, absl::Time now);

  // Makes Create, Get, Delete and Import know a session that is in the store only. True: nothing to wait for. False:
  // `waiter` will hear: a lease, to let go, or as Acquire without `create_as`. Errors as Acquire.
  absl::StatusOr<bool> Restore(absl::string_view id, LeaseWaiter* waiter, absl::Time now);

  // With Durability::kEveryReply, or with a store and `always`: makes what Create, Import or Delete did to `id`
  // durable. True: nothing to wait for. False: `waiter` will hear.
  bool Sync(absl::string_view id, CommitWaiter* waiter, bool always = false);

  // True: `waiter` has left the queue and will not hear. False: it has heard, or is hearing now.
  bool CancelWait(absl::string_view id, LeaseWaiter* waiter);

  // Gives a zero state that belongs to no session.
  SessionLease AcquireStateless(const ServedModelPtr& model) { return SessionLease(this, model); }

  // NOT_FOUND: never existed, or why it ended. INVALID_ARGUMENT: id.
  absl::StatusOr<SessionInfo> Get(absl::string_view id, absl::Time now);

  // Ends the session: at once for new requests, who get NOT_FOUND, as does its queue; the lease that runs finishes
  // first. The id is free again at once. Errors as Get, but a session before its first commit is ended as well.
  absl::Status Delete(absl::string_view id, absl::Time now);

  // Ends the session as one that was to end with a stream, unless somebody has it, it has moved on from `position`
  // since, or it is another one than that of `serial`. With a store it has to be in memory: see Restore.
  void EndWithStream(absl::string_view id, int64_t position, uint32_t serial);

  // Ends the sessions in memory that match, as Delete, a part of them with each call. *page_token as in List: empty at
  // the end. Returns how many. With Durability::kEveryReply the store has the ends soon, not yet when this returns.
  absl::StatusOr<size_t> DeleteMany(const SessionFilter& filter, std::string* page_token);

  // Ends sessions that match and are in the store, in memory or not, a part of them with each call, as DeleteMany.
  // `waiter` will hear, perhaps before this returns: OK, and *deletion tells how far it went. INVALID_ARGUMENT: its
  // `from`. RESOURCE_EXHAUSTED: many such calls wait for the store. UNAVAILABLE: the store is away; some may have
  // ended. REQUIRES: has_store(). *deletion stays put until then.
  void DeleteStored(StoredDeletion* deletion, CommitWaiter* waiter);

  // Tells which sessions have ended, and why.
  const EndedSessions& ended() const { return ended_; }

  // Lists at most `page_size` sessions of the tenant and of `model` (empty: of all models). *page_token comes from the
  // last call, and is empty at the start and the end. A session that lives throughout is on exactly one page.
  // INVALID_ARGUMENT: a token that is not ours, or a page size of 0.
  absl::StatusOr<std::vector<SessionInfo>> List(absl::string_view model, size_t page_size, absl::Time now,
                                                std::string* page_token, absl::string_view tenant = {});

  // A client has been told that the session went back to `position`, where it still stands: nobody needs to be told
  // again. Nothing happens if the session is not here, or has moved.
  void HeardThatItWentBack(absl::string_view id, int64_t position);

  // Ends sessions that have been idle for their timeout or have lived for as long as they may. Cheap when nothing is
  // due; call about once a second.
  // Returns how many ended.
  size_t ExpireIdle(absl::Time now);

  // Saves what the store does not have yet. False: not all by `deadline`. REQUIRES: no lease is held.
  bool Flush(absl::Time deadline);
  // The number of sessions that the store does not have as they are, or as ended.
  size_t CountUnsaved() const;

  size_t size() const { return places_.taken(); }  // sessions in memory
  bool has_store() const { return durable_ != nullptr; }
  bool durable_replies() const { return durable_replies_; }  // Durability::kEveryReply
  // Memory of all state slots, used or free, in bytes.
  size_t state_bytes() const { return states_.bytes(); }

 private:
  friend class DurableSessions;
  friend class SessionEviction;
  friend class SessionLease;
  friend class SessionSaver;
  friend class SessionSweep;
  friend class StoredSweep;

  static constexpr size_t kShards = 64;  // 2^6

  // The shard follows from the top bits of the hash, as the hash set in the shard uses the others.
  SessionShard& ShardOf(size_t hash) { return shards_[static_cast<uint64_t>(hash) >> 58]; }
  absl::Status Missing(absl::string_view id) const;

  FreshStart FreshStartOf(const ServedModelPtr& model) {
    return {model, states_.TakeInitial(static_cast<size_t>(model->spec().state_size()),
                                       model->model->network->initial_state())};
  }
  // Enters a session that is committed from the start, if it could be made: Create and Import. Errors as they have.
  absl::StatusOr<SessionInfo> EnterCommitted(absl::StatusOr<std::unique_ptr<LiveSession>> made, absl::Time now);
  // Does what EnterCommitted does, without a second try; on error the session stays the caller's.
  absl::Status EnterCommittedOnce(std::unique_ptr<LiveSession>&& made, absl::Time now);
  // Puts the session into the table. RESOURCE_EXHAUSTED: max_sessions; the session stays the caller's.
  absl::Status Enter(SessionShard& shard, std::unique_ptr<LiveSession>&& session, absl::Time now, Aftermath* after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  // Does what Acquire does for a session that was not here just now.
  absl::StatusOr<std::optional<SessionLease>> JoinOrMake(const SessionKey& key, const ServedModelPtr* create_as,
                                                         LeaseWaiter* waiter, absl::Time now);
  // Gives the lease, or a place in the session's queue.
  absl::StatusOr<std::optional<SessionLease>> Join(SessionShard& shard, LiveSession* session,
                                                   const ServedModelPtr* create_as, LeaseWaiter* waiter, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Puts `waiter` into the session's queue.
  void Wait(SessionShard& shard, LiveSession* session, const ServedModelPtr* create_as, LeaseWaiter* waiter)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Gives the lease to the next in the queue, if there is one, or the session to another server that wants it.
  void PassOn(SessionShard& shard, LiveSession* session, Aftermath* after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  void GiveToNext(LiveSession* session, Aftermath* after);

  // These end the lease on `session`. Commit answers OK, or ABORTED: another server has the session. `is_saved`: the
  // change is in the store already. Afterwards *commit holds what the session no longer needs.
  absl::Status Commit(LiveSession* session, Committed* commit, bool is_saved);
  // `now` may be InfinitePast: then the session's idle time does not start anew.
  void Release(LiveSession* session, absl::Time now);
  // The first commit did not come: gives a new session to the first in the queue that would create it, or takes the
  // session out of the table. Those before it hear `missing`.
  void StartAnew(SessionShard& shard, LiveSession* session, const absl::Status& missing, Aftermath* after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  // Detaches the session for good, and remembers why. `is_saved`: the store knows the end already.
  void End(SessionShard& shard, LiveSession* session, const SessionEnd& end, bool is_saved, Aftermath* after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Takes the session out of the table; if it is leased it belongs to its lease from then on, and has `standing`. Its
  // queue hears `why`.
  void Detach(SessionShard& shard, LiveSession* session, LiveSession::Standing standing, const absl::Status& why,
              Aftermath* after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Takes the session out of the table. REQUIRES: nobody waits for it.
  std::unique_ptr<LiveSession> Remove(SessionShard& shard, LiveSession* session)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  const SessionOptions options_;
  const bool durable_replies_;
  const uint64_t token_salt_;  // of this table's page tokens
  StatePool states_;           // before the sessions, who give their slots back
  EndedSessions ended_;
  SessionPlaces places_;
  // Until when SessionSweep::EndAbandoned does not look again: among all, then among those of the tenants of each hash.
  std::array<std::atomic<int64_t>, 1 + kShards> abandoned_looks_rest_until_ns_{};
  std::array<SessionShard, kShards> shards_;
  std::unique_ptr<DurableSessions> durable_;  // null: memory only. Last: its thread uses all above
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_TABLE_H_
