#ifndef RONDO_SERVER_SESSION_SESSION_BACKING_H_
#define RONDO_SERVER_SESSION_SESSION_BACKING_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "server/metrics/metrics.h"
#include "server/metrics/served_model.h"
#include "server/store/session_record.h"
#include "server/store/session_store.h"
#include "server/store/store_thread.h"

namespace rondo {

// When a session is in the store.
enum class Durability {
  kInterval,    // soon after each change, at most SessionPersistence::sync_interval later
  kEveryReply,  // before its change is answered
};

// How the sessions of a table outlive it.
struct SessionPersistence {
  std::unique_ptr<SessionStore> store;  // null: they do not, and the rest here means nothing
  Durability durability = Durability::kInterval;
  absl::Duration sync_interval = absl::Seconds(1);  // > 0
  // Sessions in memory; beyond it the coldest stay in the store only. More only while they are in use or not saved yet;
  // usually fewer, as a sixteenth of the room is kept free.
  size_t max_resident = 1'000'000;
  // For how long at least the store knows why a session ended. Longer if its idle timeout is: for so long another
  // server may hold a copy that knows nothing of the end.
  absl::Duration ended_kept = absl::Hours(1);
  // The live model that goes on with a state of the recorded one. Any error: there is none, and why.
  std::function<absl::StatusOr<ServedModelPtr>(const RecordedModel&)> find_model;
  Metrics* metrics = nullptr;
};

// What an answer to a save says of the store itself. Not of it but of one session: another server has that, or what the
// store has in its place is no session.
bool IsAway(const absl::Status& saved);

// What a client is refused with if the store answers so. OK stays OK.
absl::Status StoreRefusal(absl::Status answer);

// The store behind a session table, in the table's words: records instead of bytes, ends instead of tombstones.
//
// Threads: every method may be called from any thread; answers come on the store's own.
class SessionBacking {
 public:
  // What the store knows of an id.
  struct Found {
    absl::Status status;  // not OK: the store, or what it holds, cannot be used; nothing else here is set
    std::optional<SessionRecord> record;
    ServedModelPtr model;  // of the record
    absl::Status missing;  // without a record: NOT_FOUND, and why it ended if it did
    uint64_t epoch = 1;    // to save with
  };
  // That a session has ended.
  struct End {
    std::string id;
    std::string reason;  // as EndedError says it
    uint64_t epoch = SessionStore::kOwnEpoch;
    int64_t idle_timeout_ns = SessionFields::kNever;
  };

  explicit SessionBacking(SessionPersistence persistence);
  // Comes before all else. `tick` runs on the store's thread twice a sync_interval, and soon after Wake().
  void Start(std::function<void(absl::Time)> tick);
  // Comes after all else: saves what was asked for, and ends the store's thread.
  void Stop() { thread_->Stop(); }

  void Load(absl::string_view id, std::function<void(Found)> done);
  void Save(const SessionView& session, uint64_t epoch, std::function<void(const absl::Status&)> done);
  // The session has ended. Tried again until it is saved, or another server has gone on with the session; until then
  // Load says the same.
  void SaveEnd(End end);
  // The session ends if this can be saved.
  void TryEnd(const End& end, std::function<void(const absl::Status&)> done);
  // From the tick: tries again what could not be saved: all, or a few while the store is away.
  void RetryEnds();

  // All ends are in the store.
  bool AllEndsSaved();

  void Wake() { thread_->Wake(); }
  bool Flush(absl::Time deadline) { return thread_->Flush(deadline); }
  Durability durability() const { return persistence_.durability; }
  size_t max_resident() const { return persistence_.max_resident; }

 private:
  // An end that the store does not have yet. It holds until then: what the store still says of the id is not true.
  struct UnsavedEnd {
    End end;
    uint64_t ticket = 0;  // which end of this id
    bool failed = false;  // not on its way: to be tried again
  };

  Found Interpret(const std::string& id, const StoreThread::Loaded& loaded, absl::Time now);
  // Why `id` ended, if the store does not know yet. The end will be saved with the epoch of this load.
  std::optional<std::string> UnsavedEndOf(const std::string& id, const StoreThread::Loaded& loaded);
  void Enqueue(const UnsavedEnd& unsaved) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // An answer to the save of `tried`.
  void OnEndSaved(const UnsavedEnd& tried, const absl::Status& status);

  SessionPersistence persistence_;  // constant; Start takes the store out
  Mutex mutex_;
  absl::flat_hash_map<std::string, UnsavedEnd> unsaved_ends_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_ticket_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ends_fail_ ABSL_GUARDED_BY(mutex_) = false;  // by the last answer to one
  std::unique_ptr<StoreThread> thread_;             // last: what it calls uses all above
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_BACKING_H_
