#ifndef RONDO_SERVER_SERVE_MEMORY_BUDGET_H_
#define RONDO_SERVER_SERVE_MEMORY_BUDGET_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <utility>

#include "absl/status/status.h"

namespace rondo {

// Keeps the process within its memory: whatever asks for more is refused before that is allocated. What counts is what
// the process has in memory, whoever allocated it. That is looked at when half of the room that the last look found has
// been taken, so the looks come closer as the limit does.
//
// Threads: every method may be called from any thread.
class MemoryBudget {
 public:
  // `used`: returns how many bytes the process uses now.
  MemoryBudget(size_t limit, std::function<size_t()> used) : limit_(limit), used_(std::move(used)) {}

  // Takes `bytes`, which are allocated next. What is freed is seen at the next look. RESOURCE_EXHAUSTED: the process
  // would be above its limit; nothing was taken.
  absl::Status Take(size_t bytes);

 private:
  const size_t limit_;
  const std::function<size_t()> used_;
  std::atomic<size_t> left_{0};  // until the next look
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_MEMORY_BUDGET_H_
