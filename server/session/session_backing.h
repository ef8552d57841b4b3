#ifndef RONDO_SERVER_SESSION_SESSION_BACKING_H_
#define RONDO_SERVER_SESSION_SESSION_BACKING_H_

#include <chrono>
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
#include "server/metrics/served_model.h"
#include "server/session/session_errors.h"
#include "server/session/session_options.h"
#include "server/store/session_record.h"
#include "server/store/session_store.h"
#include "server/store/store_thread.h"

namespace rondo {

// Tells whether a failed save means that the store is away (true), or only that this session is refused (false):
// another server has the session, or what the store has in its place is no session.
bool StoreIsAway(const absl::Status& saved);

// The store behind a session table, in the table's words: records instead of bytes, ends instead of tombstones.
//
// Threads: every method may be called from any thread; answers come on the store's thread.
class SessionBacking {
 public:
  // What the store knows of an id.
  struct Found {
    absl::Status status;  // not OK: the store, or what it holds, cannot be used; nothing else here is set
    std::optional<SessionRecord> record;
    ServedModelPtr model;    // goes on with the record; its time of last use is by SteadyNow
    absl::Status missing;    // without a record: NOT_FOUND, and why the session ended if it did
    uint64_t epoch = 1;      // to save with
    bool went_back = false;  // the record may be older than what was answered
  };
  // Says that a session has ended.
  struct End {
    std::string id;
    std::string reason;  // as ReasonOf gives it
    uint64_t epoch = SessionStore::kOwnEpoch;
    int64_t idle_timeout_ns = SessionFields::kNever;
  };

  explicit SessionBacking(SessionPersistence persistence);
  // Starts the store's thread. Comes before the methods below. `tick` runs on that thread twice a sync_interval, and
  // soon after Wake().
  // `on_wanted`: another server wants the session of this id. Runs on a thread of the store's.
  void Start(std::function<void(absl::Time)> tick, std::function<void(const std::string& id)> on_wanted);
  // Saves what was asked for, and ends the store's thread. Comes after the methods below.
  void Stop() { thread_->Stop(); }
  // Notes in the store that every session is there as it was answered. Comes after Stop.
  void EndWhole() { thread_->EndWhole(); }

  static constexpr std::chrono::seconds kLongestWait{5};
  // Finds a session whatever its model: without `model` in Found. UNAVAILABLE in Found: another server has had it for
  // all of kLongestWait since it was asked to let go.
  void LoadRecord(absl::string_view id, std::function<void(Found)> done);
  // Looks at a part of the store, as SessionStore::Scan does.
  void Scan(std::string prefix, std::string from, std::function<void(SessionStore::ScanOp)> done) {
    thread_->Scan({std::move(prefix), std::move(from), std::move(done)});
  }
  // Finds the model for a record that was found. Null: there is none.
  ServedModelPtr ModelOf(const SessionRecord& record) const {
    return persistence_.find_model(record.model).value_or(nullptr);
  }
  // `creates`: a session of this id is made if there is none.
  void Load(absl::string_view id, bool creates, std::function<void(Found)> done);
  // `session`: as ViewOf gives it.
  void Save(SessionView session, uint64_t epoch, std::function<void(const absl::Status&)> done,
            SessionStore::After after = SessionStore::After::kKept);
  // Lets go of a session that is in the store as it is to be.
  void LetGo(absl::string_view id);
  // Saves the end of a session that has ended. It is tried again until it is saved or another server has gone on with
  // the session; until then Load says that the session has ended.
  void SaveEnd(End end);
  // Saves the end of a session that ends only if that succeeds.
  void TryEnd(const End& end, std::function<void(const absl::Status&)> done);
  // Tries the ends again that could not be saved: all of them, or a few while the store is away. For the tick.
  void RetryEnds();

  // The number of ends that are not in the store.
  size_t CountUnsavedEnds();

  uint64_t TermAt(absl::Time now) { return thread_->TermAt(now); }
  void Wake() { thread_->Wake(); }
  bool Flush(absl::Time deadline) { return thread_->Flush(deadline); }
  SessionsProbe* sessions_probe() const { return persistence_.metrics->sessions(); }
  size_t max_resident() const { return persistence_.max_resident; }

 private:
  // An end that the store does not have yet. Until it has, the end holds and what the store says of the id does not.
  struct UnsavedEnd {
    End end;
    uint64_t ticket = 0;  // tells this end from others of its id
    bool failed = false;  // the end is not on its way: it is to be tried again
  };

  // Turns a record's times, which are the wall clock's, into those of SteadyNow(). The end, if one of them has come.
  std::optional<SessionEnd> MoveToNow(SessionRecord* record) const;
  Found Interpret(const std::string& id, const StoreThread::Loaded& loaded);
  // Does what Interpret does, but looks for no model.
  Found InterpretRecord(const std::string& id, const StoreThread::Loaded& loaded);
  // Says why `id` ended, if the store does not know yet. The end will be saved with the epoch of this load.
  std::optional<std::string> UnsavedEndOf(const std::string& id, const StoreThread::Loaded& loaded);
  void Enqueue(const UnsavedEnd& unsaved) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Hears the answer to the save of `tried`.
  void OnEndSaved(const UnsavedEnd& tried, const absl::Status& status);

  SessionPersistence persistence_;  // constant; Start takes the store out
  Mutex mutex_;
  absl::flat_hash_map<std::string, UnsavedEnd> unsaved_ends_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_ticket_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ends_fail_ ABSL_GUARDED_BY(mutex_) = false;  // the store is away, by the last answer to an end
  std::unique_ptr<StoreThread> thread_;             // last: what the thread calls uses all above
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_BACKING_H_
