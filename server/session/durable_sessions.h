#ifndef RONDO_SERVER_SESSION_DURABLE_SESSIONS_H_
#define RONDO_SERVER_SESSION_DURABLE_SESSIONS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "server/session/session_backing.h"
#include "server/session/session_eviction.h"
#include "server/session/session_options.h"
#include "server/session/session_saver.h"
#include "server/session/session_table.h"
#include "server/session/stored_sweep.h"

namespace rondo {

// Makes the sessions of a table outlive it: loads them from a store, saves what changes, lets the coldest
// leave memory, and gives up those that another server has taken.
//
// Saves and ends of one id are asked for under the lock of its shard, so that they reach the store in the order in
// which they happened. A session that is not in memory is leased by its own load, and a commit that waits for the store
// keeps its lease until then, with the new state beside the old one.
//
// Threads: every method may be called from any thread. Those that take a shard run under its lock: they take no other
// shard's, and neither wait for, tell nor free anything.
class DurableSessions {
 public:
  // `table` outlives this.
  DurableSessions(SessionTable* table, SessionPersistence persistence);
  ~DurableSessions();

  // These do what SessionTable says of its methods of these names.
  absl::StatusOr<bool> Restore(absl::string_view id, LeaseWaiter* waiter, absl::Time now);
  bool Sync(absl::string_view id, CommitWaiter* waiter);
  void DeleteStored(StoredDeletion* deletion, CommitWaiter* waiter) { stored_sweep_.DeleteSome(deletion, waiter); }
  bool Flush(absl::Time deadline);
  size_t CountUnsaved();

  // `session` is about to enter the shard. Colder ones may leave memory for it.
  void OnEnter(SessionShard& shard, LiveSession* session, Aftermath* after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // `session` has changed. `is_saved`: the change is in the store already.
  void OnChange(SessionShard& shard, LiveSession* session, bool is_saved) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // A request has used `session`, which nobody has now, and has not changed it.
  void OnUse(SessionShard& shard, LiveSession* session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // A client has heard that `session` went back: it is saved, so that those who load it do not tell that again.
  void OnHeard(SessionShard& shard, LiveSession* session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // `session`, which has been committed at least once, ends.
  void OnEnd(SessionShard& shard, const LiveSession& session, const SessionEnd& end)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  // Tells whether another server may have taken the session: this one was not heard of for a while since it was loaded.
  bool IsDoubtful(const LiveSession& session, absl::Time now) { return session.stored.term != backing_.TermAt(now); }
  // Saves the session and lets go of it, for another server, or to see whether another one has it. Whoever waits for it
  // here has it loaded again. REQUIRES: not leased.
  void LetGo(SessionShard& shard, LiveSession* session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  // Looks for a session that is not in memory. As SessionTable::Acquire.
  absl::StatusOr<std::optional<SessionLease>> LookFor(const SessionKey& key, const ServedModelPtr* create_as,
                                                      LeaseWaiter* waiter, absl::Time now);
  // Commits once the change is in the store, then tells `waiter`. REQUIRES: durable_replies(), and the lease on
  // `session`.
  void CommitOnceSaved(LiveSession* session, Committed commit, CommitWaiter* waiter);
  // See SessionLease::Discard. True: `session` is no more. REQUIRES: the lease on `session`.
  bool Discard(LiveSession* session);

 private:
  void Tick();
  void OnWanted(const std::string& id);
  void OnLetGo(LiveSession* session, const absl::Status& saved);
  // Tries those again whose letting go could not be saved.
  void RetryLettingGo();
  // Has the session looked for in the store, which leases it until then. `creates`: one is made if there is none.
  void Load(LiveSession* session, bool creates);
  void OnLoaded(LiveSession* session, const SessionBacking::Found& found);
  // Puts what was found into the session that waits for it.
  void Fill(SessionShard& shard, const SessionBacking::Found& found, StateSlot state, LiveSession* session)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Ends the lease by the store's answer. OK: committed.
  absl::Status FinishCommit(LiveSession* session, Committed* commit, const absl::Status& saved);

  SessionTable* const table_;
  SessionBacking backing_;
  SessionSaver saver_;
  SessionEviction eviction_;
  StoredSweep stored_sweep_;
  Mutex mutex_;
  std::vector<LiveSession*> stuck_ ABSL_GUARDED_BY(mutex_);  // leased by their way to another server
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_DURABLE_SESSIONS_H_
