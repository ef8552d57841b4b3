#ifndef RONDO_SERVER_LOOP_COMPUTE_HELPERS_H_
#define RONDO_SERVER_LOOP_COMPUTE_HELPERS_H_

#include <cstddef>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/mutex.h"

namespace rondo {

// Threads that lend a hand with a step that is long enough to share. All loops share one set of them.
//
// Threads: Run may be called from several threads at once.
class ComputeHelpers {
 public:
  // Starts `count` threads; with 0 Run does everything on the caller's thread.
  explicit ComputeHelpers(size_t count);
  ~ComputeHelpers();

  // Calls part(0) ... part(parts - 1), each once, on the caller's thread and on any helper that is free; returns when
  // all have returned. Allocates nothing in steady state.
  void Run(size_t parts, absl::FunctionRef<void(size_t)> part);

  size_t count() const { return threads_.size(); }

 private:
  struct Job {
    absl::FunctionRef<void(size_t)> part;
    size_t parts;
    size_t next = 0;      // guarded by mutex_
    size_t finished = 0;  // guarded by mutex_
  };

  void HelperThread();
  // Runs parts of `job` until none is left to take.
  void Work(Job* job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  CondVar work_available_;
  CondVar part_finished_;
  std::vector<Job*> jobs_ ABSL_GUARDED_BY(mutex_);  // those with parts to take
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;  // last: they use everything above
};

}  // namespace rondo

#endif  // RONDO_SERVER_LOOP_COMPUTE_HELPERS_H_
