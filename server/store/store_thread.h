#ifndef RONDO_SERVER_STORE_STORE_THREAD_H_
#define RONDO_SERVER_STORE_STORE_THREAD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/metrics.h"
#include "server/mutex.h"
#include "server/store/session_store.h"

namespace rondo {

// The one thread that talks to a store. It takes all that has been asked for since it last looked, and hands it over as
// one batch of loads and one of saves: what several sessions wait for is paid once.
//
// For one id, operations take effect in the order they were asked for. Of several saves of one id in a batch the newest
// is written and all get its answer.
//
// Ownership: owns the store. Threads: every method may be called from any thread, but for the constructor and
// destructor.
class StoreThread {
 public:
  struct Loaded {
    absl::Status status;
    std::string value;  // empty: there is none
    uint64_t epoch = 1;
  };
  struct Save {
    std::string id;
    std::string value;
    absl::Time expires_at = absl::InfiniteFuture();
    uint64_t epoch = 1;
    // The answer. Runs on the store's thread; must be quick; may call every method here but Flush.
    std::function<void(const absl::Status&)> done;
  };
  struct Options {
    // Runs on the store's thread every `tick_interval`, and soon after Wake(); may call every method here.
    std::function<void(absl::Time now)> tick;
    absl::Duration tick_interval = absl::Milliseconds(500);
  };

  StoreThread(std::unique_ptr<SessionStore> store, Metrics* metrics, Options options);
  // Writes what was asked for, then ends. Whoever is to hear has heard.
  ~StoreThread();

  // `done` runs on the store's thread; must be quick; may call every method here.
  void Load(std::string id, std::function<void(Loaded)> done);
  void Enqueue(Save save);
  // Asks for a tick now.
  void Wake();
  // Returns once all that was asked for before has been answered, or at `deadline`: false. Not from the store's thread.
  bool Flush(absl::Time deadline);

 private:
  struct PendingLoad {
    std::string id;
    std::function<void(Loaded)> done;
  };
  struct Batch {
    std::vector<PendingLoad> loads;
    std::vector<Save> saves;
    bool empty() const { return loads.empty() && saves.empty(); }
  };

  void Run();
  void RunLoads(std::vector<PendingLoad> loads);
  void RunSaves(std::vector<Save> saves);

  const std::unique_ptr<SessionStore> store_;
  Metrics* const metrics_;
  const Options options_;
  Mutex mutex_;
  CondVar work_available_;
  CondVar work_done_;
  Batch pending_ ABSL_GUARDED_BY(mutex_);
  bool working_ ABSL_GUARDED_BY(mutex_) = false;
  bool wake_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_STORE_THREAD_H_
