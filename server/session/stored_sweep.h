#ifndef RONDO_SERVER_SESSION_STORED_SWEEP_H_
#define RONDO_SERVER_SESSION_STORED_SWEEP_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "base/mutex.h"
#include "server/session/session_backing.h"
#include "server/session/session_table.h"

namespace rondo {

// Ends sessions that a client deletes together, wherever they are: those in the store too.
//
// A session that is in the store only is taken from it as one that is loaded, so that no other server has it, and its
// end is saved as that of a session in memory. Whether a session is in memory is looked at twice, before its load is
// asked for and when that has come, each time under the lock of its shard: a request that brings the session back
// meanwhile comes behind the end, or finds that the session lives.
//
// Threads: DeleteSome may be called from any thread; the rest runs on the store's.
class StoredSweep {
 public:
  // The most calls at once: what they have asked of the store stands before everyone else's loads. One client has at
  // most half of the places that others leave: its calls may wait for seconds for sessions that another server has.
  static constexpr size_t kMaxCalls = 16;

  // Both outlive this.
  StoredSweep(SessionTable* table, SessionBacking* backing) : table_(table), backing_(backing) {}

  // See SessionTable::DeleteStored.
  void DeleteSome(StoredDeletion* deletion, CommitWaiter* waiter);

 private:
  struct Call;

  // False: the client, or all together, have too many.
  bool TakePlace(const std::string& client);
  void GiveBackPlace(const std::string& client);
  void OnFound(const std::shared_ptr<Call>& call, const SessionStore::ScanOp& found);
  // Ends the session if it is in memory, or has it loaded to end it then.
  void EndOrLoad(const std::shared_ptr<Call>& call, const std::string& name);
  void OnLoaded(const std::shared_ptr<Call>& call, const std::string& name, const SessionBacking::Found& found);
  // Ends a session that was found in the store. False: it is in memory, or none of those.
  bool EndStored(const std::string& name, const SessionBacking::Found& found, StoredDeletion* deletion);
  // Ends the session if it is in memory, is none that a request has just brought there, and is one of those. False: it
  // is not in memory.
  bool EndInMemory(SessionShard& shard, const SessionKey& key, StoredDeletion* deletion, Aftermath* after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // One of what the call waits for has come; the last one ends it.
  void Came(const std::shared_ptr<Call>& call, const absl::Status& status);

  SessionTable* const table_;
  SessionBacking* const backing_;
  Mutex mutex_;
  size_t calls_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, size_t> calls_of_ ABSL_GUARDED_BY(mutex_);  // by client; those who have any
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_STORED_SWEEP_H_
