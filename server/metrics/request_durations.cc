#include "server/metrics/request_durations.h"

#include <memory>

namespace rondo {

RequestDurations::RequestDurations() {
  // The series of OK exist from the start: the first requests then show up in a rate.
  for (size_t method = 0; method < kCountOf<Method>; ++method) Cell(method, 0);
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
  auto made = std::make_unique<Histogram>(RequestTimes());
  if (slot.compare_exchange_strong(cell, made.get(), std::memory_order_acq_rel)) return *made.release();
  return *cell;  // another thread was first
}

void RequestDurations::Observe(Method method, absl::StatusCode code, absl::Duration duration) {
  auto number = static_cast<size_t>(code);
  if (number >= kNumCodes) number = static_cast<size_t>(absl::StatusCode::kUnknown);
  Cell(static_cast<size_t>(method), number).Observe(Nanoseconds(duration));
}

}  // namespace rondo
