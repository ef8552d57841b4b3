#include "server/serve/work_budget.h"

#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "server/refusal/refusal.h"

namespace rondo {

absl::Status WorkBudget::CheckShare(const Work& work) const {
  if (work.steps > limits_.max_work_steps / 2) {
    return Invalid("the request takes ", work.steps, " steps; one request may take ", limits_.max_work_steps / 2,
                   ", half of max_work_steps");
  }
  if (work.bytes > limits_.max_work_bytes / 2) {
    return Invalid("the request takes ", work.bytes, " bytes of memory; one request may take ",
                   limits_.max_work_bytes / 2, ", half of max_work_bytes");
  }
  return absl::OkStatus();
}

absl::Status WorkBudget::Take(const Work& work) {
  absl::Status status = server_ != nullptr ? server_->Take(work) : CheckShare(work);
  if (!status.ok()) return status;
  const size_t steps = steps_.fetch_add(work.steps, std::memory_order_relaxed);
  const size_t bytes = bytes_.fetch_add(work.bytes, std::memory_order_relaxed);
  const absl::string_view whose = server_ != nullptr ? " for one client" : "";
  if (steps + work.steps > limits_.max_work_steps) {
    status = Refuse(Why::kWorkBudget, absl::StrCat("the request takes ", work.steps, " steps; of max_work_steps=",
                                                   limits_.max_work_steps, whose, " others have ", steps));
  } else if (bytes + work.bytes > limits_.max_work_bytes) {
    status = Refuse(Why::kMemoryBudget, absl::StrCat("the request takes ", work.bytes,
                                                     " bytes of memory; of max_work_bytes=", limits_.max_work_bytes,
                                                     whose, " others have ", bytes));
  }
  if (status.ok() && memory_ != nullptr) status = memory_->Take(work.bytes);
  if (!status.ok()) GiveBack(work);
  return status;
}

void WorkBudget::GiveBack(const Work& work) {
  if (work.steps > 0) steps_.fetch_sub(work.steps, std::memory_order_relaxed);
  if (work.bytes > 0) bytes_.fetch_sub(work.bytes, std::memory_order_relaxed);
  if (server_ != nullptr) server_->GiveBack(work);
}

}  // namespace rondo
