#ifndef RONDO_SERVER_SESSION_DURABLE_SESSIONS_H_
#define RONDO_SERVER_SESSION_DURABLE_SESSIONS_H_

#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/session/resident_sessions.h"
#include "server/session/session_backing.h"
#include "server/session/session_eviction.h"
#include "server/session/session_keeper.h"
#include "server/session/session_options.h"
#include "server/session/session_saver.h"

namespace rondo {

// Makes the sessions of a ResidentSessions outlive it: loads them from a store, saves what changes, lets the coldest
// leave memory, and gives up those that another server has taken.
//
// Saves and ends of one id are asked for under the lock of its shard, so that they reach the store in the order in
// which they happened. A session that is not in memory is leased by its own load, and a commit that waits for the store
// keeps its lease until then, with the new state beside the old one.
//
// Threads: every method may be called from any thread.
class DurableSessions : public SessionKeeper {
 public:
  // Becomes the keeper of `resident`, which outlives this.
  DurableSessions(ResidentSessions* resident, SessionPersistence persistence);
  ~DurableSessions() override;

  // As in SessionTable.
  absl::StatusOr<bool> Restore(absl::string_view id, LeaseWaiter* waiter, absl::Time now);
  bool Sync(absl::string_view id, CommitWaiter* waiter);
  bool Flush(absl::Time deadline);
  size_t CountUnsaved();

  void OnEnter(SessionShard& shard, LiveSession* session, LeftSessions* left) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void OnChange(SessionShard& shard, LiveSession* session, bool is_saved) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void OnUse(SessionShard& shard, LiveSession* session) override ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void OnEnd(SessionShard& shard, const LiveSession& session, const SessionEnd& end) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  absl::StatusOr<std::optional<SessionLease>> LookFor(const SessionKey& key, const ServedModelPtr* create_as,
                                                      LeaseWaiter* waiter, absl::Time now) override;
  void CommitOnceSaved(LiveSession* session, Committed commit, CommitWaiter* waiter) override;
  bool Discard(LiveSession* session) override;

 private:
  void Tick();
  void OnLoaded(LiveSession* session, const SessionBacking::Found& found);
  // Puts what was found into the session that waits for it.
  void Fill(SessionShard& shard, const SessionBacking::Found& found, StateSlot state, LiveSession* session)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Ends the lease by the store's answer. OK: committed.
  absl::Status FinishCommit(LiveSession* session, Committed* commit, const absl::Status& saved);

  ResidentSessions* const resident_;
  SessionBacking backing_;
  SessionSaver saver_;
  SessionEviction eviction_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_DURABLE_SESSIONS_H_
