#ifndef RONDO_SERVER_SERVE_WORK_BUDGET_H_
#define RONDO_SERVER_SERVE_WORK_BUDGET_H_

#include <atomic>
#include <cstddef>

#include "absl/status/status.h"
#include "server/serve/memory_budget.h"
#include "server/serve/request_limits.h"

namespace rondo {

// What a request costs, as it is known before the request runs.
struct Work {
  size_t steps = 0;  // timesteps x sequences, or x paths
  size_t bytes = 0;  // the request's floats, the reply's, and what is computed in between
};

// Counts the work of requests that run or wait, those of the server or those of one client, so that what is too much is
// refused before anything is allocated.
//
// Threads: all methods from any thread.
class WorkBudget {
 public:
  // The server's. `memory`: what its bytes are taken from too; may be null.
  explicit WorkBudget(const WorkLimits& limits, MemoryBudget* memory = nullptr) : memory_(memory), limits_(limits) {}
  // Makes the budget of one client: half of the server's, from which it takes too.
  explicit WorkBudget(WorkBudget* server)
      : server_(server), limits_{server->limits_.max_work_steps / 2, server->limits_.max_work_bytes / 2} {}

  // Takes `work` until GiveBack. RESOURCE_EXHAUSTED: the requests that run leave no room for it. INVALID_ARGUMENT: it
  // is above a request's share, which is half of the server's budget, so that there will never be room. On error
  // nothing was taken.
  absl::Status Take(const Work& work);
  void GiveBack(const Work& work);

  size_t steps() const { return steps_.load(std::memory_order_relaxed); }
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  // INVALID_ARGUMENT: `work` is above a request's share.
  absl::Status CheckShare(const Work& work) const;

  WorkBudget* const server_ = nullptr;  // null: this is the server's
  MemoryBudget* const memory_ = nullptr;
  const WorkLimits limits_;
  std::atomic<size_t> steps_{0};
  std::atomic<size_t> bytes_{0};
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_WORK_BUDGET_H_
