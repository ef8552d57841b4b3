#ifndef RONDO_SERVER_SESSION_SESSION_EVICTION_H_
#define RONDO_SERVER_SESSION_SESSION_EVICTION_H_

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "server/session/session_table.h"

namespace rondo {

// Lets the coldest sessions leave memory while there are too many: those that nobody has used since the last look, that
// nobody has, and whose changes are all in the store. A hand goes round each shard, as a clock's.
//
// Threads: every method may be called from any thread.
class SessionEviction {
 public:
  // `table` outlives this.
  SessionEviction(SessionTable* table, size_t max_resident);

  // Makes room in memory for a session that is about to enter the shard. False: there are still as many as may be.
  bool MakeRoom(SessionShard& shard, Aftermath* after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Makes room in all shards, as far as there are cold sessions. Takes one lock after the other.
  void EvictCold();
  // Lets go of one session. REQUIRES: its changes are in the store, and nobody waits for it.
  void Evict(SessionShard& shard, LiveSession* session, Aftermath* after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

 private:
  // Looks at no more than `looks` places of the shard.
  void EvictSome(SessionShard& shard, size_t looks, Aftermath* after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  SessionTable* const table_;
  const size_t max_resident_;
  // What eviction aims at. A request makes room for one session or none, so what it does not find adds up where most
  // sessions are in use or not saved. The spare room takes that, so that the store's thread is woken for thousands of
  // sessions at once: woken for each it saved a hundred at a time, and loads waited behind its syncs.
  const size_t wanted_resident_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_EVICTION_H_
