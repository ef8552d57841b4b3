#ifndef RONDO_SERVER_SESSION_SESSION_SAVER_H_
#define RONDO_SERVER_SESSION_SESSION_SAVER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/metrics/probes.h"
#include "server/session/session_backing.h"
#include "server/session/session_table.h"

namespace rondo {

// Brings the changes of resident sessions to the store after they have happened, and knows whether the store is away.
//
// Each change of a session has a number. A save tells the number of the change that it brings, so that the answer of an
// older save never speaks for a newer change, nor for another session of this id.
//
// Threads: every method may be called from any thread.
class SessionSaver {
 public:
  // All outlive this.
  SessionSaver(SessionTable* table, SessionBacking* backing, SessionsProbe* probe);

  // The session has changed, and is to be saved soon. REQUIRES: not leased.
  void NoteChange(SessionShard& shard, LiveSession* session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // The session has changed, and the change is in the store.
  void NoteSavedChange(SessionShard& shard, LiveSession* session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // A request that does not move the session prolongs its life too. The store hears of that now and then; otherwise
  // the session would end for the store. REQUIRES: not leased.
  void NoteUse(SessionShard& shard, LiveSession* session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // The store may not have the session as it is. The session may be leased.
  void NoteDoubt(SessionShard& shard, LiveSession* session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  // `waiter` may be null. REQUIRES: not leased.
  void SaveNow(SessionShard& shard, LiveSession* session, CommitWaiter* waiter)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Asks for the saves of all sessions with a change, or of a few while the store is away. Takes the shards in turn.
  void SaveChanges();
  // The number of sessions in memory that are ahead of the store.
  size_t CountUnsaved();

  // Hears each answer to a save. A store that is back is asked at once to save what waits for it.
  void NoteAnswer(const absl::Status& saved);
  bool store_is_away() const { return store_is_away_.load(std::memory_order_relaxed); }
  // Asks the backing for a tick, unless one is on its way; OnTick says that it has come.
  void WakeForTick();
  void OnTick() { woken_.store(false, std::memory_order_relaxed); }

  // Takes a session that another server has now out of memory. If it is leased, it stays its lease's.
  void GiveUp(SessionShard& shard, LiveSession* session, Aftermath* after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

 private:
  void MarkDirty(SessionShard& shard, LiveSession* session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void SaveSome(SessionShard& shard, absl::Span<const uint32_t> places);
  // Asks for at most `most` of the shard's saves. Returns how many sessions of the shard had changes.
  size_t SaveShard(SessionShard& shard, size_t most);
  void OnSaved(const std::string& id, uint64_t change, int64_t position, const absl::Status& status);

  SessionTable* const table_;
  SessionBacking* const backing_;
  SessionsProbe* const probe_;
  std::atomic<bool> store_is_away_{false};  // by the store's last answer
  std::atomic<bool> woken_{false};          // a tick is on its way
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_SAVER_H_
