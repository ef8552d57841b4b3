#include "server/metrics/requests_probe.h"

#include <memory>
#include <numeric>

namespace rondo {

RequestDurations::RequestDurations() {
  // The series of OK exist from the start: the first requests then show up in a rate.
  for (size_t method = 0; method < kNumMethods; ++method) Cell(method, 0);
}

RequestDurations::~RequestDurations() {
  for (auto& by_code : cells_) {
    for (auto& cell : by_code) delete cell.load();
  }
}

Histogram& RequestDurations::Cell(size_t method, size_t code) {
  std::atomic<Histogram*>& slot = cells_[method][code];
  Histogram* cell = slot.load(std::memory_order_acquire);
  if (cell != nullptr) return *cell;
  auto made = std::make_unique<Histogram>(kRequestTimes);
  if (slot.compare_exchange_strong(cell, made.get(), std::memory_order_acq_rel)) return *made.release();
  return *cell;  // another thread was first
}

void RequestDurations::Observe(Method method, absl::StatusCode code, absl::Duration duration) {
  auto number = static_cast<size_t>(code);
  if (number >= kNumCodes) number = static_cast<size_t>(absl::StatusCode::kUnknown);
  Cell(static_cast<size_t>(method), number).Observe(Nanoseconds(duration));
}

void RequestDurations::AddTo(Method method, CountAndTime* succeeded, CountAndTime* failed) const {
  for (size_t code = 0; code < kNumCodes; ++code) {
    const Histogram* const cell = cells_[static_cast<size_t>(method)][code].load(std::memory_order_acquire);
    if (cell != nullptr) *(code == 0 ? succeeded : failed) += TotalOf(*cell);
  }
}

}  // namespace rondo
