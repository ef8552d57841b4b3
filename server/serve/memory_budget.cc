#include "server/serve/memory_budget.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"

namespace rondo {

absl::Status MemoryBudget::Take(size_t bytes) {
  size_t left = left_.load(std::memory_order_relaxed);
  while (left >= bytes) {
    if (left_.compare_exchange_weak(left, left - bytes, std::memory_order_relaxed)) return absl::OkStatus();
  }
  // Several threads may look at once: each finds what there is.
  const size_t used = used_();
  const size_t room = limit_ > used ? limit_ - used : 0;
  if (bytes > room) {
    left_.store(std::min(left, room), std::memory_order_relaxed);
    return Refuse(Why::kOutOfMemory, absl::StrCat("the server uses ", used, " bytes of max_memory=", limit_,
                                                  "; the request takes ", bytes, " more"));
  }
  left_.store((room - bytes) / 2, std::memory_order_relaxed);
  return absl::OkStatus();
}

}  // namespace rondo
