#ifndef RONDO_SERVER_STORE_STORE_THREAD_H_
#define RONDO_SERVER_STORE_STORE_THREAD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "server/metrics/probes.h"
#include "server/store/session_store.h"
#include "server/store/store_queue.h"

namespace rondo {

// The one thread that talks to a store. The thread takes what has been asked for since it last looked, and hands it
// over as one batch of loads and one of saves: what several sessions wait for is paid once.
//
// For one id, operations take effect in the order in which they were asked for; for different ids, loads may overtake
// saves. Of several saves of one id that wait together the newest is written and all get its answer. A load of what
// another server owns waits until that one lets go of it, or is passed over.
//
// Ownership: owns the store. Threads: every method may be called from any thread, but for the constructor and
// destructor.
class StoreThread {
 public:
  // Each `done` runs exactly once, on the store's thread. It must be quick, and may call every method here but Flush.
  using Loaded = SessionStore::Loaded;
  using Save = StoreSave;
  struct Options {
    // Runs on the store's thread every `tick_interval`, and soon after Wake(), until the destructor begins; may call
    // every method here but Flush. May be null.
    std::function<void(absl::Time now)> tick;
    absl::Duration tick_interval = absl::Milliseconds(500);  // > 0
    // > 0. After saves that failed the next tick comes no later than this, however long tick_interval is, to find out
    // whether the store works again.
    absl::Duration retry_interval = absl::Milliseconds(500);
    // > 0. The interval of SessionStore::DropExpired: what is scanned and dropped must not depend on how often sessions
    // are saved.
    absl::Duration drop_interval = absl::Milliseconds(500);
    // Another server wants this id: it is to be saved and let go of. Runs on a thread of the store's.
    std::function<void(const std::string& id)> on_wanted = nullptr;
  };

  // The most sessions in one call to the store: so many that the cost of a call is spread thin, so few that a load
  // which has just arrived waits some milliseconds at most.
  static constexpr size_t kMaxBatch = 1024;

  StoreThread(std::unique_ptr<SessionStore> store, StoreProbe* probe, Options options);
  ~StoreThread() { Stop(); }
  // Does what was asked for, also by a `done` meanwhile, then ends the thread: whoever is to hear has heard. Nothing
  // more may be asked for. A second call has no effect.
  void Stop();
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  void Load(StoreLoad load) { Ask(std::move(load)); }
  void Enqueue(Save save);
  // Looks at a part of the store. One look comes between two batches, so that nobody waits for many of them.
  void Scan(StoreScan scan) { Ask(std::move(scan)); }
  // See SessionStore. EndWhole comes after Stop.
  uint64_t TermAt(absl::Time now) { return store_->TermAt(now); }
  void EndWhole() { store_->EndWhole(); }
  // Asks for a tick now.
  void Wake();
  // Returns true once all that was asked for before has been answered, or false at `deadline`. REQUIRES: not on the
  // store's thread.
  bool Flush(absl::Time deadline);

 private:
  using Clock = std::chrono::steady_clock;

  // What the thread does next, besides what is in queue_.
  struct Work {
    bool tick = false;
    bool drop_expired = false;
    uint64_t flush = 0;  // not 0: empties queue_, and then tells the Flush of this number and those before
    bool stop = false;
  };

  // What is asked of the thread. A notice: what it names may be loaded now.
  using Asked = std::variant<StoreLoad, StoreSave, StoreScan, StoreNotice>;

  void Ask(Asked asked);
  void Hear(StoreNotice notice);
  void Run();
  // Waits until there is something to do, and moves what was asked for into queue_.
  Work TakeWork();
  // Waits likewise, and moves what was asked for into taken_.
  Work AwaitWork();
  void RunLoads();
  // Keeps loads of what another server has, but for those that have waited long enough.
  void Hold(StoreQueue::Loads* loads);
  void RunSaves();
  void RunScan();
  void DropExpired();
  // Asks once more for what other servers held, if anything has changed there: for one id, or for all.
  void LoadAgain(const std::string& id);
  void LoadAllAgain();
  // False: there is still something to do.
  bool IsOver();

  const std::unique_ptr<SessionStore> store_;
  StoreProbe* const probe_;
  const Options options_;
  // Used on the thread only.
  StoreQueue queue_;
  std::deque<StoreScan> scans_;
  std::vector<Asked> taken_;                                       // from asked_, on its way into queue_
  absl::flat_hash_map<std::string, std::vector<StoreLoad>> held_;  // loads of what other servers hold
  bool listening_ = false;
  Clock::time_point next_tick_;
  Clock::time_point next_drop_;

  Mutex mutex_;
  CondVar work_available_;
  CondVar flush_done_;
  std::vector<Asked> asked_ ABSL_GUARDED_BY(mutex_);  // not in queue_ yet
  uint64_t flushes_asked_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t flushes_done_ ABSL_GUARDED_BY(mutex_) = 0;
  bool wake_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_STORE_THREAD_H_
