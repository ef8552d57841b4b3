#include "server/serve/work_budget.h"

#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "server/refusal/refusal.h"

namespace rondo {

absl::Status WorkBudget::Take(const Work& work) {
  if (work.steps > limits_.max_work_steps / 2) {
    return Invalid("the request takes ", work.steps, " steps; one request may take ", limits_.max_work_steps / 2,
                   ", half of max_work_steps");
  }
  if (work.bytes > limits_.max_work_bytes / 2) {
    return Invalid("the request takes ", work.bytes, " bytes of memory; one request may take ",
                   limits_.max_work_bytes / 2, ", half of max_work_bytes");
  }
  const size_t steps = steps_.fetch_add(work.steps, std::memory_order_relaxed);
  const size_t bytes = bytes_.fetch_add(work.bytes, std::memory_order_relaxed);
  if (steps + work.steps > limits_.max_work_steps) {
    GiveBack(work);
    return Refuse(Why::kWorkBudget, absl::StrCat("the request takes ", work.steps, " steps; of max_work_steps=",
                                                 limits_.max_work_steps, " others have ", steps));
  }
  if (bytes + work.bytes > limits_.max_work_bytes) {
    GiveBack(work);
    return Refuse(Why::kMemoryBudget,
                  absl::StrCat("the request takes ", work.bytes,
                               " bytes of memory; of max_work_bytes=", limits_.max_work_bytes, " others have ", bytes));
  }
  return absl::OkStatus();
}

void WorkBudget::GiveBack(const Work& work) {
  steps_.fetch_sub(work.steps, std::memory_order_relaxed);
  bytes_.fetch_sub(work.bytes, std::memory_order_relaxed);
}

}  // namespace rondo
